"""The example receiver of the documentation, run as it stands, against the real gateway."""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from running import Gateway, gateway, portiere, until
from sqlalchemy import Connection
from test_daemon import page, scene
from tests_support import ROOT

from gateway.demo.world import World
from gateway.store import tickets, webhooks
from gateway.store.engine import Store
from gateway.store.writer import Writer

EXAMPLE = ROOT / "docs" / "examples" / "webhook_receiver.py"
SECRET = "one secret of the panel and of nobody else\n"


@dataclass
class Receiver:
    """The example as a process of its own; what it has kept stands in its database."""

    folder: Path
    port: int = 0
    process: "subprocess.Popen[str] | None" = None

    def start(self, secret: str = SECRET) -> None:
        """Start it, the first time on a port that is free."""
        file = self.folder / "receiver.secret"
        file.write_text(secret)
        command = [sys.executable, str(EXAMPLE), "--port", str(self.port)]
        command += ["--secret-file", str(file), "--database", str(self.folder / "events.db")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port = int(line.rstrip("/\n").rpartition(":")[2])

    def stop(self) -> None:
        """kill -9."""
        if self.process is not None:
            assert self.process.stdout is not None
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def kept(self) -> list[dict[str, Any]]:
        """The events in the order in which they came."""
        with closing(sqlite3.connect(self.folder / "events.db")) as database:
            found = database.execute("SELECT body FROM events ORDER BY rowid").fetchall()
        return [json.loads(body) for (body,) in found]

    def tickets(self) -> dict[str, str]:
        """Each ticket's state, as the receiver believes it."""
        with closing(sqlite3.connect(self.folder / "events.db")) as database:
            return dict(database.execute("SELECT number, state FROM tickets").fetchall())


@contextmanager
def followed(folder: Path, events: str = "[]") -> Iterator[tuple[Gateway, Receiver]]:
    """A gateway whose tickets are followed by the example."""
    folder.mkdir(parents=True)
    receiver = Receiver(folder)
    receiver.start()

    def prepare(world: World) -> None:
        (world.folder / "panel.secret").write_text(SECRET)
        with world.config.open("a") as config:
            config.write(
                f'\n[[webhook]]\nurl = "http://127.0.0.1:{receiver.port}/in"\n'
                f'secret_file = "panel.secret"\nevents = {events}\n'
            )

    try:
        with gateway(folder / "world", prepare) as running:
            yield running, receiver
    finally:
        receiver.stop()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Receiver]]:
    """One pair for the tests that leave it as it is."""
    with followed(tmp_path_factory.mktemp("hooks") / "both") as pair:
        yield pair


def rows(running: Gateway, *states: str) -> list[dict[str, Any]]:
    """Deliveries in these states."""
    with running.store() as store, store.reading() as connection:
        return webhooks.list_rows(connection, states=states)


def at(running: Gateway) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(running.world.config)


def done(running: Gateway, work: Callable[[Connection], object]) -> None:
    """What a command does, without starting one."""
    store = Store.open(f"sqlite:///{running.world.folder / 'portiere.db'}", None)
    with closing(store), Writer(store) as writer:
        writer.run(work).result(10)


def pull(running: Gateway) -> None:
    """Do not wait for the next attempt."""
    numbers = [row["id"] for row in rows(running, "due")]
    done(running, lambda one: webhooks.act(one, "retry", numbers, datetime.now(UTC)))
    time.sleep(0.1)


def test_a_follower_learns_of_a_ticket_from_its_opening_to_its_closing(
    both: tuple[Gateway, Receiver],
) -> None:
    """By mail and by command alike; staff's note is internal; secrets are masked."""
    running, receiver = both
    words = "La password: Zaffiro77 del pannello non va. Potete guardare il contratto?\n"
    _codes, identifier = running.send(replace(scene("open"), body=words, subject="Pannello"))
    number = running.trace(identifier)["ticket"]
    now = datetime.now(UTC)
    done(running, lambda one: tickets.add_note(one, number, "marta", "ho guardato", now))
    done(running, lambda one: tickets.close(one, number, "marta", now))

    def told() -> list[dict[str, Any]]:
        found = [one for one in receiver.kept() if one["ticket"]["number"] == number]
        return found if len(found) >= 3 else []

    events = until(told)
    assert [one["kind"] for one in events] == ["ticket.opened", "entry.added", "ticket.closed"]
    first, note, closed = events
    assert (first["ticket"]["account"], first["ticket"]["subject"]) == ("A-1001", "Pannello")
    assert (first["entry"]["by"], first["entry"]["proof"]) == ("customer", "strong")
    assert "Potete guardare" in first["entry"]["text"]
    assert "Zaffiro77" not in json.dumps(receiver.kept())
    assert (note["entry"]["text"], note["entry"]["internal"]) == ("ho guardato", True)
    assert closed["ticket"]["state"] == "closed"
    assert receiver.tickets()[number] == "closed"


def test_what_is_sent_is_what_is_exported(both: tuple[Gateway, Receiver]) -> None:
    """`events export` writes the very bodies, a line each; `list` and `show` name them."""
    running, receiver = both
    _codes, identifier = running.send(replace(scene("open"), kind="export", subject="Esporta"))
    number = running.trace(identifier)["ticket"]
    assert until(lambda: number in receiver.tickets())
    exported = portiere("events", "export", "--ticket", number, *at(running))
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    assert lines == [one for one in receiver.kept() if one["ticket"]["number"] == number]
    listed = json.loads(portiere("events", "list", "--json", *at(running)).stdout)
    assert listed[0]["id"] == lines[0]["id"]
    shown = json.loads(portiere("events", "show", lines[0]["id"], "--json", *at(running)).stdout)
    assert shown["kind"] == "ticket.opened"
    since = portiere("events", "export", "--since", "2030-01-01T00:00:00Z", *at(running))
    assert (since.returncode, since.stdout) == (0, "")


def test_what_a_follower_refuses_waits_and_comes_when_it_is_mended(tmp_path: Path) -> None:
    """A wrong secret is 401: nothing is kept, the delivery waits in order, and is then taken."""
    with followed(tmp_path / "hooks") as (running, receiver):
        receiver.stop()
        receiver.start("another secret, which is a wrong one\n")
        _codes, identifier = running.send(scene("open"))
        number = running.trace(identifier)["ticket"]
        done(running, lambda one: tickets.close(one, number, "marta", datetime.now(UTC)))
        waiting = until(lambda: [r for r in rows(running, "due") if "401" in (r["error"] or "")])
        assert [row["kind"] for row in waiting] == ["ticket.opened"]
        listed = portiere("queue", "list", "--webhooks", "--json", *at(running)).stdout
        assert "401" in json.loads(listed)[0]["error"]
        assert receiver.kept() == []
        assert page(running, "readyz") == "ready\n"
        receiver.stop()
        assert running.send(scene("open"))[0] == [250]
        receiver.start()

        def mended() -> bool:
            pull(running)
            return not rows(running, "due")

        assert until(mended)
        kinds = [one["kind"] for one in receiver.kept() if one["ticket"]["number"] == number]
        assert kinds == ["ticket.opened", "ticket.closed"]
        assert until(lambda: 'deliveries_total{result="sent"}' in page(running, "metrics"))


def test_a_delivery_that_a_crash_hid_comes_again_with_the_same_id(tmp_path: Path) -> None:
    """The gateway dies after the follower took it and before it wrote that down: at least once.

    The follower asked for openings alone, and hears of nothing else.
    """
    with followed(tmp_path / "hooks", '["ticket.opened"]') as (running, receiver):
        running.send(scene("thread"))
        running.send(scene("open"))
        assert until(receiver.kept)
        assert until(lambda: rows(running, "sent"))
        assert [row["kind"] for row in rows(running, "due", "sent")] == ["ticket.opened"]
        running.kill()
        with closing(sqlite3.connect(running.world.folder / "portiere.db")) as database, database:
            hidden = "UPDATE webhooks SET state = 'due', owner = 'dead', sent_at = NULL"
            database.execute(hidden + ", lease_until = 9000000000000000")
        assert receiver.process is not None
        assert receiver.process.stdout is not None
        first = receiver.process.stdout.readline()
        running.start()
        second = receiver.process.stdout.readline()
        assert first.split()[0] == "new"
        assert second.split() == ["again", first.split()[1]]
        assert until(lambda: not rows(running, "due"))
        assert len(receiver.kept()) == 1


def test_the_receiver_takes_nothing_that_is_not_signed() -> None:
    """No signature, another body, an old time, and a time that is none."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    from gateway.deliver.webhooks import signature

    secrets = (SECRET.strip().encode(),)
    good = signature(secrets, 1_000_000, b"{}")
    assert example.verified(good, b"{}", list(secrets), 1_000_100)
    assert example.verified(good, b"{}", [b"the old one, as it was", *secrets], 999_900)
    assert not example.verified(good, b"{ }", list(secrets), 1_000_000)
    assert not example.verified(good, b"{}", [b"another"], 1_000_000)
    assert not example.verified(good, b"{}", list(secrets), 1_000_301)
    assert not example.verified(good.replace("t=1", "t=x"), b"{}", list(secrets), 1_000_000)
    assert not example.verified("", b"{}", list(secrets), 1_000_000)
    assert not example.verified(f"{good},t=1", b"{}", list(secrets), 1_000_000)


def test_a_post_without_a_signature_is_401(both: tuple[Gateway, Receiver]) -> None:
    """Over the wire, too: a stranger cannot put a ticket into the panel."""
    _running, receiver = both
    before = len(receiver.kept())
    request = urllib.request.Request(f"http://127.0.0.1:{receiver.port}/in", data=b"{}")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)
    assert len(receiver.kept()) == before
