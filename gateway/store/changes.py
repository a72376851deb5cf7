"""What happens to tickets and what goes out, as rows: shared by the writer of mails and by the
commands.

A ticket is locked, judged at its version, changed in memory, and written once. Every change of
what waits is counted in the same transaction, so that the honest place of a new ticket is one
short read.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from gateway.core.model import (
    Event,
    Known,
    Moved,
    NewEntry,
    NewTicket,
    Outgoing,
    Span,
    TicketChange,
    TicketState,
)
from gateway.store import schema, telling
from gateway.store.columns import MICROSECOND, dump, dump_texts, micros, micros_or_none
from gateway.store.driver import Answer
from gateway.store.prepared import (
    Link,
    Prepared,
    Step,
    const,
    insert_into,
    listed,
    named_in,
    param,
)

_WAITS = frozenset({TicketState.NEW.value, TicketState.STAFF.value})

_COLUMNS = tuple(column.name for column in schema.tickets.c)
_t = schema.tickets.c
LOCK = Prepared(
    named_in("numbers", _t.number, schema.tickets)
    .order_by(_t.number)
    .with_for_update(of=schema.tickets)
)
_MUTABLE = tuple(
    name
    for name in _COLUMNS
    if name not in ("number", "subject", "language", "opened_at", "body_digest", "enquirer")
)
_UPDATE = Prepared(
    update(schema.tickets)
    .where(_t.number == param("the_number"), _t.version == param("old_version"))
    .values({name: param(name) for name in _MUTABLE})
)
_OPEN = Prepared(insert_into(schema.tickets, unless_there=True))
_w = insert_into(schema.waiting)
_COUNT = Prepared(
    _w.on_conflict_do_update(
        index_elements=["shard", "priority"], set_={"n": schema.waiting.c.n + _w.excluded.n}
    )
)
_ENTRY = Prepared(insert_into(schema.entries))
_KNOWN = Prepared(insert_into(schema.known_messages, unless_there=True))
_o = schema.outbox.c
_SEND = Prepared(insert_into(schema.outbox))
_REPLACE = Prepared(
    update(schema.outbox)
    .where(
        _o.merge_key == param("the_key"),
        text(schema.UNSENT),
        (_o.lease_until.is_(None)) | (_o.lease_until < param("now")),
    )
    .values(state="replaced")
    .returning(_o.due)
)
_LAST = Prepared(
    select(func.max(_o.due)).where(
        _o.ticket == param("the_ticket"),
        _o.merge_key == param("the_key"),
        _o.state.in_((const("due"), const("sent"))),
    )
)
_PULL = Prepared(  # a receipt that waits to be merged goes out before what comes after it
    update(schema.outbox)
    .where(
        _o.ticket == param("the_ticket"),
        _o.recipient == param("to"),
        text(schema.DUE),
        _o.tries == 0,
        _o.due > param("new_due"),
    )
    .values(due=param("new_due"))
)


class Standing:
    """A ticket's row, locked; `change` alters it in memory, `steps` writes it once."""

    def __init__(self, row: Sequence[Any]) -> None:
        """`row` is in the order of the table's columns."""
        self.row: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
        self._before = (self.waits, self.row["priority"])
        self._dirty = False

    @property
    def waits(self) -> bool:
        """It counts among those that wait for staff."""
        return self.row["state"] in _WAITS

    @property
    def version(self) -> int:
        """What a decision rested on."""
        version: int = self.row["version"]
        return version

    def set(self, at: datetime, **values: Any) -> None:
        """Other columns than those of a `TicketChange`, at a moment."""
        self.row.update(values)
        self.row["updated_at"] = max(micros(at), self.row["updated_at"])
        self._dirty = True

    def change(self, change: TicketChange) -> None:
        """Alter what the change names; closing and reopening set the times that belong to them."""
        at = micros(change.at)
        new: dict[str, Any] = {
            name: value
            for name in ("department", "priority", "assignee", "asked", "linked_to", "proof")
            if (value := getattr(change, name)) is not None
        }
        if change.verified is not None:
            new["verified"] = change.verified
        if change.identifiers is not None:
            new["identifiers"] = dump_texts(change.identifiers)
        if change.reply_due is not None:
            new |= {"reply_due": micros(change.reply_due), "escalated_at": None}
        if change.state is not None:
            new |= self._to(change.state, at)
        if change.queued_at is not None:
            new["queued_at"] = micros(change.queued_at)
        self.set(change.at, **new)

    def _to(self, state: TicketState, at: int) -> dict[str, Any]:
        """A reopened ticket queues from its reopening; any other change of state moves nothing."""
        closed = self.row["state"] == TicketState.CLOSED
        new: dict[str, Any] = {"state": state.value}
        if state is TicketState.CLOSED:
            new |= {"reply_due": None, "closed_at": self.row["closed_at"] if closed else at}
        elif closed:
            new |= {"closed_at": None, "queued_at": at}
        if state is TicketState.CUSTOMER:
            new["reply_due"] = None  # staff have answered
        return new

    def steps(self, shard: int) -> list[Step]:
        """The row at its next version, and what now waits."""
        if not self._dirty:
            return []
        values = {name: self.row[name] for name in _MUTABLE}
        values |= {
            "the_number": self.row["number"],
            "old_version": self.version,
            "version": self.version + 1,
        }
        self._dirty = False
        return [Step(_UPDATE, values, rows=1), *self._counted(shard)]

    def _counted(self, shard: int) -> list[Step]:
        after = (self.waits, self.row["priority"])
        if after == self._before:
            return []
        moved = [(self._before, -1), (after, 1)]
        self._before = after
        return [counted(shard, priority, n) for (waits, priority), n in moved if waits]


def lock(link: Link, numbers: Iterable[str]) -> dict[str, Standing]:
    """The tickets of these numbers, locked in order until the transaction ends."""
    return locked(link.rows(LOCK, {"numbers": listed(numbers)}))


def locked(rows: Iterable[Sequence[Any]]) -> dict[str, Standing]:
    """The tickets from the rows of `LOCK`, by number."""
    return {row[0]: Standing(row) for row in rows}


def counted(shard: int, priority: str, n: int) -> Step:
    """So many more tickets of this priority wait."""
    return Step(_COUNT, {"shard": shard, "priority": priority, "n": n})


def opened(ticket: NewTicket, shard: int) -> list[Step]:
    """A new ticket at version 1. The first step touches no row where the number is taken."""
    at = micros(ticket.opened_at)
    closed = ticket.state is TicketState.CLOSED
    values = {
        "number": ticket.number,
        "kind": ticket.kind.value,
        "account": ticket.account,
        "subject": ticket.subject,
        "state": ticket.state.value,
        "department": ticket.department,
        "priority": ticket.priority,
        "proof": ticket.proof,
        "opened_at": at,
        "queued_at": at,
        "updated_at": at,
        "closed_at": at if closed else None,
        "version": 1,
        "language": ticket.language or None,
        "verified": ticket.verified,
        "merged_into": None,
        "linked_to": ticket.linked_to,
        "assignee": None,
        "asked": ticket.asked,
        "identifiers": dump_texts(ticket.identifiers),
        "body_digest": ticket.body_digest,
        "enquirer": ticket.enquirer.address if ticket.enquirer else None,
        "candidates": dump_texts(ticket.candidates),
        "reply_due": micros_or_none(ticket.reply_due),
        "escalated_at": None,
    }
    first = Step(_OPEN, values, rows=1)
    return [first, counted(shard, ticket.priority, 1)] if values["state"] in _WAITS else [first]


def entry(new: NewEntry, mail: str | None) -> Step:
    """A line of a ticket's history."""
    values = {
        "ticket": new.ticket,
        "at": micros(new.at),
        "by": new.by,
        "kind": new.kind,
        "author": new.author,
        "proof": new.proof,
        "text": new.text,
        "spans": dump([_span(span) for span in new.spans]) if new.spans else "[]",
        "pending": new.pending,
        "masked": new.masked,
        "mail": mail,
        "settled": None,
    }
    return Step(_ENTRY, values)


def _span(span: Span) -> list[object]:
    return [span.kind.value, span.start, span.end, span.rule]


def known(one: Known, at: int) -> Step:
    """A Message-ID by which a later mail finds the ticket."""
    values = {
        "message_id": one.message_id,
        "ticket": one.ticket,
        "sent": one.sent,
        "automatic": one.automatic,
        "created_at": at,
    }
    return Step(_KNOWN, values)


def outgoing(link: Link, out: Outgoing, mail: str | None, at: int) -> list[Step]:
    """A finished mail for the outbox, in the place of an unsent one of the same merge key.

    It keeps that one's time, so that a lively ticket does not put its receipt off for ever.
    """
    due = at if out.due is None else micros(out.due)
    if out.merge_key is not None:
        replaced = link.rows(_REPLACE, {"the_key": out.merge_key, "now": at})
        due = min([max(due, _after_last(link, out)), *(row[0] for row in replaced)])
    steps = []
    if out.ticket is not None:
        steps.append(
            Step(_PULL, {"the_ticket": out.ticket, "to": out.to, "new_due": due}),
        )
        steps.append(known(Known(out.message_id, out.ticket, True, out.automatic), at))
    return [*steps, Step(_SEND, _outbox_row(out, mail, at, due))]


def _after_last(link: Link, out: Outgoing) -> int:
    """When the next of this merge key may go: a twin names no ticket, so only now is it known."""
    if out.merge_within is None:
        return 0
    asked = {"the_ticket": out.ticket, "the_key": out.merge_key}
    last = link.rows(_LAST, asked)[0][0]
    return 0 if last is None else int(last) + out.merge_within // MICROSECOND


def _outbox_row(out: Outgoing, mail: str | None, at: int, due: int) -> dict[str, Any]:
    return {
        "ticket": out.ticket,
        "account": out.account,
        "recipient": out.to,
        "envelope_from": out.envelope_from,
        "kind": out.kind,
        "language": out.language,
        "message_id": out.message_id,
        "ledger": out.ledger,
        "automatic": out.automatic,
        "notice": out.notice,
        "due": due,
        "merge_key": out.merge_key,
        "held": out.held,
        "state": "held" if out.held else "due",
        "owner": None,
        "lease_until": None,
        "tries": 0,
        "error": None,
        "created_at": at,
        "sent_at": None,
        "undelivered_at": None,
        "maybe_twice": False,
        "mail": mail,
        "text": out.text,
        "raw": out.raw,
        "doubts": 0,
    }


def apply_change(
    connection: Connection,
    change: TicketChange,
    entries: Iterable[NewEntry] = (),
    outgoing_mails: Iterable[Outgoing] = (),
    events: Iterable[Event] = (),
    *,
    shard: int = 0,
) -> None:
    """One change of one ticket with all that goes with it, inside the caller's transaction.

    Moved when the ticket is not there or not at the change's version any more.
    """
    link = Link.of(connection)
    standing = lock(link, [change.number]).get(change.number)
    if standing is None or standing.version != change.version:
        raise Moved(f"ticket {change.number} is not at version {change.version} any more")
    standing.change(change)
    steps = standing.steps(shard)
    said = list(entries)
    steps += [entry(new, None) for new in said]
    for out in outgoing_mails:
        steps += outgoing(link, out, None, micros(change.at))
    for new_event in events:
        steps += telling.steps(new_event, said)
    run(link, steps)


def queue(
    connection: Connection, mails: Iterable[Outgoing], now: datetime, mail: str | None = None
) -> None:
    """Put finished mails into the outbox, inside the caller's transaction."""
    link = Link.of(connection)
    for out in mails:
        run(link, outgoing(link, out, mail, micros(now)))


def run(link: Link, steps: Sequence[Step]) -> list[Answer]:
    """Run the steps; Moved where one did not touch what it must."""
    answers = link.answers((step.prepared, step.values) for step in steps)
    for step, answer in zip(steps, answers, strict=True):
        if step.rows is not None and step.rows != answer.touched:
            number = step.values.get("the_number", step.values.get("number"))
            raise Moved(f"ticket {number} changed while the mail was being decided")
    return answers
