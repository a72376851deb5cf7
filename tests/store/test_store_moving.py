"""From one engine to the other: every row, compared, or none; and the versions on both."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    select,
    update,
)
from store_values import ANNA, BRUNO, NOW, entry, mail_row, new_ticket, opening, outgoing
from tests_support import ROOT

from gateway import errors
from gateway.core.model import Effects
from gateway.store import accounts, mails, moving, schema
from gateway.store.engine import Store
from gateway.store.outbox import Outbox
from gateway.store.writer import Writer

pytestmark = pytest.mark.peer
AWKWARD = "naïve ‮ 𝒳 'quoted' \\ \t line\r\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    """An SQLite database with accounts, a ticket, its history, an outbox row and raw bytes."""
    store = Store.open(f"sqlite:///{tmp_path / 'small.db'}", tmp_path / "blobs")
    with store.engine.begin() as connection:
        accounts.apply(connection, [ANNA, BRUNO], NOW)
    with Writer(store) as writer:
        writer.commit(opening("m1")).result(10)
        more = Effects(
            mail_row("m2", subject=AWKWARD, raw=bytes(range(256))),
            tickets=(new_ticket("482914", subject=AWKWARD),),
            entries=(entry("482914", text=AWKWARD),),
            outgoing=(outgoing("r2", "482914", raw=b"\0\xff", due=NOW),),
        )
        writer.commit(more).result(10)
    yield store
    store.close()


@pytest.fixture
def large(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty PostgreSQL database."""
    store = Store.open(postgres_url, tmp_path / "blobs")
    yield store
    store.close()


def contents(store: Store) -> dict[str, moving.Content]:
    """What every table holds."""
    with store.reading() as connection:
        return {one.name: moving.content(connection, one) for one in schema.metadata.sorted_tables}


def test_every_row_is_moved_and_work_goes_on(small: Store, large: Store) -> None:
    """Counts and digests are the same on both sides; new rows are numbered after the old ones."""
    told: list[tuple[str, int]] = []
    moved = moving.move(small, large, lambda *words: told.append(words))
    assert moved == contents(small) == contents(large)
    assert moved["mails"].rows == 2
    assert sum(rows for _, rows in told) == sum(one.rows for one in moved.values())
    assert moving.total(small) == sum(one.rows for one in moved.values())
    with Writer(large) as writer:
        writer.commit(opening("m3", "482915")).result(10)
        leases = Outbox(large, writer).claim("me", NOW, 10)
    assert [one.raw for one in leases if one.ticket == "482914"] == [b"\0\xff"]
    with large.reading() as connection:
        assert mails.raw(connection, large.blobs, "m2") == bytes(range(256))
        ids = connection.execute(select(schema.mails.c.id).order_by("id")).scalars().all()
    assert ids == [1, 2, 3]


def test_and_back_again(small: Store, large: Store, tmp_path: Path) -> None:
    """The way from PostgreSQL to SQLite is the same one."""
    before = contents(small)
    moving.move(small, large)
    back = Store.open(f"sqlite:///{tmp_path / 'back.db'}", tmp_path / "blobs")
    assert moving.move(large, back) == before == contents(back)
    back.close()


def test_a_target_that_holds_rows_is_refused(small: Store, large: Store) -> None:
    """Nothing of it is touched."""
    with Writer(large) as writer:
        writer.commit(opening("m9", "482999")).result(10)
    before = contents(large)
    with pytest.raises(errors.BadInput, match="an empty one"):
        moving.move(small, large)
    assert contents(large) == before


def test_a_move_that_breaks_off_leaves_nothing(small: Store, large: Store) -> None:
    """It is begun again, and then whole."""

    def cut(table: str, _rows: int) -> None:
        if table == "mails":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(small, large, cut)
    assert all(one.rows == 0 for one in contents(large).values())
    assert moving.move(small, large) == contents(small)


def test_a_row_that_arrives_otherwise_is_seen(small: Store, large: Store) -> None:
    """What was read back is compared; where it differs the target stays empty."""
    with large.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.subject := 'x'; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER t BEFORE INSERT ON mails FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    with pytest.raises(errors.Defect, match="`mails` reads otherwise"):
        moving.move(small, large)
    assert all(one.rows == 0 for one in contents(large).values())


def test_nobody_writes_into_the_source_meanwhile(small: Store, large: Store) -> None:
    """Another process finds the source locked during the move."""
    with small.reading() as connection:
        path = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    answers: list[str] = []

    def write(table: str, _rows: int) -> None:
        if table == "mails":
            with closing(sqlite3.connect(path, timeout=0)) as other:
                with pytest.raises(sqlite3.OperationalError) as said:
                    other.execute("BEGIN IMMEDIATE")
                answers.append(str(said.value))

    moving.move(small, large, write)
    assert answers == ["database is locked"]
    assert contents(large) == contents(small)


# ---- versions


def _first(engine: Engine) -> MetaData:
    """A database of the first version, with a row in every table."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "gateway" / "store" / "migrations"))
    found = MetaData()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        found.reflect(connection)
        for table in found.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.insert().values(_row(table)))
    return found


def _row(table: Table) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in table.c:
        kind = column.type
        if isinstance(kind, Boolean):
            values[column.name] = True
        elif isinstance(kind, BigInteger | Integer):
            values[column.name] = 1
        elif isinstance(kind, LargeBinary):
            values[column.name] = b"\0bytes"
        else:
            values[column.name] = "[]"
    return values


def _rows(connection: Connection, tables: MetaData) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in tables.sorted_tables
        if table.name != "alembic_version"
    }


def test_a_database_of_the_first_version_is_upgraded_with_all_it_holds(
    unmigrated_url: str, tmp_path: Path
) -> None:
    """Its rows stay as they are, and its tables are those of a new database."""
    plain = unmigrated_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(plain)
    first = _first(engine)
    with engine.begin() as connection:
        before = _rows(connection, first)
    engine.dispose()
    store = Store.open(unmigrated_url, tmp_path / "blobs")
    with store.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == schema.HEAD
        assert compare_metadata(context, schema.metadata) == []
        for table in schema.metadata.sorted_tables:
            for row in before.get(table.name, []):
                kept = row.keys() & table.c.keys()
                columns = [table.c[name] for name in sorted(kept)]
                (now,) = connection.execute(select(*columns)).mappings()
                assert dict(now) == {name: row[name] for name in kept}, table.name
        connection.execute(update(schema.mails).values(state="failed"))
    with store.reading() as connection:
        assert mails.counts(connection) == {"failed": 1}
    store.close()
