"""Both directions of a connection. Unread input: command lines for the command loop, chunks for
DATA.

It stands where aiosmtpd expects an `asyncio.StreamReader`, and differs in what it refuses: a
line that does not end in CR LF, one that is too long, a CR inside. Before it waits it flushes
the replies, so that those of a pipelined group leave together (RFC 2920 3.2).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from gateway.receive import replies
from gateway.receive.replies import Reply

HIGH_WATER = 256 * 1024  # unread bytes above which the transport is paused


class Hangup(ConnectionResetError):
    """The session is over: the other side went, or has had its last reply."""


class Refused(Exception):
    """A line that is answered before it becomes a command. `close`: nothing behind it can be
    trusted.
    """

    def __init__(self, reply: Reply, close: bool) -> None:
        """The reply is the whole message."""
        super().__init__(str(reply))
        self.reply = reply
        self.close = close


class Lines:
    """The unread input of one connection."""

    __slots__ = (
        "_buffer",
        "_eof",
        "_limit",
        "_paused",
        "_transport",
        "_waiter",
        "before_wait",
        "lenient",
        "over",
    )

    def __init__(self, limit: int, before_wait: Callable[[], Awaitable[None]]) -> None:
        """`limit`: bytes of a command line. `before_wait` flushes, and may raise `Hangup`."""
        self._limit = limit
        self._buffer = bytearray()
        self._eof = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self.before_wait = before_wait
        self.lenient = False  # a relay whose bare LF counts as CR LF
        self.over = False  # the last reply was given: read no further command

    def attach(self, transport: asyncio.Transport) -> None:
        """Read from this transport from now on."""
        self._transport = transport
        self._paused = False

    def discard(self) -> None:
        """Throw away what was not read (RFC 3207 4.2)."""
        self._buffer.clear()

    @property
    def pending(self) -> bool:
        """Whether the client has sent more than was read."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Bytes from the transport."""
        self._buffer += data
        self._wake()
        if len(self._buffer) > HIGH_WATER and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        self._buffer[:0] = data

    def end(self) -> None:
        """The client will send no more; what it sent is still read."""
        self._eof = True
        self._wake()

    async def readuntil(self, _separator: bytes = b"\n") -> bytes:
        """The next command line with its CR LF. Raises `Refused` or `Hangup`."""
        if self.over:
            await self.before_wait()
            raise Hangup
        while (end := self._buffer.find(b"\n", 0, self._limit)) < 0:
            if len(self._buffer) >= self._limit:
                raise Refused(replies.LINE_TOO_LONG, close=True)
            await self.more()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self._resume()
        return self._checked(line)

    async def chunk(self) -> bytes:
        """Everything that is there, at least one byte."""
        if not self._buffer:
            await self.more()
        chunk = bytes(self._buffer)
        self._buffer.clear()
        self._resume()
        return chunk

    async def more(self) -> None:
        """Flush, then wait until more has come."""
        await self.before_wait()
        await self._wait()

    async def until_end(self) -> None:
        """Throw everything away until the client closes."""
        with contextlib.suppress(Hangup):
            while True:
                self._buffer.clear()
                await self._wait()

    async def _wait(self) -> None:
        before = len(self._buffer)
        while len(self._buffer) == before:
            if self._eof:
                raise Hangup
            self._resume()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _checked(self, line: bytes) -> bytes:
        if not line.endswith(b"\r\n"):
            if not self.lenient:
                raise Refused(replies.BARE_LF, close=True)
            line = line[:-1] + b"\r\n"
        verb, _, argument = line[:-2].partition(b" ")
        if not verb.isalnum() or not verb.isascii() or b"\r" in argument:
            raise Refused(replies.SYNTAX, close=False)
        return line

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._paused and self._transport and len(self._buffer) < HIGH_WATER // 2:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()


class Outlet:
    """The way of replies; it waits while the client does not read."""

    __slots__ = ("_lost", "_transport", "_waiter")

    def __init__(self) -> None:
        """Closed until a transport is attached."""
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False

    def attach(self, transport: asyncio.Transport) -> None:
        """Write to this transport from now on."""
        self._transport = transport

    def pause(self) -> None:
        """The transport holds more than it likes."""
        self._waiter = self._waiter or asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        """There is room again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def lost(self) -> None:
        """Nothing will arrive any more."""
        self._lost = True
        self.resume()

    async def send(self, data: bytes) -> None:
        """Write, and wait while the client does not read. Raises `Hangup`."""
        if self._transport is not None:
            self._transport.write(data)
        if self._waiter is not None:
            await asyncio.shield(self._waiter)
        if self._lost:
            raise Hangup

    def close(self) -> None:
        """Called by the command loop when it ends."""
        if self._transport is not None:
            self._transport.close()
