"""All rows of one database into another, on either engine: everything, compared, or nothing.

The whole way is one transaction of the target, and nobody writes into the source meanwhile. An
interrupted move leaves the target empty, and is begun again.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, insert, literal, select, text

from gateway import errors
from gateway.store import driver, schema
from gateway.store.engine import Store, as_portiere

BATCH = 1_000
_DIGITS = 1 << 256
Told = Callable[[str, int], None]  # a table, and how many more of its rows are there


class Content(NamedTuple):
    """What a table holds, whatever the order of its rows."""

    rows: int
    digest: int  # the sum of the rows' SHA-256

    def __str__(self) -> str:
        return f"{self.rows} rows, {self.digest:064x}"


def total(store: Store) -> int:
    """How many rows there are to move."""
    with store.reading() as connection:
        _patient(connection)
        return sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        )


def move(source: Store, target: Store, told: Told = lambda *_: None) -> dict[str, Content]:
    """Copy every table; what each holds now, on both sides.

    BadInput: the target is not empty. Temporary: a database is away or in use. Defect: what was
    read back is not what was written. The target is as before then.
    """
    try:
        with source.engine.begin() as old, target.engine.begin() as new:
            for connection in (old, new):
                _patient(connection)
                _held(connection)
            _refuse_full(new)
            moved = {
                table.name: _copied(old, new, table, told)
                for table in schema.metadata.sorted_tables
            }
            _compared(new, moved)
            _numbered(new)
    except driver.errors() as problem:
        raise as_portiere(problem) from problem
    return moved


def _patient(connection: Connection) -> None:
    """The time-outs are those of a mail; a whole table takes longer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL enable_seqscan = on"))


def _held(connection: Connection) -> None:
    """Nobody else writes until the end; SQLite's transaction began with that."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in schema.metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_full(connection: Connection) -> None:
    for table in schema.metadata.sorted_tables:
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise errors.BadInput(
                f"the target holds rows in `{table.name}`; a database is moved into an empty one"
            )


def _copied(old: Connection, new: Connection, table: Table, told: Told) -> Content:
    content = Content(0, 0)
    for batch in _batches(old, table):
        content = _and(content, batch)
        names = table.c.keys()
        new.execute(insert(table), [dict(zip(names, row, strict=True)) for row in batch])
        told(table.name, len(batch))
    return content


def _batches(connection: Connection, table: Table) -> Iterable[list[tuple[Any, ...]]]:
    with connection.execute(select(table).execution_options(yield_per=BATCH)) as found:
        for part in found.partitions():
            yield [tuple(row) for row in part]


def content(connection: Connection, table: Table) -> Content:
    """What a table holds now."""
    found = Content(0, 0)
    for batch in _batches(connection, table):
        found = _and(found, batch)
    return found


def _and(before: Content, batch: list[tuple[Any, ...]]) -> Content:
    digest = before.digest
    for row in batch:
        digest += int.from_bytes(hashlib.sha256(repr(row).encode()).digest())
    return Content(before.rows + len(batch), digest % _DIGITS)


def _compared(new: Connection, moved: Mapping[str, Content]) -> None:
    for table in schema.metadata.sorted_tables:
        found = content(new, table)
        if found != moved[table.name]:
            raise errors.Defect(
                f"`{table.name}` reads otherwise than it was written: {found} instead of"
                f" {moved[table.name]}; nothing was moved"
            )


def _numbered(connection: Connection) -> None:
    """New rows are numbered after those that came; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in schema.metadata.sorted_tables:
        if "id" in table.c:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608  (names of our own tables)
                    f" (SELECT max(id) FROM {table.name}))"
                )
            )
