"""Mails that are made to exhaust whoever reads them, through the whole gateway: each is answered,
stored or refused by a rule, and takes a bounded share of memory and processor time.
"""

import asyncio
import base64
import importlib.util
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drills import gauges, ground
from drills.ground import STRANGERS
from drills.process import Daemon, daemon
from drills.senders import Client, dotted
from fakes_smarthost import Sink
from tests_support import SUITES

MEMORY, SECONDS = 256.0, 1.0  # the goals: MB, and seconds of processor time for each mail
BEARABLE = 3.0  # times the goal: a slow or busy machine is no reason to be red
ROOM = 1.25  # the same for memory: the drill's own imports are part of the process
MB = 1 << 20
HEAD = (
    f"From: <bomb@{STRANGERS}>\r\nTo: <support@host.example>\r\nMIME-Version: 1.0\r\n"
    "Subject: Nameserver\r\nMessage-ID: <@@@>\r\n"
).encode()
BASE64 = b"Content-Transfer-Encoding: base64\r\n"


def _html(inner: bytes) -> bytes:
    return HEAD + b"Content-Type: text/html\r\n\r\n" + inner


def _levels(count: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(count)
    )
    return HEAD + opened + b"\r\nhello\r\n"


def _letters_in_letters(count: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" * count + b"\r\nhello\r\n"


def _parts(count: int) -> bytes:
    inner = b"--b\r\n\r\nhello\r\n" * count
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + inner + b"--b--\r\n"


def _attachment(name: str, content: bytes) -> bytes:
    lines = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = f'Content-Type: application/zip; name="{name}"\r\n'.encode()
    return HEAD + head + BASE64 + b"\r\n" + lines


def _zipped(megabytes: int) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(megabytes * MB))
    return held.getvalue()


def _encoded(text: bytes, kind: bytes = b"text/plain") -> bytes:
    lines = base64.encodebytes(text).replace(b"\n", b"\r\n")
    return HEAD + b"Content-Type: " + kind + b"; charset=utf-8\r\n" + BASE64 + b"\r\n" + lines


BOMBS: dict[str, Callable[[], bytes]] = {
    "nested 20,000 deep": lambda: _levels(20_000),
    "letters in letters, 20,000 deep": lambda: _letters_in_letters(20_000),
    "1,000,000 parts": lambda: _parts(1_000_000),
    "400,000 header fields": lambda: HEAD + b"X-A: b\r\n" * 400_000 + b"\r\nhello\r\n",
    "a field of 30 MB": lambda: HEAD + b"X-A: " + b"b" * 30 * MB + b"\r\n\r\nhello\r\n",
    "a line of 34 MB": lambda: HEAD + b"\r\n" + b"word " * (34 * MB // 5) + b"\r\n",
    "34 MB of empty lines": lambda: HEAD + b"\r\n" + b"\r\n" * 17 * MB,
    "34 MB of dots": lambda: HEAD + b"\r\n" + b".\r\n" * 11 * MB,
    "24 MB of text under Base64": lambda: _encoded(b"parola\n" * (24 * MB // 7)),
    "24 MB of HTML under Base64": lambda: _encoded(b"<p>x</p>" * 3 * MB, b"text/html"),
    "HTML nested 3,000,000 deep": lambda: _html(b"<div>" * 3_000_000),
    "HTML of open comments": lambda: _html(b"<!-- <![if " * 2 * MB),
    "HTML of 2,000,000 entities": lambda: _html(b"&amp;lt;&#x1F600;" * 2_000_000),
    "a table of 200,000 cells": lambda: _html(b"<table>" + b"<tr><td>x" * 200_000),
    "200,000 encoded words": lambda: (
        HEAD + b"Comments: " + b"=?utf-8?b?4pyT?= \r\n " * 200_000 + b"\r\n\r\nhello\r\n"
    ),
    "20 MB of commas in To": lambda: HEAD + b"Cc: " + b"," * 20 * MB + b"\r\n\r\nhello\r\n",
    "quoted 500,000 deep": lambda: HEAD + b"\r\n" + b">" * 500_000 + b" hello\r\n",
    "20 MB of quotation": lambda: HEAD + b"\r\n" + b"> On Monday a@b wrote:\r\n" * 900_000,
    "a zip of 1 GB in 1 MB": lambda: _attachment("a.zip", _zipped(1024)),
    "10,000 Received fields": lambda: b"Received: from a by b; x\r\n" * 10_000 + HEAD + b"\r\nx",
    "over the size limit": lambda: HEAD + b"\r\n" + (b"x" * 98 + b"\r\n") * 400_000,
}


@dataclass(frozen=True, slots=True)
class Felt:
    """What one mail did."""

    name: str
    code: int
    cpu: float
    memory: float  # the most while it was there
    stored: int  # rows of mails that came of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of them."""

    felt: tuple[Felt, ...]
    failed: int  # kept with an error of ours
    alive: bool

    @property
    def wrong(self) -> list[str]:
        """Mails that were not answered, or answered and not kept."""
        return [
            f"{one.name} heard {one.code}, {one.stored} stored"
            for one in self.felt
            if not one.code or (one.code == 250) != (one.stored == 1)
        ]

    @property
    def clean(self) -> bool:
        """Whether all was borne."""
        bounded = all(one.cpu <= SECONDS * BEARABLE for one in self.felt)
        kept = not (self.wrong or self.failed) and self.alive
        return bounded and kept and self.memory <= MEMORY * ROOM

    @property
    def memory(self) -> float:
        """The most that any of them took."""
        return max(one.memory for one in self.felt)

    @property
    def words(self) -> str:
        """One line for the table."""
        worst = sorted(self.felt, key=lambda one: -one.cpu)[:3]
        over = sum(one.cpu > SECONDS for one in self.felt)
        taken = sum(one.code == 250 for one in self.felt)
        most = ", ".join(f"{one.name} {one.cpu:.1f} s" for one in worst)
        large = sorted(self.felt, key=lambda one: -one.memory)[:3]
        room = ", ".join(f"{one.name} {one.memory:.0f} MB" for one in large)
        wrong = f"; wrong: {', '.join(self.wrong)}" if self.wrong else ""
        return (
            f"{len(self.felt)} mails: {taken} stored, {len(self.felt) - taken} refused by rule;"
            f" processor time at most: {most} (goal 1 s, {over} above it);"
            f" memory at most: {room} (goal 256); {self.failed} failed"
            f"{wrong}{'' if self.alive else '; the gateway died'}"
        )


async def drill(folder: Path, unsafe: str | None = None) -> Outcome:
    """One mail after the other."""
    made = ground.build(folder, 20)
    felt = []
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start(unsafe=unsafe)
        path = made.folder / "portiere.db"
        for number, (name, make) in enumerate(_every(few=bool(unsafe))):
            raw = make().replace(b"<@@@>", f"<bomb{number}@{STRANGERS}>".encode())
            felt.append(await _felt(held, path, made.smtp_port, name, raw))
            if not felt[-1].code:
                break
        alive = _running(held)
        await held.kill()
    return Outcome(tuple(felt), count_mails(path, "WHERE state = 'failed'"), alive)


def _every(few: bool) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Our own, and those of the suite of attacks where it is there."""
    if few:
        wanted = ("nested 20,000 deep", "1,000,000 parts", "letters in letters, 20,000 deep")
        yield from ((name, BOMBS[name]) for name in wanted)
        return
    yield from BOMBS.items()
    if not SUITES.is_dir():
        return
    folder = SUITES / "attacks"
    spec = importlib.util.spec_from_file_location("attack_builder", folder / "build.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    for line in (folder / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["group"] == "bomb" and not case["gen"]["kind"].startswith(("smtp", "seq")):
            yield case["id"], lambda gen=case["gen"]: builder.build(gen)


async def _felt(held: Daemon, path: Path, port: int, name: str, raw: bytes) -> Felt:
    rows = count_mails(path)
    gauges.reset(held.pid)
    cpu = gauges.cpu(held.pid)
    code = await _sent(port, raw)
    await asyncio.sleep(0.1)
    if not _running(held):
        return Felt(name, 0, 0.0, 0.0, 0)
    took, most = gauges.cpu(held.pid) - cpu, gauges.peak(held.pid)
    return Felt(name, code, took, most, count_mails(path) - rows)


async def _sent(port: int, raw: bytes) -> int:
    try:
        client = await Client.open(port, STRANGERS)
    except (OSError, ValueError, TimeoutError):
        return 0
    try:
        code = await client.begin(f"bomb@{STRANGERS}")
        if code != 354:
            return code
        said = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        client.writer.write(dotted(said))
        return (await client.reply())[0]
    except (OSError, ValueError, TimeoutError):
        return 0
    finally:
        client.close()


def _running(held: Daemon) -> bool:
    return bool(held.pid) and Path(f"/proc/{held.pid}").exists()


def count_mails(path: Path, condition: str = "") -> int:
    """Rows of mails."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute(f"SELECT count(*) FROM mails {condition}").fetchone()[0])
    finally:
        connection.close()
