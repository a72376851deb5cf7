"""A door on a free port with everything in hand: its mails, its log, and a raw client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.core.model import Address, Envelope
from gateway.receive import listener, replies
from gateway.receive.client import TrustedRelay
from gateway.receive.limits import Limits
from gateway.receive.replies import Verdict

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOST = "mx.host.example"
MAIL = b"From: a@b.example\r\nSubject: hello\r\n\r\nbody\r\n"


class KeptLog:
    """A logger that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    debug = warning = error = info

    def texts(self) -> list[str]:
        """The events' names."""
        return [event for event, _ in self.events]


def is_ours(address: Address) -> bool:
    """support@, its sub-addresses, billing@ and postmaster@ of our domains."""
    user = address.local.lower().partition("+")[0]
    domains = ("host.example", "support.host.example", HOST)
    return address.domain in domains and user in ("support", "billing", "postmaster")


@dataclass
class World:
    """An open door and what came through it. `decide` may be replaced."""

    log: KeptLog = field(default_factory=KeptLog)
    mails: list[tuple[Envelope, bytes]] = field(default_factory=list)
    decide: Callable[[Envelope, bytes], Awaitable[Verdict]] | None = None
    free_disk: int = 1 << 40
    server: listener.Server | None = None
    clients: list["Client"] = field(default_factory=list)

    async def handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        """Keep the mail and accept it, or do as told."""
        if self.decide is not None:
            return await self.decide(envelope, raw)
        self.mails.append((envelope, raw))
        return Verdict(replies.ACCEPTED)

    @property
    def address(self) -> str:
        """Where the door is."""
        assert self.server is not None
        return self.server.address

    async def connect(self) -> "Client":
        """A raw client."""
        if self.address.startswith("unix:"):
            client = Client(*await asyncio.open_unix_connection(self.address[5:]))
        else:
            host, _, port = self.address.rpartition(":")
            client = Client(*await asyncio.open_connection(host.strip("[]"), int(port)))
        self.clients.append(client)
        return client


class Client:
    """A client that sends bytes and reads replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> str:
        """One whole reply, its lines joined with newlines; empty when the connection has ended."""
        lines = []
        while line := await self._line():
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def _line(self) -> str:
        try:
            return (await asyncio.wait_for(self.reader.readline(), 5)).decode()
        except ConnectionError:
            return ""

    async def say(self, *lines: str) -> str:
        """Commands in turn; the reply to the last one."""
        said = ""
        for line in lines:
            await self.send(f"{line}\r\n".encode())
            said = await self.reply()
        return said

    async def envelope(self, hello: str = "EHLO client.example") -> None:
        """Banner, hello, sender, recipient, DATA."""
        await self.reply()
        said = await self.say(
            hello, "MAIL FROM:<a@b.example>", "RCPT TO:<support@host.example>", "DATA"
        )
        assert said.startswith("354"), said

    async def closed(self) -> bool:
        """Whether nothing but the end follows."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5) == b""
        except ConnectionError:
            return True

    def abort(self) -> None:
        """Leave without a word."""
        self.writer.transport.abort()

    async def leave(self) -> None:
        """Close, and wait for it."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), 1)


@contextlib.asynccontextmanager
async def world(
    limits: Limits | None = None,
    relays: Sequence[TrustedRelay] = (),
    address: str = "127.0.0.1:0",
    drain: float = 1.0,
    postmaster: str = "",
    **settings: Any,
) -> AsyncIterator[World]:
    """An open door; errors are answered without delay unless `limits` say otherwise."""
    here = World()
    here.server = await listener.start(
        listener.ListenerSettings(address, **settings),
        limits or Limits(error_delay_seconds=0.0),
        relays,
        is_ours,
        here.handle,
        here.log,
        HOST,
        clock=lambda: NOW,
        free_disk=lambda: here.free_disk,
        postmaster=postmaster,
    )
    try:
        yield here
    finally:
        for client in here.clients:
            await client.leave()
        await here.server.close(drain)


def run(body: Callable[[World], Awaitable[None]], **changes: Any) -> World:
    """Open a door, run `body`, close it; returns what came through."""

    async def main() -> World:
        async with asyncio.timeout(20), world(**changes) as here:
            await body(here)
            return here

    return asyncio.run(main())


LOCAL_RELAY = ("127.0.0.0/8",)


def relay(method: str, **changes: Any) -> TrustedRelay:
    """This machine as a trusted relay."""
    return TrustedRelay.parse(LOCAL_RELAY, method, **changes)
