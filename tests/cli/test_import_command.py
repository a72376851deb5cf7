"""`portiere import`: old mail becomes tickets of its own time, and nobody is written to."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from dkim_signing import sign
from running import portiere

from gateway.demo.scenes import SCENES
from gateway.demo.send import compose
from gateway.demo.world import SELECTOR, World, build


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's accounts, imported."""
    made = build(tmp_path / "world", 0, 9, 0)
    portiere("accounts", "import", str(made.folder / "accounts.jsonl"), *at(made))
    return made


def at(world: World) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(world.config)


def letter(world: World, kind: str, number: int, hours: int, more: bytes = b"") -> bytes:
    """A mail of the demo that came so many hours ago, as our own server kept it."""
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)
    scene = next(one for one in SCENES if one.kind == kind)
    key = serialization.load_pem_private_key(world.keys[scene.host], None)
    assert isinstance(key, RSAPrivateKey)
    words = "from:to:subject:date:message-id"
    unsigned = compose(world, replace(scene, signed_by=""), then, number)
    raw = sign(unsigned + more, key, d=scene.host, s=SELECTOR, h=words, t=None)
    received = then.strftime("%a, %d %b %Y %H:%M:%S +0000")
    head = f"Return-Path: <{scene.author}>\r\nReceived: from x by mx.host.example; {received}\r\n"
    return head.encode() + raw


def imported(world: World, *words: str) -> dict[str, Any]:
    """What the command says."""
    done = portiere("import", *words, "--json", *at(world))
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["refused"] or found["later"] else 0), done.stderr
    return found


def mbox(*raws: bytes) -> bytes:
    """The file that a mail server keeps, with the line ends of its system."""
    return b"".join(
        b"From x@y.example Sun Nov 22 10:00:00 2026\n"
        + raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
        + b"\n"
        for raw in raws
    )


def test_old_mail_becomes_tickets_of_its_time_and_nobody_is_written_to(world: World) -> None:
    """From an mbox; once more changes nothing; the outbox stays empty, nothing is due."""
    first = letter(world, "open", 1, 5)
    second = letter(world, "open", 2, 3, b"\r\nFrom here on a line is quoted in the file.\r\n")
    (world.folder / "box").write_bytes(mbox(first, second))
    found = imported(world, str(world.folder / "box"))
    assert found["outcomes"] == {"open": 1, "thread": 1}
    again = imported(world, str(world.folder / "box"))
    assert again["outcomes"] == {}
    assert again["duplicates"] == 2
    assert json.loads(portiere("queue", "list", "--json", *at(world)).stdout) == []
    listed = json.loads(portiere("tickets", "list", "--json", *at(world)).stdout)
    assert listed
    assert all(one["reply_due"] is None for one in listed)
    opened = min(datetime.fromisoformat(one["opened_at"]) for one in listed)
    assert opened < datetime.now(UTC) - timedelta(hours=4)


def test_a_folder_of_files_is_imported_and_what_is_refused_is_named(world: World) -> None:
    """Two From fields are refused as at the door; the others are taken."""
    folder = world.folder / "old"
    folder.mkdir()
    (folder / "good.eml").write_bytes(letter(world, "open", 3, 2))
    (folder / "bad.eml").write_bytes(b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nx\r\n")
    found = imported(world, str(folder))
    assert sum(found["outcomes"].values()) == 1
    (name,) = found["refused"]
    assert name.endswith("bad.eml")
    assert found["refused"][name].startswith("550 5.6.0")


def test_with_replies_the_customer_hears_of_it(world: World) -> None:
    """As for new mail, to the official address."""
    (world.folder / "one.eml").write_bytes(letter(world, "open", 4, 1))
    imported(world, str(world.folder / "one.eml"), "--replies")
    rows = json.loads(portiere("queue", "list", "--json", *at(world)).stdout)
    assert "anna@studio-rossi.example" in {row["recipient"] for row in rows}


def test_a_file_that_is_not_there_is_named(world: World) -> None:
    """Before anything is imported."""
    done = portiere("import", str(world.folder / "none.eml"), *at(world))
    assert done.returncode == 1
    assert "none.eml" in done.stderr
