"""Bytes over 64 KB by their digest: a directory, or an S3-compatible bucket, durable before the
commit names them.

Nothing is ever overwritten: the name is the SHA-256 of the content. What no row names is swept
after a day.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from gateway import errors

INLINE = 65_536  # bytes; what is smaller lies in the database
ORPHAN_SECONDS = (
    86_400  # a blob may be older than its row by the length of a commit; a day is safe
)

BUCKET_SECONDS = 4.0  # of one request to a bucket, and again of its one retry


def digest_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


class BlobStore(Protocol):
    """Where large content lies."""

    def put(self, digest: str, content: bytes) -> None:
        """Durable when it returns; the same digest again costs nothing."""

    def get(self, digest: str) -> bytes:
        """The content; KeyError when it is not there."""

    def holds(self, digest: str) -> bool:
        """Whether it is there."""

    def remove(self, digest: str) -> None:
        """Forget it, if it is there."""

    def old(self, seconds: float) -> Iterator[str]:
        """Digests of content that was put at least so long ago."""


class DirectoryBlobs:
    """`root/ab/abcdef…`, written beside its place, flushed, renamed, and the directory flushed."""

    def __init__(self, root: Path) -> None:
        """Directories are made when they are needed."""
        self.root = root
        self._lasting: set[Path] = set()  # folders whose own names are flushed

    def _path(self, digest: str) -> Path:
        if not _is_digest(digest):
            raise KeyError(digest)
        return self.root / digest[:2] / digest

    def put(self, digest: str, content: bytes) -> None:
        """Durable when it returns. OSError when the disk is full or away."""
        path = self._path(digest)
        with suppress(FileNotFoundError):
            os.utime(path)  # young again, so that a sweep leaves it to the row that is coming
            _sync(path)  # whoever put it may have died before his last flush, or not be there yet
            _sync(path.parent)
            self._kept(path.parent)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._kept(path.parent)
        partial = path.with_name(f"{digest}.{secrets.token_hex(4)}.part")
        try:
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        _sync(path.parent)

    def _kept(self, folder: Path) -> None:
        """Flush the folder's name; another thread may have made it a moment ago."""
        if folder not in self._lasting:
            for parent in (folder.parent, folder.parent.parent):
                _sync(parent)
            self._lasting.add(folder)

    def get(self, digest: str) -> bytes:
        """The content; KeyError when it is not there."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise KeyError(digest) from None

    def holds(self, digest: str) -> bool:
        """Whether it is there."""
        return self._path(digest).exists()

    def remove(self, digest: str) -> None:
        """Forget it, if it is there."""
        with suppress(FileNotFoundError):
            self._path(digest).unlink()

    def old(self, seconds: float) -> Iterator[str]:
        """Digests put at least so long ago; parts that a crash left are removed on the way."""
        latest = time.time() - seconds
        for path in self.root.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime > latest:
                    continue
                if path.name.endswith(".part"):
                    path.unlink()
                elif _is_digest(path.name):
                    yield path.name


class BucketBlobs:
    """A bucket reached through `obstore`, which reads keys and endpoint from the environment.

    Every call is over within `BUCKET_SECONDS` and one retry; an error is Temporary.
    """

    def __init__(self, url: str) -> None:
        """`url` is `s3://bucket/prefix`, or another one that obstore opens."""
        try:
            import obstore.store
        except ModuleNotFoundError:
            raise errors.BadInput(
                f"`{url}` needs the extra `s3`: `pip install portiere[s3]`"
            ) from None
        self._api: Any = obstore
        self._problems = (obstore.exceptions.BaseError, OSError, TimeoutError)
        wait = timedelta(seconds=BUCKET_SECONDS)
        try:
            self._store: Any = obstore.store.from_url(
                url,
                client_options={
                    "timeout": wait,
                    "connect_timeout": wait / 2,
                    "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                },
                retry_config={"max_retries": 1, "retry_timeout": wait},
            )
        except (obstore.exceptions.BaseError, ValueError) as problem:
            raise errors.BadInput(f"`{url}` is no blob store: {_line(problem)}") from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except self._problems as problem:
            raise errors.Temporary(
                f"the blob store cannot be used now: {_line(problem)}"
            ) from problem

    def put(self, digest: str, content: bytes) -> None:
        """Durable when it returns: the service says so. The same again makes it young."""
        with self._asking():
            self._api.put(self._store, _key(digest), content)

    def get(self, digest: str) -> bytes:
        """The content; KeyError when it is not there."""
        try:
            with self._asking():
                return bytes(self._api.get(self._store, _key(digest)).bytes())
        except FileNotFoundError:
            raise KeyError(digest) from None

    def holds(self, digest: str) -> bool:
        """Whether it is there."""
        try:
            with self._asking():
                self._api.head(self._store, _key(digest))
        except FileNotFoundError:
            return False
        return True

    def remove(self, digest: str) -> None:
        """Forget it, if it is there."""
        with suppress(FileNotFoundError), self._asking():
            self._api.delete(self._store, _key(digest))

    def old(self, seconds: float) -> Iterator[str]:
        """Digests put at least so long ago, by the clock of the service."""
        latest = time.time() - seconds
        with self._asking():
            for batch in self._api.list(self._store):
                for item in batch:
                    name = str(item["path"]).rsplit("/", 1)[-1]
                    if item["last_modified"].timestamp() <= latest and _is_digest(name):
                        yield name


def _is_digest(name: str) -> bool:
    return len(name) == 64 and name.isascii() and name.isalnum()


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _line(problem: BaseException) -> str:
    """Without the inside of the client, which comes after it."""
    return " ".join(str(problem).partition("Debug source:")[0].split())


def open_blobs(place: Path | str) -> BlobStore:
    """The store for a directory or a URL such as `s3://bucket/prefix`."""
    if isinstance(place, str) and "://" in place:
        if place.startswith("file://"):  # ours flushes what it writes
            return DirectoryBlobs(Path(unquote(urlsplit(place).path)))
        return BucketBlobs(place)
    return DirectoryBlobs(Path(place))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
