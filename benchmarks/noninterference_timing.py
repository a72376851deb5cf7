"""Whether the time of an answer tells that an address, a ticket or a service exists.

Interleaved pairs of mails that differ in that alone, with everything committed: through the
pipeline, or with `--smtp` through the daemon. Exits 1 where two medians differ by more than a
tenth.

python benchmarks/noninterference_timing.py [--smtp] [PAIRS]
"""

import asyncio
import contextlib
import json
import random
import shutil
import smtplib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway import log
from gateway.config import parse, resolve
from gateway.core.model import Envelope, Listener
from gateway.demo import run
from gateway.demo.sink import Sink
from gateway.demo.world import HOSTS, SUPPORT, World, build
from gateway.house import Rooms
from gateway.pipeline import Pipeline
from gateway.store import accounts, ticketfile, tickets
from gateway.store.writer import Writer

PAIRS = 300
WARM = 20  # pairs at the start that are not counted
MOST = 0.10
NOW = datetime.now(UTC)
WORDS = ("mail", "web", "server", "domain", "site", "page", "letter", "answer", "question")

Send = Callable[[str, str, bytes], int]


@dataclass(frozen=True)
class Trial:
    """Two mails by number, which differ only in whether something exists."""

    name: str
    host: str
    there: Callable[[int], tuple[str, str]]  # author, subject
    absent: Callable[[int], tuple[str, str]]


TRIALS = (
    Trial(
        "unproven, of an address that is registered or not",
        "forger.example",
        lambda n: (f"c{n:04}@posta.example", "Question"),
        lambda n: (f"n{n:04}@posta.example", "Question"),
    ),
    Trial(
        "a stranger names a ticket that exists or not",
        "curious.example",
        lambda n: (f"s{n:04}@curious.example", f"[#{400000 + n}] Question"),
        lambda n: (f"t{n:04}@curious.example", f"[#{500000 + n}] Question"),
    ),
    Trial(
        "a stranger names a service that exists or not",
        "curious.example",
        lambda n: (f"u{n:04}@curious.example", f"Server 192.0.2.{n % 200} vps-{1000 + n}"),
        lambda n: (f"v{n:04}@curious.example", f"Server 203.0.113.{n % 200} vps-{5000 + n}"),
    ),
    Trial(
        "a customer names a ticket of somebody else, or none",
        "studio-rossi.example",
        lambda n: (f"a{n:04}@studio-rossi.example", f"[#{400000 + n}] Question"),
        lambda n: (f"b{n:04}@studio-rossi.example", f"[#{500000 + n}] Question"),
    ),
    Trial(
        "a customer names an address of somebody else, or nobody's",
        "studio-rossi.example",
        lambda n: (f"a{n:04}@studio-rossi.example", f"Server 192.0.2.{n % 200}"),
        lambda n: (f"b{n:04}@studio-rossi.example", f"Server 203.0.113.{n % 200}"),
    ),
)


def fill(folder: Path, rooms: Rooms, count: int) -> None:
    """Registered addresses, a ticket for each, and services."""
    rows, owned = [], []
    for n in range(count):
        for letter, host in (("c", "posta"), ("a", "studio-rossi"), ("b", "studio-rossi")):
            number = f"{letter.upper()}-{n}"
            rows.append({"account": number, "name": number, "language": "it", "state": "active",
                         "primary": f"{letter}{n:04}@{host}.example", "secondary": [],
                         "services": _services(n) if letter == "c" else []})  # fmt: skip
        owned.append({"number": str(400000 + n), "account": f"C-{n}", "subject": "x",
                      "state": "closed", "department": "technical",
                      "opened": NOW.isoformat(), "entries": []})  # fmt: skip
    for name, these in (("accounts", rows), ("tickets", owned)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in these))
    with Writer(rooms.store) as writer:
        read = accounts.load_file(folder / "accounts.jsonl")
        writer.run(lambda connection: accounts.apply(connection, read, NOW)).result()
        old = ticketfile.load_file(folder / "tickets.jsonl")
        writer.run(lambda connection: tickets.apply(connection, old)).result()


def _services(n: int) -> list[dict[str, object]]:
    ip = [f"192.0.2.{n}"] if n < 200 else []
    return [{"name": f"vps-{1000 + n}", "ip": ip}]


def mail(author: str, subject: str, number: int) -> bytes:
    """A small mail whose words differ from those of all others."""
    dice = random.Random(number)
    words = " ".join(dice.choice(WORDS) for _ in range(60))
    return (
        f"From: <{author}>\r\nTo: <{SUPPORT}>\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@{author.partition('@')[2]}>\r\n"
        f"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\nI ask about this: {words}\r\n"
    ).encode()


def pairs(trial: Trial, send: Send, count: int) -> tuple[list[float], list[float]]:
    """Seconds of each mail, in turn, the one first as often as the other."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for n in range(count):
        for which in (0, 1) if n % 2 else (1, 0):
            author, subject = (trial.there, trial.absent)[which](n)
            raw = mail(author, subject, 2 * n + which)
            begun = time.perf_counter()
            assert send(trial.host, author, raw) == 250
            if n >= WARM:
                seconds[which].append(time.perf_counter() - begun)
    return seconds


@contextlib.contextmanager
def through_pipeline(folder: Path, count: int) -> Iterator[Send]:
    """Mails handed to the pipeline, and committed."""
    world = build(folder, 2525, 2526, 2527)
    rooms = Rooms.open(resolve(parse(world.config.read_text(), "portiere.toml"), folder))
    fill(folder, rooms, count)
    pipeline = Pipeline(rooms.house())
    with Writer(rooms.store) as writer, asyncio.Runner() as runner:

        async def commit(effects: object) -> object:
            return await asyncio.wrap_future(writer.commit(effects))  # type: ignore[arg-type]

        def send(host: str, author: str, raw: bytes) -> int:
            session = Envelope(
                client_ip=HOSTS[host][0],
                helo=f"mx.{host}",
                mail_from="eve@forger.example" if host == "forger.example" else author,
                recipients=(SUPPORT,),
                listener=Listener.EDGE,
                received_at=datetime.now(UTC),
                session="s",
                smtputf8=False,
            )
            return runner.run(pipeline.handle(session, raw, commit)).code  # type: ignore[arg-type]

        yield send
    rooms.close()


@contextlib.contextmanager
def through_smtp(folder: Path, count: int) -> Iterator[Send]:
    """Mails sent to the daemon, a connection each; only the words after DATA are waited for."""
    world: World = run.new_world(folder)
    rooms = Rooms.open(resolve(parse(world.config.read_text(), "portiere.toml"), folder))
    fill(folder, rooms, count)
    rooms.close()
    with Sink(world.sink_port, folder / "sent"), run.daemon(world):

        def send(host: str, author: str, raw: bytes) -> int:
            sender = "eve@forger.example" if host == "forger.example" else author
            with smtplib.SMTP(
                "127.0.0.1",
                world.smtp_port,
                local_hostname=f"mx.{host}",
                source_address=(HOSTS[host][0], 0),
                timeout=30,
            ) as client:
                client.ehlo()
                client.mail(sender)
                client.rcpt(SUPPORT)
                return client.data(raw)[0]

        yield send


def main() -> int:
    """Print the table; 1 where something can be told."""
    smtp = "--smtp" in sys.argv
    counts = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count = (counts[0] if counts else PAIRS) + WARM
    log.configure("error", "text", "full")
    way = through_smtp if smtp else through_pipeline
    told = 0
    print(f"{'median ms':<58} there  absent  apart")
    for trial in TRIALS:
        folder = Path(tempfile.mkdtemp(prefix="timing-"))
        try:
            with way(folder / "world", count) as send:
                there, absent = (statistics.median(one) for one in pairs(trial, send, count))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        apart = there / absent - 1
        told += abs(apart) > MOST
        print(f"{trial.name:<58} {there * 1e3:5.2f}  {absent * 1e3:6.2f}  {apart:+.1%}")
    return int(told > 0)


if __name__ == "__main__":
    sys.exit(main())
