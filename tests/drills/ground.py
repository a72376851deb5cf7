"""The world of a drill as files: many accounts, one ticket each, a zone, generous caps.

It is the demo's world with more people in it; every mail is proven by SPF, so that making mail is
cheap.
"""

import contextlib
import json
import re
import secrets
import shutil
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests_support import ROOT

from gateway.demo import world
from gateway.store import accounts, ticketfile, tickets
from gateway.store.engine import Store

CUSTOMERS = "clienti.example"
STRANGERS = "estranei.example"
ADDRESSES = {CUSTOMERS: "127.0.0.50", STRANGERS: "127.0.0.60"}
FIRST_TICKET = 100_000


def customer(number: int) -> str:
    """The official address of an account."""
    return f"u{number}@{CUSTOMERS}"


def ticket_of(number: int) -> str:
    """The standing ticket of an account."""
    return str(FIRST_TICKET + number)


def build(folder: Path, people: int = 200) -> world.World:
    """A new world with `people` accounts, written and imported."""
    shutil.rmtree(folder, ignore_errors=True)
    made = world.build(folder, free_port(), free_port(), free_port())
    _accounts(folder / "accounts.jsonl", people)
    _tickets(folder / "tickets.jsonl", people)
    _zone(folder / "zone.json")
    _generous(folder)
    configure(made, ("[paths]", '[paths]\npolicies = "policies"'))
    load(made, f"sqlite:///{folder / 'portiere.db'}")
    return made


def free_port() -> int:
    """A port that nobody uses now, and that no connection takes for its own end while a gateway
    is down: below those that the system gives out.
    """
    while True:
        port = secrets.choice(range(12_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def reopen(folder: Path) -> world.World:
    """The world that an earlier run has left there, with its ports."""
    return world.reopen(folder)


def configure(made: world.World, *changes: tuple[str, str]) -> None:
    """Replace words of the configuration; each must stand there once."""
    text = made.config.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    made.config.write_text(text)


def load(made: world.World, url: str) -> None:
    """Import the accounts and tickets of the world's files."""
    store = Store.open(url, made.folder / "blobs")
    with store.engine.begin() as connection:
        accounts.apply(
            connection, accounts.load_file(made.folder / "accounts.jsonl"), datetime.now(UTC)
        )
        tickets.apply(connection, ticketfile.load_file(made.folder / "tickets.jsonl"))
    store.close()


def _accounts(path: Path, people: int) -> None:
    _add(
        path,
        [
            {
                "account": f"D-{number}",
                "name": f"Cliente {number}",
                "language": "it",
                "state": "active",
                "primary": customer(number),
                "secondary": [],
                "services": [],
            }
            for number in range(people)
        ],
    )


def _tickets(path: Path, people: int) -> None:
    at = "2026-11-02T09:15:00+01:00"
    _add(
        path,
        [
            {
                "number": ticket_of(number),
                "account": f"D-{number}",
                "subject": "Posta lenta",
                "state": "open",
                "department": "technical",
                "opened": at,
                "entries": [{"at": at, "by": "customer", "text": "La posta arriva tardi."}],
            }
            for number in range(people)
        ],
    )


def _add(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _zone(path: Path) -> None:
    zone = json.loads(path.read_text())
    for domain, address in ADDRESSES.items():
        zone[domain] = {
            "TXT": [f"v=spf1 ip4:{address} -all"],
            "MX": [[10, f"mx.{domain}"]],
        }
        zone[f"mx.{domain}"] = {"A": [address]}
        zone[f"_dmarc.{domain}"] = {"TXT": ["v=DMARC1; p=reject"]}
    path.write_text(json.dumps(zone))


def _generous(folder: Path) -> None:
    """The shipped policies with caps that a drill does not reach."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    routing = folder / "policies" / "routing.toml"
    head, caps = routing.read_text().split("[caps]\n", 1)
    mine, line, rest = caps.partition("\n\n")
    mine = re.sub(r"= \d+", "= 1000000", mine)
    routing.write_text(f"{head}[caps]\n{mine}{line}{rest}")
