"""A Unix socket by which commands ask the running daemon: one JSON object a line, one JSON object
back.

Only the daemon's own user may open it (mode 0600). Nothing of a mail passes here.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway.errors import BadInput, PortiereError

Handler = Callable[..., Awaitable[dict[str, Any]]]
ANSWER_BYTES = 1 << 20


class Control:
    """The daemon's side: named handlers behind one socket."""

    def __init__(self, path: Path, handlers: dict[str, Handler]) -> None:
        """`handlers` take keyword arguments and return what is sent back."""
        self._path = path
        self._handlers = handlers
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the socket; a socket that a dead daemon left behind is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and _answers(self._path):
            raise BadInput(
                f"another portiere answers at `{self._path}`; stop it, or set `paths.control`"
            )
        self._path.unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._talk, self._path)
        finally:
            os.umask(old)

    async def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            line = await reader.readline()
            writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            handler = self._handlers[asked.pop("command")]
            return {"ok": True, **await handler(**asked)}
        except PortiereError as error:
            return {"ok": False, "error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"ok": False, "error": f"not a command: {error}"}


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def running(path: Path) -> bool:
    """Whether a daemon answers at `path`."""
    return _answers(path)


def call(path: Path, command: str, **arguments: Any) -> dict[str, Any]:
    """Ask the daemon at `path`; `BadInput` when none runs there, or when it says no."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        try:
            line.connect(str(path))
        except OSError:
            raise BadInput(f"no portiere runs at `{path}`; start it by `portiere serve`") from None
        line.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
        with line.makefile("rb") as answers:
            answer: dict[str, Any] = json.loads(answers.readline(ANSWER_BYTES) or b"{}")
    if not answer.get("ok"):
        raise BadInput(str(answer.get("error", "the daemon closed the line")))
    return answer
