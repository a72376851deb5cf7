"""Office hours: whether staff are in now, and when a first reply is due in office minutes.

A day's opening is a stretch of real time: its two ends are taken in the office's zone and compared
in UTC, so a day on which the clocks change is longer or shorter, and nothing is counted twice.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.core.know import calendars
from gateway.core.model import Hours
from gateway.core.model.routing import Office

HORIZON = timedelta(days=400)  # an office that stays closed longer than this never opens


def at(office: Office, now: datetime, minutes: int) -> Hours:
    """Office hours at `now` (aware), and when a reply within `minutes` office minutes is due."""
    zone = ZoneInfo(office.timezone)
    opened = next(_openings(office, now), None)
    is_open = opened is not None and opened[0] <= now
    return Hours(
        open=is_open,
        reply_due=due(office, now, minutes),
        opens_at=None if is_open or opened is None else opened[0].astimezone(zone),
        holiday=_holiday(office, now.astimezone(zone).date()),
    )


def due(office: Office, start: datetime, minutes: int) -> datetime:
    """When so many office minutes after `start` have passed, in the office's zone.

    Zero minutes are due at `start`, or at the next opening. A reply that falls due with the end
    of a day is due that day.
    """
    zone = ZoneInfo(office.timezone)
    left = timedelta(minutes=minutes)
    for opens, closes in _openings(office, start):
        begins = max(opens, start)
        if begins + left <= closes:
            return (begins + left).astimezone(zone)
        left -= closes - begins
    return (start + HORIZON).astimezone(zone)


def _openings(office: Office, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Stretches in UTC during which the office is open, from the one that ends after `start`."""
    zone = ZoneInfo(office.timezone)
    first = start.astimezone(zone).date()
    for days in range(HORIZON.days):
        day = first + timedelta(days=days)
        for opens, closes in _of_day(office, day):
            begins = datetime.combine(day, opens, zone).astimezone(UTC)
            ends = datetime.combine(day, closes, zone).astimezone(UTC)
            if ends > start and ends > begins:  # the clocks may skip a short one
                yield begins, ends


def _of_day(office: Office, day: date) -> tuple[tuple[time, time], ...]:
    if day in office.closed or (day not in office.worked and _holiday(office, day)):
        return ()
    return office.days.get(day.weekday(), ())


def _holiday(office: Office, day: date) -> str | None:
    """The public holiday that this day is, worked or not."""
    if office.country is None:
        return None
    return _holidays(office.country, office.subdivision, day.year).get(day)


@lru_cache(maxsize=64)
def _holidays(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    """A country that the library does not know has none; load complains of it."""
    return calendars.days(country, subdivision, year)
