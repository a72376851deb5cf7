"""Public holidays out of one country's module: the same as the library says when it is asked."""

from datetime import date

import holidays
import pytest

from gateway.core.know import calendars


@pytest.mark.parametrize(
    ("code", "subdivision"),
    [("IT", "MI"), ("ITA", None), ("DE", "BY"), ("UK", None), ("US", "CA"), ("GG", None)],
)
def test_the_days_are_those_of_the_library(code: str, subdivision: str | None) -> None:
    """With and without regions, by any of its codes, also a country that builds on another."""
    asked = holidays.country_holidays(code, subdiv=subdivision, years=2026)
    assert calendars.days(code, subdivision, 2026) == {day: str(asked[day]) for day in asked}
    assert date(2026, 1, 1) in asked


def test_every_country_of_the_library_is_known_with_its_regions() -> None:
    """No code that it lists is missing here."""
    known = holidays.list_supported_countries()
    assert {code: calendars.subdivisions(code) for code in known} == {
        code: frozenset(regions) for code, regions in known.items()
    }


@pytest.mark.parametrize("code", ["", "XX", "it", "Italy", "italy", "../IT"])
def test_what_is_no_code_is_no_country(code: str) -> None:
    """Nothing is loaded for it, and it has no holidays."""
    assert calendars.subdivisions(code) is None
    assert calendars.days(code, None, 2026) == {}


def test_an_unknown_region_has_no_days() -> None:
    """As load complains of it, a mail is not refused for it."""
    assert calendars.days("IT", "Nowhere", 2026) == {}
