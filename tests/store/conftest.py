"""Databases for the tests of the store: SQLite, and a real PostgreSQL where one can be started."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from postgres_fixtures import named
from store_values import ANNA, BRUNO, NOW

from gateway.store import accounts
from gateway.store.engine import Store
from gateway.store.writer import Writer


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
    yield named(admin.url.set(drivername="postgresql"), name)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


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
