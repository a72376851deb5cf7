"""A wrong join is undone: entries of one ticket become a ticket of their own.

It belongs to the same account, and to no other. It was opened when its first entry was written,
and has the place that goes with that; replies to what was moved find it.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.core.model import Event, NewEntry, NewTicket, TicketState
from gateway.errors import BadInput
from gateway.store import changes, schema, telling
from gateway.store.columns import moment
from gateway.store.prepared import Link
from gateway.store.reader import ticket_of

_t, _e, _m = schema.tickets.c, schema.entries.c, schema.mails.c
_MOVABLE = ("mail", "note")


def split(
    connection: Connection,
    number: str,
    entries: Iterable[int],
    by: str,
    now: datetime,
    due: Callable[[datetime], datetime],
) -> str:
    """Move entries into a new ticket that is linked to this one; its number.

    `due` says when a first reply to what came at a moment is due. BadInput where an entry is of
    another ticket, is a line of history, or is the one that the ticket was opened with.
    """
    link = Link.of(connection)
    standing = changes.lock(link, [number]).get(number)
    if standing is None:
        raise BadInput(f"there is no ticket `{number}`")
    if standing.row["merged_into"] is not None:
        raise BadInput(f"ticket `{number}` is merged into `{standing.row['merged_into']}`")
    moved = _chosen(connection, number, sorted(set(entries)))
    fresh = _opened(connection, standing, moved, due)
    lines = (
        NewEntry(
            number, now, "system", "event", by, None, f"split: {_named(moved)} to {fresh.number}"
        ),
        NewEntry(fresh.number, now, "system", "event", by, None, f"split from {number}"),
    )
    standing.set(now)
    changes.run(link, [*changes.opened(fresh, 0), *standing.steps(0)])
    _move(connection, number, fresh.number, moved)
    steps = [changes.entry(one, None) for one in lines]
    told: dict[str, object] = {"by": "staff", "from": number, "into": fresh.number}
    steps += telling.steps(Event("ticket.split", number, now, told), lines)
    steps += telling.steps(Event("ticket.split", fresh.number, now, told), lines)
    changes.run(link, steps)
    return fresh.number


def _chosen(connection: Connection, number: str, wanted: list[int]) -> Sequence[Any]:
    """The entries to be moved, oldest first."""
    statement = select(_e.id, _e.at, _e.kind, _e.by, _e.mail, _e.proof)
    own = connection.execute(
        statement.where(_e.ticket == number, _e.kind.in_(_MOVABLE)).order_by(_e.at, _e.id)
    ).all()
    ids = [row.id for row in own]
    for one in wanted:
        if one not in ids:
            raise BadInput(f"ticket `{number}` has no entry {one} that can be moved")
    if not wanted:
        raise BadInput("say which entries; `tickets show --json` has their ids")
    if ids[0] in wanted:
        raise BadInput(f"entry {ids[0]} opened ticket `{number}`, and stays in it")
    moved = [row for row in own if row.id in wanted]
    if moved[0].by != "customer":
        raise BadInput("the first entry of a ticket is the customer's own")
    return moved


def _opened(
    connection: Connection,
    standing: changes.Standing,
    moved: Sequence[Any],
    due: Callable[[datetime], datetime],
) -> NewTicket:
    """As it would stand if its first entry had opened it."""
    old = ticket_of(tuple(standing.row.values()))
    first = moved[0]
    opened_at = moment(first.at)
    subjects = select(_m.subject, _m.body_digest).where(_m.mail == first.mail)
    mail = connection.execute(subjects).first()
    answered = moved[-1].by == "staff"
    return NewTicket(
        number=_free(connection),
        kind=old.kind,
        account=old.account,
        subject=(mail.subject if mail else "") or old.subject,
        state=TicketState.CUSTOMER if answered else TicketState.NEW,
        department=old.department,
        priority=old.priority,
        proof=first.proof or old.proof,
        language=old.language or "",
        opened_at=opened_at,
        reply_due=None if answered else due(opened_at),
        verified=old.verified,
        linked_to=old.number,
        body_digest=mail.body_digest if mail else None,
        enquirer=old.enquirer,
        candidates=old.candidates,
    )


def _move(connection: Connection, number: str, fresh: str, moved: Sequence[Any]) -> None:
    """The entries, their mails, and the Message-IDs by which a reply finds them."""
    ids = [row.id for row in moved]
    mails = [row.mail for row in moved if row.mail]
    to_entries = update(schema.entries).where(_e.id.in_(ids)).values(ticket=fresh)
    connection.execute(to_entries)
    if not mails:
        return
    connection.execute(update(schema.mails).where(_m.mail.in_(mails)).values(ticket=fresh))
    known = schema.known_messages.c
    named = select(_m.message_id).where(_m.mail.in_(mails), _m.message_id.is_not(None))
    connection.execute(
        update(schema.known_messages)
        .where(known.ticket == number, known.message_id.in_(named))
        .values(ticket=fresh)
    )


def _free(connection: Connection) -> str:
    """A number that no ticket has, drawn at random: the next one cannot be told from it."""
    for digits in (6, 6, 6, 6, 9, 12):
        number = str(secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1))
        if connection.execute(select(_t.number).where(_t.number == number)).first() is None:
            return number
    raise BadInput("no number is free; try again")


def _named(moved: Sequence[Any]) -> str:
    return ", ".join(str(row.id) for row in moved)
