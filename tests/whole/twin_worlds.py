"""Houses that differ only in their accounts: the same keys, texts, rules, chance and DNS.

A mail is put through two of them, and everything that the outside could tell apart is compared.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway import keyring
from gateway.config import Config, parse, resolve
from gateway.core.know.token import Keys
from gateway.core.model import Candidates, Clues, Envelope, Listener
from gateway.demo.world import HOSTS, SUPPORT, World, build
from gateway.house import Rooms
from gateway.pipeline import Course, Pipeline
from gateway.store import accounts, ticketfile, tickets
from gateway.store.prepared import Link
from gateway.store.reader import Reader
from gateway.store.writer import Writer

# Ahead of the clock, since mails are signed with the true time while the tests run.
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
FREE_NUMBER = "777000777"
SENT = "La fattura di novembre contiene un importo che vi rimborsiamo entro la settimana."

# On every world: a customer of his own, and an address on two accounts.
CARLO, SHARED = "carlo@bianchi-srl.example", "ufficio@posta.example"
# Registered on some worlds only; nobody here proves one of them.
ANNA, TECNICO = "anna@studio-rossi.example", "tecnico@posta.example"


def account(number: str, primary: str, *secondary: str, **services: str) -> dict[str, Any]:
    """One account; a service is `name="order ip"`."""
    kept = []
    for name, named in services.items():
        order, ip = named.split()
        kept.append({"name": name.replace("_", "-"), "kind": "vps", "order": order, "ip": [ip]})
    return {
        "account": number,
        "name": f"Segreto-{number}",
        "language": "it",
        "state": "active",
        "primary": primary,
        "secondary": list(secondary),
        "services": kept,
    }


def ticket(number: str, owner: str, state: str = "closed", said: str = SENT) -> dict[str, Any]:
    """One ticket with a customer's entry."""
    at = (NOW - timedelta(days=9)).isoformat()
    return {
        "number": number,
        "account": owner,
        "subject": f"Oggetto {number}",
        "state": state,
        "department": "technical",
        "opened": at,
        "entries": [{"at": at, "by": "staff", "text": said}],
    }


COMMON = (
    account("A-1002", CARLO, web_40="223344 198.51.100.9"),
    account("A-1003", "uno@studio-rossi.example", SHARED, vps_31="313131 192.0.2.31"),
    account("A-1004", "due@studio-rossi.example", SHARED, vps_32="323232 192.0.2.32"),
)
COMMON_TICKETS = (ticket("500100", "A-1002"),)

# What may differ between two worlds: everything but the author's own account.
WORLDS: dict[str, tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]] = {
    "full": (
        (
            account("A-1001", ANNA, TECNICO, vps_12="123456 192.0.2.7"),
            account("A-1005", "mille@posta.example", vps_55="555555 192.0.2.55"),
        ),
        (ticket("482913", "A-1001"), ticket("482914", "A-1005", "waiting for staff")),
    ),
    "other": (
        (
            account("B-2001", "altri@posta.example", ANNA, vps_99="999999 192.0.2.99"),
            account("B-2002", TECNICO, vps_12="123457 192.0.2.7"),
        ),
        (ticket("482914", "B-2001"), ticket("482999", "B-2002", "waiting for staff")),
    ),
    "empty": ((), ()),
}
QUEUE = ticket("900001", "A-1003", "waiting for staff")  # "empty" has a queue as long as the rest


@dataclass
class Recording:
    """A store that keeps the text of every statement that it is asked."""

    store: Any
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def read(self) -> Iterator[Any]:
        """One read transaction, through a link that listens."""
        with self.store.read() as link:
            yield Link(_Listening(link.dbapi, self.asked), link.dialect)


@dataclass
class _Listening:
    """A driver's connection that keeps the statements."""

    dbapi: Any
    asked: list[str]

    def execute(self, sql: str, values: Any = ()) -> Any:
        """The statement, and its text for us."""
        self.asked.append(sql)
        return self.dbapi.execute(sql, values)


@dataclass
class Twin:
    """One of the houses."""

    name: str
    rooms: Rooms
    recording: Recording
    pipeline: Pipeline
    writer: Writer
    numbers: list[str] = field(default_factory=lambda: [FREE_NUMBER])

    @property
    def keys(self) -> Keys:
        """The keys of tokens."""
        return self.rooms.standing.knowing.keys

    def course(self, envelope: Envelope, raw: bytes) -> Course:
        """All but the writing."""
        self.recording.asked.clear()
        return asyncio.run(self.pipeline.course(envelope, raw))

    def handle(self, envelope: Envelope, raw: bytes) -> tuple[Any, ...]:
        """The whole way with the writing: what the outside sees of it."""
        written: list[Any] = []

        async def commit(effects: Any) -> Any:
            written.append(effects)
            return await asyncio.wrap_future(self.writer.commit(effects))

        answer = asyncio.run(self.pipeline.handle(envelope, raw, commit))
        return (answer, *(told(effects) for effects in written[-1:]))


@dataclass(frozen=True)
class Seen:
    """What the outside, and somebody with a view of the database's load, could tell apart."""

    answer: Any
    replies: tuple[tuple[str, str, bytes], ...]
    asked: tuple[str, ...]


def seen(twin: Twin, envelope: Envelope, raw: bytes) -> Seen:
    """One mail through one house."""
    course = twin.course(envelope, raw)
    replies = told(course.effects) if course.effects else ()
    return Seen(course.answer, replies, tuple(twin.recording.asked))


def told(effects: Any) -> tuple[tuple[str, str, bytes], ...]:
    """Replies to anyone, but those about an account that is only claimed to be the author's.

    A notice of parked mail goes to the official address of the account that the mail claims to be
    from: that address is allowed to learn of it.
    """
    return tuple(
        (one.to, one.envelope_from, one.raw)
        for one in effects.outgoing
        if not one.notice and one.kind != "hold"
    )


ReaderOf = Callable[..., Reader]


class Twins:
    """The houses of all worlds, built once."""

    def __init__(self, folder: Path, reader: ReaderOf = Reader) -> None:
        """`reader` may be one that leaks, to see the comparison fail."""
        self.world = build(folder / "demo", 2525, 2526, 2527)
        self._reader = reader
        self._stack = contextlib.ExitStack()
        self.all = {name: self._house(folder / name, name) for name in WORLDS}

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()

    def _house(self, folder: Path, name: str) -> Twin:
        config = _config(folder, self.world)
        rooms = Rooms.open(config)
        self._stack.callback(rooms.close)
        writer = self._stack.enter_context(Writer(rooms.store))
        _fill(folder, name, writer)
        return self._twin(name, rooms, writer)

    def _twin(self, name: str, rooms: Rooms, writer: Writer) -> Twin:
        recording = Recording(rooms.store)
        reader = self._reader(recording, rooms.standing.listed_staff, rooms.standing.search)
        numbers = [FREE_NUMBER]

        async def find(clues: Clues) -> Candidates:
            return replace(reader.candidates(clues), free_number=numbers[-1])

        house = replace(
            rooms.house(), find=find, new_id=lambda: f"m{numbers[-1]}", nonce=lambda: bytes(16)
        )
        return Twin(name, rooms, recording, Pipeline(house), writer, numbers)


def _config(folder: Path, world: World) -> Config:
    folder.mkdir(parents=True)
    shutil.copy(world.folder / "zone.json", folder)
    keyring.load(world.folder / "secrets.json")
    shutil.copy(world.folder / "secrets.json", folder)
    return resolve(parse(world.config.read_text(), "portiere.toml"), folder)


def _fill(folder: Path, name: str, writer: Writer) -> None:
    own_accounts, own_tickets = WORLDS[name]
    more = own_tickets or (QUEUE,)
    _jsonl(folder / "accounts.jsonl", (*COMMON, *own_accounts))
    _jsonl(folder / "tickets.jsonl", (*COMMON_TICKETS, *more))
    rows = accounts.load_file(folder / "accounts.jsonl")
    writer.run(lambda connection: accounts.apply(connection, rows, NOW)).result()
    old = ticketfile.load_file(folder / "tickets.jsonl")
    writer.run(lambda connection: tickets.apply(connection, old)).result()


def _jsonl(path: Path, rows: tuple[dict[str, Any], ...]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def envelope(host: str, mail_from: str, recipient: str, now: datetime = NOW) -> Envelope:
    """A session from this host's server."""
    return Envelope(
        client_ip=HOSTS[host][0],
        helo=f"mx.{host}",
        mail_from=mail_from,
        recipients=(recipient or SUPPORT,),
        listener=Listener.EDGE,
        received_at=now,
        session="s1",
        smtputf8=False,
    )
