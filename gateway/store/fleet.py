"""Who works on this database: each gateway renews a row with the policy that it decides by.

Two policies at a time mean that a customer's mail is decided by chance; that is shown, and decides
nothing. A row that is renewed no more is of a gateway that has died.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from gateway.store import schema
from gateway.store.columns import micros, moment
from gateway.store.upsert import insert

ALIVE = timedelta(seconds=60)  # since it was last seen; a gateway renews its row every 15
FORGOTTEN = timedelta(days=1)
_g = schema.gateways.c


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process, as it says of itself."""

    instance: str
    version: str
    policy_digest: str
    started_at: datetime
    seen_at: datetime


def seen(connection: Connection, one: Gateway) -> None:
    """It lives; what died long ago is forgotten."""
    values = {
        "version": one.version,
        "policy_digest": one.policy_digest,
        "started_at": micros(one.started_at),
        "seen_at": micros(one.seen_at),
    }
    new = insert(schema.gateways).values(instance=one.instance, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["instance"], set_=values))
    gone = _g.seen_at < micros(one.seen_at - FORGOTTEN)
    connection.execute(delete(schema.gateways).where(gone))


def left(connection: Connection, instance: str) -> None:
    """It has stopped."""
    connection.execute(delete(schema.gateways).where(_g.instance == instance))


def alive(connection: Connection, now: datetime) -> list[Gateway]:
    """Those that were seen within `ALIVE`, by name."""
    statement = select(_g.instance, _g.version, _g.policy_digest, _g.started_at, _g.seen_at).where(
        _g.seen_at >= micros(now - ALIVE)
    )
    found = connection.execute(statement.order_by(_g.instance))
    return [
        Gateway(name, version, digest, moment(started), moment(last))
        for name, version, digest, started, last in found
    ]
