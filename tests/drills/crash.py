"""kill -9 at random moments and at named points, under senders that insist: nothing that was
accepted is lost, nothing is doubled.

`make drill-crash` is the long form. It may be stopped, and goes on where it was.
"""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.audit import Audit, Sent, audit, sent_of
from drills.daemon import POINTS
from drills.ledger import Ledger, Receiver
from drills.process import Daemon, daemon
from drills.senders import Senders
from drills.trouble import emptied

from gateway.demo.world import World

MIX = "oooootttoqoatoooottooooo" * 4 + "L"


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard."""

    kills: int = 20
    mails: int = 0  # at least so many accepted; the kills go on until then
    minutes: float = 1e9  # no kill after this
    each: int = 20  # mails between two kills, on average
    senders: int = 16
    people: int = 200
    seed: int = 1
    unsafe: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    kills: dict[str, int]  # by the point at which it was killed
    accepted: int
    cut: int
    audit: Audit
    sent: Sent
    slowest_ready: float
    median_ready: float
    minutes: float
    runs: int

    @property
    def clean(self) -> bool:
        """Whether the promise held, in and out."""
        out = self.sent
        return self.audit.clean and not (out.lost or out.uncounted or out.waiting)

    @property
    def words(self) -> str:
        """One line for the table."""
        done = sum(self.kills.values())
        short = done < self.plan.kills or self.accepted < self.plan.mails
        wanted = f" of {self.plan.kills:,} kills and {self.plan.mails:,} mails" if short else ""
        named = done - self.kills.get("anywhere", 0)
        return (
            (f"stopped early{wanted}: " if short else "")
            + f"{done:,} kills ({named:,} at {len(self.kills) - ('anywhere' in self.kills)} named"
            f" points), {self.accepted:,} accepted: {self.audit.lost} lost,"
            f" {self.audit.doubled_tickets} doubled tickets,"
            f" {self.audit.doubled_replies} doubled replies;"
            f" out: {self.sent.rows:,} rows, {self.sent.lost} lost, {self.sent.copies} copies,"
            f" {self.sent.uncounted} of them uncounted, {self.sent.waiting} waiting;"
            f" ready again after {self.median_ready:.2f} s (median),"
            f" {self.slowest_ready:.2f} s (worst); {self.minutes:.1f} minutes"
            + (f"; {self.audit.words}" if self.audit.words else "")
        )


async def drill(folder: Path, plan: Plan) -> Outcome:
    """A world in `folder`, senders, and kills; an earlier run in that folder goes on."""
    begun = time.perf_counter()
    made = _world(folder, plan.people)
    ledger = Ledger(folder / "ledger.txt")
    seed = plan.seed + 7919 * (ledger.run() - 1)
    senders = Senders(lambda: made.smtp_port, plan.people, seed, heard=ledger.heard)
    async with Receiver(made.sink_port, ledger), daemon(made.config) as held:
        try:
            await held.start(unsafe=plan.unsafe, hurry=True)
            senders.start(plan.senders, mix=MIX)
            await _kills(held, plan, ledger, random.Random(seed))
            await senders.finish()
            await _drained(made.folder)
            await held.stop()
        finally:
            await senders.cancel()
    ledger.close()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    again = sorted(held.ready_seconds[1:] or held.ready_seconds)
    return Outcome(
        plan=plan,
        kills=dict(ledger.kills),
        accepted=len(ledger.heard.accepted),
        cut=ledger.heard.cut,
        audit=await asyncio.to_thread(audit, url, made.folder / "blobs", ledger.heard),
        sent=await asyncio.to_thread(sent_of, url, ledger.arrived),
        slowest_ready=again[-1],
        median_ready=again[len(again) // 2],
        minutes=(time.perf_counter() - begun) / 60,
        runs=ledger.runs,
    )


def _world(folder: Path, people: int) -> World:
    if (folder / "ledger.txt").exists():
        return ground.reopen(folder)
    made = ground.build(folder, people)
    ground.configure(made, ('format = "json"', 'format = "json"\nlevel = "warning"'))
    return made


async def _kills(held: Daemon, plan: Plan, ledger: Ledger, chance: random.Random) -> None:
    """Until there were enough; the gateway runs when this returns."""
    ends = time.perf_counter() + plan.minutes * 60
    accepted, point = ledger.heard.accepted, None

    def enough() -> bool:
        return ledger.kills.total() >= plan.kills and len(accepted) >= plan.mails

    while not enough() and time.perf_counter() < ends:
        if point is None:
            until = len(accepted) + chance.randint(0, 2 * plan.each)
            await _came(lambda until=until: len(accepted) >= until)
            await asyncio.sleep(chance.uniform(0.0, 0.02))
            await held.kill()
        elif not await _fell(held, 8.0 + plan.each / 20):
            await held.kill()
            point = None  # it was never reached: an ordinary kill
        assert held.statuses[-1] == -signal.SIGKILL, held.log[-4000:]
        ledger.killed(point or "anywhere")
        over = enough() or time.perf_counter() >= ends
        named = chance.random() < 0.5 and not over
        point = chance.choice(POINTS) if named else None
        after = chance.randint(1, max(1, plan.each))
        await held.start(point=point, after=after, unsafe=plan.unsafe, hurry=True)


async def _came(what: Callable[[], bool], seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.005)):
        if what():
            return
        await asyncio.sleep(0.005)


async def _fell(held: Daemon, seconds: float) -> bool:
    """Whether it has killed itself, within some seconds."""
    try:
        await held.ended(seconds)
    except TimeoutError:
        return False
    return True


async def _drained(folder: Path) -> None:
    """Wait until the outbox is empty, or nothing moves any more."""
    left, before = -1, -2
    while left and left != before:
        before, left = left, await emptied(folder, 45.0)
