"""Periodic jobs: one gateway at a time, when they are due, whatever the clock was before."""

from datetime import timedelta

from store_values import NOW

from gateway.store import leases
from gateway.store.writer import Writer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def claimed(writer: Writer, owner: str, now: object, every: timedelta = HOUR) -> bool:
    """Whether this gateway may do the job now."""
    return writer.run(lambda one: leases.claim(one, "job", owner, now, every)).result(10)


def done(writer: Writer, owner: str, now: object) -> bool:
    """Whether its word that it was done counts."""
    return writer.run(lambda one: leases.done(one, "job", owner, now)).result(10)


def test_a_job_is_done_by_one_and_again_when_it_is_due(writer: Writer) -> None:
    """Not while another holds it, and not before its time."""
    assert claimed(writer, "one", NOW)
    assert not claimed(writer, "two", NOW)
    assert done(writer, "one", NOW)
    assert not claimed(writer, "two", NOW + HOUR / 2)
    assert claimed(writer, "two", NOW + HOUR)


def test_a_dead_gateways_job_is_done_by_another(writer: Writer) -> None:
    """Its lease ends."""
    assert claimed(writer, "one", NOW)
    assert claimed(writer, "two", NOW + leases.LEASE + timedelta(seconds=1))
    assert not done(writer, "one", NOW)


def test_a_job_done_in_the_future_is_due(writer: Writer) -> None:
    """The clock stood ten years ahead, and was put back: jobs do not stop for ten years."""
    later = NOW + 3650 * DAY
    assert claimed(writer, "one", later)
    assert done(writer, "one", later)
    assert claimed(writer, "one", NOW)


def test_a_lease_that_ends_far_ahead_holds_nobody_up(writer: Writer) -> None:
    """Whoever took it is dead, or will find that it is his no more."""
    assert claimed(writer, "one", NOW + DAY)
    assert claimed(writer, "two", NOW)
