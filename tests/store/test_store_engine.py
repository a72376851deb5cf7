"""Opening: versions, clear words for what is wrong, read-only, copies of a running database."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text
from store_values import mail_row, opening

from gateway import errors
from gateway.core.model import Effects
from gateway.store import schema
from gateway.store.engine import Store
from gateway.store.writer import Writer


def test_the_versions_make_the_tables_of_the_schema(database_url: str, tmp_path: Path) -> None:
    """What the migrations build is what the code speaks of, on both engines."""
    store = Store.open(database_url, tmp_path / "blobs")
    with store.engine.begin() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == schema.HEAD
        assert compare_metadata(context, schema.metadata) == []
    store.close()


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    """WAL with synchronous=FULL, foreign keys on, and readers that cannot write."""
    store = Store.open(f"sqlite:///{tmp_path / 'p.db'}")
    with store.engine.connect() as connection:
        pragma = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731  (four times)
        assert (pragma("journal_mode"), pragma("synchronous")) == ("wal", 2)
        assert (pragma("foreign_keys"), pragma("busy_timeout")) == (1, 5000)
    with pytest.raises(errors.Temporary), store.reading() as connection:
        connection.execute(text("DELETE FROM mails"))
    store.close()


@pytest.mark.peer
def test_postgresql_syncs_every_commit(postgres_url: str, tmp_path: Path) -> None:
    """synchronous_commit is on whatever the server's default, and readers cannot write."""
    store = Store.open(postgres_url, tmp_path)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    with pytest.raises(errors.PortiereError), store.reading() as connection:
        connection.execute(text("DELETE FROM mails"))
    store.close()


def test_a_read_only_database_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    """`explain` works before the first start, and leaves nothing behind."""
    store = Store.open(f"sqlite:///{tmp_path / 'none' / 'p.db'}", read_only=True)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(schema.mails)).scalar() == 0
    with pytest.raises(errors.BadInput, match="reading only"):
        Writer(store)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_read_only_sees_what_is_there_and_writes_nothing(tmp_path: Path) -> None:
    """Beside a running writer, too."""
    url = f"sqlite:///{tmp_path / 'p.db'}"
    store = Store.open(url)
    with Writer(store) as writer:
        writer.commit(Effects(mail_row("m1"))).result(10)
        beside = Store.open(url, read_only=True)
        with beside.reading() as connection:
            assert connection.execute(select(schema.mails.c.mail)).scalars().all() == ["m1"]
        beside.close()
    store.close()


@pytest.mark.parametrize(
    "url, words",
    [
        ("nonsense", "no database URL"),
        ("mysql://x/y", "no database that portiere knows"),
    ],
)
def test_a_wrong_url_is_said(url: str, words: str) -> None:
    """With the forms that are right."""
    with pytest.raises(errors.BadInput, match=words):
        Store.open(url)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    """Not a trace, and not created where it was not asked for."""
    file = tmp_path / "p.db"
    file.write_bytes(b"this is a text file and no database" * 50)
    with pytest.raises(errors.BadInput, match="no SQLite database"):
        Store.open(f"sqlite:///{file}")
    with pytest.raises(errors.BadInput, match="there is no database"):
        Store.open(f"sqlite:///{tmp_path / 'absent.db'}", create=False)
    with pytest.raises(errors.BadInput, match="cannot be written"):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_server_that_is_away_is_temporary(tmp_path: Path) -> None:
    """The URL is shown without its password."""
    with pytest.raises(errors.Temporary) as raised:
        Store.open("postgresql://me:secret@127.0.0.1:1/none", tmp_path)
    assert "secret" not in str(raised.value)


def test_a_newer_database_is_refused(database_url: str, tmp_path: Path) -> None:
    """An older program does not touch what it does not know."""
    store = Store.open(database_url, tmp_path)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(errors.BadInput, match="newer than this program"):
        Store.open(database_url, tmp_path)
    with pytest.raises(errors.BadInput, match="db upgrade"):
        Store.open(database_url, tmp_path, read_only=True)


def test_several_may_open_a_new_database_at_once(database_url: str, tmp_path: Path) -> None:
    """One of them makes the tables, the others wait for it."""
    opened: list[Store] = []
    threads = [
        threading.Thread(target=lambda: opened.append(Store.open(database_url, tmp_path)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened) == 4
    for store in opened:
        store.close()


def test_a_locked_database_is_temporary_for_all_that_wait(tmp_path: Path) -> None:
    """Another process holds the lock for longer than we wait: later, and nothing half done."""
    store = Store.open(f"sqlite:///{tmp_path / 'p.db'}")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")  # the pool gives it to the writer
    blocker = sqlite3.connect(tmp_path / "p.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Writer(store) as writer:
        futures = [writer.commit(opening(f"m{n}", f"48{n:04}")) for n in range(5)]
        for future in futures:
            with pytest.raises(errors.Temporary):
                future.result(20)
        blocker.execute("ROLLBACK")
        assert writer.commit(opening("m1")).result(10).mail_id == "m1"
    blocker.close()
    store.close()


@pytest.mark.peer
def test_a_connection_that_the_server_cut_is_replaced(postgres_url: str, tmp_path: Path) -> None:
    """After a restart of the server the next mail goes in as if nothing had been."""
    store = Store.open(postgres_url, tmp_path)
    with Writer(store) as writer:
        writer.commit(opening("m1")).result(10)
        with store.readers.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert writer.commit(opening("m2", "482914")).result(10).mail_id == "m2"
    store.close()
