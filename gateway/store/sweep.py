"""Blobs that no row names any more, or never did because a crash came before the commit.

A blob is put before its row is written, and the row of the very same content may come while the
old one is being swept. So the sweep writes down what it takes away, before and after: a mail that
finds its content claimed is decided again, and one that finds it gone puts it again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, select, update

from gateway.store import schema
from gateway.store.blobs import ORPHAN_SECONDS
from gateway.store.columns import micros
from gateway.store.engine import Store
from gateway.store.rows import CLAIMED, REMOVED
from gateway.store.upsert import insert
from gateway.store.writer import Writer

BATCH = 200
ABANDONED = timedelta(hours=1)  # a sweep that claimed and did not finish has died
REMEMBERED = timedelta(days=1)  # longer than any mail is between its blob and its row
_b = schema.blobs.c


def sweep(store: Store, writer: Writer, now: datetime, older_than: float = ORPHAN_SECONDS) -> int:
    """Remove what has lain unnamed for so many seconds; how many. Not for the writer's thread.

    Temporary when the blob store or the database is away; the next sweep goes on.
    """
    removed = 0
    _remove(store, writer, _abandoned(store, now), now)
    old = store.blobs.old(older_than)
    while batch := list(islice(old, BATCH)):
        removed += _remove(store, writer, _claimed(writer, batch, now), now)
    forgotten = delete(schema.blobs).where(
        _b.size == REMOVED, _b.created_at < micros(now - REMEMBERED)
    )
    writer.run(lambda connection: connection.execute(forgotten).rowcount).result()
    return removed


def _claimed(writer: Writer, digests: Iterable[str], now: datetime) -> list[str]:
    """Those that no row names; theirs is now a row that says so."""
    rows: list[dict[str, Any]] = [
        {"digest": digest, "size": CLAIMED, "created_at": micros(now), "content": None}
        for digest in sorted(digests)
    ]
    new = insert(schema.blobs).values(rows)
    statement = new.on_conflict_do_update(
        index_elements=["digest"],
        set_={"size": CLAIMED, "created_at": new.excluded.created_at},
        where=_b.size == REMOVED,
    ).returning(_b.digest)

    def work(connection: Connection) -> list[str]:
        return list(connection.execute(statement).scalars())

    return writer.run(work).result()


def _abandoned(store: Store, now: datetime) -> list[str]:
    """What a sweep claimed that did not live to remove it."""
    statement = select(_b.digest).where(
        _b.size == CLAIMED, _b.created_at < micros(now - ABANDONED)
    )
    with store.reading() as connection:
        return list(connection.execute(statement).scalars())


def _remove(store: Store, writer: Writer, digests: list[str], now: datetime) -> int:
    if not digests:
        return 0
    for digest in digests:
        store.blobs.remove(digest)
    statement = (
        update(schema.blobs)
        .where(_b.digest.in_(digests), _b.size == CLAIMED)
        .values(size=REMOVED, created_at=micros(now))
    )
    writer.run(lambda connection: connection.execute(statement).rowcount).result()
    return len(digests)
