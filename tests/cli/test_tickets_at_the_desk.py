"""What staff put right from a terminal, as a person types it and as a program reads it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.app import app
from gateway.core.model import (
    NewEntry,
    NewTicket,
    ProvenAuthor,
    TicketKind,
    TicketState,
)
from gateway.demo.world import TICKET, World, build
from gateway.errors import PortiereError
from gateway.store import changes
from gateway.store.engine import Store
from gateway.store.prepared import Link
from gateway.store.writer import Writer

NOW = datetime.now(UTC) - timedelta(hours=3)
RUNNER = CliRunner()
ENQUIRY, ASKED = "700001", "700002"


@dataclass
class Done:
    """A command's exit status and what it said."""

    returncode: int
    stdout: str
    stderr: str


def portiere(*words: str) -> Done:
    """A command of ours in this process, which is quicker to start."""
    result = RUNNER.invoke(app, list(words))
    problem = result.exception
    if isinstance(problem, PortiereError):
        return Done(1, result.stdout, str(problem))
    if problem is not None and not isinstance(problem, SystemExit):
        raise problem
    return Done(result.exit_code, result.stdout, result.stderr)


def ticket(number: str, kind: TicketKind, **more: Any) -> NewTicket:
    """An open one."""
    return NewTicket(
        number=number, kind=kind, subject="Prezzi", state=TicketState.NEW, department="general",
        priority="normal", proof="strong", language="it", opened_at=NOW, reply_due=None, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The demo's accounts and ticket, an enquiry, and a ticket to be verified."""
    made = build(tmp_path_factory.mktemp("desk") / "world", 0, 9, 0)
    for thing in ("accounts", "tickets"):
        portiere(thing, "import", str(made.folder / f"{thing}.jsonl"), *at(made))
    enquiry = ticket(
        ENQUIRY, TicketKind.ENQUIRY, account=None, enquirer=ProvenAuthor("mario@curious.example")
    )
    asked = ticket(ASKED, TicketKind.ACCOUNT, account="A-1001", verified=False)
    lines = [
        NewEntry(
            ASKED, NOW + timedelta(minutes=n), "customer", "mail", "anna", "strong", f"riga {n}"
        )
        for n in range(3)
    ]

    def work(connection: Any) -> None:
        steps = [*changes.opened(enquiry, 0), *changes.opened(asked, 0)]
        changes.run(Link.of(connection), [*steps, *(changes.entry(one, None) for one in lines)])

    store = Store.open(f"sqlite:///{made.folder / 'portiere.db'}", made.folder / "blobs")
    with Writer(store) as writer:
        writer.run(work).result(10)
    store.close()
    return made


def at(world: World) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(world.config)


def said(world: World, *words: str) -> Any:
    """What a command of `tickets` gives to a program."""
    done = portiere("tickets", *words, "--json", *at(world))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "text, held",
    [
        ("Il dominio studio-rossi.example e' gia' nostro cliente.", True),
        ("Come per vps-12, bastano due giorni.", True),
        ("Un servizio comincia da dieci euro: si veda panel.host.example.", False),
    ],
)
def test_a_public_answer_that_names_what_an_account_has_waits(
    world: World, text: str, held: bool
) -> None:
    """Domain or service; our own panel may be named."""
    done = portiere("tickets", "reply", ENQUIRY, "--text", text, "--by", "marta", *at(world))
    assert ("held back" in done.stdout) is held, done.stderr


def test_what_waits_is_listed_taken_over_and_then_answered(world: World) -> None:
    """Until somebody has taken it over, no answer goes out."""
    refused = portiere("tickets", "reply", ASKED, "--text", "Fatto.", *at(world))
    assert (refused.returncode, "has not confirmed" in refused.stderr) == (1, True)
    assert [(one["what"], one["ticket"]) for one in said(world, "pending")] == [("panel", ASKED)]
    assert said(world, "accept", ASKED, "--by", "marta") == {"number": ASKED, "accepted": 1}
    shown = said(world, "show", ASKED)
    assert (shown["verified"], shown["entries"][-1]["author"]) == (True, "marta")
    assert (
        "goes to anna@"
        in portiere("tickets", "reply", ASKED, "--text", "Fatto.", *at(world)).stdout
    )


def test_a_wrong_join_is_split(world: World) -> None:
    """The new ticket is linked, and the old one says where its entry went."""
    entries = [
        one["id"] for one in said(world, "show", ASKED)["entries"] if one["by"] == "customer"
    ]
    done = said(world, "split", ASKED, str(entries[2]), "--by", "marta")
    assert (done["split_from"], done["entries"]) == (ASKED, [entries[2]])
    new = said(world, "show", done["number"])
    assert (new["linked_to"], new["entries"][0]["text"], new["account"]) == (
        ASKED,
        "riga 2",
        "A-1001",
    )
    wrong = portiere("tickets", "split", ASKED, str(entries[0]), *at(world))
    assert (wrong.returncode, "opened ticket" in wrong.stderr) == (1, True)


def test_a_merge_stays_within_an_account(world: World) -> None:
    """An enquiry belongs to nobody, and cannot be merged into a customer's ticket."""
    done = portiere("tickets", "merge", ENQUIRY, TICKET, *at(world))
    assert (done.returncode, "not of the same account" in done.stderr) == (1, True)


def test_announcements_are_listed_and_ended(world: World, tmp_path: Path) -> None:
    """With what is still owed; over is over once."""
    file = tmp_path / "nodo.md"
    file.write_text("# Nodo\n\nStasera si riavvia.\n")
    assert portiere("announce", str(file), *at(world)).returncode == 0
    again = portiere("announce", str(file), *at(world))
    assert (again.returncode, "0 accounts get a copy" in again.stdout) == (0, True)
    listed = json.loads(portiere("announcements", "list", "--json", *at(world)).stdout)
    assert [(one["slug"], one["owed"]) for one in listed] == [("nodo", 0)]
    assert portiere("announcements", "end", "nodo", *at(world)).returncode == 0
    assert portiere("announcements", "end", "nodo", *at(world)).returncode == 1
