"""What happened to tickets, for those who follow: written with the commit that it tells of.

An event says how its ticket stood then, and names the entry; what was said stands in the entry
alone, so that what is erased there is gone from here. Secrets in it are masked.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from gateway.core.say import secrets
from gateway.store import schema
from gateway.store.columns import micros, moment, moment_or_none, undump
from gateway.store.prepared import const

EVERY = "*"  # a follower of every kind
TEXT_CHARS = 100_000  # of an entry; a follower is told where it was cut
BATCH = 500

_v, _t, _e = schema.events.c, schema.tickets.c, schema.entries.c
_f, _w = schema.followers.c, schema.webhooks.c


def follow(connection: Connection, wanted: Mapping[str, Iterable[str]], now: datetime) -> None:
    """From now on these endpoints are told of these kinds (none is all), and no others.

    What was due to an endpoint that is not configured any more is dropped.
    """
    connection.execute(delete(schema.followers))
    rows = [
        {"endpoint": endpoint, "kind": kind}
        for endpoint, kinds in wanted.items()
        for kind in (sorted(set(kinds)) or [EVERY])
    ]
    if rows:
        connection.execute(insert(schema.followers), rows)
    gone = update(schema.webhooks).where(
        _w.state == const("due"), _w.endpoint.not_in(list(wanted))
    )
    said = "the endpoint is not configured any more"
    connection.execute(gone.values(state="dropped", error=said, sent_at=micros(now)))


_ENTRY = ("id", "at", "by", "kind", "proof", "pending", "text")
_TICKET = ("kind", "subject", "opened_at", "queued_at", "merged_into", "linked_to", "verified")


def _whole() -> Select[Any]:
    """Events with their tickets and entries."""
    return select(
        *(_v[name].label(f"event_{name}") for name in _v.keys()),  # noqa: SIM118  (no dict)
        *(_t[name].label(f"ticket_{name}") for name in _TICKET),
        *(_e[name].label(f"entry_{name}") for name in _ENTRY),
    ).select_from(
        schema.events.outerjoin(schema.tickets, _t.number == _v.ticket).outerjoin(
            schema.entries, _e.id == _v.entry
        )
    )


def find(connection: Connection, event: str) -> dict[str, Any] | None:
    """One event as followers get it."""
    row = connection.execute(_whole().where(_v.event == event)).mappings().first()
    return None if row is None else shown(row)


def read(
    connection: Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    ticket: str | None = None,
    kinds: Iterable[str] = (),
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Events in the order in which they were committed, a batch at a time."""
    statement = _whole().order_by(_v.id)
    if since is not None:
        statement = statement.where(_v.at >= micros(since))
    if until is not None:
        statement = statement.where(_v.at < micros(until))
    if ticket is not None:
        statement = statement.where(_v.ticket == ticket)
    if kinds := list(kinds):
        statement = statement.where(_v.kind.in_(kinds))
    last, left = 0, limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        rows = connection.execute(statement.where(_v.id > last).limit(size)).mappings().all()
        yield from map(shown, rows)
        if len(rows) < size:
            return
        last = rows[-1]["event_id"]
        left = None if left is None else left - size


def newest(connection: Connection, limit: int, ticket: str | None = None) -> list[dict[str, Any]]:
    """The last events, the newest first."""
    statement = _whole().order_by(_v.id.desc()).limit(limit)
    if ticket is not None:
        statement = statement.where(_v.ticket == ticket)
    return [shown(row) for row in connection.execute(statement).mappings()]


def shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The body that followers get (docs/webhooks.md); moments are in UTC."""
    return {
        "version": 1,
        "id": row["event_event"],
        "kind": row["event_kind"],
        "at": moment(row["event_at"]),
        "ticket": _ticket(row) if row["event_ticket"] else None,
        "entry": _entry(row) if row["entry_id"] is not None else None,
        "data": undump(row["event_data"]),
    }


def _ticket(row: Mapping[Any, Any]) -> dict[str, Any]:
    """As it stood when the event was committed; the rest never changes, or is of now."""
    return {
        "number": row["event_ticket"],
        "kind": row["ticket_kind"],
        "account": row["event_account"],
        "subject": secrets.mask(row["ticket_subject"] or "")[0],
        "state": row["event_ticket_state"],
        "department": row["event_department"],
        "priority": row["event_priority"],
        "assignee": row["event_assignee"],
        "verified": bool(row["ticket_verified"]),
        "opened_at": moment_or_none(row["ticket_opened_at"]),
        "queued_at": moment_or_none(row["ticket_queued_at"]),
        "merged_into": row["ticket_merged_into"],
        "linked_to": row["ticket_linked_to"],
    }


def _entry(row: Mapping[Any, Any]) -> dict[str, Any]:
    text, masked = secrets.mask(row["entry_text"][:TEXT_CHARS])
    return {
        "id": row["entry_id"],
        "at": moment(row["entry_at"]),
        "by": row["entry_by"],
        "kind": row["entry_kind"],
        "internal": row["entry_kind"] != "mail",
        "proof": row["entry_proof"],
        "pending": bool(row["entry_pending"]),
        "text": text,
        "masked": masked,
        "truncated": len(row["entry_text"]) > TEXT_CHARS,
    }
