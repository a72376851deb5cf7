"""kill -9 at random moments and at named points, under senders that insist: nothing that was
accepted is lost, nothing is doubled.

`make drill-crash` is the long form.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.audit import Audit, Sent, audit, sent
from drills.daemon import POINTS
from drills.process import Daemon, daemon
from drills.senders import Senders
from fakes_smarthost import Sink


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard."""

    kills: int = 20
    mails: int = 0  # at least so many accepted; the kills go on until then
    seconds: float = 1e9  # no kill after this
    senders: int = 16
    people: int = 200
    seed: int = 1
    points: bool = True  # every second kill is at a named point
    between: float = 0.5  # seconds of work between two kills, on average
    unsafe: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    kills: int
    accepted: int
    cut: int
    audit: Audit
    sent: Sent
    first_ready: float
    slowest_ready: float
    median_ready: float
    seconds: float
    at: dict[str, int]

    @property
    def clean(self) -> bool:
        """Whether the promise held, in and out."""
        out = self.sent
        return self.audit.clean and not (out.lost or out.uncounted or out.waiting)

    @property
    def words(self) -> str:
        """One line for the table."""
        wrong = self.audit.words
        return (
            f"{self.kills} kills, {self.accepted:,} accepted: {self.audit.lost} lost,"
            f" {self.audit.doubled_tickets} doubled tickets,"
            f" {self.audit.doubled_replies} doubled replies;"
            f" out: {self.sent.lost} lost, {self.sent.copies} copies,"
            f" {self.sent.uncounted} of them uncounted, {self.sent.waiting} waiting;"
            f" ready again after {self.median_ready:.2f} s (median),"
            f" {self.slowest_ready:.2f} s (worst)" + (f"; {wrong}" if wrong else "")
        )


async def drill(folder: Path, plan: Plan) -> Outcome:
    """A world in `folder`, senders, and kills."""
    begun = time.perf_counter()
    chance = random.Random(plan.seed)
    made = ground.build(folder, plan.people)
    senders = Senders(lambda: made.smtp_port, plan.people, plan.seed)
    async with Sink(port=made.sink_port) as sink, daemon(made.config) as held:
        try:
            await held.start(unsafe=plan.unsafe, hurry=True)
            senders.start(plan.senders)
            at = await _kills(held, senders, plan, chance)
            await senders.finish()
            await _emptied(made.folder, held)
            await held.stop()
        finally:
            await senders.cancel()
        url = f"sqlite:///{made.folder / 'portiere.db'}"
        looked = await asyncio.to_thread(audit, url, made.folder / "blobs", senders.heard)
        gone = await asyncio.to_thread(sent, url, [mail.raw for mail in sink.mails])
    again = sorted(held.ready_seconds[1:] or held.ready_seconds)
    return Outcome(
        kills=sum(at.values()),
        accepted=len(senders.heard.accepted),
        cut=senders.heard.cut,
        audit=looked,
        sent=gone,
        first_ready=held.ready_seconds[0],
        slowest_ready=again[-1],
        median_ready=again[len(again) // 2],
        seconds=time.perf_counter() - begun,
        at=at,
    )


async def _kills(
    held: Daemon, senders: Senders, plan: Plan, chance: random.Random
) -> dict[str, int]:
    """How many at each place; the gateway runs when this returns."""
    begun = time.perf_counter()
    at: dict[str, int] = {}
    point: str | None = None
    while sum(at.values()) < plan.kills or len(senders.heard.accepted) < plan.mails:
        if time.perf_counter() - begun > plan.seconds:
            break
        if point is None:
            await asyncio.sleep(chance.uniform(0.0, 2 * plan.between))
            await held.kill()
        elif not await _fell(held):
            await held.kill()
            point = None  # it was never reached: an ordinary kill
        name = point or "anywhere"
        at[name] = at.get(name, 0) + 1
        over = time.perf_counter() - begun > plan.seconds or (
            sum(at.values()) >= plan.kills and len(senders.heard.accepted) >= plan.mails
        )
        named = plan.points and chance.random() < 0.5 and not over
        point = chance.choice(POINTS) if named else None
        await held.start(
            point=point,
            after=chance.randint(1, int(80 * plan.between) or 1),
            unsafe=plan.unsafe,
            hurry=True,
        )
    return at


async def _fell(held: Daemon) -> bool:
    """Whether it has killed itself, within some seconds."""
    try:
        await held.ended(3.0)
    except TimeoutError:
        return False
    return True


async def _emptied(folder: Path, held: Daemon) -> None:
    """Wait until the outbox is empty, or nothing moves any more."""
    url = f"sqlite:///{folder / 'portiere.db'}"
    before, since = -1, time.perf_counter()
    while (left := (await asyncio.to_thread(sent, url, ())).waiting) and held.pid:
        if left != before:
            before, since = left, time.perf_counter()
        if time.perf_counter() - since > 45.0:
            return
        await asyncio.sleep(0.2)
