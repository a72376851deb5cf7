"""Events on their way to followers, as leases: claimed and finished exactly as the outbox's rows.

Of one ticket and one endpoint a row is claimed only when no earlier one is unsent. A delivery may
happen twice, never less than once; the event's id is the same each time.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, func, null, or_, select, text, update

from gateway.store import events, schema
from gateway.store.columns import micros, micros_or_none, moment, moment_or_none
from gateway.store.engine import Store
from gateway.store.outbox import LEASE, carrying, not_carried, shown
from gateway.store.prepared import Link, Prepared, Row, const, param
from gateway.store.writer import Writer

_w = schema.webhooks.c


@dataclass(frozen=True, slots=True)
class HookLease:
    """An event for one endpoint, ours until its lease ends."""

    id: int
    owner: str
    to: str  # the endpoint
    message_id: str  # the event: the same at every attempt
    kind: str
    tries: int  # this one included
    created_at: datetime
    raw: bytes  # the body, JSON
    maybe_twice: bool = False  # a follower knows an event by its id
    envelope_from: str = ""


_earlier = schema.webhooks.alias("earlier")
_first = ~exists().where(
    _earlier.c.endpoint == _w.endpoint,
    _earlier.c.ticket == _w.ticket,
    _earlier.c.state == const("due"),
    _earlier.c.id < _w.id,
)
_RIPE = (
    select(_w.id)
    .where(
        text("webhooks.state = 'due'"),
        _w.endpoint == param("endpoint"),
        _w.due <= param("now"),
        or_(_w.lease_until.is_(None), _w.lease_until < param("now")),
        or_(_w.ticket == const(""), _first),
        not_carried(_w.id),
    )
    .order_by(_w.due, _w.id)
    .limit(param("most"))
    .with_for_update(skip_locked=True, of=schema.webhooks)
    .cte("ripe")  # evaluated once, so that no more rows are locked than are claimed
)
_CLAIM = Prepared(
    update(schema.webhooks)
    .where(_w.id.in_(select(_RIPE.c.id)))
    .values(owner=param("me"), lease_until=param("until"), tries=_w.tries + 1)
    .returning(_w.id, _w.event, _w.kind, _w.tries, _w.created_at)
)
# A worker may have claimed a row twice: its first word counts for nothing then, as a stranger's.
_ours = (_w.owner == param("me"), _w.tries == param("attempt"))
_RENEW = Prepared(
    update(schema.webhooks)
    .where(_w.id == param("the_id"), *_ours, text(schema.DUE))
    .values(lease_until=param("until"))
)
_FINISH = Prepared(
    update(schema.webhooks)
    .where(_w.id == param("the_id"), *_ours, text(schema.DUE))
    .values(
        state=param("new_state"),
        owner=null(),
        lease_until=null(),
        due=param("new_due"),
        error=param("said"),
        sent_at=param("at"),
    )
)


class Hooks:
    """What one endpoint is to be told. Methods may be called from any thread, and wait."""

    def __init__(self, store: Store, writer: Writer, endpoint: str) -> None:
        """Each endpoint has its own, so that a dead one holds up no other."""
        self._store = store
        self._writer = writer
        self._endpoint = endpoint

    def claim(
        self,
        owner: str,
        now: datetime,
        limit: int = 32,
        lease: timedelta = LEASE,
        carried: Collection[int] = (),
    ) -> list[HookLease]:
        """Up to `limit` rows that are due, oldest first, each with its body; none of `carried`."""
        values = {
            "now": micros(now),
            "most": limit,
            "me": owner,
            "until": micros(now + lease),
            "endpoint": self._endpoint,
            "carried": carrying(carried),
        }

        def work(connection: Connection) -> list[HookLease]:
            claimed = sorted(Link.of(connection).rows(_CLAIM, values))
            return [self._lease(connection, row, owner) for row in claimed]

        return self._writer.run(work).result()

    def _lease(self, connection: Connection, row: Row, owner: str) -> HookLease:
        number, event, kind, tries, created_at = row
        found = events.find(connection, event)
        return HookLease(
            id=number,
            owner=owner,
            to=self._endpoint,
            message_id=event,
            kind=kind,
            tries=tries,
            created_at=moment(created_at),
            raw=body(found or {"version": 1, "id": event, "kind": kind}),
        )

    def abandoned(self, now: datetime) -> int:
        """End every lease at once: nobody else works on this database. How many there were."""
        held = (_w.state == "due", _w.lease_until > micros(now))
        statement = update(schema.webhooks).where(*held).values(lease_until=micros(now) - 1)
        return self._writer.run(lambda one: one.execute(statement).rowcount).result()

    def renew(self, lease: HookLease, now: datetime, until: datetime) -> bool:
        """Ours until then: it is still being carried. False when another one has it."""
        values = {
            "the_id": lease.id,
            "me": lease.owner,
            "attempt": lease.tries,
            "until": micros(until),
        }
        return self._writer.run(lambda one: Link.of(one).run(_RENEW, values)).result() == 1

    def sent(self, lease: HookLease, now: datetime) -> bool:
        """The endpoint has taken it. False when the lease was not ours any more."""
        return self._finish(lease, now, state="sent", at=now)

    def retry(
        self, lease: HookLease, now: datetime, due: datetime, error: str, *, uncertain: bool
    ) -> bool:
        """Try again at `due`. False when the lease was not ours any more."""
        return self._finish(lease, now, state="due", due=due, error=error)

    def failed(self, lease: HookLease, now: datetime, error: str, *, bounced: bool) -> bool:
        """Given up, and shown; ops may have it sent again."""
        return self._finish(lease, now, state="failed", error=error)

    def next_due(self) -> datetime | None:
        """When the earliest unsent row is due, claimed ones included."""
        statement = select(func.min(_w.due)).where(text(schema.DUE), _w.endpoint == self._endpoint)
        with self._store.reading() as connection:
            return moment_or_none(connection.execute(statement).scalar())

    def _finish(
        self,
        lease: HookLease,
        now: datetime,
        *,
        state: str,
        at: datetime | None = None,
        due: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        values = {
            "the_id": lease.id,
            "me": lease.owner,
            "attempt": lease.tries,
            "new_state": state,
            "new_due": micros(due or now),
            "said": error,
            "at": micros_or_none(at),
        }
        return self._writer.run(lambda one: Link.of(one).run(_FINISH, values) == 1).result()


def body(event: dict[str, Any]) -> bytes:
    """An event as JSON in ASCII; moments as RFC 3339 in UTC."""
    return json.dumps(event, separators=(",", ":"), default=_plain).encode("ascii")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


# ---- what ops see and do


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries are in each unfinished state."""
    found = {}
    for state in ("due", "failed"):
        statement = select(func.count()).select_from(schema.webhooks)
        found[state] = int(
            connection.execute(statement.where(_w.state == const(state))).scalar() or 0
        )
    return found


def list_rows(
    connection: Connection,
    *,
    states: Iterable[str] = ("due", "failed"),
    endpoint: str | None = None,
    older_than: datetime | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Deliveries to followers, oldest first."""
    statement = select(schema.webhooks).where(_w.state.in_([const(one) for one in states]))
    if endpoint is not None:
        statement = statement.where(_w.endpoint == endpoint)
    if older_than is not None:
        statement = statement.where(_w.created_at < micros(older_than))
    found = connection.execute(statement.order_by(_w.id).limit(limit))
    return [shown(row) for row in found.mappings()]


ACTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "retry": (("due",), {}),
    "requeue": (("failed", "dropped", "sent"), {"state": "due", "error": None}),
    "drop": (("due", "failed"), {"state": "dropped"}),
}


def act(connection: Connection, action: str, numbers: Iterable[int], now: datetime) -> int:
    """`retry`, `requeue` or `drop` deliveries that nobody is sending; how many.

    A delivery that is tried once more gets its whole time again.
    """
    states, values = ACTIONS[action]
    again = {"due": micros(now)} if action != "drop" else {}
    again |= {"created_at": micros(now)} if action == "requeue" else {}
    unclaimed = or_(_w.owner.is_(None), _w.lease_until < micros(now))
    statement = (
        update(schema.webhooks)
        .where(_w.id.in_(list(numbers)), _w.state.in_(states), unclaimed)
        .values(**values, **again, owner=None, lease_until=None)
    )
    return int(connection.execute(statement).rowcount)
