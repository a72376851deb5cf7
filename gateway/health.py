"""Three pages over HTTP for those who watch: /healthz (alive), /readyz (able to work), /metrics
(Prometheus).

Loopback by default; it answers GET alone, reads no body, and says nothing about any mail.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from gateway.errors import BadInput

REQUEST_BYTES = 8_192
REQUEST_SECONDS = 10.0

# Whatever tells counters: this process, or several together.
Collecting = CollectorRegistry | Collector

# What keeps us from working, by name; an empty mapping is: ready.
Troubles = Callable[[], Awaitable[dict[str, str]]]


class Health:
    """The HTTP listener."""

    def __init__(
        self,
        address: str,
        troubles: Troubles,
        registry: Collecting,
        notes: Callable[[], dict[str, str]] = dict,
    ) -> None:
        """`address` is `host:port`; `troubles` and `notes` are asked at each call of /readyz.

        A trouble makes it 503; a note is for people, and takes no gateway out of work.
        """
        self._notes = notes
        self._host, _, self._port = address.rpartition(":")
        self._troubles = troubles
        self._registry = registry
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a taken port is one clear error."""
        try:
            self._server = await asyncio.start_server(
                self._talk, self._host.strip("[]"), int(self._port), limit=REQUEST_BYTES
            )
        except (OSError, ValueError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
            where = f"{self._host}:{self._port}"
            raise BadInput(
                f"cannot listen for http on `{where}`: {why.lower() or error}"
            ) from None

    async def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        writer.close()

    async def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or words[0] != b"GET":
            return _page("405 Method Not Allowed", "only GET\n")
        path = words[1].split(b"?", 1)[0]
        if path == b"/metrics":
            return _page("200 OK", generate_latest(self._registry).decode(), CONTENT_TYPE_LATEST)
        if path == b"/healthz":
            return _page("200 OK", "alive\n")
        if path == b"/readyz":
            troubles = await self._troubles()
            lines = "".join(f"{name}: {why}\n" for name, why in troubles.items())
            lines += "".join(f"note: {name}: {why}\n" for name, why in self._notes().items())
            if troubles:
                return _page("503 Service Unavailable", lines)
            return _page("200 OK", f"ready\n{lines}")
        return _page("404 Not Found", "there are /healthz, /readyz and /metrics\n")


def _page(status: str, text: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
