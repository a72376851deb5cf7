"""What is erased when its time is over: memory that no decision asks for, and kinds of mail.

The history of tickets stays. Content that two mails share goes with the last of them.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from gateway.store import feedback, outbox, schema
from gateway.store.columns import HOUR, micros

LEDGER_HOURS = 48  # caps look back 24
REPLAY_MEMORY = timedelta(days=14)
BATCH = 1_000  # mails of one run; the next one goes on

_m, _a, _b, _t = schema.mails.c, schema.attachments.c, schema.blobs.c, schema.tickets.c
_HANDLED = ("decided", "record")


def forget(connection: Connection, now: datetime) -> int:
    """Shares of days that are over, and signatures seen too long ago to matter; how many rows."""
    old_hours = schema.ledger.c.hour < micros(now) // HOUR - LEDGER_HOURS
    old_replays = schema.replays.c.first_seen < micros(now - REPLAY_MEMORY)
    feedback.forget(connection, now)
    counts = (
        connection.execute(delete(schema.ledger).where(old_hours)).rowcount,
        connection.execute(delete(schema.replays).where(old_replays)).rowcount,
    )
    return sum(counts)


def erase_records(connection: Connection, before: datetime) -> int:
    """Automatic mail that stands in no ticket, whole; how many."""
    alone = and_(_m.state == "record", _m.automatic != "no", _m.ticket.is_(None))
    return _erase(connection, and_(alone, _m.received_at < micros(before)))


def erase_parked(connection: Connection, before: datetime) -> int:
    """Mail that was parked, and that nobody released or that was dropped, whole; how many."""
    unwanted = _m.state.in_(("expired", "dropped"))
    return _erase(connection, and_(unwanted, _m.received_at < micros(before)))


def erase_raw(connection: Connection, before: datetime) -> int:
    """The raw mail of tickets that have been closed since then; their history stays; how many."""
    closed = exists().where(_t.number == _m.ticket, _t.closed_at < micros(before))
    there = exists().where(_b.digest == _m.raw_digest)
    found = connection.execute(
        select(_m.raw_digest).where(_m.state.in_(_HANDLED), closed, there).limit(BATCH)
    )
    digests = set(found.scalars())
    open_too = select(_m.raw_digest).where(_m.raw_digest.in_(digests), ~closed)
    digests -= set(connection.execute(open_too).scalars())
    kept = select(_a.digest).where(_a.digest.in_(digests))
    digests -= set(connection.execute(kept).scalars())
    return connection.execute(delete(schema.blobs).where(_b.digest.in_(digests))).rowcount


def erase_events(connection: Connection, before: datetime) -> int:
    """Events, and what followers were told of them, once nobody waits for them; how many."""
    c, w = schema.events.c, schema.webhooks.c
    waited_for = exists().where(w.event == c.event, w.state == "due")
    old = select(c.id, c.event).where(c.at < micros(before), ~waited_for).limit(BATCH)
    rows = connection.execute(old).all()
    if not rows:
        return 0
    named = [row.event for row in rows]
    connection.execute(delete(schema.webhooks).where(w.event.in_(named)))
    gone = delete(schema.events).where(c.id.in_([row.id for row in rows]))
    return connection.execute(gone).rowcount


def erase_sent(connection: Connection, before: datetime) -> int:
    """Our own mail that is finished: of tickets closed since then, or of none; how many.

    How often it may have gone twice stays counted.
    """
    o = schema.outbox.c
    finished = o.state.in_(("sent", "failed", "replaced", "dropped"))
    closed = exists().where(_t.number == o.ticket, _t.closed_at < micros(before))
    old = and_(finished, o.created_at < micros(before), or_(o.ticket.is_(None), closed))
    rows = connection.execute(select(o.id, o.doubts).where(old).limit(BATCH)).all()
    if not rows:
        return 0
    outbox.keep_doubts(connection, sum(row.doubts for row in rows))
    gone = delete(schema.outbox).where(o.id.in_([row.id for row in rows]))
    return connection.execute(gone).rowcount


def _erase(connection: Connection, which: ColumnElement[bool]) -> int:
    rows = connection.execute(select(_m.mail, _m.raw_digest).where(which).limit(BATCH)).all()
    mails = [mail for mail, _ in rows]
    if not mails:
        return 0
    files = connection.execute(select(_a.digest).where(_a.mail.in_(mails))).scalars()
    digests = {digest for _, digest in rows} | set(files)
    gone: tuple[tuple[Any, Any], ...] = (
        (schema.attachments, _a.mail),
        (schema.parked, schema.parked.c.mail),
        (schema.mails, _m.mail),
    )
    for table, column in gone:
        connection.execute(delete(table).where(column.in_(mails)))
    drop_unnamed(connection, digests)
    return len(mails)


def drop_unnamed(connection: Connection, digests: set[str]) -> int:
    """Of this content, what no mail and no file names any more; how much."""
    named = or_(exists().where(_m.raw_digest == _b.digest), exists().where(_a.digest == _b.digest))
    return connection.execute(delete(schema.blobs).where(_b.digest.in_(digests), ~named)).rowcount
