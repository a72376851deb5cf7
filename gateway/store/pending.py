"""What waits for somebody to take it over: tickets that must be verified before staff may act,
and entries whose author was not proven. Who accepted or declined it stands in the history.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update

from gateway.core.model import Event, NewEntry, TicketChange, TicketState
from gateway.errors import BadInput
from gateway.store import changes, schema, telling
from gateway.store.columns import moment
from gateway.store.prepared import Link, Prepared, Step, param

ACCEPTED, DECLINED = "accepted", "declined"
_t, _e = schema.tickets.c, schema.entries.c
_SETTLE = Prepared(
    update(schema.entries)
    .where(_e.ticket == param("the_ticket"), text(schema.UNSETTLED))
    .values(pending=param("pending"), settled=param("settled"))
)


def settle(ticket: str, *, accepted: bool) -> Step:
    """Every pending entry of a ticket that nobody has judged yet."""
    settled = ACCEPTED if accepted else DECLINED
    values = {"the_ticket": ticket, "pending": not accepted, "settled": settled}
    return Step(_SETTLE, values)


def listed(connection: Connection) -> list[dict[str, Any]]:
    """What waits, oldest first: `panel` tickets to be verified, `entry` pending entries."""
    tickets = select(_t.number, _t.account, _t.subject, _t.opened_at).where(
        _t.verified.is_(False), _t.state != TicketState.CLOSED.value
    )
    entries = (
        select(_e.id, _e.ticket, _e.at, _e.author, _e.proof, _t.account, _t.subject)
        .join(schema.tickets, _t.number == _e.ticket)
        .where(text(schema.UNSETTLED))
    )
    found = [
        {"what": "panel", "ticket": row.number, "account": row.account, "entry": None,
         "author": None, "proof": None, "subject": row.subject, "at": moment(row.opened_at)}
        for row in connection.execute(tickets)
    ] + [
        {"what": "entry", "ticket": row.ticket, "account": row.account, "entry": row.id,
         "author": row.author, "proof": row.proof, "subject": row.subject, "at": moment(row.at)}
        for row in connection.execute(entries)
    ]  # fmt: skip
    return sorted(found, key=lambda one: one["at"])


def accept(
    connection: Connection, number: str, entries: Iterable[int], by: str, now: datetime
) -> int:
    """Staff vouch for it: the ticket may be acted upon, its entries count. How many things.

    Without `entries` all that waits in the ticket; a ticket that was answered waits for staff
    again. BadInput where nothing waits.
    """
    link = Link.of(connection)
    standing = _standing(link, number)
    numbers = _settled(connection, number, list(entries), ACCEPTED)
    verifies = not standing.row["verified"]
    if not numbers and not verifies:
        raise BadInput(f"nothing waits to be taken over in ticket `{number}`")
    waits = standing.row["state"] == TicketState.CUSTOMER.value and bool(numbers)
    change = TicketChange(
        number, standing.version, now,
        verified=True if verifies else None,
        state=TicketState.STAFF if waits else None,
    )  # fmt: skip
    standing.change(change)
    said = "taken over by staff" + (f": entries {_named(numbers)}" if numbers else "")
    _written(link, standing, NewEntry(number, now, "system", "event", by, None, said))
    return len(numbers) + verifies


def decline(
    connection: Connection, number: str, entries: Iterable[int], by: str, now: datetime
) -> int:
    """Staff do not take the pending entries: they count for nothing, and are listed no more."""
    link = Link.of(connection)
    standing = _standing(link, number)
    numbers = _settled(connection, number, list(entries), DECLINED)
    if not numbers:
        raise BadInput(f"no entry waits to be taken over in ticket `{number}`")
    standing.set(now)
    said = f"declined by staff: entries {_named(numbers)}"
    _written(link, standing, NewEntry(number, now, "system", "event", by, None, said))
    return len(numbers)


def _standing(link: Link, number: str) -> changes.Standing:
    standing = changes.lock(link, [number]).get(number)
    if standing is None:
        raise BadInput(f"there is no ticket `{number}`")
    return standing


def _settled(connection: Connection, number: str, wanted: list[int], as_what: str) -> list[int]:
    waiting = select(_e.id).where(_e.ticket == number, text(schema.UNSETTLED)).order_by(_e.id)
    ids = list(connection.execute(waiting).scalars())
    for one in wanted:
        if one not in ids:
            raise BadInput(f"entry {one} does not wait to be taken over in ticket `{number}`")
    chosen = wanted or ids
    values = {"pending": as_what != ACCEPTED, "settled": as_what}
    connection.execute(update(schema.entries).where(_e.id.in_(chosen)).values(values))
    return chosen


def _written(link: Link, standing: changes.Standing, line: NewEntry) -> None:
    told = Event("ticket.changed", line.ticket, line.at, {"by": "staff", "said": line.text})
    steps = [*standing.steps(0), changes.entry(line, None), *telling.steps(told, [line])]
    changes.run(link, steps)


def _named(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
