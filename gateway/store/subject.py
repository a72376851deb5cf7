"""Everything that is held about one person or customer: shown, or erased (data-subject requests).

One list of places says both what an export holds and what an erasure takes away, so that the two
cannot differ. Logs, backups and what others were sent are outside of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from gateway.core.read import addresses
from gateway.errors import BadInput
from gateway.store import changes, mails, retention, schema
from gateway.store.blobs import BlobStore
from gateway.store.columns import moment
from gateway.store.prepared import Link

ERASED = "[erased on request]"
_SECRET = {"raw", "raw_digest", "owner", "lease_until", "merge_key", "envelope_from", "version"}
_JSON = {"kinds", "ips", "identifiers", "candidates", "spans", "facts", "evidence", "envelope"}
_TIMES = {"at", "due", "expires"}
_CHUNK = 500

_t, _m, _e, _o = schema.tickets.c, schema.mails.c, schema.entries.c, schema.outbox.c
_ad = schema.addresses.c


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data: an account with all that hangs on it, or one mailbox. One of the two is set."""

    account: str | None = None
    key: str | None = None  # Address.key
    official_of: tuple[str, ...] = ()  # accounts of which the mailbox is the official address


class Place(NamedTuple):
    """Rows of one table."""

    name: str
    table: Table
    which: ColumnElement[bool]


def find(connection: Connection, word: str) -> Subject:
    """An account by its number, else a mailbox; BadInput where it is neither."""
    c = schema.accounts.c
    if connection.execute(select(c.number).where(c.number == word)).first():
        return Subject(account=word)
    address = addresses.parse(word)
    if address is None:
        raise BadInput(f"there is no account `{word}`, and it is no address")
    official = select(_ad.account).where(_ad.key == address.key, _ad.role == "primary")
    return Subject(
        key=address.key, official_of=tuple(connection.execute(official).scalars().all())
    )


# ---- what is held


def places(connection: Connection, subject: Subject) -> tuple[Place, ...]:
    """Where its rows are, those that name others first."""
    if subject.account is not None:
        return _of_account(subject.account)
    return _of_mailbox(connection, subject.key or "")


def export(connection: Connection, subject: Subject) -> dict[str, Any]:
    """Every row, by table; moments as RFC 3339 values, without what is ours alone."""
    held: dict[str, Any] = {}
    for place in places(connection, subject):
        rows = connection.execute(select(place.table).where(place.which)).mappings()
        held[place.name] = [_shown(row) for row in rows]
    return held


def letters(
    connection: Connection, blobs: BlobStore, subject: Subject
) -> Iterator[tuple[str, bytes]]:
    """The mails themselves, with their ids; those that are still stored."""
    which = next(place.which for place in places(connection, subject) if place.name == "mails")
    for mail, digest in connection.execute(select(_m.mail, _m.raw_digest).where(which)).all():
        raw = mails.content(connection, blobs, digest)
        if raw is not None:
            yield mail, raw


def counts(connection: Connection, subject: Subject) -> dict[str, int]:
    """How many rows there are, by table."""
    found = {}
    for place in places(connection, subject):
        counted = select(func.count()).select_from(place.table).where(place.which)
        found[place.name] = int(connection.execute(counted).scalar_one())
    return found


# ---- erasing


def erase(connection: Connection, subject: Subject) -> dict[str, int]:
    """Take all of it away, with content that nothing else names; how many rows, by table.

    What the mailbox said in tickets of an account keeps its place, without the words and the
    address. BadInput where the mailbox is an account's official address: that is the account.
    """
    if subject.official_of:
        raise BadInput(
            f"it is the official address of {', '.join(subject.official_of)}: erase the account,"
            " or give it another one first"
        )
    found = places(connection, subject)
    named = {place.name: place for place in found}
    digests = _digests(connection, named)
    _uncount(connection, named["tickets"])
    erased = {}
    for place in found:
        if place.name == "words":
            statement: Any = update(place.table).values(text=ERASED, spans="[]", author=None)
        else:
            statement = delete(place.table)
        erased[place.name] = connection.execute(statement.where(place.which)).rowcount
    erased["content"] = sum(
        retention.drop_unnamed(connection, chunk) for chunk in _chunks(digests)
    )
    return erased


def _digests(connection: Connection, found: dict[str, Place]) -> set[str]:
    digests: set[str] = set()
    for name, column in (("mails", _m.raw_digest), ("files", schema.attachments.c.digest)):
        digests.update(connection.execute(select(column).where(found[name].which)).scalars())
    return digests


def _uncount(connection: Connection, tickets: Place) -> None:
    """Those that wait for staff wait no longer."""
    waiting = and_(tickets.which, _t.state.in_(("new", "waiting for staff")))
    statement = select(_t.priority, func.count()).where(waiting).group_by(_t.priority)
    gone = connection.execute(statement).all()
    link = Link.of(connection)
    changes.run(link, [changes.counted(0, priority, -n) for priority, n in gone])


def _chunks(digests: set[str]) -> Iterator[set[str]]:
    rest = iter(sorted(digests))
    while chunk := set(islice(rest, _CHUNK)):
        yield chunk


# ---- the places


def _of_account(account: str) -> tuple[Place, ...]:
    tickets = select(_t.number).where(_t.account == account)
    keys = select(_ad.key).where(_ad.account == account)
    alone = and_(_m.account.is_(None), _m.ticket.is_(None), _m.author_key.in_(keys))
    written = or_(_m.account == account, _m.ticket.in_(tickets), alone)
    ids = select(_m.mail).where(written)
    c = schema
    return (
        *_around(ids, c.parked.c.account == account),
        Place("events", c.events, c.events.c.ticket.in_(tickets)),
        Place("webhooks", c.webhooks, c.webhooks.c.ticket.in_(tickets)),
        Place("entries", c.entries, _e.ticket.in_(tickets)),
        Place("messages", c.known_messages, c.known_messages.c.ticket.in_(tickets)),
        Place(
            "outbox",
            c.outbox,
            or_(_o.account == account, _o.ticket.in_(tickets), _o.mail.in_(ids)),
        ),
        *_traces(or_(c.ledger.c.key == account, c.ledger.c.key.in_(keys)), keys),
        Place("copies", c.copies, c.copies.c.account == account),
        Place("mails", c.mails, written),
        Place("tickets", c.tickets, _t.account == account),
        Place("service_ips", c.service_ips, c.service_ips.c.account == account),
        Place("services", c.services, c.services.c.account == account),
        Place("addresses", c.addresses, _ad.account == account),
        Place("accounts", c.accounts, c.accounts.c.number == account),
    )


def _of_mailbox(connection: Connection, key: str) -> tuple[Place, ...]:
    """His enquiries and unassigned tickets whole; of an account's tickets only his own words."""
    said = exists().where(_e.ticket == _t.number, func.lower(_e.author) == key)
    his = and_(_t.account.is_(None), or_(func.lower(_t.enquirer) == key, said))
    tickets = connection.execute(select(_t.number).where(his)).scalars().all()
    written = or_(_m.author_key == key, _m.ticket.in_(tickets))
    ids = select(_m.mail).where(written)
    words = and_(func.lower(_e.author) == key, _e.ticket.not_in(tickets))
    c = schema
    return (
        *_around(ids, literal(False)),
        Place("events", c.events, c.events.c.ticket.in_(tickets)),
        Place("webhooks", c.webhooks, c.webhooks.c.ticket.in_(tickets)),
        Place("messages", c.known_messages, c.known_messages.c.ticket.in_(tickets)),
        Place("outbox", c.outbox, or_(func.lower(_o.recipient) == key, _o.ticket.in_(tickets))),
        Place("words", c.entries, words),
        *_traces(c.ledger.c.key == key, select(literal(key))),
        Place("mails", c.mails, written),
        Place("entries", c.entries, _e.ticket.in_(tickets)),
        Place("tickets", c.tickets, _t.number.in_(tickets)),
        Place("addresses", c.addresses, _ad.key == key),
    )


def _around(ids: Any, parked: ColumnElement[bool]) -> tuple[Place, ...]:
    a, p = schema.attachments, schema.parked
    return (
        Place("files", a, a.c.mail.in_(ids)),
        Place("parked", p, or_(parked, p.c.mail.in_(ids))),
    )


def _traces(ledger: ColumnElement[bool], keys: Any) -> tuple[Place, ...]:
    """What only counts, by the address."""
    answers = schema.answers
    return (
        Place("ledger", schema.ledger, ledger),
        Place("answers", answers, answers.c.author_key.in_(keys)),
    )


def _shown(row: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name in _SECRET:
            continue
        if value is not None and (name in _TIMES or name.endswith("_at")):
            value = moment(value)
        elif value is not None and name in _JSON:
            value = json.loads(value)
        shown[name] = value
    return shown
