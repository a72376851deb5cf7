"""Large content by digest: durable, never overwritten, swept when no row names it."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes_s3 import FakeS3
from sqlalchemy import select
from store_values import NOW, digest, mail_row, opening

from gateway import errors
from gateway.core.model import Effects, Moved
from gateway.store import mails, schema
from gateway.store.blobs import INLINE, BlobStore, BucketBlobs, DirectoryBlobs, open_blobs
from gateway.store.engine import Store
from gateway.store.rows import CLAIMED, REMOVED
from gateway.store.sweep import sweep
from gateway.store.writer import Writer


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """A bucket over HTTP."""
    pytest.importorskip("obstore", reason="obstore is absent")
    with FakeS3() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture(params=["directory", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each kind behind the one protocol."""
    if request.param == "directory":
        return open_blobs(tmp_path / "blobs")
    fake: FakeS3 = request.getfixturevalue("bucket")
    return open_blobs(fake.url)


def test_what_is_put_is_there(blobs: BlobStore) -> None:
    """Twice is once; removing twice is once; what is not there is a KeyError."""
    content = b"x" * 100
    for _ in range(2):
        blobs.put(digest(content), content)
    assert blobs.get(digest(content)) == content
    assert blobs.holds(digest(content))
    assert list(blobs.old(-10)) == [digest(content)]
    assert list(blobs.old(3600)) == []
    for _ in range(2):
        blobs.remove(digest(content))
    assert not blobs.holds(digest(content))
    with pytest.raises(KeyError):
        blobs.get(digest(content))


def test_both_kinds_are_told_apart_by_their_name(tmp_path: Path) -> None:
    """A path is a directory, a URL a bucket."""
    assert isinstance(open_blobs(tmp_path), DirectoryBlobs)
    assert isinstance(open_blobs(str(tmp_path)), DirectoryBlobs)
    assert isinstance(open_blobs(tmp_path.as_uri()), DirectoryBlobs)
    assert isinstance(open_blobs("s3://post/mail"), BucketBlobs)
    with pytest.raises(errors.BadInput, match="no blob store"):
        open_blobs("gopher://post/mail")


def test_a_name_that_is_no_digest_reaches_no_file(tmp_path: Path) -> None:
    """No path can be made of it."""
    blobs = DirectoryBlobs(tmp_path / "blobs")
    with pytest.raises(KeyError):
        blobs.get("../" * 21 + "x")


def test_a_part_that_a_crash_left_is_removed(tmp_path: Path) -> None:
    """It was never renamed, so nothing names it."""
    blobs = DirectoryBlobs(tmp_path)
    blobs.put(digest("a"), b"a")
    part = tmp_path / digest("a")[:2] / f"{digest('b')}.1234.part"
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    assert list(blobs.old(60)) == []
    assert not part.exists()


LARGE = b"y" * (INLINE + 1)


def test_only_what_no_row_names_is_swept(store: Store, writer: Writer) -> None:
    """A crash between blob and commit leaves an orphan; what a mail needs stays."""
    writer.commit(Effects(mail_row("m1", raw=LARGE))).result(10)
    store.blobs.put(digest("orphan"), b"orphan")
    assert sweep(store, writer, NOW, older_than=3600) == 0
    assert sweep(store, writer, NOW, older_than=-10) == 1
    assert store.blobs.get(digest(LARGE)) == LARGE
    with pytest.raises(KeyError):
        store.blobs.get(digest("orphan"))


def stones(store: Store) -> list[int]:
    """Sizes of the rows that stand for no content."""
    with store.reading() as connection:
        c = schema.blobs.c.size
        return list(connection.execute(select(c).where(c < 0)).scalars())


class Interrupting(DirectoryBlobs):
    """A directory in which something happens just before a removal."""

    def __init__(self, root: Path, then: Callable[[], None]) -> None:
        super().__init__(root)
        self._then = then

    def remove(self, digest: str) -> None:
        """First that, then the removal."""
        self._then()
        super().remove(digest)


def test_a_mail_whose_content_is_being_swept_comes_again_and_is_whole(
    store: Store, writer: Writer, tmp_path: Path
) -> None:
    """An old orphan is removed while a mail with the same bytes lies between blob and commit."""
    mail = Effects(mail_row("m1", raw=LARGE))
    store.blobs.put(digest(LARGE), LARGE)
    told: list[BaseException | None] = []
    store.blobs = Interrupting(
        tmp_path / "blobs", lambda: told.append(writer.commit(mail).exception(10))
    )
    assert sweep(store, writer, NOW, older_than=-10) == 1
    assert isinstance(told[0], Moved)
    assert not store.blobs.holds(digest(LARGE))
    with pytest.raises(Moved):
        writer.commit(mail).result(10)  # it learns that the content is gone, and puts it again
    assert writer.commit(mail).result(10).mail_id == "m1"
    assert store.blobs.get(digest(LARGE)) == LARGE
    assert stones(store) == []
    assert sweep(store, writer, NOW, older_than=-10) == 0


def test_a_sweep_that_died_half_way_is_finished_by_the_next(
    store: Store, writer: Writer, tmp_path: Path
) -> None:
    """What it had claimed is removed, and the claims are forgotten after a day."""
    store.blobs.put(digest("orphan"), b"orphan")

    def die() -> None:
        raise errors.Temporary("the process ended")

    store.blobs = Interrupting(tmp_path / "blobs", die)
    with pytest.raises(errors.Temporary):
        sweep(store, writer, NOW, older_than=-10)
    assert stones(store) == [CLAIMED]
    store.blobs = DirectoryBlobs(tmp_path / "blobs")
    sweep(store, writer, NOW + timedelta(hours=2), older_than=-10)
    assert not store.blobs.holds(digest("orphan"))
    assert stones(store) == [REMOVED]
    sweep(store, writer, NOW + timedelta(days=2), older_than=-10)
    assert stones(store) == []


# ---- a bucket


@pytest.fixture
def far(bucket: FakeS3, tmp_path: Path) -> Iterator[Store]:
    """A database whose large content lies in a bucket."""
    opened = Store.open(f"sqlite:///{tmp_path / 'far.db'}", bucket.url)
    yield opened
    opened.close()


def test_large_content_is_in_the_bucket_before_its_row(far: Store, bucket: FakeS3) -> None:
    """The raw mail and its large attachment; another gateway reads them there."""
    with Writer(far) as writer:
        writer.commit(Effects(mail_row("m1", raw=LARGE))).result(10)
    assert bucket.names() == {digest(LARGE)}
    with far.reading() as connection:
        assert mails.raw(connection, open_blobs(bucket.url), "m1") == LARGE


@pytest.mark.parametrize("trouble", ["503", "403"])
def test_a_bucket_that_refuses_is_later_and_nothing_is_lost(
    far: Store, bucket: FakeS3, trouble: str
) -> None:
    """Temporary (451 to the sender), no row; small mail goes on; afterwards all is well."""
    bucket.trouble = trouble
    with Writer(far) as writer:
        with pytest.raises(errors.Temporary, match="blob store"):
            writer.commit(Effects(mail_row("m1", raw=LARGE))).result(20)
        assert writer.commit(opening("m2")).result(10).mail_id == "m2"
        bucket.trouble = ""
        assert not writer.commit(Effects(mail_row("m1", raw=LARGE))).result(10).duplicate
    assert bucket.names() == {digest(LARGE)}


def test_a_bucket_that_is_not_there_is_later(far: Store, bucket: FakeS3) -> None:
    """Reading, writing, looking and sweeping say so in our words."""
    bucket.__exit__()
    for ask in (
        lambda: far.blobs.get(digest("a")),
        lambda: far.blobs.put(digest("a"), b"a"),
        lambda: far.blobs.holds(digest("a")),
        lambda: far.blobs.remove(digest("a")),
        lambda: list(far.blobs.old(0)),
    ):
        with pytest.raises(errors.Temporary, match="blob store"):
            ask()
    bucket.__enter__()


def test_a_silent_bucket_has_a_budget(far: Store, bucket: FakeS3) -> None:
    """Mails that wait for it are told later when their time is over, though it never answers."""
    bucket.trouble = "silent"
    with Writer(far, blob_seconds=0.3) as writer:
        waiting = [
            writer.commit(Effects(mail_row(f"m{n}", raw=LARGE + bytes([n])))) for n in range(9)
        ]
        for one in waiting:
            with pytest.raises(errors.Temporary, match="takes too long"):
                one.result(10)
        assert writer.commit(opening("m99")).result(10).mail_id == "m99"
        bucket.trouble = ""
        bucket.mended.set()
    with far.reading() as connection:
        assert list(connection.execute(select(schema.mails.c.mail)).scalars()) == ["m99"]


def test_orphans_in_a_bucket_are_swept_by_their_age(far: Store, bucket: FakeS3) -> None:
    """One that is being written is young; what a mail names stays, however old."""
    far.blobs.put(digest("old"), b"old")
    with Writer(far) as writer:
        writer.commit(Effects(mail_row("m1", raw=LARGE))).result(10)
        bucket.age(datetime.now(UTC) - timedelta(days=2))
        far.blobs.put(digest("young"), b"young")
        assert sweep(far, writer, NOW) == 1
    assert bucket.names() == {digest(LARGE), digest("young")}
