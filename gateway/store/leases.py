"""Periodic work as lease rows: of all gateways on one database, one does it when it is due.

A gateway that dies with a job loses its lease, and another one does it. A row of the future is
left over from before the clock was put back: it counts for nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, update

from gateway.store import schema
from gateway.store.columns import micros
from gateway.store.upsert import insert

LEASE = timedelta(minutes=10)
_j = schema.jobs.c


def claim(
    connection: Connection,
    name: str,
    owner: str,
    now: datetime,
    every: timedelta,
    lease: timedelta = LEASE,
) -> bool:
    """Whether the job is due, and ours now: nobody holds it, and `every` has passed since."""
    new = insert(schema.jobs).values(name=name).on_conflict_do_nothing()
    connection.execute(new)
    statement = (
        update(schema.jobs)
        .where(
            _j.name == name,
            or_(
                _j.lease_until.is_(None),
                ~_j.lease_until.between(micros(now), micros(now + lease)),
            ),
            or_(_j.done_at.is_(None), ~_j.done_at.between(micros(now - every) + 1, micros(now))),
        )
        .values(owner=owner, lease_until=micros(now + lease))
    )
    return connection.execute(statement).rowcount == 1


def done(connection: Connection, name: str, owner: str, now: datetime) -> bool:
    """It was done at this moment. False when the lease was not ours any more."""
    statement = (
        update(schema.jobs)
        .where(_j.name == name, _j.owner == owner)
        .values(owner=None, lease_until=None, done_at=micros(now))
    )
    return connection.execute(statement).rowcount == 1


def given_back(connection: Connection, name: str, owner: str) -> None:
    """It was not done: whoever asks next may try."""
    statement = (
        update(schema.jobs)
        .where(_j.name == name, _j.owner == owner)
        .values(owner=None, lease_until=None)
    )
    connection.execute(statement)
