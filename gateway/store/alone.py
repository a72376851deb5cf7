"""One daemon at a time works on an SQLite file: the lock that says so.

The system gives it back when its holder ends, however that ends. It keeps out no command: those
write in transactions of their own.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from gateway.errors import BadInput


class Alone:
    """Held from the making until `release`."""

    def __init__(self, url: str) -> None:
        """A database of another kind, or in memory, has no lock. `BadInput` where it is taken."""
        self._file: IO[str] | None = None
        parsed = make_url(url)
        name = parsed.database
        if parsed.get_backend_name() != "sqlite" or not name or name == ":memory:":
            return
        path = Path(name).resolve().with_name(Path(name).name + ".lock")
        self._file = path.open("a+")
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

    def release(self) -> None:
        """Let another one work."""
        if self._file is not None:
            self._file.close()
            self._file = None
