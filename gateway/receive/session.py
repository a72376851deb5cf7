"""One connection, whatever is said on it: admission, time, replies, TLS, and how it ends.

It is aiosmtpd's protocol class. Kept from there: the loop that reads a line, splits the verb and
calls a method. Replaced, because seen to fail: the constructor (it walks every attribute at each
connection), the reader (lines.py), time-outs (a sweep that aborts), STARTTLS, texts of
exceptions, and what happens when a client hangs up. A command never writes to the transport: it
says a reply, and replies leave together when the input is used up (RFC 2920).
"""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Session as LibrarySession

from gateway.receive import client, proxy, replies
from gateway.receive.client import Method
from gateway.receive.data import DataReader
from gateway.receive.door import Door
from gateway.receive.limits import DELAY_FROM
from gateway.receive.lines import Hangup, Lines, Outlet, Refused
from gateway.receive.replies import Reply, Verdict

LINGER_SECONDS = 1.0  # how long a client may take to read why it was cut off
PROXY_SECONDS = 10.0
HANDSHAKE_SECONDS = 30.0
IMPLICIT_SECONDS = 10.0  # the same where nothing was said before it
CLOSE_SECONDS = 5.0
_NO_LIMIT = 1 << 30  # Lines has judged the length already

Run = Callable[[str, str | None], Awaitable[None]]


class _Verbs(dict[str, Any]):
    """Every verb, known or not, leads to one method, so that no text of the library answers."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def get(self, verb: str, default: Any = None) -> Any:
        return functools.partial(self._run, verb)


class _NoLimits(dict[str, int]):
    def __missing__(self, verb: str) -> int:
        return _NO_LIMIT


_LIMITLESS = _NoLimits()


class Connection(SMTP):
    """What SMTP and LMTP have in common below the commands."""

    banner: ClassVar[str] = "ESMTP"
    command_size_limit = _NO_LIMIT

    def __init__(self, door: Door) -> None:
        """Sets what aiosmtpd's loop reads, without its constructor."""
        # Read by aiosmtpd's loop, which calls one method of a reader and one of a writer
        self.loop = asyncio.get_running_loop()
        self.event_handler = None
        self.hostname = door.host_name
        self.__ident__ = self.banner
        self.enable_SMTPUTF8 = True
        self.require_starttls = None
        self.transport = None
        self.session: LibrarySession | None = None
        self._proxy_timeout = None
        self._enforce_call_limit = False
        self._tls_handshake_okay = True
        self._tls_protocol = None
        self._handler_coroutine = None
        self.command_size_limits = _LIMITLESS
        self._smtp_methods = _Verbs(self._command)
        self._lines = Lines(door.limits.command_bytes, self._flush)
        self._outlet = Outlet()
        self._reader = cast(asyncio.StreamReader, self._lines)
        self._writer = cast(asyncio.StreamWriter, self._outlet)
        # Our own
        self._door = door
        self._out = bytearray()
        self._id = secrets.token_hex(6)
        self._peer = ""
        self._relay: client.TrustedRelay | None = None
        self._proxied: str | None = None
        self._local = False
        self._counted = ""  # the address that the crowd counts us by
        self._shaking = False  # in a TLS handshake: nothing can be said
        self._tls = False
        self._errors = 0
        self._data: DataReader | None = None  # while DATA is read
        self._commit: asyncio.Future[Verdict] | None = None  # while a mail is decided
        self._began = self._since = self.loop.time()

    # What the protocols add

    async def _command(self, verb: str, argument: str | None) -> None:
        raise NotImplementedError

    @property
    def _idle(self) -> bool:
        """No mail is under way."""
        raise NotImplementedError

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client or send it away."""
        stream = cast(asyncio.Transport, transport)
        peername = transport.get_extra_info("peername")
        self._peer = client.peer_address(peername)
        self._relay = client.find(self._door.relays, self._peer)
        self._local = not isinstance(peername, tuple)
        self._shaking = self._door.settings.implicit_tls and self._door.settings.tls is not None
        if not self._enter():
            if not self._shaking:
                stream.write(replies.TOO_MANY_CONNECTIONS.line)
            stream.close()
            return
        self._door.sessions.add(self)
        self._attach(stream)
        if self._shaking:
            stream.pause_reading()  # what comes is for TLS
        self.session = LibrarySession(self.loop)
        self.session.peer = self._peer
        self._lines.lenient = self._relay is not None and self._relay.normalise_lf
        self._handler_coroutine = self.loop.create_task(self._serve())

    @property
    def _client(self) -> str | None:
        """Whose bounds count: the peer, or who a load balancer says it is; None for servers of
        ours, behind which many stand.
        """
        if self._relay is None:
            return None if self._local else self._peer
        return self._proxied

    def _enter(self) -> bool:
        """Whether there is room for one more connection of this client."""
        client = self._client
        if client is None:
            return True
        if not self._door.crowd.enter(client):
            self._door.log.info("too many connections", peer=self._peer, client=client)
            return False
        self._counted = client
        return True

    def _leave(self, _: object = None) -> None:
        if self._counted:
            self._door.crowd.leave(self._counted)
        self._counted = ""

    def connection_lost(self, error: Exception | None) -> None:
        """Stop reading. A commit that is under way goes on without us."""
        if self._commit is not None and not self._commit.done():
            self._commit.add_done_callback(self._leave)  # or hanging up would escape the count
        else:
            self._leave()
        self._door.sessions.discard(self)
        self._outlet.lost()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        self.transport = None
        self._smtp_methods = {}  # unties the knot of references

    def data_received(self, data: bytes) -> None:
        """Keep it until it is asked for."""
        self._lines.feed(data)

    def eof_received(self) -> bool:
        """The client will say no more; what it has said is still done, and answered."""
        self._lines.end()
        return not self._tls

    def _attach(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._lines.attach(transport)
        self._outlet.attach(transport)

    def pause_writing(self) -> None:
        """The client does not read: what it is owed waits."""
        self._outlet.pause()

    def resume_writing(self) -> None:
        """It reads again."""
        self._outlet.resume()

    @property
    def _stream(self) -> asyncio.Transport:
        if self.transport is None:
            raise Hangup
        return cast(asyncio.Transport, self.transport)

    # From the first byte to the last

    async def _serve(self) -> None:
        transport = self._stream
        try:
            await self._begin()
            await self._handle_client()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            if self._errors:
                self._log("session with errors", errors=self._errors)
            transport.close()
            if transport.get_write_buffer_size():
                self.loop.call_later(CLOSE_SECONDS, transport.abort)

    async def _begin(self) -> None:
        """What comes before the banner: the load balancer's header, or silence."""
        if self._shaking:
            await self._secure(IMPLICIT_SECONDS)
            self._shaking = False
        if self._relay is not None and self._relay.method is Method.PROXY:
            await asyncio.wait_for(self._read_proxy_header(), PROXY_SECONDS)
            if not self._enter():
                await self._say(replies.TOO_MANY_CONNECTIONS)
                self._lines.over = True
                await self._flush()
        pause = self._door.limits.greet_pause_seconds
        if self._client is not None and pause > 0:
            await asyncio.sleep(pause)
            if self._lines.pending:
                self._log("talked before the banner")
                await self._refuse(replies.OUT_OF_STEP, close=True)
                await self._flush()

    async def _read_proxy_header(self) -> None:
        data = b""
        try:
            while (header := proxy.parse(data)) is None:
                data += await self._lines.chunk()
        except proxy.BadProxy as error:
            self._door.log.warning("no PROXY header", peer=self._peer, error=str(error))
            raise Hangup from None
        self._proxied = header.client
        self._lines.unread(data[header.length :])

    async def _start_tls(self) -> None:
        """RFC 3207. What came in the clear behind the command is thrown away."""
        await self._say(replies.START_TLS)
        await self._flush()
        self._lines.discard()  # `start_tls` stops reading before it waits for anything
        await self._secure(HANDSHAKE_SECONDS)

    async def _secure(self, seconds: float) -> None:
        try:
            secured = await self.loop.start_tls(
                self._stream,
                self,
                cast(Any, self._door.settings.tls),
                server_side=True,
                ssl_handshake_timeout=seconds,
            )
        except OSError as error:
            self._log("no TLS handshake", error=type(error).__name__)
            raise Hangup from None
        if secured is None:
            raise Hangup
        self._attach(secured)
        self._tls = True

    # What the door asks

    def overdue(self, now: float) -> bool:
        """Whether the client took longer than it may."""
        limits = self._door.limits
        if self._commit is not None:
            return False
        if now - self._began > limits.session_seconds:
            return True
        waited = now - self._since
        if self._data is None:
            return waited > self._door.crowd.patience
        due = limits.data_bytes_per_second * (waited - limits.data_grace_seconds)
        return waited > limits.data_seconds or self._data.received < due

    def cut(self, reply: Reply, why: str) -> None:
        """End it now: a polite close would wait for a peer that does not read."""
        if self.transport is None:
            return
        self._log("cut", why=why)
        stream = self._stream
        quiet = self._lines.over or self._shaking
        if not quiet and not stream.get_write_buffer_size():
            stream.write(reply.line)
        stream.abort()

    def retire(self) -> None:
        """End it as soon as no mail is under way."""
        if self.transport is None or not self._idle or self._lines.over:
            return
        self._lines.over = True
        if not self._shaking:
            self._stream.write(replies.SHUTTING_DOWN.line)
        self._stream.close()

    def _log(self, event: str, **fields: object) -> None:
        self._door.log.info(event, session=self._id, peer=self._peer, **fields)

    # Replies

    async def push(self, status: str | bytes) -> None:
        """Put a line among the replies that leave at the next flush."""
        self._out += status if isinstance(status, bytes) else status.encode("ascii", "replace")
        self._out += b"\r\n"

    async def _say(self, *lines: Reply) -> None:
        for reply in lines:
            self._out += reply.line

    async def _flush(self) -> None:
        if self._out:
            out, self._out = bytes(self._out), bytearray()
            await self._outlet.send(out)
        if self._lines.over:
            await self._linger()
            raise Hangup

    async def _linger(self) -> None:
        """Closing with unread input resets the connection: give the last reply time to arrive."""
        if self._lines.pending and self._stream.can_write_eof():
            self._stream.write_eof()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lines.until_end(), LINGER_SECONDS)

    async def _refuse(self, reply: Reply, close: bool = False) -> None:
        """Answer an error; slowly from the third on, and for the last time at the tenth."""
        await self._say(await self._error(reply, close))

    async def _error(self, reply: Reply, close: bool) -> Reply:
        self._errors += 1
        if self._errors >= self._door.limits.errors:
            reply, close = replies.TOO_MANY_ERRORS, True
        elif self._errors >= DELAY_FROM:
            await asyncio.sleep(self._door.limits.error_delay_seconds)
        self._lines.over = self._lines.over or close
        return reply

    async def handle_exception(self, error: Exception) -> str:
        """Called by the loop for what a line or a command raised; never the exception's text."""
        if isinstance(error, Refused):
            return str(await self._error(error.reply, error.close))
        self._lines.over = True
        with contextlib.suppress(Exception):  # else the library would answer, with its text
            self._door.log.error("a defect in a session", session=self._id, exc_info=error)
        return str(replies.SESSION_FAILED)

    def _reset_timeout(self, duration: float | None = None) -> None:
        self._since = self.loop.time()
