"""A real gateway as a process of its own, in the demo's world, with a smarthost that keeps what
it gets."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.demo import run
from gateway.demo.scenes import Scene
from gateway.demo.send import compose, message_id, send_all
from gateway.demo.sink import Sink
from gateway.demo.world import World
from gateway.store import mails, tickets
from gateway.store.engine import Store


def portiere(*words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """One command of ours, as a person types it."""
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def until(what: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer, or the last false one when the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


@dataclass
class Gateway:
    """The daemon and its world."""

    world: World
    sink: Sink
    process: "subprocess.Popen[str] | None" = None
    number: int = 0

    def start(self) -> None:
        """Start it; returns when it listens."""
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(self.world.config)]
        with (self.world.folder / "log.jsonl").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening smtp"), self.log

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._closed()

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self._closed()
        return status

    def _closed(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.world.folder / "log.jsonl").read_text()

    def send(self, scene: Scene) -> tuple[list[int], str]:
        """Send a scene's mail; the codes, and its Message-ID."""
        self.number += 1
        raw = compose(self.world, scene, datetime.now(UTC), self.number)
        codes = [code for code, _text in send_all(self.world, scene, raw)]
        return codes, message_id(scene, self.number)

    def trace(self, identifier: str) -> dict[str, Any]:
        """What the database says of a mail."""
        with self.store() as store:
            return mails.trace(store, identifier) or {}

    def ticket(self, number: str) -> dict[str, Any]:
        """A ticket with its history."""
        with self.store() as store, store.reading() as connection:
            found = tickets.show(connection, number)
        assert found is not None
        return found

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database, for reading."""
        url = f"sqlite:///{self.world.folder / 'portiere.db'}"
        store = Store.open(url, None, read_only=True)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def gateway(
    folder: Path, prepare: Callable[[World], None] = lambda world: None
) -> Iterator[Gateway]:
    """A new world with its gateway running, stopped at the end; `prepare` may change its files."""
    world = run.new_world(folder)
    prepare(world)
    with Sink(world.sink_port, world.folder / "sent") as sink:
        running = Gateway(world, sink)
        running.start()
        try:
            yield running
        finally:
            if running.process is not None:
                running.stop()
