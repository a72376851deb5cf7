"""Office hours: holidays, both ends of summer time, and when a reply is due."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.know import hours
from gateway.core.model.routing import Office

ROME = ZoneInfo("Europe/Rome")
NINE_TO_HALF_FIVE = ((time(9), time(17, 30)),)
WEEK = dict.fromkeys(range(5), NINE_TO_HALF_FIVE)
OFFICE = Office("Europe/Rome", WEEK, "IT")
ALWAYS = Office("Europe/Rome", dict.fromkeys(range(7), ((time(0), time(23, 59)),)))


def rome(*when: int) -> datetime:
    """A moment on a clock in Rome."""
    return datetime(*when, tzinfo=ROME)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        (rome(2026, 11, 23, 9, 0), True),
        (rome(2026, 11, 23, 8, 59), False),
        (rome(2026, 11, 23, 17, 29), True),
        (rome(2026, 11, 23, 17, 30), False),
        (rome(2026, 11, 22, 12, 0), False),
        (rome(2026, 12, 25, 12, 0), False),
        (rome(2026, 8, 15, 12, 0), False),
    ],
)
def test_the_office_is_open_on_weekdays(now: datetime, is_open: bool) -> None:
    """Monday to Friday, 9:00 to 17:30, public holidays excepted (W1)."""
    assert hours.at(OFFICE, now, 30).open is is_open


def test_saint_francis_is_a_holiday_again_from_2026() -> None:
    """4 October; in 2027 it falls on a Monday, and in 2024 it was a working Friday."""
    assert not hours.at(OFFICE, rome(2027, 10, 4, 12, 0), 30).open
    assert hours.at(OFFICE, rome(2027, 10, 4, 12, 0), 30).holiday is not None
    assert hours.at(OFFICE, rome(2024, 10, 4, 12, 0), 30).open


def test_ops_add_days_off_and_work_on_holidays() -> None:
    """`closed` and `worked` of routing.toml."""
    bridge = Office("Europe/Rome", WEEK, "IT", closed=frozenset({date(2026, 12, 24)}))
    worked = Office("Europe/Rome", WEEK, "IT", worked=frozenset({date(2026, 12, 8)}))
    assert not hours.at(bridge, rome(2026, 12, 24, 12, 0), 30).open
    assert hours.at(worked, rome(2026, 12, 8, 12, 0), 30).open
    assert not hours.at(OFFICE, rome(2026, 12, 8, 12, 0), 30).open


def test_a_patron_saint_closes_its_own_town() -> None:
    """7 December in Milan, with `subdivision`."""
    milan = Office("Europe/Rome", WEEK, "IT", subdivision="MI")
    assert not hours.at(milan, rome(2026, 12, 7, 12, 0), 30).open
    assert hours.at(OFFICE, rome(2026, 12, 7, 12, 0), 30).open


@pytest.mark.parametrize(
    ("start", "minutes", "wanted"),
    [
        (rome(2026, 11, 23, 10, 0), 30, rome(2026, 11, 23, 10, 30)),
        (rome(2026, 11, 23, 17, 0), 30, rome(2026, 11, 23, 17, 30)),
        (rome(2026, 11, 23, 17, 20), 30, rome(2026, 11, 24, 9, 20)),
        (rome(2026, 11, 27, 17, 20), 30, rome(2026, 11, 30, 9, 20)),
        (rome(2026, 11, 22, 3, 0), 10, rome(2026, 11, 23, 9, 10)),
        (rome(2026, 12, 24, 17, 25), 30, rome(2026, 12, 28, 9, 25)),
        (rome(2026, 11, 23, 9, 0), 600, rome(2026, 11, 24, 10, 30)),
    ],
)
def test_a_reply_is_due_in_office_minutes(start: datetime, minutes: int, wanted: datetime) -> None:
    """Nights, weekends and holidays do not count."""
    assert hours.due(OFFICE, start, minutes) == wanted


def test_a_pause_at_noon_does_not_count() -> None:
    """Two stretches a day."""
    office = Office("Europe/Rome", {0: ((time(9), time(13)), (time(14), time(18)))})
    assert hours.due(office, rome(2026, 11, 23, 12, 50), 30) == rome(2026, 11, 23, 14, 20)
    assert not hours.at(office, rome(2026, 11, 23, 13, 30), 30).open
    assert hours.at(office, rome(2026, 11, 23, 13, 30), 30).opens_at == rome(2026, 11, 23, 14, 0)


def test_the_next_opening_is_said_while_closed() -> None:
    """In the office's own zone, over the weekend and the holidays."""
    closed = hours.at(OFFICE, rome(2026, 12, 24, 18, 0), 30)
    assert closed.opens_at == rome(2026, 12, 28, 9, 0)
    assert hours.at(OFFICE, rome(2026, 11, 23, 10, 0), 30).opens_at is None


def test_the_day_that_loses_an_hour_is_shorter() -> None:
    """28 March 2027, from midnight to the end of it: 22 h 59 min of real time."""
    start = rome(2027, 3, 28, 0, 0)
    assert hours.due(ALWAYS, start, 22 * 60 + 59) == rome(2027, 3, 28, 23, 59)
    assert hours.due(ALWAYS, start, 23 * 60) == rome(2027, 3, 29, 0, 1)


def test_the_day_that_gains_an_hour_is_longer() -> None:
    """25 October 2026, from midnight to the end of it: 24 h 59 min of real time."""
    start = rome(2026, 10, 25, 0, 0)
    assert hours.due(ALWAYS, start, 24 * 60 + 59) == rome(2026, 10, 25, 23, 59)


def test_an_opening_that_the_clocks_skip_is_none() -> None:
    """From 2:10 to 2:50 on the night of March: the office does not open that day."""
    night = Office("Europe/Rome", dict.fromkeys(range(7), ((time(2, 10), time(2, 50)),)))
    due = hours.due(night, rome(2027, 3, 28, 0, 0), 10)
    assert due > rome(2027, 3, 28, 0, 0)
    assert not hours.at(night, rome(2027, 3, 28, 12, 0), 10).open


def test_an_office_that_never_opens_still_gives_a_date() -> None:
    """Beyond the horizon."""
    never = Office("Europe/Rome", {})
    found = hours.at(never, rome(2026, 11, 23, 10, 0), 30)
    assert (found.open, found.opens_at) == (False, None)
    assert found.reply_due == rome(2026, 11, 23, 10, 0) + hours.HORIZON


def test_a_country_without_known_holidays_has_none() -> None:
    """Load complains of it; here nothing breaks."""
    assert hours.at(Office("Europe/Rome", WEEK, "XX"), rome(2026, 11, 23, 10, 0), 30).open


moments = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
amounts = st.integers(0, 3_000)


@given(moments, amounts, amounts)
@settings(max_examples=150, deadline=None)
def test_office_minutes_add_up(start: datetime, first: int, second: int) -> None:
    """Waiting twice is waiting once for both, however the clocks change meanwhile."""
    between = hours.due(OFFICE, start, first)
    assert hours.due(OFFICE, between, second) == hours.due(OFFICE, start, first + second) or (
        first == 0 or second == 0
    )


@given(moments, st.integers(1, 3_000))
@settings(max_examples=150, deadline=None)
def test_a_reply_is_due_in_office_hours_and_never_before_its_time(
    start: datetime, minutes: int
) -> None:
    """At least as late as on a clock; and a minute before it the office is open."""
    due = hours.due(OFFICE, start, minutes)
    assert due >= start + timedelta(minutes=minutes)
    assert hours.at(OFFICE, due - timedelta(minutes=1), 0).open


@given(moments)
@settings(max_examples=150, deadline=None)
def test_open_and_next_opening_agree(now: datetime) -> None:
    """Closed until it opens; at that moment it is open."""
    found = hours.at(OFFICE, now, 30)
    assert found.open is (found.opens_at is None)
    if found.opens_at is not None:
        assert found.opens_at > now
        assert hours.at(OFFICE, found.opens_at, 30).open
        assert not hours.at(OFFICE, found.opens_at - timedelta(minutes=1), 30).open
