"""Periodic work, done by one process at a time, and what the house forgets by itself."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.store import mails, schema
from gateway.store.columns import HOUR, micros, moment

LEASE = timedelta(minutes=10)
REPLAYS = timedelta(days=14)
LEDGER = timedelta(days=3)

_j = schema.jobs.c


def claim(
    connection: Connection,
    name: str,
    owner: str,
    now: datetime,
    every: timedelta,
    lease: timedelta = LEASE,
) -> bool:
    """True when the job is due and nobody else is at it: it is ours until the lease ends."""
    connection.execute(insert(schema.jobs).values(name=name).on_conflict_do_nothing())
    at = micros(now)
    due = or_(_j.done_at.is_(None), _j.done_at <= micros(now - every), _j.done_at > at)
    free = or_(_j.lease_until.is_(None), _j.lease_until < at)
    result = connection.execute(
        update(schema.jobs)
        .where(_j.name == name, due, free)
        .values(owner=owner, lease_until=micros(now + lease))
    )
    return bool(result.rowcount)


def done(connection: Connection, name: str, owner: str, now: datetime) -> bool:
    """The job was done; False when the lease was not ours any more."""
    result = connection.execute(
        update(schema.jobs)
        .where(_j.name == name, _j.owner == owner)
        .values(owner=None, lease_until=None, done_at=micros(now))
    )
    return bool(result.rowcount)


def forget(connection: Connection, now: datetime) -> dict[str, int]:
    """Expire parked mail; remove signatures and units that count for nothing any more."""
    replays, ledger = schema.replays.c, schema.ledger.c
    old = delete(schema.replays).where(replays.first_seen < micros(now - REPLAYS))
    spent = delete(schema.ledger).where(ledger.hour < micros(now - LEDGER) // HOUR)
    return {
        "parked": mails.expire(connection, now),
        "replays": int(connection.execute(old).rowcount),
        "ledger": int(connection.execute(spent).rowcount),
    }


def due_events(connection: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """What followers have not been told yet, oldest first; `data` is JSON."""
    c = schema.events.c
    statement = (
        select(c.id, c.kind, c.ticket, c.at, c.data)
        .where(c.state == "due")
        .order_by(c.id)
        .limit(limit)
    )
    found = connection.execute(statement).mappings()
    return [{**row, "at": moment(row["at"])} for row in found]


def told(connection: Connection, numbers: list[int]) -> int:
    """Followers have taken these events; how many were due."""
    c = schema.events.c
    statement = update(schema.events).where(c.id.in_(numbers), c.state == "due")
    return int(connection.execute(statement.values(state="sent")).rowcount)
