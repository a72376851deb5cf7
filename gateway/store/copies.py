"""A database as one file: copied while it runs, and put back where nobody has it open. What its
rows name in the blob store is copied and counted beside it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from gateway import errors
from gateway.store import schema
from gateway.store.alone import Alone
from gateway.store.blobs import BlobStore, digest_of, open_blobs
from gateway.store.engine import Store, as_portiere, file_of

PAGES = 4096  # of one step; a writer gets its turn between two
Told = Callable[[int, int], None]  # how much is done, of how much
_NAMED = "SELECT digest FROM blobs WHERE content IS NULL AND size >= 0"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    version: str  # of the copy; it is brought to the newest one
    kept: Path | None  # where the database lies that stood there before
    blobs: int  # named by its rows


def backup(url: str, file: Path, told: Told = lambda done, of: None) -> list[str]:
    """Copy a running SQLite database into one file, whole, of one moment, and flushed.

    Of whatever version it is. What it names in the blob store. Temporary when it is locked.
    """
    path = file_of(url)
    if path is None:
        raise errors.BadInput(
            "only SQLite is copied here; docs/operating/database.md has the words for `pg_dump`"
        )
    if not path.is_file():
        raise errors.BadInput(f"there is no database `{path}`")
    partial = file.with_name(file.name + ".part")
    partial.unlink(missing_ok=True)
    try:
        with closing(_reading(path)) as source:
            _copy(source, partial, told)
        with closing(_reading(partial)) as copy:
            named = [row[0] for row in copy.execute(_NAMED)]
    except (sqlite3.Error, OSError) as problem:
        partial.unlink(missing_ok=True)
        raise as_portiere(problem) from problem
    _flushed(partial)
    partial.replace(file)
    _flushed(file.parent)
    return named


def _copy(source: sqlite3.Connection, file: Path, told: Told) -> None:
    with closing(sqlite3.connect(file)) as target:
        source.backup(target, pages=PAGES, progress=lambda _status, left, of: told(of - left, of))
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whatever opens it


def restore(
    file: Path, url: str, blobs: Path | str, *, force: bool = False, told: Told = lambda *_: None
) -> Restored:
    """Put a copy in the place of the SQLite database `url`, at the newest version.

    BadInput: another process has the database open; it holds something, or the blob store lacks
    what the copy names, and `force` is not said; the file is no database of ours, or damaged, or
    newer than this program. Nothing is changed then. What stood there is kept beside it.
    No gateway can start from the first look to the last rename.
    """
    target = file_of(url)
    if target is None:
        raise errors.BadInput(
            "only SQLite is restored here; docs/operating/database.md has the words for"
            " `pg_restore`"
        )
    version = _looked_at(file)
    with Alone(url):
        return _put_back(file, version, target.resolve(), blobs, force=force, told=told)


def _put_back(
    file: Path, version: str, target: Path, blobs: Path | str, *, force: bool, told: Told
) -> Restored:
    _let_go(target, force=force)
    if not force and holds_anything(target):
        raise errors.BadInput(f"`{target}` is not empty; add --force to replace it")
    partial = target.with_name(target.name + ".restoring")
    try:
        number = _made(file, partial, blobs, force=force, told=told)
        _let_go(target, force=force)  # a command may have written meanwhile
        kept = _replaced(partial, target)
    finally:
        for path in _beside(partial):
            path.unlink(missing_ok=True)
    return Restored(version, kept, number)


def _made(file: Path, partial: Path, blobs: Path | str, *, force: bool, told: Told) -> int:
    """The copy at the newest version; how many blobs it names, which must be there."""
    for path in _beside(partial):
        path.unlink(missing_ok=True)
    with closing(_reading(file)) as source:
        _copy(source, partial, told)
    store = Store.open(f"sqlite:///{partial}", blobs)
    try:
        with store.reading() as connection:
            named = list(named_blobs(connection))
        missing = [digest for digest in named if not store.blobs.holds(digest)]
    finally:
        store.close()
    if missing and not force:
        raise errors.BadInput(
            f"{len(missing)} of {len(named)} blobs that the copy names are not in `{blobs}`;"
            " bring them first (--blobs), or add --force"
        )
    _flushed(partial)
    return len(named)


def _replaced(partial: Path, target: Path) -> Path | None:
    """One rename: whoever opens the database finds the old one or the new one."""
    kept = target.with_name(target.name + ".before-restore")
    there = target.exists()
    if there:
        kept.unlink(missing_ok=True)
        os.link(target, kept)
    for path in _beside(target)[1:]:  # a log of the old one would be played into the new one
        path.unlink(missing_ok=True)
    partial.replace(target)
    _flushed(target.parent)
    return kept if there else None


def _beside(path: Path) -> tuple[Path, ...]:
    return path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _looked_at(file: Path) -> str:
    """The version of a copy. BadInput when it is none of ours, damaged, or too new."""
    if not file.is_file():
        raise errors.BadInput(f"there is no file `{file}`")
    try:
        with closing(_reading(file)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as problem:
        raise errors.BadInput(f"`{file}` is no database of portiere: {problem}") from None
    if said != "ok":
        raise errors.BadInput(f"`{file}` is damaged: {said}")
    version = str(row[0]) if row else "none"
    if row is None or version > schema.HEAD:
        raise errors.BadInput(
            f"`{file}` is at version `{version}`, this program knows `{schema.HEAD}`"
        )
    return version


def _let_go(target: Path, *, force: bool) -> None:
    """Whoever has an SQLite database in WAL mode open keeps others from ending that mode."""
    if not target.exists():
        return
    try:
        with closing(sqlite3.connect(target, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as problem:
        raise errors.BadInput(
            f"`{target}` is in use ({problem}); stop portiere before you restore"
        ) from None
    except sqlite3.DatabaseError:
        if not force:
            raise errors.BadInput(
                f"`{target}` is no SQLite database; add --force to replace it"
            ) from None


def holds_anything(file: Path) -> bool:
    """Whether there is any account, ticket or mail in an SQLite file; one that is absent is
    empty.
    """
    if not file.exists() or file.stat().st_size == 0:
        return False
    with closing(_reading(file)) as connection:
        for name in ("accounts", "tickets", "mails", "outbox"):
            with suppress(sqlite3.OperationalError):  # no such table
                if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():  # noqa: S608  (four words of ours)
                    return True
    return False


# ---- blobs


def named_blobs(connection: Connection) -> Iterator[str]:
    """What rows name in the blob store."""
    c = schema.blobs.c
    statement = select(c.digest).where(c.content.is_(None), c.size >= 0)
    yield from connection.execute(statement).scalars()


def copy_blobs(
    digests: list[str], source: BlobStore, place: Path | str, told: Told = lambda *_: None
) -> list[str]:
    """Bring blobs to another place, each compared with its name; those that are not there.

    Defect when the bytes are not those of the name.
    """
    target = open_blobs(place)
    missing = []
    for number, digest in enumerate(digests, 1):
        if not target.holds(digest):
            try:
                content = source.get(digest)
            except KeyError:
                missing.append(digest)
                continue
            if digest_of(content) != digest:
                raise errors.Defect(f"the blob `{digest}` is damaged: its bytes are others")
            target.put(digest, content)
        told(number, len(digests))
    return missing


def _flushed(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
