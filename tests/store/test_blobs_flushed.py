"""A blob that is there already is flushed before it counts as kept."""

import os
from pathlib import Path

import pytest

from gateway.store.blobs import DirectoryBlobs, digest_of

CONTENT = b"x" * 70_000


def test_a_blob_that_somebody_left_unflushed_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first writer was killed behind the rename: the second one is told 250 for it."""
    digest, root = digest_of(CONTENT), tmp_path / "blobs"
    folder = root / digest[:2]
    folder.mkdir(parents=True)
    (folder / digest).write_bytes(CONTENT)
    flushed, flush = set(), os.fsync

    def noted(handle: int) -> None:
        flushed.add(Path(os.readlink(f"/proc/self/fd/{handle}")))
        flush(handle)

    monkeypatch.setattr(os, "fsync", noted)
    DirectoryBlobs(root).put(digest, CONTENT)
    assert flushed == {folder / digest, folder, root, tmp_path}
