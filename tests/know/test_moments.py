"""When something began, as a mail says it, and in which zone."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.know import incident, moments, zones
from gateway.core.know.moments import start
from gateway.core.know.zones import zone

CET = timezone(timedelta(hours=1))
WRITTEN = datetime(2026, 11, 22, 16, 30, tzinfo=CET)  # a Sunday


def began(text: str, written: datetime = WRITTEN) -> str | None:
    """The moment in RFC 3339, if a zone was said."""
    found = start(text, written)
    return found.moment.isoformat(timespec="minutes") if found and found.zoned else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Server unreachable since 08:30 CET, no ping", "2026-11-22T08:30+01:00"),
        ("100% packet loss since 14:05 UTC, mtr attached", "2026-11-22T14:05+00:00"),
        ("interruzione totale dalle 11:20 CEST", "2026-11-22T11:20+02:00"),
        ("dalle 14.05 di oggi (ora italiana)", "2026-11-22T14:05+01:00"),
        ("dalle ore 08.15 CET di stamattina", "2026-11-22T08:15+01:00"),
        ("dal 21/11/2026 ore 09:15 CET", "2026-11-21T09:15+01:00"),
        ("Inizio: 22/11/2026 14:05 (CET)", "2026-11-22T14:05+01:00"),
        ("dal 3 novembre alle 7:05 CET", "2026-11-03T07:05+01:00"),
        ("ieri sera dalle 22:10 CET", "2026-11-21T22:10+01:00"),
        ("l'altro ieri alle 10:00 CET", "2026-11-20T10:00+01:00"),
        ("fermo da mezzanotte CET", "2026-11-22T00:00+01:00"),
        ("a mezzogiorno (CET) si è fermato", "2026-11-22T12:00+01:00"),
        ("down since noon UTC", "2026-11-22T12:00+00:00"),
        ("since midnight CET", "2026-11-22T00:00+01:00"),
        ("seit Mitternacht MEZ", "2026-11-22T00:00+01:00"),
        ("depuis midi CET", "2026-11-22T12:00+01:00"),
        ("dalle 14.05 CET", "2026-11-22T14:05+01:00"),
        ("alle 3 di notte (CET)", "2026-11-22T03:00+01:00"),
        ("alle 3 del mattino CET", "2026-11-22T03:00+01:00"),
        ("2pm UTC", "2026-11-22T14:00+00:00"),
        ("since yesterday 22:10 CET", "2026-11-21T22:10+01:00"),
        ("da ieri alle 22.10 CET", "2026-11-21T22:10+01:00"),
        ("depuis hier 22h10 CET", "2026-11-21T22:10+01:00"),
        ("dalle 23:50 CET", "2026-11-21T23:50+01:00"),
        ("lunedì alle 10:00 Europe/Rome", "2026-11-16T10:00+01:00"),
        ("dalle 14:05. Fuso orario: CET", "2026-11-22T14:05+01:00"),
        ("down since 2 pm UTC+1", "2026-11-22T14:00+01:00"),
        ("on 11/21/2026 at 9:15 GMT", "2026-11-21T09:15+00:00"),
        ("on November 21 at 9:15 am GMT", "2026-11-21T09:15+00:00"),
        ("since yesterday 6pm EST", "2026-11-21T18:00-05:00"),
        ("since Friday 12 am (UTC)", "2026-11-20T00:00+00:00"),
        ("all times are in UTC. Down since 10:01", "2026-11-22T10:01+00:00"),
        ("start time 14:05 (UTC +1)", "2026-11-22T14:05+01:00"),
        ("from 09:00 +0100", "2026-11-22T09:00+01:00"),
        ("2026-11-22T14:05:00+01:00", "2026-11-22T14:05+01:00"),
        ("2026-11-22T13:05:07.123Z first alert", "2026-11-22T13:05+00:00"),
        ("14:05 CET/CEST", "2026-11-22T14:05+01:00"),
        ("seit 14 Uhr MEZ", "2026-11-22T14:00+01:00"),
        ("am 21.11. um 14:05 Uhr (MEZ)", "2026-11-21T14:05+01:00"),
        ("seit gestern 23.10 Uhr deutscher Zeit", "2026-11-21T23:10+01:00"),
        ("depuis 14h05 CET", "2026-11-22T14:05+01:00"),
        ("le 21 novembre à 14h05 heure de Paris", "2026-11-21T14:05+01:00"),
        ("hier à 14h CET", "2026-11-21T14:00+01:00"),
        ("desde las 14:05 CET", "2026-11-22T14:05+01:00"),
        ("el 21 de noviembre a las 14:05 hora peninsular", "2026-11-21T14:05+01:00"),
        ("ayer desde las 9:00 CET", "2026-11-21T09:00+01:00"),
    ],
)
def test_a_start_is_read_with_its_zone(text: str, wanted: str) -> None:
    """Dates and zones in five languages, absolute and relative to the day of the mail."""
    assert began(text) == wanted


@pytest.mark.parametrize(
    "text", ["dalle 14:05", "since 2 pm", "seit 14 Uhr", "log: 2026-11-22 14:05:03 [error] x"]
)
def test_a_time_without_a_zone_is_no_moment_yet(text: str) -> None:
    """It is known that a time was said; the zone is what is missing."""
    found = start(text, WRITTEN)
    assert found is not None
    assert not found.zoned


@pytest.mark.parametrize(
    "text",
    [
        "",
        "since two hours",
        "198.51.100.9 non risponde",
        "PHP 8.30 installato, CET",
        "costa 14.50 euro",
        "since 25:00 CET",
        "alle 10:75 CET",
        "at 10:00 CET on 31 February",
        "order #123456",
        "il 10/11",
        "dalle 3 caselle",
        "at 10:00 CET on 1 January 2020",
    ],
)
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    """Prices, versions, addresses, durations, days that do not exist, and what is long ago."""
    assert start(text, WRITTEN) is None


def test_the_time_with_a_zone_counts_before_those_without() -> None:
    """Lines of a log stand above it."""
    text = "2026-11-22 10:01:03 [warn] a\n2026-11-22 10:02:04 [warn] b\n\nGiù dalle 10:05 CET"
    assert began(text) == "2026-11-22T10:05+01:00"


def test_a_time_that_is_yet_to_come_was_yesterday() -> None:
    """Without a date; with one it is not bent."""
    assert began("dalle 18:00 CET") == "2026-11-21T18:00+01:00"
    assert began("stanotte alle 23:10 CET") == "2026-11-21T23:10+01:00"
    assert began("oggi alle 18:00 CET") is None


def test_the_day_is_that_of_the_zone_that_was_said() -> None:
    """Half past midnight in Rome is the day before in UTC."""
    written = datetime(2026, 11, 22, 23, 40, tzinfo=UTC)
    assert began("dalle 00:30 CET", written) == "2026-11-23T00:30+01:00"
    assert began("since 23:30 UTC", written) == "2026-11-22T23:30+00:00"


def test_a_date_without_a_year_lies_in_the_past() -> None:
    """In January, December was last year."""
    written = datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
    assert began("since 30 December 10:00 UTC", written) == "2026-12-30T10:00+00:00"
    assert began("dal 1/1 alle 10:00 UTC", written) == "2027-01-01T10:00+00:00"


def test_a_time_that_the_clocks_skipped_is_a_time_that_there_was() -> None:
    """On 28 March 2027 there is no 02:30 in Rome, and on 31 October there are two."""
    spring = start("dalle 2:30 ora italiana", datetime(2027, 3, 28, 7, 0, tzinfo=UTC))
    assert spring is not None
    assert spring.moment.astimezone(UTC).astimezone(ZoneInfo("Europe/Rome")) == spring.moment
    assert spring.moment.utcoffset() == timedelta(hours=2)
    autumn = start("dalle 2:30 ora italiana", datetime(2027, 10, 31, 7, 0, tzinfo=UTC))
    assert autumn is not None
    assert autumn.moment.astimezone(UTC).hour in (0, 1)


def test_the_standing_offsets_do_not_move_with_summer_time() -> None:
    """Who says CET in July means UTC+1."""
    written = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert began("since 10:00 CET", written) == "2026-07-01T10:00+01:00"
    assert began("dalle 10:00 ora italiana", written) == "2026-07-01T10:00+02:00"


@pytest.mark.parametrize(
    "word", ["Europe/Nowhere", "Europe/", "UTC+99", "", "est", "met", "../etc/passwd", "a/b"]
)
def test_what_is_no_zone_is_none(word: str) -> None:
    """Neither places that do not exist nor words that only look like zones."""
    assert zone(word) is None


hours, minutes = st.integers(0, 23), st.integers(0, 59)
offsets = st.integers(-12, 14)
moments_ago = st.timedeltas(timedelta(0), timedelta(days=300))


@given(hours, minutes, offsets, moments_ago)
@settings(max_examples=150, deadline=None)
def test_iso_dates_with_an_offset_are_read_back(
    hour: int, minute: int, offset: int, ago: timedelta
) -> None:
    """Every moment of the last months, in every whole-hour zone, as it was written."""
    there = timezone(timedelta(hours=offset))
    moment = (WRITTEN - ago).astimezone(there).replace(minute=minute, second=0, microsecond=0)
    moment = min(moment.replace(hour=hour), WRITTEN.astimezone(there).replace(second=0))
    found = start(f"down since {moment.isoformat(timespec='seconds')}", WRITTEN)
    assert found is not None
    assert (found.moment, found.zoned) == (moment, True)


@given(st.text(max_size=300), st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=150, deadline=None)
def test_no_text_and_no_date_break_the_reading(text: str, written: datetime) -> None:
    """Total; and never a moment in the future."""
    found = start(f"dalle 10:00 CET {text} 23:59 UTC", written)
    assert found is None or found.moment <= written + timedelta(hours=1)


PATTERNS = [
    moments._CLOCK,
    moments._SINCE,
    moments._ENDS,
    moments._LABELLED,
    moments._DATE,
    zones.ZONE,
    incident._DIAGNOSTICS,
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: str(pattern.pattern)[:20])
def test_every_repetition_in_these_patterns_is_bounded(pattern: re.Pattern[str]) -> None:
    """So each place of a text costs a bounded amount of work, whatever stands there."""
    bare = re.sub(r"\\.|\[[^\]]*\]", "x", pattern.pattern)
    assert not re.search(r"[*+]", bare)
    assert not re.search(r"\{\d+,\}", bare)


def test_only_so_many_times_are_looked_at() -> None:
    """A text that is nothing but times costs no more than its first few hundred."""
    assert start("12:30 " * 3_300, WRITTEN) == start("12:30 " * 200, WRITTEN)
