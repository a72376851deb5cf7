"""Moments that are said by how long ago they were."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.know.ago import LONGEST, long_ago
from gateway.core.know.moments import start

WRITTEN = datetime(2026, 11, 22, 16, 30, 40, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("il server è giù da 20 minuti", 20),
        ("il sito non va, è caduto venti minuti fa", 20),
        ("da circa due ore non riceviamo posta", 120),
        ("da mezz'ora il server non risponde", 30),
        ("da un'ora tutto fermo", 60),
        ("the server went down 20 minutes ago", 20),
        ("down since half an hour ago", 30),
        ("unreachable for the last 3 hours", 180),
        ("it stopped about an hour ago", 60),
        ("vor 15 Minuten ausgefallen", 15),
        ("seit einer halben Stunde nicht erreichbar", 30),
        ("seit 2 Stunden offline", 120),
        ("il y a 10 minutes", 10),
        ("depuis environ deux heures", 120),
        ("hace 45 minutos", 45),
        ("caído desde hace 1 hora", 60),
        ("20 min ago", 20),
    ],
)
def test_a_span_counts_from_when_the_mail_was_written(text: str, minutes: int) -> None:
    """To the minute, with the writer's offset, so that no zone must be asked for."""
    moment = long_ago(text, WRITTEN)
    assert moment == WRITTEN.replace(second=0) - timedelta(minutes=minutes)
    found = start(text, WRITTEN)
    assert found is not None
    assert (found.moment, found.zoned) == (moment, True)


@pytest.mark.parametrize(
    "text",
    ["da 3 giorni", "72 hours ago", "two weeks ago", "da 0 minuti", "20 minuti di ritardo",
     "for 2 hours a week", "una volta fa", "hace falta", "seit Montag", "", "fa 20 minuti freddo"],
)  # fmt: skip
def test_what_is_too_coarse_or_no_span_is_no_moment(text: str) -> None:
    """Days are not counted; a duration is not a beginning."""
    assert long_ago(text, WRITTEN) is None


def test_a_time_of_day_is_better_than_a_span() -> None:
    """It is what the customer looked up."""
    found = start("due ore fa, alle 14:05 CET", WRITTEN)
    assert found is not None
    assert found.moment.isoformat(timespec="minutes") == "2026-11-22T14:05+01:00"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_moment_of_the_last_two_days_or_none(text: str) -> None:
    """Total."""
    found = long_ago(f"{text} 5 h ago", WRITTEN)
    assert found is None or timedelta(0) <= WRITTEN - found <= LONGEST + timedelta(minutes=1)
