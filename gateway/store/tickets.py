"""Tickets as staff and ops see and change them: lists, the queue in its strict order, notes,
closing, merging.

Each change is one transaction of the caller's, at the version that was read in it, so that no mail
that arrives meanwhile is overwritten. History is only added to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, text, update

from gateway.core.model import (
    Event,
    NewEntry,
    Ticket,
    TicketChange,
    TicketKind,
    TicketState,
)
from gateway.errors import BadInput, Permanent
from gateway.store import changes, rows, schema, telling
from gateway.store.columns import micros, moment, moment_or_none, texts
from gateway.store.outbox import shown
from gateway.store.prepared import Link
from gateway.store.reader import ticket_of
from gateway.store.ticketfile import TicketRow, load_file

__all__ = ["TicketRow", "load_file"]

PRIORITIES = ("high", "normal")  # handled in this order
_t, _e = schema.tickets.c, schema.entries.c


# ---- showing


def list_tickets(
    connection: Connection,
    *,
    account: str | None = None,
    states: Iterable[str] = (),
    department: str | None = None,
    assignee: str | None = None,
    matching: str | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Tickets that fit every filter given, the one changed last first."""
    statement = select(schema.tickets).order_by(_t.updated_at.desc(), _t.number).limit(limit)
    wanted = {_t.account: account, _t.department: department, _t.assignee: assignee}
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(column == value)
    if states := tuple(states):
        statement = statement.where(_t.state.in_(states))
    if matching:
        statement = statement.where(
            or_(
                _t.subject.icontains(matching, autoescape=True),
                _t.number.startswith(matching, autoescape=True),
            )
        )
    return _listed(connection, statement)


def queue(
    connection: Connection,
    priorities: Sequence[str] = PRIORITIES,
    *,
    department: str | None = None,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """What waits for staff, in the order in which it is handled, with its place.

    By priority, then strictly by time; no priorities: by time alone.
    """
    counted = schema.waiting.c.priority
    known = connection.execute(select(counted).distinct()).scalars().all()
    ranks = {name: rank for rank, name in enumerate(priorities)}
    tickets = [
        ticket
        for priority in sorted(known, key=lambda name: ranks.get(name, len(ranks)))
        for ticket in _first(connection, priority, department, limit)
    ]
    last = len(ranks)
    tickets.sort(key=lambda t: (ranks.get(t["priority"], last), t["queued_at"], t["number"]))
    return [{"place": place, **one} for place, one in enumerate(tickets[:limit], 1)]


def _first(
    connection: Connection, priority: str, department: str | None, limit: int
) -> list[dict[str, Any]]:
    """The first of one priority, through the index that is in their order."""
    statement = (
        select(schema.tickets)
        .where(text(schema.WAITING), _t.priority == priority)
        .order_by(_t.queued_at, _t.number)
        .limit(limit)
    )
    if department is not None:
        statement = statement.where(_t.department == department)
    return _listed(connection, statement)


def overdue(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """Tickets whose first reply was due before now, and that were not escalated yet."""
    statement = (
        select(schema.tickets)
        .where(text(schema.OVERDUE), _t.reply_due < micros(now))
        .order_by(_t.reply_due)
    )
    return _listed(connection, statement)


def escalated(connection: Connection, numbers: Iterable[str], now: datetime) -> int:
    """Staff were told, once; how many were marked."""
    statement = (
        update(schema.tickets)
        .where(_t.number.in_(list(numbers)), _t.escalated_at.is_(None))
        .values(escalated_at=micros(now))
    )
    return int(connection.execute(statement).rowcount)


def find(connection: Connection, number: str) -> Ticket:
    """A ticket as it stands; BadInput when there is none of this number."""
    row = connection.execute(select(schema.tickets).where(_t.number == number)).first()
    if row is None:
        raise BadInput(f"there is no ticket `{number}`")
    return ticket_of(tuple(row))


def show(connection: Connection, number: str) -> dict[str, Any] | None:
    """A ticket with its history: entries with their proofs, attachments, and what went out."""
    found = _listed(connection, select(schema.tickets).where(_t.number == number))
    if not found:
        return None
    entries = connection.execute(
        select(schema.entries).where(_e.ticket == number).order_by(_e.at, _e.id)
    )
    listed = [_entry(row) for row in entries.mappings()]
    files = _attachments(connection, [one["mail"] for one in listed if one["mail"]])
    for one in listed:
        one["attachments"] = files.get(one["mail"], [])
    return {**found[0], "entries": listed, "sent": _sent(connection, number)}


def _listed(connection: Connection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [_shown(tuple(row)) for row in connection.execute(statement)]


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    ticket = ticket_of(row)
    due, escalated_at = row[-2:]
    return {
        "number": ticket.number,
        "kind": ticket.kind.value,
        "account": ticket.account,
        "subject": ticket.subject,
        "state": ticket.state.value,
        "department": ticket.department,
        "priority": ticket.priority,
        "proof": ticket.proof,
        "language": ticket.language,
        "assignee": ticket.assignee,
        "verified": ticket.verified,
        "opened_at": ticket.opened_at,
        "queued_at": ticket.queued_at,
        "updated_at": ticket.updated_at,
        "closed_at": ticket.closed_at,
        "reply_due": moment_or_none(due),
        "escalated_at": moment_or_none(escalated_at),
        "merged_into": ticket.merged_into,
        "linked_to": ticket.linked_to,
        "identifiers": list(ticket.identifiers),
        "candidates": list(ticket.candidates),
        "enquirer": ticket.enquirer.address if ticket.enquirer else None,
        "version": ticket.version,
    }


def _entry(row: Any) -> dict[str, Any]:
    kept = ("id", "by", "kind", "author", "proof", "text", "pending", "settled", "masked", "mail")
    return {"at": moment(row["at"]), **{name: row[name] for name in kept}, "spans": row["spans"]}


def _attachments(connection: Connection, mails: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    c = schema.attachments.c
    statement = (
        select(c.mail, c.position, c.filename, c.content_type, c.size, c.digest, c.inline)
        .where(c.mail.in_(mails))
        .order_by(c.mail, c.position)
    )
    by_mail: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(statement).mappings():
        by_mail.setdefault(row["mail"], []).append({k: v for k, v in row.items() if k != "mail"})
    return by_mail


def _sent(connection: Connection, number: str) -> list[dict[str, Any]]:
    c = schema.outbox.c
    columns = (c.id, c.kind, c.recipient, c.state, c.message_id, c.text, c.held, c.notice)
    times = (c.created_at, c.due, c.sent_at, c.undelivered_at)
    found = connection.execute(select(*columns, *times).where(c.ticket == number).order_by(c.id))
    return [shown(row) for row in found.mappings()]


# ---- changing


def add_note(connection: Connection, number: str, author: str, said: str, now: datetime) -> None:
    """An inner note; it changes nothing else, and goes out to nobody."""
    find(connection, number)
    note = NewEntry(number, now, "staff", "note", author, None, said)
    told = Event("entry.added", number, now, {"by": "staff"})
    changes.run(Link.of(connection), [changes.entry(note, None), *telling.steps(told, [note])])


def change(
    connection: Connection, number: str, now: datetime, by: str, said: str, **fields: Any
) -> Ticket:
    """Any fields of `TicketChange`, with a line of history and an event; the ticket after it."""
    ticket = find(connection, number)
    if ticket.merged_into is not None:
        raise BadInput(f"ticket `{number}` is merged into `{ticket.merged_into}`")
    wanted = TicketChange(number, ticket.version, now, **fields)
    line = NewEntry(number, now, "system", "event", by, None, said)
    event = Event(_kind(ticket, wanted), number, now, {"by": "staff", "said": said})
    changes.apply_change(connection, wanted, [line], (), [event])
    return find(connection, number)


def _kind(before: Ticket, change: TicketChange) -> str:
    """What followers call it."""
    closed = before.state is TicketState.CLOSED
    if change.state is not None and closed != (change.state is TicketState.CLOSED):
        return "ticket.reopened" if closed else "ticket.closed"
    return "ticket.changed"


def close(connection: Connection, number: str, by: str, now: datetime) -> Ticket:
    """Closed; closing a closed one changes nothing."""
    ticket = find(connection, number)
    if ticket.state is TicketState.CLOSED:
        return ticket
    return change(connection, number, now, by, "closed", state=TicketState.CLOSED)


def reopen(
    connection: Connection, number: str, by: str, now: datetime, due: datetime | None = None
) -> Ticket:
    """Waits for staff again, and queues from now; reopening an open one changes nothing.

    `due`: when staff must have answered; without it nobody is told that it is late.
    """
    ticket = find(connection, number)
    if ticket.state is not TicketState.CLOSED:
        return ticket
    return change(connection, number, now, by, "reopened", state=TicketState.STAFF, reply_due=due)


def assign(connection: Connection, number: str, to: str, by: str, now: datetime) -> Ticket:
    """To a member of staff."""
    return change(connection, number, now, by, f"assigned to {to}", assignee=to)


def set_priority(
    connection: Connection, number: str, priority: str, by: str, now: datetime
) -> Ticket:
    """Another priority; its place within it follows from its old time."""
    return change(connection, number, now, by, f"priority {priority}", priority=priority)


def set_department(
    connection: Connection, number: str, department: str, by: str, now: datetime
) -> Ticket:
    """Another department; its place does not change."""
    return change(connection, number, now, by, f"department {department}", department=department)


def verify(connection: Connection, number: str, by: str, now: datetime) -> Ticket:
    """The customer has confirmed it in the control panel: staff may act on it."""
    return change(connection, number, now, by, "confirmed by the customer", verified=True)


def link(connection: Connection, number: str, to: str, by: str, now: datetime) -> Ticket:
    """Say that it belongs with another one; both stay as they are."""
    find(connection, to)
    if number == to:
        raise BadInput("a ticket is not linked to itself")
    return change(connection, number, now, by, f"linked to {to}", linked_to=to)


def assign_account(
    connection: Connection, number: str, account: str, by: str, now: datetime
) -> Ticket:
    """Staff say whose a `sort` ticket is: only one of the accounts on which its author stands."""
    connected = Link.of(connection)
    standing = changes.lock(connected, [number]).get(number)
    if standing is None:
        raise BadInput(f"there is no ticket `{number}`")
    candidates = texts(standing.row["candidates"])
    if standing.row["kind"] != TicketKind.SORT or account not in candidates:
        allowed = ", ".join(candidates) or "none"
        raise BadInput(f"ticket `{number}` cannot be given to `{account}`; it may be {allowed}")
    standing.set(now, kind=TicketKind.ACCOUNT.value, account=account)
    said = NewEntry(number, now, "system", "event", by, None, f"assigned to account {account}")
    told = Event("ticket.changed", number, now, {"by": "staff", "said": said.text})
    steps = [*standing.steps(0), changes.entry(said, None), *telling.steps(told, [said])]
    changes.run(connected, steps)
    return find(connection, number)


def merge(connection: Connection, number: str, into: str, by: str, now: datetime) -> Ticket:
    """Close one into another of the same account; mail to it goes to the other one from now on.

    BadInput where nobody would see the open one again: in a ticket that is closed.
    """
    connected = Link.of(connection)
    standing = changes.lock(connected, [number, into])
    for wanted in (number, into):
        if wanted not in standing:
            raise BadInput(f"there is no ticket `{wanted}`")
    states = standing[into].row["state"], standing[number].row["state"]
    try:
        rows.merge(standing[number], standing[into], now)
    except Permanent as problem:
        raise BadInput(str(problem)) from None
    if states[0] == TicketState.CLOSED.value != states[1]:
        hint = f"reopen `{into}` first, or merge it into `{number}`"
        raise BadInput(f"`{into}` is closed, and `{number}` is open", hint=hint)
    said = (
        NewEntry(number, now, "system", "event", by, None, f"merged into {into}"),
        NewEntry(into, now, "system", "event", by, None, f"{number} was merged into this"),
    )
    steps = [*standing[number].steps(0), *(changes.entry(one, None) for one in said)]
    told: dict[str, object] = {"by": "staff", "into": into, "merged": number}
    steps += telling.steps(Event("ticket.merged", number, now, told), said)
    steps += telling.steps(Event("ticket.changed", into, now, told), said)
    changes.run(connected, steps)
    return find(connection, into)


# ---- moving from another system

_UNTOUCHED = "nothing of the file was applied"


def apply(connection: Connection, imported: Iterable[TicketRow]) -> dict[str, int]:
    """Write the tickets of a file in the caller's transaction; once more changes nothing.

    Lines of history that are not there yet are added. BadInput names the line of a ticket whose
    account is unknown, or whose number is taken by another account's ticket.
    """
    done = {"created": 0, "changed": 0, "unchanged": 0}
    for row in imported:
        done[_import(connection, row)] += 1
    return done


def _import(connection: Connection, row: TicketRow) -> str:
    new = row.ticket
    accounts = schema.accounts.c.number
    if connection.execute(select(accounts).where(accounts == new.account)).first() is None:
        raise BadInput(f"there is no account `{new.account}`", where=row.where, hint=_UNTOUCHED)
    owner = connection.execute(select(_t.account).where(_t.number == new.number)).first()
    if owner is not None and owner[0] != new.account:
        message = f"`{new.number}` is another account's ticket"
        raise BadInput(message, where=row.where, hint=_UNTOUCHED)
    steps = [] if owner else changes.opened(new, 0)
    there = _there(connection, new.number)
    fresh = [one for one in row.entries if (micros(one.at), one.by, one.text) not in there]
    steps += [changes.entry(replace(one, ticket=new.number), None) for one in fresh]
    changes.run(Link.of(connection), steps)
    if owner is None:
        _date(connection, row)
        return "created"
    return "changed" if fresh else "unchanged"


def _there(connection: Connection, number: str) -> set[tuple[int, str, str]]:
    found = connection.execute(select(_e.at, _e.by, _e.text).where(_e.ticket == number))
    return {(at, by, said) for at, by, said in found}


def _date(connection: Connection, row: TicketRow) -> None:
    """A moved ticket was touched last when its last line was written."""
    last = max([micros(row.ticket.opened_at), *(micros(one.at) for one in row.entries)])
    values: dict[str, Any] = {"updated_at": last}
    if row.ticket.state is TicketState.CLOSED:
        values["closed_at"] = last
    statement = update(schema.tickets).where(_t.number == row.ticket.number).values(values)
    connection.execute(statement)


def counts(connection: Connection) -> dict[str, int]:
    """How many tickets are in each state."""
    statement = select(_t.state, func.count()).group_by(_t.state)
    return {str(state): int(n) for state, n in connection.execute(statement)}
