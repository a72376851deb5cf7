"""Everything that waits, counted and dated, so that nothing waits unseen.

Each question reads no more than what waits: a partial index, or one row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, TextClause, func, not_, select, text

from gateway.core.model import TicketKind
from gateway.store import schema
from gateway.store.columns import micros
from gateway.store.prepared import const, param

MOST = 10_000  # of one kind that are counted; more is as bad
_o, _m, _p, _w, _t = (
    schema.outbox.c,
    schema.mails.c,
    schema.parked.c,
    schema.webhooks.c,
    schema.tickets.c,
)


@dataclass(frozen=True, slots=True)
class Wait:
    """How many of a kind wait, and for how long the first has."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can wait, and how long it may before people must be told."""

    asked: Select[Any]  # since when, in microseconds, a row each
    patience: timedelta | None  # None: as long as it likes
    remedy: str


def _since(
    column: ColumnElement[int], *conditions: ColumnElement[bool] | TextClause
) -> Select[Any]:
    return select(column).where(*conditions, column <= param("now")).limit(MOST)


def _kinds() -> dict[str, Kind]:
    now, minute, hour = timedelta(0), timedelta(minutes=1), timedelta(hours=1)
    open_mails, waiting = text(schema.OPEN_MAILS), text(schema.WAITING)
    return {
        "failed mail": Kind(
            _since(_m.received_at, open_mails, _m.state == const("failed")),
            now,
            "portiere queue list --failed",
        ),
        "released mail": Kind(
            _since(_m.received_at, open_mails, _m.state == const("released")),
            10 * minute,
            "portiere queue retry",
        ),
        "parked mail": Kind(
            _since(_p.created_at, text(schema.PARKED)), None, "portiere queue list --parked"
        ),
        "outbox due": Kind(_since(_o.due, text(schema.DUE)), 15 * minute, "portiere queue list"),
        "outbox held": Kind(_since(_o.created_at, text(schema.HELD)), None, "portiere queue list"),
        "outbox failed": Kind(
            _since(_o.created_at, text(schema.FAILED)), now, "portiere queue requeue or drop"
        ),
        "webhook due": Kind(_since(_w.due, text(schema.DUE)), 15 * minute, "look at the follower"),
        "webhook failed": Kind(
            _since(_w.created_at, text(schema.FAILED)), now, "look at the follower"
        ),
        "sort": Kind(
            _since(_t.queued_at, waiting, _t.kind == const(TicketKind.SORT.value)),
            4 * hour,
            "portiere tickets queue",
        ),
        "to be verified": Kind(
            _since(_t.queued_at, waiting, not_(_t.verified)), None, "portiere tickets queue"
        ),
        "overdue": Kind(
            _since(_t.reply_due, waiting, _t.reply_due.is_not(None)),
            None,
            "portiere tickets queue",
        ),
    }


KINDS = _kinds()


def waits(connection: Connection, now: datetime) -> dict[str, Wait]:
    """What waits at this moment, by kind; each kind is named. What is due later does not wait."""
    return {name: _wait(connection, kind, micros(now)) for name, kind in KINDS.items()}


def _wait(connection: Connection, kind: Kind, now: int) -> Wait:
    rows = kind.asked.subquery()
    statement = select(func.count(), func.min(rows.c[0]))
    number, first = connection.execute(statement, {"now": now}).one()
    return Wait(int(number), 0.0 if first is None else (now - int(first)) / 1e6)


def unseen(found: dict[str, Wait]) -> Iterator[tuple[str, str]]:
    """What has waited for longer than it may, with what to do."""
    for name, wait in found.items():
        patience = KINDS[name].patience
        if wait.number and patience is not None and wait.seconds >= patience.total_seconds():
            many = f"{wait.number}" + ("" if wait.number < MOST else " or more")
            yield name, f"{many}, the first for {wait.seconds / 60:.0f} min: {KINDS[name].remedy}"
