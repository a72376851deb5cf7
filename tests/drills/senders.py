"""Those who send: small SMTP clients that keep a mail until they hear 250, and remember what they
heard."""

import asyncio
import contextlib
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from drills.ground import ADDRESSES, CUSTOMERS, STRANGERS, customer, ticket_of

from gateway.demo.world import SUPPORT

REPLY_SECONDS = 60.0
MAILS_A_CONNECTION = 40
LARGE = 80_000  # bytes; lies in the blob store, not in the database


@dataclass(frozen=True, slots=True)
class Post:
    """One mail of a drill, and what must come of it."""

    ident: str  # its Message-ID
    kind: str  # open | thread | question | automatic | large
    domain: str
    author: str
    raw: bytes
    ticket: str | None = None  # that it must join
    digest: str = ""  # of the body, where it is large enough to lie in the blob store


def posts(seed: int, people: int, mix: str = "oooootttoqoatoLooottoooo") -> Iterator[Post]:
    """Mails without end, the same ones for the same seed."""
    chance = random.Random(seed)
    kinds = {"o": "open", "t": "thread", "q": "question", "a": "automatic", "L": "large"}
    number = 0
    while True:
        number += 1
        kind = kinds[chance.choice(mix)]
        yield compose(f"{seed}x{number}", kind, chance.randrange(people))


def compose(name: str, kind: str, person: int) -> Post:
    """A mail of this kind from this account."""
    ticket = ticket_of(person) if kind == "thread" else None
    domain = STRANGERS if kind == "question" else CUSTOMERS
    author = f"s{name}@{domain}" if kind == "question" else customer(person)
    subject, body, extra = _words(name, kind, ticket)
    ident = f"<{name}@{domain}>"
    head = {
        "From": f"<{author}>",
        "To": f"<{SUPPORT}>",
        "Subject": subject,
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": ident,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
        **extra,
    }
    text = "".join(f"{key}: {value}\r\n" for key, value in head.items())
    digest = body_digest(f"\r\n\r\n{body}".encode("ascii")) if kind == "large" else ""
    raw = f"{text}\r\n{body}".encode("ascii")
    return Post(ident, kind, domain, author, raw, ticket, digest)


def body_digest(raw: bytes) -> str:
    """What tells one body from another."""
    return hashlib.sha256(raw.partition(b"\r\n\r\n")[2]).hexdigest()


def _words(name: str, kind: str, ticket: str | None) -> tuple[str, str, dict[str, str]]:
    if kind == "thread":
        return f"Re: [#{ticket}] Posta lenta", f"Ancora lenta, riga {name}.\r\n", {}
    if kind == "question":
        return "Nameserver", f"Hello,\r\nhow do I change the nameservers? ({name})\r\n", {}
    if kind == "automatic":
        return "Fuori ufficio", f"Assente, {name}.\r\n", {"Auto-Submitted": "auto-replied"}
    body = f"Buongiorno,\r\nnel registro trovo la riga {name}; vorrei che la guardaste.\r\n"
    if kind == "large":
        body += f"{name} riga del registro, e poi ancora una\r\n" * (LARGE // 44)
    return f"Riga {name} del registro", body, {}


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `Client.open`."""
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, domain: str) -> "Client":
        """From the domain's own address, as SPF has it; greeted."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(ADDRESSES[domain], 0)
        )
        client = cls(reader, writer)
        try:
            await client.reply()
            writer.write(f"EHLO mx.{domain}\r\n".encode())
            await client.reply()
        except BaseException:
            client.close()
            raise
        return client

    async def reply(self) -> tuple[int, bytes]:
        """One reply, over as many lines as it takes."""
        text = b""
        while True:
            line = await asyncio.wait_for(self.reader.readline(), REPLY_SECONDS)
            if not line.endswith(b"\n"):
                raise ConnectionError("the line is cut")
            text += line
            if line[3:4] != b"-":
                return int(line[:3]), text

    async def begin(self, author: str) -> int:
        """MAIL, RCPT and DATA at once; 354, or the first refusal."""
        said = f"MAIL FROM:<{author}>\r\nRCPT TO:<{SUPPORT}>\r\nDATA\r\n"
        self.writer.write(said.encode())
        codes = [(await self.reply())[0] for _ in range(3)]
        return next((code for code in codes if code not in (250, 354)), codes[-1])

    async def mail(self, post: Post) -> int:
        """The code of the final dot, or of what came instead of it."""
        code = await self.begin(post.author)
        if code != 354:
            return code
        self.writer.write(dotted(post.raw))
        return (await self.reply())[0]

    def close(self) -> None:
        """Hang up."""
        self.writer.transport.abort()


def dotted(raw: bytes) -> bytes:
    """The mail as DATA sends it (RFC 5321 4.5.2)."""
    return raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


@dataclass
class Heard:
    """What all senders heard."""

    accepted: dict[str, Post] = field(default_factory=dict)
    tried: dict[str, Post] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)  # a 5xx, of which there must be none
    cut: int = 0  # connections that ended in between
    seconds: list[float] = field(default_factory=list)  # from the dot's mail to its reply

    def slowest(self, share: float = 0.99) -> float:
        """The p99 of accepting."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Senders:
    """Several senders in one loop."""

    def __init__(
        self,
        port: Callable[[], int],
        people: int,
        seed: int,
        pause: float = 0.0,
        heard: Heard | None = None,
    ) -> None:
        """`port` is asked at each connection: there may be several gateways."""
        self.heard = heard or Heard()
        self._port = port
        self._people = people
        self._seed = seed
        self._pause = pause
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self, count: int, limit: int | None = None, mix: str | None = None) -> None:
        """`count` senders; each stops after `limit` mails, or when told."""
        for index in range(count):
            source = posts(self._seed * 1000 + index, self._people, *([mix] if mix else []))
            self._tasks.append(asyncio.create_task(self._send(source, limit)))

    async def finish(self, seconds: float = 300.0) -> None:
        """Take no new mail; those in hand are sent until they are accepted."""
        self._stopping = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), seconds)

    async def done(self, seconds: float = 600.0) -> None:
        """Wait until every sender has reached its limit."""
        await asyncio.wait_for(asyncio.gather(*self._tasks), seconds)

    async def cancel(self) -> None:
        """Stop where they stand."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, source: Iterator[Post], limit: int | None) -> None:
        lines: dict[str, Client] = {}
        sent = 0
        try:
            while not self._stopping and (limit is None or sent < limit):
                await self._insist(lines, next(source))
                sent += 1
                if self._pause:
                    await asyncio.sleep(self._pause)
        finally:
            for client in lines.values():
                client.close()

    async def _insist(self, lines: dict[str, Client], post: Post) -> None:
        """Until 250, over as many connections as it takes; a 5xx ends it."""
        self.heard.tried[post.ident] = post
        for attempt in range(100_000):
            code = await self._try(lines, post)
            self.heard.codes[code] += 1
            if code == 250:
                self.heard.accepted[post.ident] = post
                return
            if code >= 500:
                self.heard.refused.append(post.ident)
                return
            lines.pop(post.domain, None)
            await asyncio.sleep(min(0.5, 0.02 * (attempt + 1)))

    async def _try(self, lines: dict[str, Client], post: Post) -> int:
        """The code, or 0 where the line was cut; a line that failed is not used again."""
        begun = time.perf_counter()
        client = lines.get(post.domain)
        try:
            if client is None:
                client = lines[post.domain] = await Client.open(self._port(), post.domain)
            code = await client.mail(post)
        except (OSError, TimeoutError, ValueError):
            self.heard.cut += 1
            code = 0
        if code != 250 and client is not None:
            with contextlib.suppress(KeyError):
                lines.pop(post.domain).close()
        self.heard.seconds.append(time.perf_counter() - begun)
        return code
