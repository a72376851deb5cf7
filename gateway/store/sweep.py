"""Blobs that no row names any more, or never did because a crash came before the commit."""

from itertools import islice

from sqlalchemy import select

from gateway.store import schema
from gateway.store.blobs import ORPHAN_SECONDS
from gateway.store.engine import Store

BATCH = 500


def sweep(store: Store, older_than: float = ORPHAN_SECONDS) -> int:
    """Remove what has lain unnamed for so many seconds; how many.

    A mail that is just being committed has put its blob again, which makes it young.
    """
    removed = 0
    old = store.blobs.old(older_than)
    while batch := list(islice(old, BATCH)):
        c = schema.blobs.c.digest
        with store.reading() as connection:
            named = set(connection.execute(select(c).where(c.in_(batch))).scalars())
        for digest in batch:
            if digest not in named:
                store.blobs.remove(digest)
                removed += 1
    return removed
