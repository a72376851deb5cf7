"""The one who empties the outbox: claims rows, hands them on, writes down what became of them.

A row is a lease: a worker that dies loses it, and another one sends it. SMTP cannot be
exactly-once; where a mail may have gone twice, it carries the same Message-ID, and the case is
counted with the row. Events go to each follower by a worker of its own.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Generic, Protocol, TypeVar

from prometheus_client import Counter

from gateway import metrics
from gateway.deliver.smarthost import Bounced, Uncertain
from gateway.errors import Permanent, Temporary


class Lease(Protocol):
    """A row of the outbox that is ours for a while."""

    @property
    def id(self) -> int:
        """The row."""

    @property
    def to(self) -> str:
        """The one recipient."""

    @property
    def envelope_from(self) -> str:
        """The return path; `""` for the null one."""

    @property
    def raw(self) -> bytes:
        """The mail, with CRLF lines."""

    @property
    def message_id(self) -> str:
        """The same at every attempt."""

    @property
    def kind(self) -> str:
        """Of reply."""

    @property
    def tries(self) -> int:
        """Attempts so far, this one included."""

    @property
    def created_at(self) -> datetime:
        """When it was queued."""

    @property
    def maybe_twice(self) -> bool:
        """An earlier owner died with it, perhaps after sending."""


Row = TypeVar("Row", bound=Lease)


class Outbox(Protocol[Row]):
    """The store's side; its methods block, and are called in a thread."""

    def claim(
        self,
        owner: str,
        now: datetime,
        limit: int,
        lease: timedelta,
        carried: Collection[int] = (),
    ) -> Sequence[Row]:
        """At most `limit` rows that are due and none of `carried`, ours until `now + lease`."""

    def sent(self, lease: Row, now: datetime) -> object:
        """It went. False where the row is ours no more."""

    def retry(
        self, lease: Row, now: datetime, due: datetime, error: str, *, uncertain: bool
    ) -> object:
        """Again at `due`. `uncertain`: it may have gone already."""

    def failed(self, lease: Row, now: datetime, error: str, *, bounced: bool) -> object:
        """Never again; staff are told. `bounced`: the address itself was refused for good."""

    def renew(self, lease: Row, now: datetime, until: datetime) -> object:
        """Still being carried: ours until then. False where the row is ours no more."""

    def next_due(self) -> datetime | None:
        """When the earliest unsent row is due; a read, where `claim` writes."""


class Log(Protocol):
    """As much of a structured logger as this room uses."""

    def info(self, event: str, **fields: object) -> object:
        """Of interest to ops."""

    def warning(self, event: str, **fields: object) -> object:
        """Something that ops may want to change."""

    def error(self, event: str, **fields: object) -> object:
        """A fault of ours."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How hard it tries. Times are in seconds."""

    connections: int = 4
    poll_seconds: float = 2.0
    gather_seconds: float = 0.005  # what is queued and sent meanwhile is claimed at once
    lease_seconds: float = 60.0  # renewed while a row is carried: a dead gateway's come back soon
    send_seconds: float = 240.0
    first_delay_seconds: float = 30.0
    longest_delay_seconds: float = 1_800.0
    give_up_seconds: float = 120 * 3_600.0


class Lost(Exception):
    """The lease ended while the row was carried, and another worker has it."""


def delay(settings: WorkerSettings, tries: int, chance: float) -> float:
    """Seconds until the next attempt: doubled each time, a fifth of it by chance (0 to 1)."""
    doubled = settings.first_delay_seconds * 2.0 ** min(tries - 1, 30)
    return min(doubled, settings.longest_delay_seconds) * (0.9 + 0.2 * chance)


class Worker(Generic[Row]):
    """One for each process."""

    def __init__(
        self,
        outbox: Outbox[Row],
        carry: Callable[[Row], Awaitable[str]],
        owner: str,
        clock: Callable[[], datetime],
        log: Log,
        settings: WorkerSettings = WorkerSettings(),
        chance: Callable[[], float] = random.random,
        results: Counter = metrics.deliveries,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`carry` hands one row on: it raises `Temporary`, `Uncertain` or `Permanent`, or gives
        what the other side said. `owner` names this process in the leases; `clock` gives aware
        times; `results` counts attempts; `ticks` are seconds that nobody can put back.
        """
        self._outbox = outbox
        self._carry = carry
        self._results = results
        self._ticks = ticks
        self._owner = owner
        self._clock = clock
        self._log = log
        self._settings = settings
        self._chance = chance
        self._running: set[asyncio.Task[None]] = set()
        self._carrying: set[int] = set()  # rows whose outcome is not written down yet
        self._renewed: dict[int, float] = {}  # rows that we carry, and since when surely ours
        self._awake = asyncio.Event()
        self._stopping = False
        self._queued = False  # since the last claim: then it need not be asked whether any is due
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Work until `stop`; nothing that goes wrong ends it."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._awake.clear()
            claimed = await self._claim()
            for lease in claimed:
                self._start(lease)
            if not claimed or len(self._running) >= self._settings.connections:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), self._settings.poll_seconds)
                    await asyncio.sleep(self._settings.gather_seconds)

    def wake(self) -> None:
        """Something was queued; may be called from any thread."""
        self._queued = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._awake.set)

    async def stop(self, drain_seconds: float) -> None:
        """Claim no more, and wait for what is being sent; the rest comes back with its lease."""
        self._stopping = True
        self._awake.set()
        if self._running:
            await asyncio.wait(set(self._running), timeout=drain_seconds)
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    async def once(self) -> int:
        """Send what is due now, and wait for it; returns how many rows were tried."""
        claimed = await self._claim()
        for lease in claimed:
            self._start(lease)
        if self._running:
            await asyncio.wait(set(self._running))
        return len(claimed)

    def holds(self, lease: Row) -> bool:
        """Whether a row that is being carried is surely ours still: nobody else can have it.

        To be asked before the step that cannot be taken back. A process that stood still, or a
        machine that slept, finds its lease ended when it wakes.
        """
        since = self._renewed.get(lease.id)
        return since is not None and self._ticks() - since < self._settings.lease_seconds

    async def _claim(self) -> Sequence[Row]:
        free = self._settings.connections - len(self._running)
        if free <= 0:
            return ()
        before = self._ticks()
        try:
            claimed = await asyncio.to_thread(self._claimed, free, frozenset(self._carrying))
        except Exception as error:
            self._unwell("the outbox cannot be read", error)
            return ()
        self._renewed |= {lease.id: before for lease in claimed}
        return claimed

    def _claimed(self, limit: int, carried: Collection[int]) -> Sequence[Row]:
        now, queued, self._queued = self._clock(), self._queued, False
        if not queued and ((due := self._outbox.next_due()) is None or due > now):
            return ()
        lease = timedelta(seconds=self._settings.lease_seconds)
        return self._outbox.claim(self._owner, now, limit, lease, carried)

    def _start(self, lease: Row) -> None:
        self._carrying.add(lease.id)
        task = asyncio.get_running_loop().create_task(self._deliver(lease))
        self._running.add(task)
        task.add_done_callback(lambda task: self._ended(task, lease.id))

    def _ended(self, task: asyncio.Task[None], row: int) -> None:
        self._running.discard(task)
        self._carrying.discard(row)
        self._awake.set()  # a later row of the same ticket may be due now

    async def _deliver(self, lease: Row) -> None:
        """One attempt, and its outcome on the row."""
        try:
            async with asyncio.timeout(self._settings.send_seconds):
                said = await self._carried(lease)
        except Lost:
            self._log.warning("the lease ended while a row was carried", row=lease.id, to=lease.to)
        except Permanent as error:
            await self._fail(lease, str(error), bounced=isinstance(error, Bounced))
        except Uncertain as error:
            await self._again(lease, str(error), uncertain=True)
        except Temporary as error:
            await self._again(lease, str(error))
        except TimeoutError:
            await self._again(lease, "the other side took too long", uncertain=True)
        except Exception as error:  # a defect of ours must not lose the row
            metrics.defects.inc()
            self._log.error("delivery failed by a defect", row=lease.id, exc_info=error)
            await self._again(lease, f"defect: {type(error).__name__}")
        else:
            await self._sent(lease, said)

    async def _carried(self, lease: Row) -> str:
        """What the other side said; the lease is renewed meanwhile. Lost when that is refused."""
        if not self.holds(lease):
            raise Lost
        carrying = asyncio.ensure_future(self._carry(lease))
        renewing = asyncio.create_task(self._renewing(lease))
        try:
            await asyncio.wait((carrying, renewing), return_when=asyncio.FIRST_COMPLETED)
            if not carrying.done():
                raise Lost
            return carrying.result()
        finally:
            carrying.cancel()
            renewing.cancel()
            await asyncio.gather(carrying, renewing, return_exceptions=True)
            self._renewed.pop(lease.id, None)

    async def _renewing(self, lease: Row) -> None:
        """Until the row is ours no more. While the database is away nobody else can claim it."""
        length = timedelta(seconds=self._settings.lease_seconds)
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            before, now = self._ticks(), self._clock()
            try:
                ours = await asyncio.to_thread(self._outbox.renew, lease, now, now + length)
            except Exception as error:
                self._unwell("a lease cannot be renewed", error, lease.id)
                continue
            if ours is False:
                return
            self._renewed[lease.id] = before

    async def _sent(self, lease: Row, said: str) -> None:
        written = await self._write(lambda now: self._outbox.sent(lease, now))
        if not written:  # whoever claims the row counts it
            self._log.warning("sent, but not written down", row=lease.id, to=lease.to)
        self._note(lease, "sent", said)

    async def _again(self, lease: Row, error: str, *, uncertain: bool = False) -> None:
        if (self._clock() - lease.created_at).total_seconds() > self._settings.give_up_seconds:
            await self._fail(lease, f"given up: {error}", bounced=False)
            return
        wait = timedelta(seconds=delay(self._settings, max(1, lease.tries), self._chance()))
        await self._write(
            lambda now: self._outbox.retry(lease, now, now + wait, error, uncertain=uncertain)
        )
        self._note(lease, "retry", error)

    async def _fail(self, lease: Row, error: str, bounced: bool) -> None:
        await self._write(lambda now: self._outbox.failed(lease, now, error, bounced=bounced))
        self._note(lease, "failed", error)

    def _note(self, lease: Row, result: str, said: str) -> None:
        self._results.labels(result=result).inc()
        level = self._log.info if result == "sent" else self._log.warning
        level(
            f"delivery {result}",
            row=lease.id,
            to=lease.to,
            kind=lease.kind,
            message_id=lease.message_id,
            tries=lease.tries,
            said=said,
        )

    async def _write(self, write: Callable[[datetime], object]) -> bool:
        """Write an outcome down, whether the row was still ours. Again and again while the
        database is away: nobody here takes the row up meanwhile.
        """
        for pause in chain((0.1, 0.5, 2.0, 5.0, 10.0), repeat(20.0)):
            try:
                return await asyncio.to_thread(write, self._clock()) is not False
            except Exception as error:
                if not self._unwell("the outbox cannot be written", error):
                    return False  # it would be the same each time
            if self._stopping:
                return False
            await asyncio.sleep(pause)
        return False

    def _unwell(self, event: str, error: Exception, row: int | None = None) -> bool:
        """Say what the store answered; whether that is the store's trouble, and no defect."""
        away = isinstance(error, Temporary | OSError)
        if not away:
            metrics.defects.inc()
            event = f"a defect of ours: {event}"
        self._log.error(event, row=row, exc_info=error)
        return away
