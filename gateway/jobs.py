"""What the house does by the clock: parked mail expires, overdue tickets are escalated once,
memory and old mail are erased, gauges are set. It decides about no mail.

Each job is a lease row, so that of several gateways one does it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from gateway import log, metrics
from gateway.config import Retention
from gateway.core.model import Account, Event, NewEntry
from gateway.core.say import letters
from gateway.core.say.desk import Post
from gateway.errors import PortiereError
from gateway.store import (
    announcements,
    changes,
    leases,
    mails,
    outbox,
    retention,
    telling,
    tickets,
    webhooks,
)
from gateway.store.engine import Store
from gateway.store.outbox import Outbox
from gateway.store.prepared import Link
from gateway.store.sweep import sweep
from gateway.store.writer import Writer

TICK_SECONDS = 15.0
FEED_SECONDS = 120.0  # of one turn of an announcement's copies
FEED_PAUSE_SECONDS = 1.0  # for the outbox to be emptied
Work = Callable[[Connection, datetime], int]
Apart = Callable[[Writer, datetime], int]


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done in one transaction, not more often than `every`."""

    name: str
    every: timedelta
    work: Work  # how many things it did
    apart: Apart | None = None  # done before `work`, outside the transaction; it may take long


class Jobs:
    """Runs jobs when they are due. Methods block, and are called in a thread."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        owner: str,
        clock: Callable[[], datetime],
        listed: Iterable[Job],
    ) -> None:
        """`owner` names this process in the leases; `clock` gives aware times."""
        self._store = store
        self._writer = writer
        self._outbox = Outbox(store, writer)
        self._owner = owner
        self._clock = clock
        self._listed = tuple(listed)
        self._log = log.get("jobs")
        self._doubts = 0
        self._counting = threading.Lock()

    async def run(self, wake: Callable[[], None]) -> None:
        """Until it is cancelled; `wake` is called when there may be something to send."""
        quick = [job for job in self._listed if job.apart is None]
        long = [job for job in self._listed if job.apart is not None]
        await asyncio.gather(self._run(quick, wake), self._run(long, wake))

    async def _run(self, listed: list[Job], wake: Callable[[], None]) -> None:
        while True:
            if await asyncio.to_thread(self.run_due, listed):
                wake()
            await asyncio.sleep(TICK_SECONDS)

    def run_due(self, listed: Iterable[Job] | None = None) -> dict[str, int]:
        """Do what is due of these, or of all; how much each job did, where it did anything."""
        did = {job.name: self._done(job) for job in listed or self._listed}
        self._gauges()
        return {name: number for name, number in did.items() if number}

    def _done(self, job: Job) -> int:
        """One that fails is tried again at the next tick; the others go on."""
        now = self._clock()
        try:
            if not self._claimed(job, now):
                return 0
            number = job.apart(self._writer, now) if job.apart else 0
            number += self._writer.run(lambda link: self._finished(link, job, now)).result()
        except PortiereError as error:
            self._log.warning("a job failed", job=job.name, error=str(error))
            self._given_back(job)
            return 0
        except Exception:
            metrics.defects.inc()
            self._log.exception("a defect of ours", job=job.name)
            self._given_back(job)
            return 0
        if number:
            self._log.info("job", job=job.name, did=number)
        return number

    def _claimed(self, job: Job, now: datetime) -> bool:
        def work(connection: Connection) -> bool:
            return leases.claim(connection, job.name, self._owner, now, job.every)

        return self._writer.run(work).result()

    def _finished(self, connection: Connection, job: Job, now: datetime) -> int:
        number = job.work(connection, now)
        leases.done(connection, job.name, self._owner, now)
        return number

    def _given_back(self, job: Job) -> None:
        try:
            self._writer.run(lambda one: leases.given_back(one, job.name, self._owner)).result()
        except PortiereError:
            return  # the lease ends by itself

    def _gauges(self) -> None:
        try:
            waiting = self._outbox.counts()
            with self._store.reading() as connection:
                stored = mails.counts(connection)
                hooks = webhooks.counts(connection)
                doubts = outbox.doubts(connection)
        except PortiereError:
            return
        for state in ("due", "held", "failed"):
            metrics.outbox_waiting.labels(state).set(waiting.get(state, 0))
        for state, number in hooks.items():
            metrics.webhooks_waiting.labels(state).set(number)
        with self._counting:
            metrics.maybe_twice.inc(max(doubts - self._doubts, 0))
            self._doubts = max(doubts, self._doubts)
        metrics.failed_mails.set(stored.get("failed", 0))
        metrics.parked_mails.set(stored.get("parked", 0))


def house_jobs(
    store: Store,
    kept: Retention,
    post: Callable[[datetime], Post],
    account: Callable[[str], Account | None],
) -> tuple[Job, ...]:
    """The jobs of a gateway. `post` makes what is sent, at a moment; `account` reads one."""

    def announced(writer: Writer, now: datetime) -> int:
        return _fed(store, lambda: announcements.feed(store, writer, account, post, now))

    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        Job("parked mail expires", timedelta(minutes=10), mails.expire),
        Job("overdue tickets", timedelta(minutes=1), lambda link, now: escalate(link, post(now))),
        Job("rows of the future", timedelta(minutes=1), outbox.brought_near),
        Job("announcements", timedelta(0), _nothing, announced),
        Job("memory", 6 * hour, retention.forget),
        Job("retention", hour, lambda link, now: erase(link, kept, now)),
        Job("blobs", day, _nothing, lambda writer, now: sweep(store, writer, now)),
    )


def _fed(store: Store, feed: Callable[[], int]) -> int:
    """As long as the outbox takes more, for a bounded time: the lease of the job must last."""
    total, ends = 0, time.monotonic() + FEED_SECONDS
    while announcements.owing(store) and time.monotonic() < ends:
        queued = feed()
        total += queued
        if not queued:
            break
        if announcements.owing(store):
            time.sleep(FEED_PAUSE_SECONDS)
    return total


def _nothing(_connection: Connection, _now: datetime) -> int:
    return 0


def escalate(connection: Connection, post: Post) -> int:
    """Tell staff of every ticket whose first reply is overdue, once; how many."""
    found = tickets.overdue(connection, post.at)
    link = Link.of(connection)
    for row in found:
        ticket = tickets.find(connection, row["number"])
        changes.queue(connection, letters.escalation(post, ticket, row["reply_due"]), post.at)
        said = "the first reply is overdue; staff were told"
        line = NewEntry(ticket.number, post.at, "system", "event", None, None, said)
        told = Event("ticket.overdue", ticket.number, post.at, {})
        changes.run(link, [changes.entry(line, None), *telling.steps(told, [line])])
    marked = tickets.escalated(connection, [row["number"] for row in found], post.at)
    metrics.escalations.inc(marked)
    return marked


def erase(connection: Connection, kept: Retention, now: datetime) -> int:
    """Erase what the configuration keeps no longer; 0 days keep it for ever. How many rows."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    number = retention.erase_parked(connection, before(kept.parked_days))
    if kept.record_days:
        number += retention.erase_records(connection, before(kept.record_days))
    if kept.raw_mail_days:
        number += retention.erase_raw(connection, before(kept.raw_mail_days))
    if kept.event_days:
        number += retention.erase_events(connection, before(kept.event_days))
    if kept.sent_days:
        number += retention.erase_sent(connection, before(kept.sent_days))
    return number
