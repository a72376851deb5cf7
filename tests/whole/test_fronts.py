"""A gateway of several processes: two fronts take mail on one port, one office writes.

Whichever is killed, nothing is lost and nothing is doubled.
"""

import os
import re
import signal
import smtplib
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from running import Gateway, gateway, portiere, until
from test_daemon import own_policies

from gateway import control
from gateway.demo.scenes import SCENES, Scene
from gateway.demo.world import World
from gateway.errors import BadInput


def two_fronts(world: World) -> None:
    """Set the one key."""
    own_policies(world)
    world.config.write_text("fronts = 2\n" + world.config.read_text())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway of four processes."""
    with gateway(tmp_path_factory.mktemp("world"), two_fronts) as started:
        yield started


def mail(number: int) -> Scene:
    """A mail like no other: each opens or joins by its own words."""
    one = next(scene for scene in SCENES if scene.kind == "open")
    words = f"Vorrei sapere se il contratto numero {number} comprende un indirizzo.\n"
    return replace(one, kind=f"front-{number}", body=words, subject=f"Contratto {number}")


def part(running: Gateway, name: str) -> int:
    """The process that is `office` or `front 1`."""
    found = until(lambda: state(running)["processes"].get(name), 60.0)
    assert isinstance(found, int)
    return found


def children(running: Gateway) -> list[int]:
    """All the processes that the parent has started."""
    assert running.process is not None
    path = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def page(running: Gateway, name: str) -> str:
    """One of the three pages, which the office answers."""
    url = f"http://127.0.0.1:{running.world.http_port}/{name}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def accepted(running: Gateway) -> float:
    """How many mails all fronts have said 250 to, as far as they have told."""
    counted = re.search(
        r'^portiere_smtp_replies_total{code="250"} (.+)$', page(running, "metrics"), re.M
    )
    return float(counted[1]) if counted else 0.0


def state(running: Gateway) -> dict[str, Any]:
    """What the office says of all; nothing while it is away."""
    try:
        return control.call(running.world.folder / "control.sock", "status")
    except (BadInput, OSError):
        return {"fronts": 0, "processes": {}}


def again(running: Gateway, scene: Scene) -> str:
    """Send until it is accepted, as every mail server does; its Message-ID."""
    number = running.number

    def accepted() -> str:
        running.number = number  # the same mail
        try:
            codes, identifier = running.send(scene)
        except (OSError, smtplib.SMTPException, BadInput):
            return ""
        return identifier if codes == [250] else ""

    identifier = until(accepted, 60.0)
    assert identifier, running.log[-3000:]
    return str(identifier)


def once(running: Gateway, identifier: str) -> None:
    """The mail exists, with one entry and one reply."""
    traced = running.trace(identifier)
    assert traced["outcome"] in ("open", "thread")
    history = running.ticket(traced["ticket"])
    assert [entry["mail"] for entry in history["entries"]].count(traced["mail"]) == 1
    assert len([row for row in traced["outgoing"] if not row["notice"]]) == 1


def test_both_fronts_take_mail_and_are_counted_together(running: Gateway) -> None:
    """One port, one count, one state; a mail is written once."""
    before = accepted(running)
    identifiers = [again(running, mail(number)) for number in range(8)]
    for identifier in identifiers:
        once(running, identifier)
    assert until(lambda: accepted(running) >= before + 8)
    assert page(running, "readyz").startswith("ready\n")
    assert state(running)["fronts"] == 2
    assert len(state(running)["listeners"]) == 1


def test_a_front_that_is_killed_comes_back(running: Gateway) -> None:
    """The other one goes on meanwhile; what the dead one counted stays counted."""
    before = page(running, "metrics").count("portiere_smtp_replies_total")
    os.kill(part(running, "front 1"), signal.SIGKILL)
    once(running, again(running, mail(20)))
    assert until(lambda: state(running)["fronts"] == 2, 60.0)
    assert page(running, "metrics").count("portiere_smtp_replies_total") >= before
    assert len(children(running)) == 3


def test_while_the_office_is_away_the_fronts_say_later(running: Gateway) -> None:
    """451, and the same mail is accepted when it is back, and once."""
    office = part(running, "office")
    os.kill(office, signal.SIGKILL)
    identifier = again(running, mail(30))
    once(running, identifier)
    assert office not in children(running)


def test_kills_under_load_lose_nothing_and_double_nothing(running: Gateway) -> None:
    """Senders that retry, while the office and a front are killed in turn."""
    accepted: list[str] = []
    copies = [Gateway(running.world, running.sink, number=100 * each) for each in range(1, 4)]

    def send(copy: Gateway, first: int) -> None:
        accepted.extend(again(copy, mail(first + each)) for each in range(6))

    threads = [
        threading.Thread(target=send, args=(copy, 1000 * at)) for at, copy in enumerate(copies, 1)
    ]
    for thread in threads:
        thread.start()
    for name in ("office", "front 2", "office"):
        os.kill(part(running, name), signal.SIGKILL)
        assert until(lambda: state(running)["fronts"] == 2, 60.0)
    for thread in threads:
        thread.join()
    assert len(set(accepted)) == 18
    for identifier in accepted:
        once(running, identifier)


def test_a_reload_reaches_every_front(running: Gateway) -> None:
    """One policy is in force, everywhere; a front that has another one would be seen."""
    assert running.process is not None
    until(lambda: state(running)["fronts"] == 2, 60.0)
    answer = control.call(running.world.folder / "control.sock", "reload")
    assert answer["policy"] == answer["was"]
    running.process.send_signal(signal.SIGHUP)
    done = 'portiere_reloads_total{result="done"} 2.0'
    assert until(lambda: done in page(running, "metrics"))
    assert page(running, "metrics").count("portiere_policy_info{") == 1


def test_a_front_that_comes_back_begins_with_the_tables_in_force(running: Gateway) -> None:
    """Files that a reload refused do not come into force by a death, and keep no front away."""
    broken = running.world.folder / "policies" / "disclosure.toml"
    words = broken.read_text()
    before, front = state(running)["policy"], part(running, "front 1")
    try:
        broken.write_text(words + "\n[[rule\n")
        os.kill(front, signal.SIGKILL)
        assert until(lambda: part(running, "front 1") != front, 60.0)
        assert until(lambda: state(running)["fronts"] == 2, 60.0)
    finally:
        broken.write_text(words)
    assert state(running)["policy"] == before
    assert page(running, "metrics").count("portiere_policy_info{") == 1


def test_a_second_gateway_on_the_same_file_is_refused(running: Gateway) -> None:
    """Whatever its ports and its socket are; it names the process that works there."""
    words = running.world.config.read_text().replace("fronts = 2\n", "")
    words = words.replace("control.sock", "other.sock")
    other = running.world.config.with_name("other.toml")
    other.write_text(words)
    second = portiere("serve", "--config", str(other))
    assert second.returncode == 1
    assert f"(process {part(running, 'office')})" in second.stderr


def test_all_end_together(running: Gateway) -> None:
    """SIGTERM to the parent: status 0, and nobody is left."""
    pids = children(running)
    assert running.stop() == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not (running.world.folder / "control.sock").exists()
    running.start()


def test_when_the_parent_is_killed_the_others_end(running: Gateway) -> None:
    """They see it, and drain; the next start works on the same file."""
    pids = children(running)
    running.kill()
    assert until(lambda: not [pid for pid in pids if _alive(pid)], 60.0)
    running.start()
    once(running, again(running, mail(90)))


def _alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
