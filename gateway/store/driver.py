"""What the two drivers raise, and one statement's words and answer, whichever of them runs it.

psycopg is loaded with the first PostgreSQL database, and never for an SQLite file: it takes a
tenth of a second of every start and every command.
"""

import sqlite3
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy.exc

Errors = tuple[type[Exception], ...]


class Statement(NamedTuple):
    """A statement with its parameters in order."""

    sql: str
    values: Sequence[Any]


class Answer(NamedTuple):
    """What came back: rows as plain tuples, and how many rows were touched."""

    rows: list[tuple[Any, ...]]
    touched: int


def bare() -> Errors:
    """Of the drivers themselves."""
    return (sqlite3.Error, *_psycopg("Error"))


def errors() -> Errors:
    """All that a database may raise; to be named in `except`, where it is looked up last."""
    return (sqlalchemy.exc.DBAPIError, *bare())


def passing() -> Errors:
    """Those that may be over when the mail comes again."""
    return (sqlite3.OperationalError, *_psycopg("OperationalError", "InternalError"))


def clashes() -> Errors:
    """Two gateways wrote the same rows."""
    return _psycopg("DeadlockDetected", "SerializationFailure")


def _psycopg(*names: str) -> Errors:
    """Its classes; none while it is not loaded, for then nothing of it can have been raised."""
    loaded = sys.modules.get("psycopg.errors")
    return tuple(getattr(loaded, name) for name in names) if loaded else ()
