"""Events go to the followers that the configuration names, and to nobody else: signed, by HTTP/1.1
POST, one connection each.

A redirect is not followed, no proxy is asked, and of the answer only the head is read: a bounded
number of bytes in a bounded time. Anything but 2xx is tried again.
"""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from gateway.errors import BadInput, Temporary

HEAD_BYTES = 16_384
INTERIM = 5  # 1xx answers before the real one
SHORTEST_SECRET = 16
SECRETS = 2  # the one in use, and the one before it


class Told(Protocol):
    """An event that is ours to deliver for a while."""

    @property
    def message_id(self) -> str:
        """The event's id, the same at every attempt."""

    @property
    def kind(self) -> str:
        """Of event."""

    @property
    def raw(self) -> bytes:
        """The body, JSON."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """One follower."""

    url: str
    secret_file: Path
    authorities: Path | None = None  # PEM; the system's without
    seconds: float = 15.0  # for one delivery, all of it

    def check(self) -> None:
        """BadInput when the URL, the secret or the authorities are of no use."""
        _Place.of(self.url)
        read_secrets(self.secret_file)
        _context(self.url, self.authorities)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads."""

    host: str
    port: int
    tls: bool
    target: str
    name: str  # for the Host field (RFC 9110 7.2)

    @classmethod
    def of(cls, url: str) -> "_Place":
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadInput(f"`{url}` is no URL: {error}") from None
        if parts.scheme not in ("https", "http") or not host or parts.username is not None:
            raise BadInput(f"`{url}` is not `https://host/path`, without a name or password")
        if not (url.isascii() and url.isprintable()) or " " in url or parts.fragment:
            raise BadInput(f"`{url}` is not plain ASCII without spaces and fragment")
        if parts.scheme == "http" and not _loopback(host):
            raise BadInput(f"`{url}` is not encrypted; `http` is allowed to loopback only")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        tls = parts.scheme == "https"
        return cls(host, port or (443 if tls else 80), tls, target, parts.netloc)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(url: str, authorities: Path | None) -> ssl.SSLContext | None:
    if not _Place.of(url).tls:
        return None
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"cannot read the authorities of `{url}`: {error}", str(authorities)
        ) from None


def read_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets of a follower, one a line, the newest first: at most two, while they change."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"cannot read the secret: {error.strerror}", str(path)) from None
    found = tuple(line.strip() for line in lines if line.strip())
    if not found or len(found) > SECRETS or min(map(len, found)) < SHORTEST_SECRET:
        hint = f"one a line, each of {SHORTEST_SECRET} characters at least"
        raise BadInput(
            f"the file holds {len(found)} secrets; there are one or two", str(path), hint
        )
    return found


def signature(secrets: tuple[bytes, ...], at: int, body: bytes) -> str:
    """`t=…,v1=…`: HMAC-SHA256 over the time, a full stop, and the body; one `v1` a secret."""
    signed = b"%d.%b" % (at, body)
    made = (hmac.new(secret, signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={at}", *(f"v1={one}" for one in made)))


@dataclass(slots=True)
class Webhook:
    """One follower, as the worker sees it."""

    settings: HookSettings
    clock: Callable[[], datetime]
    _place: _Place = field(init=False)
    _tls: ssl.SSLContext | None = field(init=False)

    def __post_init__(self) -> None:
        """BadInput when the settings are of no use."""
        self.settings.check()
        self._place = _Place.of(self.settings.url)
        self._tls = _context(self.settings.url, self.settings.authorities)

    async def carry(self, told: Told) -> str:
        """Deliver one event; `Temporary` for whatever is not 2xx. The answer's first line."""
        try:
            async with asyncio.timeout(self.settings.seconds):
                return await self._posted(self._request(told))
        except TimeoutError:
            raise Temporary("the endpoint took too long") from None
        except BadInput as error:
            raise Temporary(str(error)) from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Temporary(f"the endpoint cannot be reached: {_line(error)}") from None

    def _request(self, told: Told) -> bytes:
        """The secret is read each time, so that a change needs no restart."""
        at = int(self.clock().timestamp())
        signed = signature(read_secrets(self.settings.secret_file), at, told.raw)
        head = (
            f"POST {self._place.target} HTTP/1.1",
            f"Host: {self._place.name}",
            "User-Agent: Portiere",
            "Content-Type: application/json",
            f"Content-Length: {len(told.raw)}",
            "Connection: close",
            f"Portiere-Event: {told.message_id}",
            f"Portiere-Kind: {told.kind}",
            f"Portiere-Signature: {signed}",
        )
        return "\r\n".join((*head, "", "")).encode("ascii", "replace") + told.raw

    async def _posted(self, request: bytes) -> str:
        place = self._place
        reader, writer = await asyncio.open_connection(
            place.host, place.port, ssl=self._tls, limit=HEAD_BYTES
        )
        try:
            writer.write(request)
            await writer.drain()
            return await _answer(reader)
        finally:
            writer.transport.abort()  # what else it says is not waited for


async def _answer(reader: asyncio.StreamReader) -> str:
    for _ in range(INTERIM):
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ", 2)
        status = words[1] if len(words) > 1 else b""
        if not words[0].startswith(b"HTTP/1.") or len(status) != 3 or not status.isdigit():
            raise Temporary("the endpoint does not speak HTTP/1.1")
        said = " ".join(word.decode("ascii", "replace") for word in words[1:])[:200]
        if status[:1] == b"2":
            return said
        if status[:1] == b"3":
            raise Temporary(f"the endpoint answers {said}; redirects are not followed")
        if status[:1] != b"1":
            raise Temporary(f"the endpoint answers {said}")
    raise Temporary("the endpoint does not come to an answer")


def _line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
