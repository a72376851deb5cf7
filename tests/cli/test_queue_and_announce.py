"""`portiere queue retry`, parked mail by ops, and `portiere announce`, as a person types them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from running import portiere

from gateway.core.model import Envelope, Listener
from gateway.core.say import effects
from gateway.demo.world import World, build
from gateway.store.engine import Store
from gateway.store.writer import Writer

NOTICE = "# Manutenzione di vps-12\n\nStasera il nodo viene riavviato.\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's accounts, imported."""
    made = build(tmp_path / "world", 0, 9, 0)
    portiere("accounts", "import", str(made.folder / "accounts.jsonl"), *at(made))
    return made


def at(world: World) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(world.config)


def listed(world: World, *words: str) -> list[dict[str, Any]]:
    """What `queue list` says."""
    found: list[dict[str, Any]] = json.loads(
        portiere("queue", "list", "--json", *words, *at(world)).stdout
    )
    return found


def test_an_announcement_is_copied_to_those_whom_it_concerns(world: World) -> None:
    """One copy, to the official address; a second time it is refused; it can be ended once."""
    file = world.folder / "vps.md"
    file.write_text(NOTICE)
    done = portiere("announce", str(file), "--services", "vps-12", *at(world))
    assert "1 account gets a copy" in done.stdout, done.stderr
    rows = listed(world)
    assert [(row["recipient"], row["kind"]) for row in rows] == [
        ("anna@studio-rossi.example", "announcement")
    ]
    assert "announced already" in portiere("announce", str(file), *at(world)).stderr
    assert portiere("announce", str(file), "--end", *at(world)).returncode == 0
    assert "is in force" in portiere("announce", str(file), "--end", *at(world)).stderr


def test_a_service_that_nobody_has_is_named(world: World) -> None:
    """A slip of the pen is found, and nothing is announced."""
    file = world.folder / "vps.md"
    file.write_text(NOTICE)
    done = portiere("announce", str(file), "--services", "vps-12,vps-77", *at(world))
    assert done.returncode == 1
    assert "no account has the service `vps-77`" in done.stderr
    assert listed(world) == []


def test_a_failed_mail_is_decided_without_a_daemon(world: World) -> None:
    """`queue retry` decides here where none runs; a name that is none is said."""
    store = Store.open(f"sqlite:///{world.folder / 'portiere.db'}", world.folder / "blobs")
    envelope = Envelope(
        "127.0.0.66", "mx", "mario@curious.example", ("support@host.example",),
        Listener.EDGE, datetime.now(UTC),
    )  # fmt: skip
    raw = b"From: <mario@curious.example>\r\nSubject: x\r\n\r\nBuongiorno a tutti.\r\n"
    with Writer(store) as writer:
        writer.commit(effects.undecided(envelope, raw, "0000failed", "KeyError: 'x'")).result()
    store.close()
    assert [row["mail"] for row in listed(world, "--failed")] == ["0000failed"]
    done = portiere("queue", "retry", "--json", *at(world))
    assert json.loads(done.stdout)["outcomes"] == {"0000failed": "refuse"}
    assert listed(world, "--failed") == []
    again = portiere("queue", "retry", "0000failed", *at(world))
    assert again.returncode == 1
    assert "could not be decided" in again.stderr
    assert portiere("queue", "release-parked", "nothing", *at(world)).returncode == 1


def test_a_retry_that_decides_nothing_is_no_success(world: World) -> None:
    """Whether mails were named or not: a script must see that all stayed failed."""
    store = Store.open(f"sqlite:///{world.folder / 'portiere.db'}", world.folder / "blobs")
    envelope = Envelope(
        "127.0.0.66", "mx", "mario@curious.example", ("support@host.example",),
        Listener.EDGE, datetime.now(UTC),
    )  # fmt: skip
    with Writer(store) as writer:
        kept = effects.undecided(envelope, b"Subject: x\r\n\r\nx\r\n", "0000failed", "KeyError")
        writer.commit(kept).result()
    store.close()
    shown = portiere("queue", "show", "0000failed", *at(world)).stdout
    assert "KeyError" in shown
    assert "Subject: x" in shown
    done = portiere("queue", "retry", *at(world))
    assert done.returncode == 1
    assert "1 of 1 could not be decided" in done.stderr
