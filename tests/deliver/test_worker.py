"""The worker: what becomes of each row, and that nothing ends the work."""

import asyncio
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes_smarthost import Sink

from gateway import metrics
from gateway.deliver.smarthost import Bounced, Smarthost, SmarthostSettings, Uncertain
from gateway.deliver.worker import Worker, WorkerSettings, delay
from gateway.errors import Permanent, Temporary

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RAW = b"Message-ID: <1@host.example>\r\n\r\nhello\r\n"


@dataclass(frozen=True)
class Row:
    id: int
    to: str = "a@customer.example"
    envelope_from: str = ""
    raw: bytes = RAW
    message_id: str = "<1@host.example>"
    kind: str = "thread"
    tries: int = 1
    created_at: datetime = NOW
    maybe_twice: bool = False


@dataclass
class FakeOutbox:
    """Rows in memory; `broken` counts down calls that raise."""

    due: list[Row] = field(default_factory=list)
    done: dict[int, tuple[str, str]] = field(default_factory=dict)
    retries: dict[int, datetime] = field(default_factory=dict)
    broken: int = 0
    ours: bool = True
    claims: int = 0
    carried: list[frozenset[int]] = field(default_factory=list)
    renewed: Callable[[], object] = lambda: None
    doubts: int = 0
    expect: int = 1
    finished: threading.Event = field(default_factory=threading.Event)

    def _note(self, row: int, result: str, error: str = "") -> bool:
        self.done[row] = (result, error)
        if len(self.done) >= self.expect:
            self.finished.set()
        return self.ours

    def _maybe_break(self) -> None:
        if self.broken > 0:
            self.broken -= 1
            raise OSError("the database is away")

    def next_due(self) -> datetime | None:
        self._maybe_break()
        return NOW if self.due else None

    def claim(
        self,
        owner: str,
        now: datetime,
        limit: int,
        lease: timedelta,
        carried: Collection[int] = (),
    ) -> list[Row]:
        self.claims += 1
        self.carried.append(frozenset(carried))
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    def renew(self, lease: Row, now: datetime, until: datetime) -> bool:
        self.renewed()
        return self.ours

    def sent(self, lease: Row, now: datetime) -> bool:
        self._maybe_break()
        return self._note(lease.id, "sent")

    def retry(
        self, lease: Row, now: datetime, due: datetime, error: str, *, uncertain: bool
    ) -> bool:
        self.retries[lease.id] = due
        self.doubts += uncertain
        return self._note(lease.id, "retry", error)

    def failed(self, lease: Row, now: datetime, error: str, *, bounced: bool) -> bool:
        return self._note(lease.id, "bounced" if bounced else "failed", error)


class FakeSmarthost:
    """Raises what it is given, or takes the mail; knows how many sends ran at once."""

    def __init__(self, error: Exception | None = None, pause: float = 0.0) -> None:
        self.error, self.pause = error, pause
        self.running = self.most = self.sends = 0

    async def send(self, envelope_from: str, to: str, raw: bytes) -> str:
        self.sends += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.pause)
        self.running -= 1
        if self.error is not None:
            raise self.error
        return "250 ok"


def carrying(smarthost: Any) -> Any:
    """What the worker hands a row to."""
    return lambda row: smarthost.send(row.envelope_from, row.to, row.raw)


class SilentLog:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    warning = error = info


def worker(outbox: FakeOutbox, smarthost: Any, now: datetime = NOW, **settings: Any) -> Worker:
    return Worker(
        outbox,
        carrying(smarthost),
        "me",
        lambda: now,
        SilentLog(),
        WorkerSettings(**{"poll_seconds": 0.02, **settings}),
        chance=lambda: 0.5,
    )


def outcome(error: Exception | None, row: Row = Row(1), now: datetime = NOW) -> FakeOutbox:
    outbox = FakeOutbox([row])
    asyncio.run(worker(outbox, FakeSmarthost(error), now).once())
    return outbox


def test_a_mail_that_went_is_written_down() -> None:
    """The row is finished as sent."""
    assert outcome(None).done == {1: ("sent", "")}


@pytest.mark.parametrize(
    "error, result",
    [
        (Permanent("554 no"), "failed"),
        (Bounced("550 5.1.1 no such user"), "bounced"),
        (Temporary("451 later"), "retry"),
        (Uncertain("lost"), "retry"),
        (ValueError("a defect"), "retry"),
    ],
)
def test_every_error_has_its_outcome(error: Exception, result: str) -> None:
    """Permanent fails the row, everything else is tried again."""
    assert outcome(error).done[1][0] == result


def test_the_delay_doubles_up_to_a_bound_and_varies_by_chance() -> None:
    """30 s, 60 s, … at most half an hour, a tenth more or less."""
    settings = WorkerSettings()
    assert [delay(settings, tries, 0.5) for tries in (1, 2, 3, 20, 10_000)] == [
        30.0,
        60.0,
        120.0,
        1800.0,
        1800.0,
    ]
    assert (delay(settings, 1, 0.0), delay(settings, 1, 1.0)) == (27.0, 33.0)


def test_a_retry_is_due_later_at_each_attempt() -> None:
    """The third attempt's failure waits two minutes."""
    outbox = outcome(Temporary("later"), Row(1, tries=3))
    assert outbox.retries[1] == NOW + timedelta(seconds=120)


def test_a_row_is_given_up_after_days() -> None:
    """A temporary error after the time limit fails the row, and says why."""
    outbox = outcome(Temporary("451 later"), now=NOW + timedelta(hours=121))
    assert outbox.done[1] == ("failed", "given up: 451 later")


def test_what_may_have_gone_is_written_down_with_its_row() -> None:
    """A lost connection after the dot, and a send that was cut off; an error before it is none."""
    assert outcome(Uncertain("lost")).doubts == 1
    assert outcome(Temporary("451 later")).doubts == 0
    outbox = FakeOutbox([Row(1)])
    asyncio.run(worker(outbox, FakeSmarthost(pause=60), send_seconds=0.02).once())
    assert outbox.doubts == 1


def test_a_row_that_was_taken_over_meanwhile_is_said() -> None:
    """It went, and whoever has the row now counts it."""
    outbox, log = FakeOutbox([Row(1)], ours=False), SilentLog()
    work = Worker(outbox, carrying(FakeSmarthost()), "me", lambda: NOW, log)
    asyncio.run(work.once())
    assert "sent, but not written down" in [event for event, _ in log.events]


def test_a_database_that_is_away_for_a_moment_loses_nothing() -> None:
    """The outcome is written again until it holds."""
    outbox = FakeOutbox([Row(1)])

    class Breaks(FakeSmarthost):
        async def send(self, envelope_from: str, to: str, raw: bytes) -> str:
            outbox.broken = 1
            return "250 ok"

    asyncio.run(worker(outbox, Breaks()).once())
    assert outbox.done == {1: ("sent", "")}


def run_until_finished(work: Worker, outbox: FakeOutbox) -> None:
    """Run the worker until the outbox has the outcomes that it expects."""

    async def run() -> None:
        task = asyncio.create_task(work.run())
        assert await asyncio.to_thread(outbox.finished.wait, 5)
        await work.stop(1.0)
        await task

    asyncio.run(run())


def test_never_more_sends_at_once_than_connections() -> None:
    """Twenty rows go out through three connections."""
    outbox = FakeOutbox([Row(number) for number in range(20)], expect=20)
    smarthost = FakeSmarthost(pause=0.002)
    run_until_finished(worker(outbox, smarthost, connections=3), outbox)
    assert smarthost.most == 3


def test_work_goes_on_after_the_database_was_away() -> None:
    """An outbox that cannot be read does not end the worker."""
    outbox = FakeOutbox([Row(1)], broken=2)
    run_until_finished(worker(outbox, FakeSmarthost()), outbox)
    assert outbox.done == {1: ("sent", "")}


def test_a_wake_up_is_heard_at_once() -> None:
    """A row queued while the worker sleeps for an hour goes out when it is woken."""
    outbox = FakeOutbox()
    work = worker(outbox, FakeSmarthost(), poll_seconds=3600.0)

    async def run() -> None:
        task = asyncio.create_task(work.run())
        await asyncio.sleep(0.05)
        outbox.due.append(Row(1))
        await asyncio.to_thread(work.wake)
        assert await asyncio.to_thread(outbox.finished.wait, 5)
        await work.stop(1.0)
        await task

    asyncio.run(run())
    assert outbox.done[1][0] == "sent"


def test_an_idle_worker_does_not_write() -> None:
    """Where nothing is due, nothing is claimed."""
    outbox = FakeOutbox()

    async def run() -> None:
        assert await worker(outbox, FakeSmarthost()).once() == 0

    asyncio.run(run())
    assert outbox.claims == 0


def test_a_smarthost_that_hangs_gives_the_row_back_before_the_lease_ends() -> None:
    """The time for one send is bounded."""
    outbox = FakeOutbox([Row(1)])
    asyncio.run(worker(outbox, FakeSmarthost(pause=60), send_seconds=0.02).once())
    assert outbox.done[1] == ("retry", "the other side took too long")


def test_one_bad_row_holds_up_no_other() -> None:
    """Over a real connection: one address is refused, the others arrive."""
    rows = [replace(Row(number), to=f"u{number}@customer.example") for number in range(6)]
    rows[2] = replace(rows[2], to="not an address")
    outbox = FakeOutbox(rows)

    async def run() -> list[str]:
        async with Sink() as sink:
            smarthost = Smarthost(SmarthostSettings(sink.host, sink.port, "never"))
            work = worker(outbox, smarthost)
            while outbox.due:
                await work.once()
            await smarthost.close()
            return sorted(mail.recipients[0] for mail in sink.mails)

    assert asyncio.run(run()) == [f"u{n}@customer.example" for n in (0, 1, 3, 4, 5)]
    assert outbox.done[2][0] == "failed"


def test_a_lease_is_renewed_while_its_row_is_carried() -> None:
    """A slow other side does not end it, however short it is."""

    async def lived() -> FakeOutbox:
        box, renewed = FakeOutbox([Row(1)]), asyncio.Event()
        loop = asyncio.get_running_loop()
        box.renewed = lambda: loop.call_soon_threadsafe(renewed.set)

        async def slow(_row: Row) -> str:
            await renewed.wait()
            return "250 taken"

        settings = WorkerSettings(lease_seconds=0.03)
        await Worker(box, slow, "me", lambda: NOW, SilentLog(), settings, ticks=lambda: 0.0).once()
        return box

    assert asyncio.run(lived()).done[1][0] == "sent"


def test_a_row_that_another_has_is_let_go() -> None:
    """Its renewal is refused: what is under way is broken off, and nothing is written down."""
    box = FakeOutbox([Row(1)], ours=False)
    broken_off: list[bool] = []

    async def endless(_row: Row) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            broken_off.append(True)
            raise
        return "250 taken"

    settings = WorkerSettings(lease_seconds=0.03)
    worker = Worker(box, endless, "me", lambda: NOW, SilentLog(), settings, ticks=lambda: 0.0)
    asyncio.run(worker.once())
    assert broken_off == [True]
    assert box.done == {}


def test_whoever_slept_longer_than_his_lease_knows_it() -> None:
    """Before the step that cannot be taken back it is asked whether the row is surely ours."""
    box, held, now = FakeOutbox([Row(1)]), [], [0.0]

    async def carry(row: Row) -> str:
        for now[0] in (0.0, 59.0, 61.0):  # the whole process stood still
            held.append(worker.holds(row))
        return "250 taken"

    worker = Worker(box, carry, "me", lambda: NOW, SilentLog(), ticks=lambda: now[0])
    asyncio.run(worker.once())
    assert held == [True, True, False]
    assert not worker.holds(Row(1))


def test_a_row_whose_lease_ended_before_it_was_begun_is_not_carried() -> None:
    """The claim took longer than the lease: another one has it by now."""
    box, begun, ticks = FakeOutbox([Row(1)]), [], iter((0.0, 61.0))

    async def carry(row: Row) -> str:
        begun.append(row)
        return "250 taken"

    asyncio.run(
        Worker(box, carry, "me", lambda: NOW, SilentLog(), ticks=lambda: next(ticks)).once()
    )
    assert (begun, box.done) == ([], {})


def test_what_is_being_carried_is_not_claimed_once_more() -> None:
    """Its lease may have ended while the database was away; the worker says what it has."""
    box, seen = FakeOutbox([Row(1)], expect=2), []

    async def run() -> None:
        second = asyncio.Event()

        async def carry(row: Row) -> str:
            if row.id == 1:
                box.due.append(Row(2))
                work.wake()
                await second.wait()
            else:
                second.set()
            return "250 taken"

        work = Worker(
            box, carry, "me", lambda: NOW, SilentLog(), WorkerSettings(poll_seconds=0.01)
        )
        task = asyncio.create_task(work.run())
        assert await asyncio.to_thread(box.finished.wait, 5)
        seen.extend(box.carried)
        box.due.append(Row(3))
        box.finished.clear()
        assert await asyncio.to_thread(box.finished.wait, 5)
        await work.stop(1.0)
        await task

    asyncio.run(run())
    assert seen[:2] == [frozenset(), frozenset({1})]
    assert 1 not in box.carried[-1]


def test_a_defect_at_the_writing_is_counted_and_said() -> None:
    """It is no database that is away: it is not tried for minutes, and nobody overlooks it."""

    class Broken(FakeOutbox):
        def retry(self, *_words: Any, **_named: Any) -> bool:
            raise TypeError("takes no `uncertain`")

    box, log = Broken([Row(1)]), SilentLog()
    before = metrics.defects._value.get()
    asyncio.run(
        Worker(box, carrying(FakeSmarthost(Temporary("450"))), "me", lambda: NOW, log).once()
    )
    assert metrics.defects._value.get() == before + 1
    said = [event for event, _ in log.events]
    assert "a defect of ours: the outbox cannot be written" in said
