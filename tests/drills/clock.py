"""The clock of the machine is put forward and back, by an hour, a day, ten years, and stands at
both ends of summer time: what waits goes out at its time, caps hold, replies fall due in office
hours, nobody is told twice, and nothing is lost.

The gateway's time of day is the drill's (clock.c); what counts intervals is not.
"""

import asyncio
import mmap
import sqlite3
import struct
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from drills import ground
from drills.audit import audit
from drills.ground import CUSTOMERS, customer
from drills.process import Daemon, daemon, until
from drills.senders import Client, Heard, Post, compose
from drills.sync_order import COMPILER
from fakes_smarthost import Faults, Sink

from gateway.demo.world import World

PEOPLE = 30
CAP = 2  # automatic replies to one account in a day
MINUTES = 90  # office minutes within which a reply is due
ROME = ZoneInfo("Europe/Rome")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEARS = 3653 * DAY
LATER = {"DOT": "451 4.3.0 later"}

WEDNESDAY = datetime(2026, 3, 18, 10, tzinfo=UTC)
# Around the nights on which the clocks change; the office of this drill is open then.
CHANGES = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # the evening before
    datetime(2026, 3, 29, 0, 20, tzinfo=UTC),  # 1:20, before 2:00 becomes 3:00
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # 3:00, the first moment after it
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 2:30, for the first time
    datetime(2026, 10, 25, 1, 20, tzinfo=UTC),  # 2:20, for the second time
    datetime(2026, 10, 25, 2, 30, tzinfo=UTC),  # 3:30: too late for that night's office
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was right, and what was not."""

    held: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether everything was right."""
        return bool(self.held) and not self.broken

    @property
    def words(self) -> str:
        """One line for the table."""
        wrong = f"; wrong: {', '.join(self.broken)}" if self.broken else ""
        return f"right: {', '.join(self.held)}{wrong}"


class Clock:
    """The time of day of a gateway that was started with `environment`."""

    def __init__(self, folder: Path) -> None:
        """At the time of the system until it is set."""
        path = folder / "clock"
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(_compiled(folder)), "DRILL_CLOCK": str(path)}

    @property
    def now(self) -> datetime:
        """What the gateway takes for now."""
        (offset,) = struct.unpack("<q", self._page[:8])
        return datetime.fromtimestamp(time.time() + offset / 1e9, UTC)

    def set(self, moment: datetime) -> None:
        """Put it there."""
        self._page[:8] = struct.pack("<q", int((moment.timestamp() - time.time()) * 1e9))

    def step(self, by: timedelta) -> None:
        """Put it forward, or back."""
        (offset,) = struct.unpack("<q", self._page[:8])
        self._page[:8] = struct.pack("<q", offset + int(by.total_seconds() * 1e9))


def _compiled(folder: Path) -> Path:
    assert COMPILER
    target, source = folder / "clock.so", Path(__file__).with_name("clock.c")
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(target), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return target


async def drill(folder: Path, unsafe: str | None = None) -> Outcome:
    """Each of the troubles, one after the other, in one gateway that is never restarted."""
    made = ground.build(folder, PEOPLE)
    _office(made.folder / "policies" / "routing.toml")
    clock = Clock(folder)
    clock.set(WEDNESDAY)
    async with Sink(port=made.sink_port) as sink, daemon(made.config, clock.environment) as held:
        await held.start(unsafe=unsafe, ticks=0.3)
        day = _Day(made, clock, sink, held)
        await day.timers()
        await day.caps()
        await day.overdue()
        await day.summer_time()
        await day.years()
        await day.end()
    return Outcome(tuple(day.held), tuple(day.broken))


def _office(routing: Path) -> None:
    """A cap that is soon reached, and an office that is open while the clocks change."""
    text = routing.read_text()
    for old, new in (
        ("medium = 1000000 ", f"medium = {CAP} "),
        ("mail_minutes = 30", f"mail_minutes = {MINUTES}"),
        ("panel_minutes = 10", f"panel_minutes = {MINUTES}"),
        ("[first_reply]", 'hours.sunday = ["1:00-4:00"]\n\n[first_reply]'),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    routing.write_text(text)


class _Day:
    """The drill's own, step by step."""

    def __init__(self, made: World, clock: Clock, sink: Sink, held: Daemon) -> None:
        self.held: list[str] = []
        self.broken: list[str] = []
        self._made, self._clock, self._sink, self._gateway = made, clock, sink, held
        self._path = made.folder / "portiere.db"
        self._heard = Heard()
        self._number = 0

    async def timers(self) -> None:
        """A try is due in half a minute: not earlier, at once after an hour, and after a day
        back.
        """
        self._sink.faults = Faults(reply=LATER)
        first = await self._mail(1)
        await until(lambda: self._of(first, "tries > 0 AND owner IS NULL"))
        await asyncio.sleep(2.5)
        self._say("a try waits for its time", self._of(first, "tries = 1"))
        self._clock.step(HOUR)
        went = await until(lambda: self._of(first, "tries = 2 AND owner IS NULL"), 10)
        self._say("an hour forward: tried at once", went)
        self._clock.step(-DAY)
        self._sink.faults = Faults()
        went = await until(lambda: self._of(first, "state = 'sent'"), 12)
        self._say("a day back: tried all the same", went)

    async def caps(self) -> None:
        """No more than the cap within a day of the clock, and again after it."""
        start = len(self._replies(2))
        for _ in range(CAP + 2):
            await self._mail(2)
        self._say("a cap is kept", len(self._replies(2)) - start == CAP)
        self._clock.step(25 * HOUR)
        for _ in range(CAP + 2):
            await self._mail(2)
        self._say("replies go on after a day", len(self._replies(2)) - start == 2 * CAP)
        self._clock.step(-DAY)
        for _ in range(CAP):
            await self._mail(2)
        self._clock.step(HOUR)
        for _ in range(CAP):
            await self._mail(2)
        self._say("no more of them after a day back", len(self._replies(2)) - start == 2 * CAP)

    async def overdue(self) -> None:
        """Staff are told once, when the reply is overdue and not before."""
        self._clock.set(datetime(2026, 3, 20, 14, tzinfo=UTC))  # a Friday, 15:00
        ident = await self._mail(3)
        await asyncio.sleep(1.0)
        before = self._told(ident)
        self._clock.set(datetime(2026, 3, 20, 16, tzinfo=UTC))
        told = await until(lambda: self._told(ident) == 1, 12)
        self._clock.step(-HOUR)
        await asyncio.sleep(1.0)
        self._clock.step(2 * HOUR)
        await asyncio.sleep(1.5)
        self._say("staff are told once", told and not before and self._told(ident) == 1)

    async def summer_time(self) -> None:
        """Replies fall due after so many minutes of an open office, counted one by one."""
        for number, moment in enumerate(CHANGES):
            self._clock.set(moment)
            ident = await self._mail(4 + number)
            arrived, due = self._due(ident)
            right = abs(due - _walked(arrived, MINUTES)) < timedelta(seconds=1)
            at = moment.astimezone(ROME).strftime("%d %B %H:%M %Z")
            self._say("summer time" if right else f"due at {due} for {at}", right)

    async def years(self) -> None:
        """Ten years forward and back: mail is taken, sent and answered for on both sides."""
        self._clock.set(WEDNESDAY + 5 * DAY)
        for step, what in ((YEARS, "ten years forward"), (-YEARS, "ten years back")):
            self._clock.step(step)
            person = 20 + (step < timedelta(0))
            ident = await self._mail(person)
            sent = await until(lambda ident=ident: self._of(ident, "state = 'sent'"), 12)
            self._say(f"{what}: taken and sent", sent)
        jobs = await until(self._jobs_go_on, 12)
        self._say("jobs go on", jobs)

    async def end(self) -> None:
        """Nothing was lost, and nothing waits."""
        self._say("nothing failed in it", '"level": "error"' not in self._gateway.log)
        await self._gateway.stop()
        url = f"sqlite:///{self._path}"
        found = await asyncio.to_thread(audit, url, self._made.folder / "blobs", self._heard)
        found = replace(found, missing_replies=0)  # what is over a cap is not sent
        self._say(found.words or "nothing lost or doubled", found.clean)

    # ---- what is done, and what is seen

    def _say(self, what: str, right: bool) -> None:
        where = self.held if right else self.broken
        if what not in where:
            where.append(what)

    async def _mail(self, person: int) -> str:
        self._number += 1
        post = compose(f"c{self._number}", "open", person)
        await self._sent(post)
        return post.ident

    async def _sent(self, post: Post) -> None:
        client = await Client.open(self._made.smtp_port, CUSTOMERS)
        self._heard.tried[post.ident] = post
        code = await client.mail(post)
        client.close()
        if code == 250:
            self._heard.accepted[post.ident] = post
        else:
            self.broken.append(f"a mail heard {code}")

    def _ask(self, words: str, *values: object) -> list[tuple[int, ...]]:
        connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute(words, values).fetchall()
        finally:
            connection.close()

    def _of(self, ident: str, condition: str) -> bool:
        words = (
            "SELECT 1 FROM outbox o JOIN mails m ON m.mail = o.mail"
            f" WHERE m.message_id = ? AND o.{condition.replace('AND ', 'AND o.')}"
        )
        return bool(self._ask(words, ident))

    def _replies(self, person: int) -> list[tuple[int, ...]]:
        return self._ask("SELECT id FROM outbox WHERE recipient = ?", customer(person))

    def _told(self, ident: str) -> int:
        """How often staff were told that the first reply to this mail is overdue."""
        words = (
            "SELECT count(*) FROM entries e JOIN mails m ON m.ticket = e.ticket"
            " WHERE m.message_id = ? AND e.by = 'system' AND e.text LIKE '%overdue%'"
        )
        return self._ask(words, ident)[0][0]

    def _due(self, ident: str) -> tuple[datetime, datetime]:
        words = (
            "SELECT m.received_at, t.reply_due FROM mails m JOIN tickets t ON t.number = m.ticket"
            " WHERE m.message_id = ?"
        )
        arrived, due = self._ask(words, ident)[0]
        return datetime.fromtimestamp(arrived / 1e6, UTC), datetime.fromtimestamp(due / 1e6, UTC)

    def _jobs_go_on(self) -> bool:
        """Every job that comes every minute was done by the clock as it stands now."""
        now = self._clock.now
        done = self._ask("SELECT done_at FROM jobs WHERE name = 'overdue tickets'")
        return any(abs(now.timestamp() - at / 1e6) < 120 for (at,) in done)


def _walked(start: datetime, minutes: int) -> datetime:
    """So many minutes of an open office later, found by walking second by second."""
    left, moment = minutes * 60, start
    while left:
        local = moment.astimezone(ROME)
        if local.weekday() == 6:
            left -= 1 <= local.hour < 4
        elif local.weekday() < 5:
            left -= (9, 0) <= (local.hour, local.minute) < (17, 30)
        moment += timedelta(seconds=1)
    return moment
