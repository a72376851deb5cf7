"""A failed delivery: our mail and its address are marked, and the ticket goes to staff."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from gateway.core.model import Effects, Event, NewEntry, TicketChange, TicketState
from gateway.store import changes, schema
from gateway.store.columns import micros
from gateway.store.prepared import Link, Prepared, Step, param

_o = schema.outbox.c
_OURS = Prepared(
    select(_o.id, _o.ticket, _o.account, _o.recipient, _o.kind, _o.notice).where(
        _o.message_id == param("the_id"), _o.undelivered_at.is_(None)
    )
)
_UNDELIVERED = Prepared(
    update(schema.outbox).where(_o.id == param("the_id")).values(undelivered_at=param("at"))
)
_a = schema.addresses.c
_BOUNCED = Prepared(
    update(schema.addresses)
    .where(
        _a.account == param("the_account"),
        _a.key == param("the_key"),
        _a.bounced_at.is_(None),
    )
    .values(bounced_at=param("at"))
)


class Raised(NamedTuple):
    """What delivery reports set off."""

    entries: list[NewEntry]
    steps: list[Step]
    events: list[Event]


def undelivered(link: Link, effects: Effects, standing: dict[str, changes.Standing]) -> Raised:
    """A delivery report marks our mail and its address, and raises the ticket; no more."""
    received_at = effects.mail.received_at
    at = micros(received_at)
    raised = Raised([], [], [])
    for message_id in dict.fromkeys(effects.undelivered):
        for row in link.rows(_OURS, {"the_id": message_id}):
            outbox_id, ticket, account, recipient, kind, notice = row
            raised.steps.append(Step(_UNDELIVERED, {"the_id": outbox_id, "at": at}))
            if notice:
                continue
            if account is not None:
                raised.steps.append(bounced(account, recipient, at))
            if ticket is not None and ticket not in standing:
                standing |= changes.lock(link, [ticket])
            if ticket in standing:
                raised.entries.append(raise_to_staff(standing[ticket], kind, received_at))
                raised.events.append(undelivered_event(ticket, kind, received_at))
    return raised


def raise_to_staff(one: changes.Standing, kind: str, at: datetime) -> NewEntry:
    """The ticket waits for staff, and its history says why."""
    number = one.row["number"]
    one.change(TicketChange(number, one.version, at, state=TicketState.STAFF))
    said = f"our mail `{kind}` to the customer could not be delivered"
    return NewEntry(number, at, "system", "event", None, None, said)


def undelivered_event(ticket: str, kind: str, at: datetime) -> Event:
    """Followers learn that the customer was not told."""
    return Event("reply.undelivered", ticket, at, {"mail": kind})


def bounced(account: str, recipient: str, at: int) -> Step:
    """Text about the account waits from now on, until somebody has looked at its address."""
    key = recipient.translate(_LOWER)
    return Step(_BOUNCED, {"the_account": account, "the_key": key, "at": at})


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
