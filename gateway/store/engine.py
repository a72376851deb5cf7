"""The database: opened, brought to the newest version, handed to readers and the one writer.

SQLite runs in WAL with `synchronous=FULL`; the driver's own transactions are off, because they let
savepoints outlive a rollback, and every transaction begins in so many words. PostgreSQL runs with
`synchronous_commit=on`.
"""

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import PoolProxiedConnection

from gateway import errors
from gateway.store import driver, schema
from gateway.store.blobs import BlobStore, open_blobs
from gateway.store.prepared import Link

DEFAULT_URL = "sqlite:///var/portiere.db"
BUSY_SECONDS = 5.0  # how long a writer waits for another one before it says `Temporary`
SHARDS = 64

# Every statement of a mail is a look-up, and prepared: a plan that was made while a table was
# small must not go on scanning it when it has grown.
_SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "statement_timeout": "6s",
    "idle_in_transaction_session_timeout": "60s",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}

# What a server must have said for 250 to mean what it says; the second list is no more than odd.
_DURABLE = {"synchronous_commit": ("on", "remote_apply", "local")}
_FLUSHING = {"fsync": ("on",), "full_page_writes": ("on",)}


def as_portiere(problem: BaseException) -> BaseException:
    """A driver's error by what must be told: later, or our own defect; any other as it is."""
    cause = problem.orig if isinstance(problem, sqlalchemy.exc.DBAPIError) else problem
    if isinstance(cause, driver.passing()):
        return errors.Temporary(f"the database cannot be used now: {_line(cause)}")
    if isinstance(cause, driver.bare()):
        return errors.Defect(f"the database refuses a row: {_line(cause)}")
    if isinstance(cause, OSError):
        return errors.Temporary(f"the disk cannot be used now: {_line(cause)}")
    return problem


def _line(problem: BaseException | None) -> str:
    return " ".join(str(problem).split())


class Store:
    """An open database with its blob store."""

    def __init__(
        self,
        engine: Engine,
        readers: Engine,
        blobs: BlobStore,
        *,
        read_only: bool,
        scratch: Path | None,
    ) -> None:
        """Use `Store.open`."""
        self.engine = engine
        self.readers = readers
        self.blobs = blobs
        self.read_only = read_only
        self._idle: list[PoolProxiedConnection] = []  # readers of a file, between two mails
        self.shard = 0 if self.sqlite else secrets.randbelow(SHARDS)
        self._scratch = scratch

    @property
    def sqlite(self) -> bool:
        """One file, one writer."""
        return self.engine.dialect.name == "sqlite"

    @classmethod
    def open(
        cls,
        url: str = DEFAULT_URL,
        blobs: Path | str | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
    ) -> "Store":
        """Open, and bring to the newest version; read-only, one that is not there yet is empty.

        `blobs` is a directory or an `s3://` URL; None is `blobs` beside an SQLite file.
        BadInput when the URL, the file or the version is wrong; Temporary when the server is away.
        """
        parsed = _parse(url)
        scratch: Path | None = None
        if parsed.get_backend_name() == "sqlite":
            parsed, scratch = _locate(parsed, create=create, read_only=read_only)
        try:
            return cls._open(parsed, blobs, scratch=scratch, read_only=read_only)
        except BaseException as problem:
            if scratch:
                shutil.rmtree(scratch, ignore_errors=True)
            if isinstance(problem, sqlalchemy.exc.DBAPIError):
                raise _unopened(parsed, problem) from problem
            raise

    @classmethod
    def _open(
        cls, url: URL, blobs: Path | str | None, *, scratch: Path | None, read_only: bool
    ) -> "Store":
        reading_file = read_only and not scratch
        engine = _engine(url, pool=2, read_only=reading_file)
        readers = _engine(url, pool=8, read_only=reading_file, snapshot=True)
        try:
            _upgrade(engine, url, read_only=reading_file, fresh=scratch is not None)
        except BaseException:
            engine.dispose()
            raise
        place = blobs if blobs is not None else _beside(url)
        return cls(engine, readers, open_blobs(place), read_only=read_only, scratch=scratch)

    def weaknesses(self) -> list[str]:
        """What in the server's settings could lose accepted mail in a power cut, for ops.

        BadInput where commits are not flushed at all, though we ask for it.
        """
        if self.sqlite:
            return []
        with self.reading() as connection:
            found = {
                name: str(connection.exec_driver_sql(f"SHOW {name}").scalar())
                for name in (*_DURABLE, *_FLUSHING)
            }
        for name, right in _DURABLE.items():
            if found[name] not in right:
                raise errors.BadInput(
                    f"the database has `{name} = {found[name]}` though we ask for `on`; a pooler"
                    " in between must pass our options on"
                )
        return [
            f"the server has `{name} = {found[name]}`: a power cut may lose accepted mail"
            for name, right in _FLUSHING.items()
            if found[name] not in right
        ]

    @contextmanager
    def read(self) -> Iterator[Link]:
        """One read transaction: everything asked in it is of one moment."""
        if self.sqlite:
            with self._read_file() as link:
                yield link
            return
        with self.reading() as connection:
            yield Link.of(connection)

    @contextmanager
    def _read_file(self) -> Iterator[Link]:
        """On the driver's own connection: the pool's bookkeeping costs more than a look-up."""
        try:
            held = self._held()
            try:
                link = Link(held.dbapi_connection, self.readers.dialect)
                link.mark("BEGIN")
                yield link
                link.mark("COMMIT")
            except BaseException:
                held.invalidate()
                raise
            self._idle.append(held)
        except (sqlalchemy.exc.DBAPIError, sqlite3.Error) as problem:
            raise as_portiere(problem) from problem

    def _held(self) -> PoolProxiedConnection:
        """One that lies idle; of two threads that want the last one, the other gets a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            return self.readers.raw_connection()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The same as a SQLAlchemy connection; the driver's errors come out as ours."""
        try:
            with self.readers.connect() as connection, connection.begin():
                yield connection
        except driver.errors() as problem:
            raise as_portiere(problem) from problem

    def close(self) -> None:
        """Give back every connection."""
        while self._idle:
            self._idle.pop().close()
        self.readers.dispose()
        self.engine.dispose()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for a server, or one in memory."""
    parsed = _parse(url)
    name = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return Path(name) if name and name != ":memory:" else None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise errors.BadInput(
            f"`{url}` is no database URL; write `sqlite:///var/portiere.db` or"
            " `postgresql://user@host/name`"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    raise errors.BadInput(
        f"`{backend}` is no database that portiere knows: `sqlite` or `postgresql`"
    )


def _locate(url: URL, *, create: bool, read_only: bool) -> tuple[URL, Path | None]:
    """The file to open; an empty scratch one in place of one in memory or not there yet."""
    name = url.database
    memory = not name or name == ":memory:"
    if memory or (read_only and not Path(name or "").exists()):
        scratch = Path(tempfile.mkdtemp(prefix="portiere-"))
        return url.set(database=str(scratch / "scratch.db")), scratch
    path = Path(name or "")
    if not path.exists():
        if not create:
            raise errors.BadInput(
                f"there is no database `{path}`; `portiere db upgrade` makes one"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise errors.BadInput(
                f"the directory `{path.parent}` cannot be made: {problem.strerror}"
            ) from problem
    if not read_only:
        _writable(path)
    return url, None


def _writable(path: Path) -> None:
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise errors.BadInput(
            f"the database `{path}` cannot be written; give the service's user the file"
            " and its directory"
        )


def _unopened(url: URL, problem: sqlalchemy.exc.DBAPIError) -> errors.PortiereError:
    shown = url.render_as_string(hide_password=True)
    if isinstance(problem.orig, sqlite3.DatabaseError) and "not a database" in str(problem.orig):
        return errors.BadInput(f"`{url.database}` is no SQLite database")
    return errors.Temporary(f"the database `{shown}` cannot be opened: {_line(problem.orig)}")


def _engine(url: URL, *, pool: int, read_only: bool, snapshot: bool = False) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pool=pool, read_only=read_only, snapshot=snapshot)
    from gateway.store import postgres  # loads psycopg: see `driver`

    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=BUSY_SECONDS,
        isolation_level="REPEATABLE READ" if snapshot else "READ COMMITTED",
        connect_args={
            "connect_timeout": 5,
            "application_name": "portiere",
            "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
            "tcp_user_timeout": 7000,
        },
    )

    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, _record: Any) -> None:
        dbapi.read_only = snapshot

    @event.listens_for(engine, "checkout")
    def _alive(dbapi: Any, _record: Any, _proxy: Any) -> None:
        if postgres.hung_up(dbapi):  # the server was restarted: so are the others
            raise sqlalchemy.exc.InvalidatePoolError("the server ended the connection")

    return engine


def _sqlite(url: URL, *, pool: int, read_only: bool, snapshot: bool) -> Engine:
    path = Path(url.database or "")
    mode = "ro" if read_only else "rw" if snapshot else "rwc"
    name = f"{path.resolve().as_uri()}?mode={mode}"
    if read_only and not os.access(path.parent, os.W_OK):
        name += "&immutable=1"  # WAL needs a file beside it, which cannot be made here

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            name,
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        if read_only or snapshot:
            connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=sqlalchemy.QueuePool,
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if snapshot or read_only else "BEGIN IMMEDIATE")

    return engine


def _beside(url: URL) -> Path:
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").parent / "blobs"
    return Path("var/blobs")


def _upgrade(engine: Engine, url: URL, *, read_only: bool, fresh: bool) -> None:
    """Bring the database to `schema.HEAD`; alembic is loaded only if there is something to do."""
    if fresh:
        with engine.begin() as connection:
            schema.metadata.create_all(connection)
        return
    with engine.connect() as connection:
        found = _version(connection)
    if found == schema.HEAD:
        return
    if read_only:
        _refuse_version(found, url)
    with engine.begin() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("SELECT pg_advisory_xact_lock(5033)"))  # one upgrade at a time
        found = _version(connection)  # another process may have been first
        if found != schema.HEAD:
            _run_migrations(connection, found)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return row[0] if row else None


def _refuse_version(found: str | None, url: URL) -> None:
    shown = url.render_as_string(hide_password=True)
    raise errors.BadInput(
        f"the database `{shown}` is at version `{found or 'none'}`, this program needs"
        f" `{schema.HEAD}`; run `portiere db upgrade`"
    )


def _run_migrations(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise errors.BadInput(
            f"the database is at version `{found}`, which is newer than this program"
            f" (`{schema.HEAD}`); install the newer portiere"
        )
    command.upgrade(config, "head")
