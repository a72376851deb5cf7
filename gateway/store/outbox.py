"""What goes out, as leases: claimed by one statement, finished only by the owner that still holds
the claim.

A dead gateway's rows come back when their lease ends. Order is kept where one reader could see it:
of one ticket and one recipient, a row is claimed only when no earlier one is unsent. Held rows are
never claimed.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    case,
    cast,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)

from gateway.store import changes, reports, schema, telling
from gateway.store.columns import micros, micros_or_none, moment, moment_or_none
from gateway.store.engine import Store
from gateway.store.prepared import Link, Prepared, Row, Step, const, each, param
from gateway.store.writer import Writer

LEASE = timedelta(seconds=60)
FAR = timedelta(hours=1)  # longer than any row waits for its next try
DOUBTS_ERASED = "doubts of erased mail"  # in `meta`


@dataclass(frozen=True, slots=True)
class Lease:
    """A row to be delivered, ours until `until`."""

    id: int
    owner: str
    until: datetime
    to: str
    envelope_from: str  # "" is the null reverse-path
    kind: str
    language: str
    message_id: str
    raw: bytes
    account: str | None
    ticket: str | None
    notice: bool
    tries: int  # this one included
    created_at: datetime
    maybe_twice: bool = False  # an earlier owner died with it, perhaps after sending


def not_carried(number: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a row is none of `carried`: see `carrying`."""
    return number.not_in(select(cast(each("carried").c.value, BigInteger)))


def carrying(numbers: Iterable[int]) -> str:
    """The parameter of `not_carried`."""
    return json.dumps(sorted(numbers))


_o = schema.outbox.c
_earlier = schema.outbox.alias("earlier")
_first = ~exists().where(
    _earlier.c.ticket == _o.ticket,
    _earlier.c.recipient == _o.recipient,
    _earlier.c.state == const("due"),
    _earlier.c.id < _o.id,
)
_free = or_(_o.lease_until.is_(None), _o.lease_until < param("now"))
_RIPE = (
    select(_o.id)
    .where(text("outbox.state = 'due'"), _o.due <= param("now"), _free, _first, not_carried(_o.id))
    .order_by(_o.due, _o.id)
    .limit(param("most"))
    .with_for_update(skip_locked=True, of=schema.outbox)
    .cte("ripe")  # evaluated once, so that no more rows are locked than are claimed
)
_LEASED = (
    _o.id,
    _o.recipient,
    _o.envelope_from,
    _o.kind,
    _o.language,
    _o.message_id,
    _o.raw,
    _o.account,
    _o.ticket,
    _o.notice,
    _o.tries,
    _o.created_at,
    _o.maybe_twice,
)
_ONE: ColumnElement[int] = literal_column("1")  # PostgreSQL takes a parameter for text
_NONE: ColumnElement[int] = literal_column("0")
_CLAIM = Prepared(
    update(schema.outbox)
    .where(_o.id.in_(select(_RIPE.c.id)))
    .values(
        owner=param("me"),
        lease_until=param("until"),
        tries=_o.tries + 1,
        maybe_twice=_o.owner.is_not(None),  # whoever finishes a row gives it back
        doubts=_o.doubts + case((_o.owner.is_not(None), _ONE), else_=_NONE),
    )
    .returning(*_LEASED)
)
# A worker may have claimed a row twice: its first word counts for nothing then, as a stranger's.
_ours = (_o.owner == param("me"), _o.tries == param("attempt"))
_RENEW = Prepared(
    update(schema.outbox)
    .where(_o.id == param("the_id"), *_ours, text(schema.DUE))
    .values(lease_until=param("until"))
)
_FINISH = Prepared(
    update(schema.outbox)
    .where(_o.id == param("the_id"), *_ours, text(schema.DUE))
    .values(
        state=param("new_state"),
        owner=null(),
        lease_until=null(),
        due=param("new_due"),
        error=param("said"),
        sent_at=param("at"),
        doubts=_o.doubts + param("doubt"),
    )
)


class Outbox:
    """The rows of one database. Methods may be called from any thread, and wait for the commit."""

    def __init__(self, store: Store, writer: Writer) -> None:
        """Writes go through the writer's thread, with everything else that is committed."""
        self._store = store
        self._writer = writer

    def claim(
        self,
        owner: str,
        now: datetime,
        limit: int = 32,
        lease: timedelta = LEASE,
        carried: Collection[int] = (),
    ) -> list[Lease]:
        """Up to `limit` rows that are due, oldest first. Temporary when the database is away.

        Those that the owner is carrying still are not claimed, though their lease has ended.
        """
        until = now + lease
        values = {
            "now": micros(now),
            "most": limit,
            "me": owner,
            "until": micros(until),
            "carried": carrying(carried),
        }

        def work(connection: Connection) -> list[Row]:
            return Link.of(connection).rows(_CLAIM, values)

        found = sorted(self._writer.run(work).result())
        return [_lease(row, owner, until) for row in found]

    def abandoned(self, now: datetime) -> int:
        """End every lease at once: nobody else works on this database. How many there were.

        For the start of the one gateway of an SQLite file. The rows keep their owner's name, so
        that whoever claims them knows that they may have gone already.
        """
        held = (_o.state == "due", _o.lease_until > micros(now))
        statement = update(schema.outbox).where(*held).values(lease_until=micros(now) - 1)
        return self._writer.run(lambda connection: connection.execute(statement).rowcount).result()

    def renew(self, lease: Lease, now: datetime, until: datetime) -> bool:
        """Ours until then: it is still being carried. False when another one has it."""
        values = {
            "the_id": lease.id,
            "me": lease.owner,
            "attempt": lease.tries,
            "until": micros(until),
        }
        return self._writer.run(lambda one: Link.of(one).run(_RENEW, values)).result() == 1

    def sent(self, lease: Lease, now: datetime) -> bool:
        """The other side has taken it. False when the lease was not ours any more."""
        return self._finish(lease, now, state="sent", at=now)

    def retry(
        self,
        lease: Lease,
        now: datetime,
        due: datetime,
        error: str,
        *,
        uncertain: bool = False,
    ) -> bool:
        """Try again at `due`; `uncertain`: it may have gone. False when the lease was not ours."""
        doubt = int(uncertain)
        return self._finish(lease, now, state="due", due=due, error=error, doubt=doubt)

    def failed(self, lease: Lease, now: datetime, error: str, *, bounced: bool = False) -> bool:
        """Given up: the ticket goes to staff. `bounced`: the address was refused for good."""

        def work(connection: Connection) -> bool:
            link = Link.of(connection)
            if not _finished(link, lease, now, state="failed", error=error):
                return False
            if not lease.notice:
                self._raise(link, lease, now, bounced=bounced)
            return True

        return self._writer.run(work).result()

    def next_due(self) -> datetime | None:
        """When the earliest unsent row is due, claimed ones included."""
        statement = select(func.min(_o.due)).where(text(schema.DUE))
        with self._store.reading() as connection:
            return moment_or_none(connection.execute(statement).scalar())

    def counts(self) -> dict[str, int]:
        """How many rows are in each unfinished state."""
        statement = (
            select(_o.state, func.count())
            .where(_o.state.in_((const("due"), const("held"), const("failed"))))
            .group_by(_o.state)
        )
        with self._store.reading() as connection:
            return {str(state): int(n) for state, n in connection.execute(statement)}

    def _finish(
        self,
        lease: Lease,
        now: datetime,
        *,
        state: str,
        at: datetime | None = None,
        due: datetime | None = None,
        error: str | None = None,
        doubt: int = 0,
    ) -> bool:
        def work(connection: Connection) -> bool:
            link = Link.of(connection)
            return _finished(
                link, lease, now, state=state, at=at, due=due, error=error, doubt=doubt
            )

        return self._writer.run(work).result()

    def _raise(self, link: Link, lease: Lease, now: datetime, *, bounced: bool) -> None:
        steps: list[Step] = []
        if bounced and lease.account is not None:
            steps.append(reports.bounced(lease.account, lease.to, micros(now)))
        standing = changes.lock(link, [lease.ticket]) if lease.ticket else {}
        said = [reports.raise_to_staff(one, lease.kind, now) for one in standing.values()]
        steps += [changes.entry(line, None) for line in said]
        for one in standing.values():
            steps += one.steps(self._store.shard)
        for number in standing:
            steps += telling.steps(reports.undelivered_event(number, lease.kind, now), said)
        changes.run(link, steps)


def _finished(
    link: Link,
    lease: Lease,
    now: datetime,
    *,
    state: str,
    at: datetime | None = None,
    due: datetime | None = None,
    error: str | None = None,
    doubt: int = 0,
) -> bool:
    values = {
        "the_id": lease.id,
        "me": lease.owner,
        "attempt": lease.tries,
        "new_state": state,
        "new_due": micros(due or now),
        "said": error,
        "at": micros_or_none(at),
        "doubt": doubt,
    }
    return link.run(_FINISH, values) == 1


def _lease(row: Row, owner: str, until: datetime) -> Lease:
    (
        number, to, envelope_from, kind, language, message_id, raw,
        account, ticket, notice, tries, created_at, twice,
    ) = row  # fmt: skip
    return Lease(
        id=number,
        owner=owner,
        until=until,
        to=to,
        envelope_from=envelope_from,
        kind=kind,
        language=language,
        message_id=message_id,
        raw=bytes(raw),
        account=account,
        ticket=ticket,
        notice=bool(notice),
        tries=tries,
        created_at=moment(created_at),
        maybe_twice=bool(twice),
    )


def doubts(connection: Connection) -> int:
    """How often a mail was sent again that may have gone before, since the database began."""
    rows = select(func.sum(_o.doubts)).where(text(schema.DOUBTFUL))
    erased = select(schema.meta.c.value).where(schema.meta.c.name == DOUBTS_ERASED)
    gone = connection.execute(erased).scalar()
    return int(connection.execute(rows).scalar() or 0) + int(gone or 0)


# ---- when the clock was put back


def brought_near(connection: Connection, now: datetime) -> int:
    """Rows that only a clock put back makes wait: they are due now. How many there were.

    A row waits for its next try for less than `FAR`, and none was queued in the future. A lease
    keeps as long as a new one would, so that whoever is sending now can finish.
    """
    far = _o.due > micros(now + FAR)
    waits = update(schema.outbox).where(
        _o.state == "due", far, or_(_o.tries > 0, _o.created_at > micros(now))
    )
    held = update(schema.outbox).where(_o.state == "due", _o.lease_until > micros(now + FAR))
    number = int(connection.execute(waits.values(due=micros(now))).rowcount)
    return number + int(connection.execute(held.values(lease_until=micros(now + LEASE))).rowcount)


def keep_doubts(connection: Connection, number: int) -> None:
    """Rows that were in doubt so many times are erased: what they counted is kept."""
    if not number:
        return
    name, value = schema.meta.c.name, schema.meta.c.value
    standing = connection.execute(select(value).where(name == DOUBTS_ERASED)).scalar()
    if standing is None:
        connection.execute(insert(schema.meta).values(name=DOUBTS_ERASED, value=str(number)))
        return
    total = str(int(standing) + number)
    connection.execute(update(schema.meta).where(name == DOUBTS_ERASED).values(value=total))


# ---- what ops see and do

_SHOWN = tuple(c for c in schema.outbox.c if c.name not in ("raw", "text"))
ACTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "hold": (("due",), {"state": "held", "held": "by ops"}),
    "release": (("held",), {"state": "due", "held": None}),
    "retry": (("due",), {}),
    "requeue": (("failed", "dropped"), {"state": "due", "error": None}),
    "drop": (("due", "held", "failed"), {"state": "dropped"}),
}


def list_rows(
    connection: Connection,
    *,
    states: Iterable[str] = ("due", "held", "failed"),
    kind: str | None = None,
    recipient: str | None = None,
    older_than: datetime | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Rows of the outbox without their content, oldest first."""
    statement = select(*_SHOWN)
    if kind is not None:
        statement = statement.where(_o.kind == kind)
    if recipient is not None:
        statement = statement.where(func.lower(_o.recipient) == recipient.lower())
    if older_than is not None:
        statement = statement.where(_o.created_at < micros(older_than))
    found = []
    for state in states:  # each by its own index, where few are in it
        order = (_o.due, _o.id) if state == "due" else (_o.id,)
        those = statement.where(_o.state == const(state)).order_by(*order).limit(limit)
        found += [shown(row) for row in connection.execute(those).mappings()]
    return sorted(found, key=lambda row: int(row["id"]))[:limit]


def show(connection: Connection, number: int) -> dict[str, Any] | None:
    """One row with its raw mail, or None."""
    statement = select(schema.outbox).where(_o.id == number)
    row = connection.execute(statement).mappings().first()
    return None if row is None else shown(row)


def act(connection: Connection, action: str, numbers: Iterable[int], now: datetime) -> int:
    """`hold`, `release`, `retry`, `requeue` or `drop` rows that nobody is sending; how many."""
    states, values = ACTIONS[action]
    again = {"due": micros(now)} if action in ("release", "retry", "requeue") else {}
    unclaimed = or_(_o.owner.is_(None), _o.lease_until < micros(now))
    statement = (
        update(schema.outbox)
        .where(_o.id.in_(list(numbers)), _o.state.in_(states), unclaimed)
        .values(**values, **again, owner=None, lease_until=None)
    )
    return int(connection.execute(statement).rowcount)


def shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with its moments as moments."""
    times = ("due", "lease_until", "created_at", "sent_at", "undelivered_at")
    return {
        str(name): moment_or_none(value) if name in times else value for name, value in row.items()
    }
