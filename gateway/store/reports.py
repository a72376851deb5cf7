"""A failed delivery: our mail and its address are marked, and the ticket goes to staff."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, update

from gateway.core.model import Effects, Event, NewEntry, Outgoing, TicketChange, TicketState
from gateway.core.say.kinds import kind_of
from gateway.store import changes, schema
from gateway.store.columns import MICROSECOND, micros
from gateway.store.prepared import Link, Prepared, Step, param

# A server gives up after some days (RFC 5321 4.5.4.1); a return path that leaked later is worth
# nothing.
REPORTED_WITHIN = timedelta(days=14)

_o = schema.outbox.c
_OURS = Prepared(
    select(_o.id, _o.ticket, _o.account, _o.recipient, _o.kind, _o.notice, _o.sent_at).where(
        _o.message_id == param("the_id"),
        _o.undelivered_at.is_(None),
        or_(_o.sent_at.is_(None), _o.sent_at >= param("since")),
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
        # Somebody has looked at the address since the mail went out.
        or_(_a.confirmed_at.is_(None), _a.confirmed_at <= param("sent_at")),
    )
    .values(bounced_at=param("at"))
)


class Raised(NamedTuple):
    """What delivery reports set off."""

    entries: list[NewEntry]
    steps: list[Step]
    events: list[Event]
    outgoing: tuple[Outgoing, ...]  # the mail's own; none where its report counts for nothing


def undelivered(link: Link, effects: Effects, standing: dict[str, changes.Standing]) -> Raised:
    """A delivery report marks our mail and its address, and raises the ticket; no more.

    It counts once for a mail, and only if the mail went to the address that it names.
    """
    received_at = effects.mail.received_at
    at = micros(received_at)
    raised = Raised([], [], [], effects.outgoing)
    since = at - REPORTED_WITHIN // MICROSECOND
    counted = not effects.undelivered
    for message_id in dict.fromkeys(effects.undelivered):
        for row in link.rows(_OURS, {"the_id": message_id, "since": since}):
            outbox_id, ticket, account, recipient, kind, notice, sent_at = row
            if not _names(effects.undelivered_to, recipient):
                continue
            counted = True
            raised.steps.append(Step(_UNDELIVERED, {"the_id": outbox_id, "at": at}))
            if notice:
                continue
            if account is not None and effects.bounced:
                raised.steps.append(bounced(account, recipient, at, sent_at))
            if ticket is not None and ticket not in standing:
                standing |= changes.lock(link, [ticket])
            if ticket in standing:
                raised.entries.append(_noted(standing[ticket], kind, received_at))
                raised.events.append(undelivered_event(ticket, kind, received_at))
    return raised if counted else raised._replace(outgoing=())


def _names(named: str | None, recipient: str) -> bool:
    return named is None or named.translate(_LOWER) == recipient.translate(_LOWER)


def _noted(one: changes.Standing, kind: str, at: datetime) -> NewEntry:
    """A closed ticket waits again only where its answer has not arrived."""
    answer = not kind_of(kind).automatic or kind == "closed"
    if one.row["state"] == TicketState.CLOSED.value and not answer:
        return _line(one, kind, at)
    return raise_to_staff(one, kind, at)


def raise_to_staff(one: changes.Standing, kind: str, at: datetime) -> NewEntry:
    """The ticket waits for staff, and its history says why."""
    number = one.row["number"]
    one.change(TicketChange(number, one.version, at, state=TicketState.STAFF))
    return _line(one, kind, at)


def _line(one: changes.Standing, kind: str, at: datetime) -> NewEntry:
    said = f"our mail `{kind}` to the customer could not be delivered"
    return NewEntry(one.row["number"], at, "system", "event", None, None, said)


def undelivered_event(ticket: str, kind: str, at: datetime) -> Event:
    """Followers learn that the customer was not told."""
    return Event("reply.undelivered", ticket, at, {"mail": kind})


def bounced(account: str, recipient: str, at: int, sent_at: int | None = None) -> Step:
    """Text about the account waits from now on, until somebody has looked at its address."""
    key = recipient.translate(_LOWER)
    values = {"the_account": account, "the_key": key, "at": at}
    return Step(_BOUNCED, values | {"sent_at": at if sent_at is None else sent_at})


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
