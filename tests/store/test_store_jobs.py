"""Periodic jobs as leases, what is forgotten in time, and events for followers."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection
from store_values import NOW, mail_row, opening

from gateway.core.model import Effects, Event, Parked, Spend
from gateway.store import jobs
from gateway.store.engine import Store
from gateway.store.writer import Writer

T = TypeVar("T")
HOUR = timedelta(hours=1)


def write(store: Store, work: Callable[[Connection], T]) -> T:
    with store.engine.begin() as connection:
        return work(connection)


def test_a_job_is_done_by_one_at_a_time(store: Store) -> None:
    """Not before it is due again; a dead owner's lease ends, and his late word counts nothing."""

    def claim(owner: str, hours: float) -> bool:
        at = NOW + hours * HOUR
        return write(store, lambda c: jobs.claim(c, "sweep", owner, at, HOUR, HOUR / 2))

    assert claim("one", 0)
    assert not claim("two", 0.25)
    assert claim("two", 0.75)
    assert not write(store, lambda c: jobs.done(c, "sweep", "one", NOW))
    assert write(store, lambda c: jobs.done(c, "sweep", "two", NOW + HOUR))
    assert not claim("one", 1.5)
    assert claim("one", 2)


def test_a_clock_that_was_set_back_does_not_stop_a_job(store: Store) -> None:
    """What was done in the future is due again."""
    write(store, lambda c: jobs.claim(c, "x", "one", NOW + 100 * HOUR, HOUR, HOUR))
    write(store, lambda c: jobs.done(c, "x", "one", NOW + 100 * HOUR))
    assert write(store, lambda c: jobs.claim(c, "x", "one", NOW, HOUR))


def test_what_counts_no_more_is_forgotten(store: Store, writer: Writer) -> None:
    """Old signatures and units go, parked mail expires, what still counts stays."""
    effects = Effects(
        mail_row("p1", outcome="hold"),
        parked=Parked("A-1001", NOW + 24 * HOUR),
        replays=("b1",),
        spends=(Spend("unproven", "A-1001", NOW),),
    )
    writer.commit(effects).result(10)
    nothing = {"parked": 0, "replays": 0, "ledger": 0}
    assert writer.run(lambda c: jobs.forget(c, NOW + HOUR)).result(10) == nothing
    later = NOW + timedelta(days=15)
    gone = {"parked": 1, "replays": 1, "ledger": 2}
    assert writer.run(lambda c: jobs.forget(c, later)).result(10) == gone


def test_followers_are_told_once(store: Store, writer: Writer) -> None:
    """In order, until they have taken it."""
    events = tuple(Event(kind, "482913", NOW, {"n": 1}) for kind in ("opened", "added"))
    writer.commit(opening("m1", events=events)).result(10)
    with store.reading() as connection:
        due = jobs.due_events(connection)
    assert [(one["kind"], one["at"], one["data"]) for one in due] == [
        ("opened", NOW, '{"n":1}'),
        ("added", NOW, '{"n":1}'),
    ]
    first = [due[0]["id"]]
    assert write(store, lambda c: jobs.told(c, first)) == 1
    assert write(store, lambda c: jobs.told(c, first)) == 0
    with store.reading() as connection:
        assert [one["kind"] for one in jobs.due_events(connection)] == ["added"]
