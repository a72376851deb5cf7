"""The public holidays of one country, out of its own module of the library alone.

Asked for one country, `holidays` loads the modules of all 250, and a tenth of a second with them.
"""

from datetime import date
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

import holidays
from holidays.registry import COUNTRIES


@cache
def _country(code: str) -> Any:
    """The library's class for an ISO 3166 code; None where it has none."""
    for module, (name, *codes) in COUNTRIES.items():
        if code in codes and len(code) in (2, 3):
            folders = [f"{folder}/countries" for folder in holidays.__path__]
            spec = PathFinder.find_spec(f"holidays.countries.{module}", folders)
            if spec is None or spec.loader is None:
                return None
            loaded = module_from_spec(spec)
            spec.loader.exec_module(loaded)
            return getattr(loaded, name)
    return None


def subdivisions(code: str) -> frozenset[str] | None:
    """The regions that have days of their own; None for a country that the library lacks."""
    country = _country(code)
    return None if country is None else frozenset(country.subdivisions)


def days(code: str, subdivision: str | None, year: int) -> dict[date, str]:
    """The holidays of a year by day; none where country or subdivision are unknown."""
    country = _country(code)
    if country is None:
        return {}
    try:
        found = country(subdiv=subdivision, years=year)
    except NotImplementedError:
        return {}
    return {day: str(name) for day, name in found.items()}
