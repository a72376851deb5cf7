"""A database as a file: copied while it runs, put back, and refused where that would lose one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from store_values import mail_row, opening

from gateway import errors
from gateway.core.model import Effects
from gateway.store import copies, mails, schema
from gateway.store.alone import Alone
from gateway.store.blobs import INLINE, digest_of, open_blobs
from gateway.store.engine import Store
from gateway.store.writer import Writer

LARGE = b"x" * (INLINE + 1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with one small mail and one whose bytes lie in the blob store."""
    made = f"sqlite:///{tmp_path / 'p.db'}"
    store = Store.open(made)
    with Writer(store) as writer:
        writer.commit(opening("m1")).result(10)
        writer.commit(Effects(mail_row("m2", raw=LARGE))).result(10)
    store.close()
    return made


def stored(url: str) -> list[str]:
    """The mails in a database."""
    store = Store.open(url, read_only=True)
    with store.reading() as connection:
        found = connection.execute(select(schema.mails.c.mail).order_by("mail"))
        names = [str(name) for name in found.scalars()]
    store.close()
    return names


def test_a_running_database_is_copied_whole(url: str, tmp_path: Path) -> None:
    """The copy is one file, holds what was committed, and names its blobs."""
    copy = tmp_path / "copy.db"
    store = Store.open(url)
    with Writer(store) as writer:
        writer.commit(opening("m3", "482914")).result(10)
        assert copies.backup(url, copy) == [digest_of(LARGE)]
        writer.commit(opening("m4", "482915")).result(10)
    store.close()
    assert stored(f"sqlite:///{copy}") == ["m1", "m2", "m3"]
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]


def test_an_older_version_is_copied_as_it_is(url: str, tmp_path: Path) -> None:
    """Whoever upgrades wants a copy of what was there before."""
    with closing(sqlite3.connect(tmp_path / "p.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    copies.backup(url, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert (
            connection.execute("SELECT version_num FROM alembic_version").fetchone()[0] == "0001"
        )


def test_what_was_copied_is_put_back(url: str, tmp_path: Path) -> None:
    """Into an empty place; over another one only by force, which keeps what was there."""
    copies.backup(url, tmp_path / "copy.db")
    other = f"sqlite:///{tmp_path / 'new' / 'p.db'}"
    done = copies.restore(tmp_path / "copy.db", other, tmp_path / "blobs")
    assert (done.version, done.kept, done.blobs) == (schema.HEAD, None, 1)
    assert stored(other) == ["m1", "m2"]
    store = Store.open(other, tmp_path / "blobs")
    with Writer(store) as writer:
        writer.commit(opening("m9", "482999")).result(10)
    with store.reading() as connection:
        assert mails.raw(connection, store.blobs, "m2") == LARGE
    store.close()
    with pytest.raises(errors.BadInput, match="not empty"):
        copies.restore(tmp_path / "copy.db", other, tmp_path / "blobs")
    done = copies.restore(tmp_path / "copy.db", other, tmp_path / "blobs", force=True)
    assert stored(other) == ["m1", "m2"]
    assert done.kept is not None
    assert stored(f"sqlite:///{done.kept}") == ["m1", "m2", "m9"]


def test_nothing_is_put_under_a_running_gateway(url: str, tmp_path: Path) -> None:
    """Not by force either: what it commits afterwards would be lost."""
    copies.backup(url, tmp_path / "copy.db")
    store = Store.open(url)
    with Writer(store) as writer:
        writer.commit(opening("m3", "482914")).result(10)
        with pytest.raises(errors.BadInput, match="is in use"):
            copies.restore(tmp_path / "copy.db", url, tmp_path / "blobs", force=True)
        writer.commit(opening("m4", "482915")).result(10)
    store.close()
    assert stored(url) == ["m1", "m2", "m3", "m4"]


def test_a_copy_whose_blobs_are_not_there_is_refused(url: str, tmp_path: Path) -> None:
    """They are brought first, or done without by force."""
    copies.backup(url, tmp_path / "copy.db")
    other, empty = f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "none"
    with pytest.raises(errors.BadInput, match="1 of 1 blobs"):
        copies.restore(tmp_path / "copy.db", other, empty)
    assert not (tmp_path / "new.db").exists()
    missing = copies.copy_blobs(
        [digest_of(LARGE), "0" * 64], open_blobs(tmp_path / "blobs"), empty
    )
    assert missing == ["0" * 64]
    assert copies.restore(tmp_path / "copy.db", other, empty).blobs == 1


def test_a_damaged_blob_is_not_copied(url: str, tmp_path: Path) -> None:
    """Its bytes are not those of its name."""
    digest = digest_of(LARGE)
    (tmp_path / "blobs" / digest[:2] / digest).write_bytes(b"other")
    with pytest.raises(errors.Defect, match="damaged"):
        copies.copy_blobs([digest], open_blobs(tmp_path / "blobs"), tmp_path / "to")
    assert not open_blobs(tmp_path / "to").holds(digest)


def test_what_is_no_copy_is_refused(url: str, tmp_path: Path) -> None:
    """No file, a text, another program's database, a newer version: nothing is changed."""
    other = f"sqlite:///{tmp_path / 'new.db'}"
    text, alien, newer = (tmp_path / name for name in ("text", "alien.db", "newer.db"))
    text.write_text("no database" * 100)
    with closing(sqlite3.connect(alien)) as connection, connection:
        connection.execute("CREATE TABLE x (y)")
    copies.backup(url, newer)
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for file, words in (
        (tmp_path / "absent", "no file"),
        (text, "no database of portiere"),
        (alien, "no database of portiere"),
        (newer, "version `9999`"),
    ):
        with pytest.raises(errors.BadInput, match=words):
            copies.restore(file, other, tmp_path / "blobs", force=True)
    assert not list(tmp_path.glob("new.db*"))


def test_a_server_is_left_to_its_own_tools(tmp_path: Path) -> None:
    """The page that has their words is named."""
    url = "postgresql://me@127.0.0.1:1/none"
    with pytest.raises(errors.BadInput, match="pg_dump"):
        copies.backup(url, tmp_path / "copy.db")
    with pytest.raises(errors.BadInput, match="pg_restore"):
        copies.restore(tmp_path / "copy.db", url, tmp_path)


def test_no_gateway_starts_while_a_copy_is_put_back(url: str, tmp_path: Path) -> None:
    """What it took would lie in the file that is replaced: it is refused until the end."""
    copy = tmp_path / "copy.db"
    copies.backup(url, copy)
    refused: list[str] = []

    def told(_done: int, _of: int) -> None:
        with pytest.raises(errors.BadInput, match="another portiere works on") as caught:
            Alone(url)
        refused.append(str(caught.value))

    copies.restore(copy, url, tmp_path / "blobs", force=True, told=told)
    assert refused
    Alone(url).release()


def test_a_copy_is_not_put_back_under_a_gateway(url: str, tmp_path: Path) -> None:
    """Whoever holds the lock works on the file, whether a connection is open or not."""
    copy = tmp_path / "copy.db"
    copies.backup(url, copy)
    with Alone(url), pytest.raises(errors.BadInput, match="another portiere works on"):
        copies.restore(copy, url, tmp_path / "blobs", force=True)
    assert stored(url) == ["m1", "m2"]


def test_the_lock_is_that_of_the_file_however_it_is_named(url: str, tmp_path: Path) -> None:
    """A symbolic link with another name, in another folder, leads to the same lock."""
    alias = tmp_path / "elsewhere" / "alias.db"
    alias.parent.mkdir()
    alias.symlink_to(tmp_path / "p.db")
    with Alone(url), pytest.raises(errors.BadInput, match="another portiere works on"):
        Alone(f"sqlite:///{alias}")


def test_what_is_put_back_through_a_link_lies_where_the_link_leads(
    url: str, tmp_path: Path
) -> None:
    """The link stays one, and a log beside the file is not played into the copy."""
    copy, alias = tmp_path / "copy.db", tmp_path / "alias.db"
    copies.backup(url, copy)
    alias.symlink_to(tmp_path / "p.db")
    copies.restore(copy, f"sqlite:///{alias}", tmp_path / "blobs", force=True)
    assert alias.is_symlink()
    assert stored(url) == ["m1", "m2"]
