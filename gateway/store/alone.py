"""One daemon at a time works on an SQLite file: the lock that says so.

The system gives it back when its holder ends, however that ends. Of the commands it keeps out
those that replace the file; the others write in transactions of their own.
"""

import fcntl
import os
from types import TracebackType
from typing import IO

from gateway.errors import BadInput
from gateway.store.engine import file_of


class Alone:
    """Held from the making until `release`."""

    def __init__(self, url: str) -> None:
        """A database of another kind, or in memory, has no lock. `BadInput` where it is taken.

        The lock lies beside the file itself, by whatever symbolic link it was named.
        """
        self._file: IO[str] | None = None
        name = file_of(url)
        if name is None:
            return
        real = name.resolve()
        path = real.with_name(real.name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+")
        except OSError as problem:
            raise BadInput(f"cannot open `{path}`: {problem.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise BadInput(
                f"another portiere works on `{name}` (process {holder}); stop it first, or set"
                " `fronts` to have several processes, or use PostgreSQL for several gateways"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def __enter__(self) -> "Alone":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let another one work."""
        if self._file is not None:
            self._file.close()
            self._file = None
