"""The smarthost is refused, slow, or answers 4xx and 5xx: taking mail is not held up, nothing is
lost, and what goes to one reader about one ticket keeps its order.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from drills import ground
from drills.audit import Audit, Sent, audit, ident_of, sent
from drills.clock import Clock
from drills.ground import CUSTOMERS, ticket_of
from drills.process import daemon, until
from drills.senders import Client, Heard, Senders, compose
from drills.trouble import emptied
from fakes_smarthost import Faults, Sink

from gateway.demo.world import World

PEOPLE = 12
STEP = 0.1  # seconds between two steps of a clock that runs faster
LATENCY = 3.0  # seconds before each reply of a slow smarthost
FAULTS = {
    "refused": {"refuse": True},
    "slow": {"latency": LATENCY},
    "drips": {"bytes_per_second": 20.0},
    "4xx": {"reply": {"DOT": "451 4.3.0 later"}},
    "hangs up": {"hang_up": "DOT"},
    "now and then 4xx": {"once": {"DOT": "451 4.3.0 later"}},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said to senders meanwhile, and what came of the replies."""

    accepted: int
    slowest: dict[str, float]  # p99 of accepting under each fault
    audit: Audit
    sent: Sent
    counted: int  # mails that may have gone twice, by the gateway's own count
    disordered: int  # mails that overtook an earlier one to the same reader about the same ticket

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        kept = not (self.sent.lost or self.sent.waiting) and self.sent.copies <= self.counted
        quick = all(seconds < LATENCY for seconds in self.slowest.values())
        return self.accepted > 0 and self.audit.clean and kept and quick and not self.disordered

    @property
    def words(self) -> str:
        """One line for the table."""
        slowest = ", ".join(f"{name} {s * 1000:.0f} ms" for name, s in self.slowest.items())
        return (
            f"{self.accepted} accepted, p99 of accepting: {slowest}; out: {self.sent.rows} rows,"
            f" {self.sent.lost} lost, {self.sent.waiting} waiting, {self.sent.copies} copies"
            f" ({self.counted} counted), {self.disordered} out of order"
            + (f"; {self.audit.words}" if self.audit.words else "")
        )


async def drill(
    folder: Path, seconds: float = 4.0, unsafe: str | None = None, hours: float = 0.0
) -> Outcome:
    """`seconds` of each fault under senders, then a smarthost that works.

    `hours`: so much time passes meanwhile by the gateway's clock, and rows are tried again at the
    times of a gateway as it is shipped.
    """
    made = ground.build(folder, PEOPLE)
    slowest: dict[str, float] = {}
    clock = Clock(folder) if hours else None
    environment = clock.environment if clock else None
    async with (
        Sink(port=made.sink_port) as sink,
        daemon(made.config, environment) as held,
        _hastened(clock, hours, seconds * len(FAULTS)),
    ):
        await held.start(unsafe=unsafe, hurry=not hours)
        senders = Senders(lambda: made.smtp_port, PEOPLE, 3, pause=0.1)
        senders.start(3)
        try:
            for name, fault in FAULTS.items():
                sink.faults = Faults(**fault)
                senders.heard.seconds.clear()
                await _weather(sink, name, seconds)
                slowest[name] = senders.heard.slowest()
            await senders.finish()
            await _pairs(made, sink, senders.heard)
            sink.faults = Faults()
            left = await emptied(made.folder, 90.0, clock)
            counted = await asyncio.to_thread(_counted, made.folder / "portiere.db")
            await held.stop()
        finally:
            await senders.cancel()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    taken = [mail.raw for mail in sink.mails]
    return Outcome(
        len(senders.heard.accepted),
        slowest,
        audit(url, made.folder / "blobs", senders.heard),
        replace(sent(url, taken), waiting=left),
        counted,
        _disordered(made.folder, taken),
    )


@contextlib.asynccontextmanager
async def _hastened(clock: Clock | None, hours: float, seconds: float) -> AsyncIterator[None]:
    """The gateway's clock runs so much faster that `hours` pass in `seconds`."""

    async def run(clock: Clock) -> None:
        step = timedelta(hours=hours) / max(1.0, seconds / STEP)
        while True:
            await asyncio.sleep(STEP)
            clock.step(step)

    running = asyncio.create_task(run(clock)) if clock else None
    try:
        yield
    finally:
        if running is not None:
            running.cancel()


async def _weather(sink: Sink, name: str, seconds: float) -> None:
    """So long of one fault; a fault that happens once happens again and again."""
    fault = FAULTS[name]
    for _ in range(int(seconds / 0.1)):
        if "once" in fault:
            sink.faults.once.update(fault["once"])
        await asyncio.sleep(0.1)


async def _pairs(made: World, sink: Sink, heard: Heard) -> None:
    """Two replies about one ticket wait for the smarthost, for each of many tickets."""
    sink.faults = Faults(reply={"DOT": "451 4.3.0 later"})
    path = made.folder / "portiere.db"
    client = await Client.open(made.smtp_port, CUSTOMERS)
    for person in range(PEOPLE):
        first = compose(f"pair{person}", "open", person)
        heard.tried[first.ident] = first
        if await client.mail(first) != 250:
            break
        second = compose(f"second{person}", "thread", person)
        heard.tried[second.ident] = second
        number = await asyncio.to_thread(_ticket, path, first.ident)
        raw = second.raw.replace(ticket_of(person).encode(), number.encode())
        await client.mail(replace(second, raw=raw))
    client.close()
    await asyncio.to_thread(_hasten, path)
    await asyncio.sleep(2.0)  # so that the first ones wait for their next try


def _ticket(path: Path, ident: str) -> str:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT ticket FROM mails WHERE message_id = ?", (ident,))
    number = str(found.fetchone()[0])
    connection.close()
    return number


def _hasten(path: Path) -> None:
    """What was put off for some minutes is due now."""
    connection = sqlite3.connect(path, timeout=30)
    with connection:
        connection.execute("UPDATE outbox SET due = created_at WHERE state = 'due' AND tries = 0")
    connection.close()


def _counted(path: Path) -> int:
    """Mails that may have gone twice, as the gateway has written it down."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT coalesce(sum(doubts), 0) FROM outbox").fetchone()[0])
    finally:
        connection.close()


async def refused_for_good(folder: Path) -> tuple[int, int, int]:
    """Replies that the smarthost answered 5xx: how many are failed, how many of these staff can
    see, and how many wait because their reader's address has failed before.
    """
    made = ground.build(folder, PEOPLE)
    async with Sink(port=made.sink_port) as sink, daemon(made.config) as held:
        sink.faults.reply["RCPT"] = "550 5.1.1 no such user"
        await held.start(hurry=True)
        senders = Senders(lambda: made.smtp_port, PEOPLE, 3)
        senders.start(2, 5, "o")
        await senders.done()
        await until(lambda: sum(_failed(made.folder)[::2]) >= 10)
        await held.stop()
    return _failed(made.folder)


def _failed(folder: Path) -> tuple[int, int, int]:
    connection = sqlite3.connect(f"{(folder / 'portiere.db').as_uri()}?mode=ro", uri=True)
    asked = (
        "SELECT count(*) FROM outbox WHERE state = 'failed'",
        "SELECT count(*) FROM outbox o WHERE state = 'failed' AND EXISTS (SELECT 1 FROM entries e"
        " WHERE e.ticket = o.ticket AND e.by = 'system' AND e.kind = 'event')",
        "SELECT count(*) FROM outbox WHERE state = 'held'",
    )
    found = [int(connection.execute(each).fetchone()[0]) for each in asked]
    connection.close()
    return found[0], found[1], found[2]


def _disordered(folder: Path, taken: list[bytes]) -> int:
    """Compare first arrivals with the order in which they were queued."""
    connection = sqlite3.connect(folder / "portiere.db")
    rows = connection.execute(
        "SELECT o.message_id, m.ticket, o.recipient, o.id FROM outbox o"
        " JOIN mails m ON m.mail = o.mail WHERE m.ticket IS NOT NULL"
    ).fetchall()
    connection.close()
    place = {ident: (ticket, to, number) for ident, ticket, to, number in rows}
    newest: dict[tuple[str, str], int] = {}
    disordered = 0
    for ident in dict.fromkeys(ident_of(raw) for raw in taken):
        if ident in place:
            ticket, to, number = place[ident]
            disordered += number < newest.get((ticket, to), 0)
            newest[ticket, to] = max(number, newest.get((ticket, to), 0))
    return disordered
