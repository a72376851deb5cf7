"""Under a service manager: what it is told, and the sockets that it hands over."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import until

from gateway import supervised
from gateway.demo import run
from gateway.demo.world import World
from gateway.errors import BadInput
from gateway.receive import handed

# Takes the socket of this number as the third, as sd_listen_fds(3) wants it, and becomes portiere.
BECOME = """
import os, sys
given = int(sys.argv[1])
if given >= 0:
    os.dup2(given, 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "gateway", "serve", "--config", sys.argv[2]])
"""


class Manager:
    """Listens on $NOTIFY_SOCKET, as a service manager does."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._end.bind(self.path)
        self._end.setblocking(False)
        self.heard: list[str] = []

    def hears(self, word: str, times: int = 1) -> bool:
        """Whether this was said so often, now or soon."""

        def said() -> bool:
            while True:
                try:
                    self.heard += self._end.recv(4096).decode().split("\n")
                except BlockingIOError:
                    return self.heard.count(word) >= times

        return bool(until(said, 60.0))

    def close(self) -> None:
        """No more."""
        self._end.close()


@contextmanager
def managed(
    world: World, manager: Manager, given: socket.socket | None = None
) -> "Iterator[subprocess.Popen[str]]":
    """The daemon as a manager starts it; killed at the end if it still runs."""
    number = given.fileno() if given else -1
    process = subprocess.Popen(
        [sys.executable, "-c", BECOME, str(number), str(world.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        pass_fds=[number] if given else [],
        env={**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Closed at the end."""
    made = Manager(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("fronts", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_manager_hears_of_every_turn(tmp_path: Path, manager: Manager, fronts: int) -> None:
    """READY once mail is taken, beats, RELOADING and READY again, STOPPING; and the socket that
    was handed over is the door.
    """
    world = run.new_world(tmp_path / "world")
    with socket.create_server(("127.0.0.1", 0)) as given:
        address = handed.address_of(given)
        words = world.config.read_text().replace(f"127.0.0.1:{world.smtp_port}", address)
        world.config.write_text(f"fronts = {fronts}\n{words}")
        with managed(world, manager, given) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"listening smtp {address}\n"
            assert manager.hears("READY=1")
            with smtplib.SMTP("127.0.0.1", given.getsockname()[1], timeout=30) as line:
                assert line.noop()[0] == 250
            assert manager.hears("WATCHDOG=1", 3)
            process.send_signal(signal.SIGHUP)
            assert manager.hears("RELOADING=1")
            assert manager.hears("READY=1", 2)
            process.send_signal(signal.SIGTERM)
            assert manager.hears("STOPPING=1")
            assert process.wait(60) == 0
    order = [word for word in manager.heard if word in ("READY=1", "RELOADING=1", "STOPPING=1")]
    assert order == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_nothing_is_said_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables there is no datagram, no beat and no socket."""
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    supervised.notify("READY=1")
    assert supervised.watchdog_seconds() is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert supervised.watchdog_seconds() == 15.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert supervised.watchdog_seconds() is None
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    supervised.notify("READY=1")


@pytest.mark.parametrize(
    "said",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": "7"}, {"LISTEN_FDS": "1"}],
)
def test_sockets_for_another_process_are_not_ours(said: dict[str, str]) -> None:
    """They count only where the process is named, and a number is said."""
    assert handed.sockets(said, 7) == {}


def test_a_socket_that_no_listener_has_stops_the_start() -> None:
    """A slip between the unit and the configuration is named, with what there is."""
    from gateway.config import Config
    from gateway.doors import expected

    with (
        socket.create_server(("127.0.0.1", 0)) as given,
        pytest.raises(BadInput, match="no listener has that address"),
    ):
        expected(Config(), {handed.address_of(given): given})
