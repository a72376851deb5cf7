"""The provider's own outgoing mail server: connections that are reused, and errors sorted by what
they mean for a row.

Says `Permanent` only for a 5xx to the mail itself; a smarthost that is away, refuses our login or
talks nonsense is `Temporary`, so that a slip in the configuration bounces nothing. Never logs
secrets.
"""

import asyncio
import contextlib
import ipaddress
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from gateway.core.read import addresses
from gateway.errors import BadInput, Permanent, Temporary

Starttls = Literal["required", "opportunistic", "never", "implicit"]

_ATEXT = r'[^\x00- "(),.:;<>@\[\\\]\x7f]+'
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_CONFIGURATION = frozenset({530, 534, 535, 538})  # RFC 4954 6: about our login, not about the mail
# RFC 3463 3.2, 3.3: bad or moved address, disabled mailbox; or a server without enhanced codes
_NO_SUCH = re.compile(r"5\d\d 5\.(?:1\.\d+|2\.1)\b|55[013] (?!\d\.\d)")
_SHOWN = 300  # characters of a remote text that are kept for ops


class Uncertain(Temporary):
    """The connection was lost while the mail was handed over: it may have been taken."""


class Bounced(Permanent):
    """The recipient's address itself was refused for good."""


@dataclass(frozen=True, slots=True)
class SmarthostSettings:
    """Where mail goes out. Times are in seconds."""

    host: str
    port: int = 25
    starttls: Starttls = "opportunistic"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host_name: str = "localhost"  # our name in EHLO
    connect_seconds: float = 30.0
    command_seconds: float = 60.0
    data_seconds: float = 180.0
    idle_seconds: float = 20.0  # an unused connection is closed after this
    mails_per_connection: int = 100
    ca_file: str | None = None

    def check(self) -> None:
        """Refuse to send a password in the clear, except to this machine. Raises `BadInput`."""
        if self.username is None or self.starttls in ("required", "implicit"):
            return
        if not _on_loopback(self.host):
            raise BadInput(
                f"smarthost: a password would go to `{self.host}` in the clear",
                hint='set starttls = "required" or "implicit"',
            )


@dataclass(slots=True)
class _Connection:
    client: aiosmtplib.SMTP
    mails: int = 0
    idle_since: float = 0.0


class Smarthost:
    """Sends one mail to one recipient at a time; any number of sends may run at once."""

    def __init__(self, settings: SmarthostSettings) -> None:
        """Connects when there is something to send."""
        settings.check()
        self._settings = settings
        self._idle: deque[_Connection] = deque()

    async def send(
        self, envelope_from: str, to: str, raw: bytes, ours: Callable[[], bool] = lambda: True
    ) -> str:
        """Hand one mail over; returns what the smarthost said to it.

        `envelope_from` is `""` for the null reverse-path; `raw` has CRLF lines; `ours` is asked
        before DATA, after which there is no way back. Raises `Temporary`, `Uncertain` or
        `Permanent`.
        """
        sender, recipient = _path(envelope_from), _path(to)
        while True:
            async with self._connection() as connection:
                reused = connection.mails > 0
                connection.mails += 1
                try:
                    await _envelope(connection.client, sender, recipient, raw, reused)
                except aiosmtplib.SMTPServerDisconnected as error:
                    if reused:
                        continue  # it had gone to sleep; the next one is older or new
                    raise Temporary(f"smarthost hung up: {_shown(error)}") from None
                except aiosmtplib.SMTPTimeoutError as error:
                    raise Temporary(f"smarthost too slow: {_shown(error)}") from None
                if not ours():
                    raise _Refused("the mail is another gateway's by now")
                return await self._content(connection.client, raw)

    async def check(self) -> None:
        """Whether it can be reached and takes our login. Raises `Temporary`."""
        async with self._connection() as connection:
            try:
                await connection.client.noop()
            except (aiosmtplib.SMTPException, OSError) as error:
                raise Temporary(f"smarthost does not answer: {_shown(error)}") from None

    async def close(self) -> None:
        """Say goodbye on idle connections."""
        while self._idle:
            await _quit(self._idle.pop().client)

    # Connections

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        """A connection; it is kept for the next mail unless something went wrong on it."""
        connection = self._reusable() or await self._connected()
        try:
            yield connection
        except (Permanent, _Refused):
            await self._keep(connection, reset=True)
            raise
        except BaseException:
            connection.client.close()
            raise
        await self._keep(connection, reset=False)

    def _reusable(self) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            fresh = now - connection.idle_since < self._settings.idle_seconds
            if connection.client.is_connected and fresh:
                return connection
            connection.client.close()
        return None

    async def _keep(self, connection: _Connection, reset: bool) -> None:
        client = connection.client
        if not client.is_connected:
            return
        if connection.mails >= self._settings.mails_per_connection:
            await _quit(client)
            return
        if reset:
            try:
                await client.rset()
            except (aiosmtplib.SMTPException, OSError):
                client.close()
                return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    async def _connected(self) -> _Connection:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            local_hostname=settings.host_name,
            timeout=settings.command_seconds,
            use_tls=settings.starttls == "implicit",
            start_tls={"required": True, "opportunistic": None}.get(settings.starttls, False),
            tls_context=_tls_context(settings),
        )
        try:
            await client.connect(timeout=settings.connect_seconds)
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise Temporary(f"smarthost refuses our login: {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise Temporary(f"smarthost out of reach: {_shown(error)}") from None
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    # One mail

    async def _content(self, client: aiosmtplib.SMTP, raw: bytes) -> str:
        try:
            response = await client.data(raw, timeout=self._settings.data_seconds)
        except aiosmtplib.SMTPDataError as error:
            raise _sorted(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Uncertain(f"lost while the mail was handed over: {_shown(error)}") from None
        return f"{response.code} {_clean(response.message)}"


class _Refused(Temporary):
    """4xx to one mail; the connection is still good."""


async def _envelope(
    client: aiosmtplib.SMTP, sender: str, recipient: str, raw: bytes, reused: bool
) -> None:
    options = _options(client, sender + recipient, raw)
    for verb, path in ((b"MAIL", f"FROM:<{sender}>"), (b"RCPT", f"TO:<{recipient}>")):
        words = [path.encode(), *(options if verb == b"MAIL" else ())]
        response = await client.execute_command(verb, *words)
        if response.code == 421 and reused:
            raise aiosmtplib.SMTPServerDisconnected("421 on a connection that was kept")
        if not 200 <= response.code < 300:
            refusal = _sorted(response.code, response.message)
            dead = verb == b"RCPT" and isinstance(refusal, Permanent)
            raise Bounced(str(refusal)) if dead and _NO_SUCH.match(str(refusal)) else refusal


def _options(client: aiosmtplib.SMTP, paths: str, raw: bytes) -> list[bytes]:
    """RFC 1870, 6152, 6531, as far as the mail needs them and the smarthost offers them."""
    options = []
    if client.supports_extension("size"):
        options.append(b"SIZE=%d" % len(raw))
    header = raw[: raw.find(b"\r\n\r\n")] if b"\r\n\r\n" in raw else raw
    if not paths.isascii() or not header.isascii():
        if not client.supports_extension("smtputf8"):
            raise Permanent("5.6.7 the smarthost does not take addresses beyond ASCII")
        options.append(b"SMTPUTF8")
    if not raw.isascii() and client.supports_extension("8bitmime"):
        options.append(b"BODY=8BITMIME")
    return options


def _sorted(code: int, message: str) -> Temporary | Permanent:
    """What a refusal means for the row (RFC 5321 4.2.1)."""
    text = f"{code} {_clean(message)}"
    if code >= 500 and code not in _CONFIGURATION:
        return Permanent(text)
    return _Refused(text)


def _path(address: str) -> str:
    """As it stands between angle brackets; the local part is quoted where it must be."""
    if not address:
        return ""
    local, at, domain = address.rpartition("@")
    path = f"{local if _DOT_ATOM.fullmatch(local) else _quoted(local)}@{domain}"
    if not at or addresses.path(path, smtputf8=True) is None:
        raise Permanent("5.1.3 the address of the row is not valid")
    return path


def _quoted(local: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{escaped}"'


def _tls_context(settings: SmarthostSettings) -> ssl.SSLContext | None:
    if settings.starttls == "never":
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.starttls == "opportunistic":
        # RFC 7435: encryption without proof is better than none, and is not called more than that.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


async def _quit(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=2.0)
    client.close()


def _shown(error: BaseException) -> str:
    return _clean(str(error) or type(error).__name__)


def _clean(text: str) -> str:
    """What another server said, harmless in a log and a terminal."""
    flat = " ".join(text.split())
    return flat.encode("ascii", "backslashreplace").decode()[:_SHOWN]
