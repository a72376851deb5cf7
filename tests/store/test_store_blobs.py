"""Large content by digest: durable, never overwritten, swept when no row names it."""

import os
from pathlib import Path

import pytest
from store_values import digest, mail_row

from gateway.core.model import Effects
from gateway.store.blobs import INLINE, BlobStore, BucketBlobs, DirectoryBlobs, open_blobs
from gateway.store.engine import Store
from gateway.store.sweep import sweep
from gateway.store.writer import Writer


@pytest.fixture(params=["directory", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each kind behind the one protocol; a bucket of obstore may be a directory, too."""
    if request.param == "directory":
        return open_blobs(tmp_path / "blobs")
    pytest.importorskip("obstore")
    (tmp_path / "bucket").mkdir()
    return open_blobs((tmp_path / "bucket").as_uri())


def test_what_is_put_is_there(blobs: BlobStore) -> None:
    """Twice is once; removing twice is once; what is not there is a KeyError."""
    content = b"x" * 100
    for _ in range(2):
        blobs.put(digest(content), content)
    assert blobs.get(digest(content)) == content
    assert list(blobs.old(-10)) == [digest(content)]
    assert list(blobs.old(3600)) == []
    for _ in range(2):
        blobs.remove(digest(content))
    with pytest.raises(KeyError):
        blobs.get(digest(content))


def test_both_kinds_are_told_apart_by_their_name(tmp_path: Path) -> None:
    """A path is a directory, a URL a bucket."""
    assert isinstance(open_blobs(tmp_path), DirectoryBlobs)
    assert isinstance(open_blobs(str(tmp_path)), DirectoryBlobs)
    assert isinstance(open_blobs(tmp_path.as_uri()), BucketBlobs)


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


def test_only_what_no_row_names_is_swept(store: Store, writer: Writer) -> None:
    """A crash between blob and commit leaves an orphan; what a mail needs stays."""
    raw = b"y" * (INLINE + 1)
    writer.commit(Effects(mail_row("m1", raw=raw))).result(10)
    store.blobs.put(digest("orphan"), b"orphan")
    assert sweep(store, older_than=3600) == 0
    assert sweep(store, older_than=-10) == 1
    assert store.blobs.get(digest(raw)) == raw
    with pytest.raises(KeyError):
        store.blobs.get(digest("orphan"))
