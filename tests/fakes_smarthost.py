"""A smarthost that takes every mail, or misbehaves: refuses, sleeps, drips, answers 4xx or 5xx.

Generic and small on purpose: a bare SMTP server for tests and drills, with no checks of its own.
"""

import asyncio
import ssl
from dataclasses import dataclass, field


@dataclass
class Taken:
    """One mail that was taken."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes
    tls: bool
    login: bool
    parameters: str = ""


@dataclass
class Faults:
    """What goes wrong; may be changed while the sink runs."""

    refuse: bool = False  # close at once, without a banner
    latency: float = 0.0  # seconds before each reply
    bytes_per_second: float = 0.0  # drip replies; 0 is at once
    reply: dict[str, str] = field(default_factory=dict)  # verb, or `DOT`, or `BANNER` -> reply
    once: dict[str, str] = field(default_factory=dict)  # the same, for the next time alone
    hang_up: str = ""  # close instead of answering this verb (or `DOT`, after the mail was taken)


class Sink:
    """`async with Sink() as sink:` listens on `sink.host`, `sink.port`; gathers `sink.mails`."""

    def __init__(
        self,
        extensions: tuple[str, ...] = ("SIZE 50000000", "8BITMIME", "SMTPUTF8"),
        tls: ssl.SSLContext | None = None,
        login: str | None = None,
        port: int = 0,
    ) -> None:
        """`tls` offers STARTTLS; `login` is the base64 word that AUTH PLAIN must bring."""
        self.mails: list[Taken] = []
        self.faults = Faults()
        self.connections = 0
        self.host = "127.0.0.1"
        self.port = port
        self._extensions = extensions
        self._tls = tls
        self._login = login
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> "Sink":
        self._server = await asyncio.start_server(self._client, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_for(self, count: int, seconds: float = 5.0) -> list[Taken]:
        """The mails, once there are `count` of them."""
        async with asyncio.timeout(seconds):
            while len(self.mails) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.mails

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if not self.faults.refuse:
                await _Dialogue(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()  # `wait_closed` never ends after a failed handshake

    def take(self, mail: Taken) -> None:
        """Keep a mail."""
        self.mails.append(mail)
        self._arrived.set()


class _Dialogue:
    def __init__(
        self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._tls = self._login = False
        self._sender = self._parameters = ""
        self._recipients: list[str] = []

    async def run(self) -> None:
        await self._answer("BANNER", "220 sink.example ESMTP")
        while line := await self._reader.readline():
            verb = line.split(b" ", 1)[0].strip().upper().decode("latin-1")
            argument = line.decode("utf-8", "replace").strip()[len(verb) :].strip()
            if not await self._command(verb, argument):
                return

    async def _command(self, verb: str, argument: str) -> bool:
        if verb == "EHLO":
            return await self._answer(verb, self._hello())
        if verb == "STARTTLS" and self._sink._tls is not None:
            await self._answer(verb, "220 go ahead")
            await self._writer.start_tls(self._sink._tls)
            self._tls = True
            return True
        if verb == "AUTH":
            self._login = argument.partition(" ")[2] == self._sink._login
            return await self._answer(verb, "235 ok" if self._login else "535 5.7.8 no")
        if verb == "DATA":
            return await self._data()
        if verb == "MAIL":
            self._sender, _, self._parameters = argument[6:].partition(">")
            self._recipients = []
        if verb == "RCPT":
            self._recipients.append(argument[4:].partition(">")[0])
        return await self._answer(verb, "221 bye" if verb == "QUIT" else "250 2.0.0 ok")

    def _hello(self) -> str:
        offers = ["sink.example", *self._sink._extensions]
        if self._sink._tls is not None and not self._tls:
            offers.append("STARTTLS")
        if self._sink._login is not None:
            offers.append("AUTH PLAIN")
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        return "\r\n".join(lines)

    async def _data(self) -> bool:
        if not await self._answer("DATA", "354 go on"):
            return False
        if self._sink.faults.reply.get("DATA", "3")[0] != "3":
            return True
        raw = bytearray()
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                return False
            raw += line[1:] if line.startswith(b".") else line
        faults = self._sink.faults
        if faults.once.get("DOT", faults.reply.get("DOT", "2"))[0] == "2":
            self._sink.take(
                Taken(
                    self._sender.lstrip("<"),
                    tuple(each.lstrip("<") for each in self._recipients),
                    bytes(raw),
                    self._tls,
                    self._login,
                    self._parameters.strip(),
                )
            )
        return await self._answer("DOT", "250 2.0.0 taken")

    async def _answer(self, verb: str, text: str) -> bool:
        faults = self._sink.faults
        if faults.latency:
            await asyncio.sleep(faults.latency)
        if faults.hang_up == verb:
            return False
        text = faults.once.pop(verb, faults.reply.get(verb, text))
        reply = f"{text}\r\n".encode()
        if not faults.bytes_per_second:
            self._writer.write(reply)
        else:
            for index in range(len(reply)):
                self._writer.write(reply[index : index + 1])
                await asyncio.sleep(1 / faults.bytes_per_second)
        await self._writer.drain()
        return verb != "QUIT"
