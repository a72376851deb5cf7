"""What the database says after a drill, held against what the senders heard."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drills.senders import Heard, body_digest
from sqlalchemy import Connection, select, text

from gateway.store import mails, schema
from gateway.store.columns import micros
from gateway.store.engine import Store

TICKETED = ("open", "thread", "large")


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts; every one must be zero."""

    lost: int = 0  # accepted, and not in the store with its ticket, its entry and its bytes
    doubled_mails: int = 0
    doubled_tickets: int = 0
    doubled_entries: int = 0
    doubled_replies: int = 0
    missing_replies: int = 0
    strangers: int = 0  # rows that nobody sent
    failed: int = 0  # kept with an error of ours
    broken: int = 0  # complaints of the database about itself
    refused: int = 0  # a 5xx

    @property
    def clean(self) -> bool:
        """Nothing is lost, doubled or broken."""
        return not self.words

    @property
    def words(self) -> str:
        """What is wrong, in a few words; empty where all is well."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{count} {name}" for name, count in found.items() if count)


def audit(url: str, blobs: Path | str, heard: Heard) -> Audit:
    """Look at everything that is stored."""
    store = Store.open(url, blobs, read_only=True)
    try:
        with store.reading() as connection:
            return _audited(connection, store, heard)
    finally:
        store.close()


def _audited(connection: Connection, store: Store, heard: Heard) -> Audit:
    rows = _mails(connection)
    by_ident: dict[str, list[Any]] = {}
    for row in rows:
        by_ident.setdefault(row.message_id, []).append(row)
    entries = _grouped(connection, schema.entries, schema.entries.c.ticket)
    replies = _replies(connection)
    of_ident = {
        ident: [pair for row in found for pair in entries.get(row.mail, ())]
        for ident, found in by_ident.items()
    }
    return Audit(
        lost=_lost(connection, store, heard, by_ident, of_ident),
        doubled_mails=_twice(len(found) for found in by_ident.values()),
        doubled_tickets=_twice(len(set(found)) for found in of_ident.values()),
        doubled_entries=_twice(len(found) for found in of_ident.values()),
        doubled_replies=_doubled_replies(by_ident, replies),
        missing_replies=_missing(by_ident, heard, replies),
        strangers=len(set(by_ident) - set(heard.tried)) + _unsent_tickets(connection),
        failed=sum(row.state == "failed" for row in rows),
        broken=_broken(connection, store),
        refused=len(heard.refused),
    )


def _mails(connection: Connection) -> list[Any]:
    c = schema.mails.c
    return list(connection.execute(select(c.mail, c.message_id, c.state, c.ticket, c.outcome)))


def _grouped(connection: Connection, table: Any, column: Any) -> dict[str, list[Any]]:
    """The customer's entries of each mail."""
    found: dict[str, list[Any]] = {}
    said = select(table.c.mail, column).where(table.c.mail.is_not(None), table.c.by == "customer")
    for mail, value in connection.execute(said):
        found.setdefault(mail, []).append(value)
    return found


def _replies(connection: Connection) -> dict[str, Counter[tuple[str, str]]]:
    c = schema.outbox.c
    found: dict[str, Counter[tuple[str, str]]] = {}
    for mail, to, kind in connection.execute(
        select(c.mail, c.recipient, c.kind).where(c.mail.is_not(None))
    ):
        found.setdefault(mail, Counter())[(to, kind)] += 1
    return found


def _lost(
    connection: Connection,
    store: Store,
    heard: Heard,
    by_ident: Mapping[str, list[Any]],
    entries: Mapping[str, list[Any]],
) -> int:
    lost = 0
    for ident, post in heard.accepted.items():
        whole = ident in by_ident
        if whole and post.kind in TICKETED:
            whole = bool(entries[ident])
        if whole and post.ticket is not None:
            whole = set(entries[ident]) == {post.ticket}
        if whole and post.kind == "large":
            raw = mails.raw(connection, store.blobs, by_ident[ident][0].mail)
            whole = raw is not None and body_digest(raw) == post.digest
        lost += not whole
    return lost


def _twice(counts: Iterable[int]) -> int:
    return sum(max(0, count - 1) for count in counts)


def _doubled_replies(
    by_ident: Mapping[str, list[Any]], replies: Mapping[str, Counter[tuple[str, str]]]
) -> int:
    doubled = 0
    for rows in by_ident.values():
        together: Counter[tuple[str, str]] = Counter()
        for row in rows:
            together += replies.get(row.mail, Counter())
        doubled += _twice(together.values())
    return doubled


def _missing(
    by_ident: Mapping[str, list[Any]],
    heard: Heard,
    replies: Mapping[str, Counter[tuple[str, str]]],
) -> int:
    """Who opens a ticket is told so."""
    opened = [p.ident for p in heard.accepted.values() if p.kind in ("open", "large")]
    return sum(
        not any(replies.get(row.mail) for row in by_ident[ident])
        for ident in opened
        if ident in by_ident
    )


def _unsent_tickets(connection: Connection) -> int:
    """Tickets without an entry, and rows that name a mail that is not there."""
    asked = (
        "SELECT count(*) FROM tickets t WHERE NOT EXISTS"
        " (SELECT 1 FROM entries e WHERE e.ticket = t.number)",
        "SELECT count(*) FROM outbox o WHERE o.mail IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM mails m WHERE m.mail = o.mail)",
        "SELECT count(*) FROM entries e WHERE e.mail IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM mails m WHERE m.mail = e.mail)",
    )
    return sum(int(connection.execute(text(each)).scalar() or 0) for each in asked)


def _broken(connection: Connection, store: Store) -> int:
    if not store.sqlite:
        return 0
    said = connection.execute(text("PRAGMA integrity_check")).scalars().all()
    keys = connection.execute(text("PRAGMA foreign_key_check")).all()
    return sum(line != "ok" for line in said) + len(keys)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the outbox, against what the smarthost has."""

    rows: int
    waiting: int  # due by now
    lost: int  # said to be sent, and never arrived
    copies: int  # arrived more than once
    uncounted: int  # of these, copies whose row does not say that it may have gone twice


def sent(url: str, taken: Iterable[bytes]) -> Sent:
    """Compare by Message-ID."""
    return sent_of(url, Counter(ident_of(raw) for raw in taken))


def sent_of(url: str, arrived: Counter[str]) -> Sent:
    """The same, where the Message-IDs that arrived are known."""
    store = Store.open(url, None, read_only=True)
    c = schema.outbox.c
    wanted = (c.message_id, c.state, c.maybe_twice, c.error, c.due)
    with store.reading() as connection:
        rows = list(connection.execute(select(*wanted)))
    store.close()
    soon = micros(datetime.now(UTC) + timedelta(seconds=60))  # a notice may wait for the next one
    doubted = {row.message_id for row in rows if row.maybe_twice or row.error}
    twice = {ident for ident, count in arrived.items() if count > 1}
    return Sent(
        rows=len(rows),
        waiting=sum(row.state == "due" and row.due <= soon for row in rows),
        lost=sum(row.state == "sent" and not arrived[row.message_id] for row in rows),
        copies=sum(count - 1 for count in arrived.values()),
        uncounted=len(twice - doubted),
    )


def ident_of(raw: bytes) -> str:
    """The Message-ID of a mail."""
    for line in raw.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"message-id":
            return value.decode("ascii", "replace").strip()
    return ""
