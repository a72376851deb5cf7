"""The line between the fronts of a gateway and its office: values in frames over a Unix socket.

Both ends are forked from one process, run as one user, and speak one version. A value is read back
by a list of what may be made: the values of `core.model`, moments, plain containers. Nothing else
can be named in a frame, so that no frame can run anything. A broken line answers every open
question with `Temporary`.
"""

import asyncio
import contextlib
import enum
import io
import os
import pickle
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.core.model import Moved
from gateway.errors import BadInput, Defect, PortiereError, Temporary

VERSION = 1
LONGEST = 1 << 30  # bytes of a frame: four times the most that `limits.message_bytes` may be
_HEAD = struct.Struct(">BqI")  # version, number (below zero: an answer), length
_PLAIN = frozenset(
    {
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("zoneinfo", "ZoneInfo"),
    }
)
_VALUES = "gateway.core.model"

# How an error is named on the line; any other is a defect of ours.
_ERRORS: dict[str, type[Exception]] = {
    "moved": Moved,
    "temporary": Temporary,
    "wrong": BadInput,
    "defect": Defect,
}

Answers = Callable[[str, Any], Awaitable[Any]]


class _Reader(pickle.Unpickler):
    """Makes nothing but values."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of a value; `Defect` for anything else."""
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if (module == _VALUES or module.startswith(f"{_VALUES}.")) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__.startswith(_VALUES):
                return found
        raise Defect(f"a frame names `{module}.{name}`, which is no value")


class _Writer(pickle.Pickler):
    """Names a member of an enumeration by its value, and a zone by its key; Python's own way is a
    call of `getattr`."""

    def reducer_override(self, value: Any) -> Any:
        """As `pickle` asks for each value."""
        if isinstance(value, enum.Enum):
            return type(value), (value.value,)
        if isinstance(value, ZoneInfo):
            return ZoneInfo, (value.key,)
        return NotImplemented


def pack(number: int, what: str, about: object) -> bytes:
    """One frame."""
    body = io.BytesIO()
    _Writer(body, protocol=5).dump((what, about))
    if body.tell() > LONGEST:
        raise Defect(f"a frame of {body.tell()} bytes")  # of one mail, and not of the line
    return _HEAD.pack(VERSION, number, body.tell()) + body.getvalue()


def unpack(body: bytes) -> tuple[str, Any]:
    """What is asked, and about what; or how it is answered. Raises `Defect` for anything else."""
    try:
        what, about = _Reader(io.BytesIO(body)).load()
    except PortiereError:
        raise
    except Exception as error:
        raise Defect(f"a frame cannot be read: {type(error).__name__}") from error
    return str(what), about


def announced(head: bytes) -> tuple[int, int]:
    """The number of a frame, and the bytes that follow. Raises `Defect` for another version."""
    version, number, size = _HEAD.unpack(head)
    if version != VERSION or size > LONGEST or number == 0:
        raise Defect(f"a frame of version {version} with {size} bytes")
    return int(number), int(size)


class Line:
    """One end. Both may ask, and each answers what the other asks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers
    ) -> None:
        """`answers` is called with what is asked, and about what."""
        self._reader = reader
        self._writer = writer
        self._answers = answers
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken = False

    def ask(self, what: str, about: object = None) -> "asyncio.Future[Any]":
        """The answer, when it comes. Its errors are those of the other side, or `Temporary`."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._broken:
            future.set_exception(Temporary("the line is broken"))
            return future
        self._number += 1
        try:
            frame = pack(self._number, what, about)
        except Defect as error:
            future.set_exception(error)
            return future
        self._open[self._number] = future
        self._writer.write(frame)
        return future

    async def run(self) -> None:
        """Read until the other side is gone; then every open question fails."""
        try:
            while True:
                number, size = announced(await self._reader.readexactly(_HEAD.size))
                self._heard(number, await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError, Defect):
            return
        finally:
            self._break()

    def _heard(self, number: int, body: bytes) -> None:
        """A frame that cannot be read is the defect of one mail, and not of the line."""
        try:
            what, about = unpack(body)
        except Defect as error:
            what, about = "defect", str(error)
        if number < 0:
            self._answered(-number, what, about)
            return
        task = asyncio.get_running_loop().create_task(self._answer(number, what, about))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _break(self) -> None:
        self._broken = True
        for future in self._open.values():
            if not future.done():
                future.set_exception(Temporary("the line broke before the answer"))
        self._open.clear()
        self._writer.close()

    def _answered(self, number: int, how: str, about: Any) -> None:
        future = self._open.pop(number, None)
        if future is None or future.done():
            return
        if how == "done":
            future.set_result(about)
        else:
            future.set_exception(_ERRORS.get(how, Defect)(about))

    async def _answer(self, number: int, what: str, about: Any) -> None:
        """An answer that is ready is said even where nobody listens any more."""
        how, said = "done", None
        try:
            if what == "defect":
                raise Defect(str(about))
            said = await self._answers(what, about)
        except Exception as error:
            names = (name for name, kind in _ERRORS.items() if isinstance(error, kind))
            how, said = next(names, "defect"), str(error)
        if not self._broken:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._writer.write(pack(-number, how, said))


async def listen(
    path: Path, talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> asyncio.Server:
    """Wait for lines at `path`, which its user alone may open."""
    end = _bound(path)
    return await asyncio.start_unix_server(talk, sock=end)


def _bound(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # left over: whoever listens there holds our lock
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        end.bind(str(path))
    finally:
        os.umask(old)
    return end


def same_user(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end runs as we do, where the system says so."""
    end: socket.socket | None = writer.get_extra_info("socket")
    if end is None or not hasattr(socket, "SO_PEERCRED"):
        return True
    _pid, user, _group = struct.unpack(
        "3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    )
    return bool(user == os.getuid())
