"""Time zones as people write them: `CET`, `UTC+1`, `+01:00`, `Europe/Rome`, `ora italiana`.

A name that is also a word (`est`, `met`) counts in capitals alone. Total and pure.
"""

import re
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# Minutes east of UTC, or the zone of a place.
_ANY_CASE: dict[str, int | str] = {
    "utc": 0, "gmt": 0, "cet": 60, "cest": 120, "mez": 60, "mesz": 120, "bst": 60, "eest": 180,
    "cet/cest": "Europe/Rome", "mez/mesz": "Europe/Berlin",
    "central european time": "Europe/Berlin", "central european summer time": 120,
    "ora italiana": "Europe/Rome", "ora locale italiana": "Europe/Rome",
    "orario italiano": "Europe/Rome",
    "ora di roma": "Europe/Rome", "italian time": "Europe/Rome", "italy time": "Europe/Rome",
    "rome time": "Europe/Rome", "ora solare": 60, "ora legale": 120,
    "uk time": "Europe/London", "london time": "Europe/London", "paris time": "Europe/Paris",
    "berlin time": "Europe/Berlin", "madrid time": "Europe/Madrid",
    "deutscher zeit": "Europe/Berlin", "deutsche zeit": "Europe/Berlin",
    "berliner zeit": "Europe/Berlin",
    "winterzeit": 60, "sommerzeit": 120,
    "heure de paris": "Europe/Paris", "heure française": "Europe/Paris", "heure d'hiver": 60,
    "heure d'été": 120, "hora peninsular": "Europe/Madrid", "hora española": "Europe/Madrid",
    "hora de madrid": "Europe/Madrid",
}  # fmt: skip
_CAPITALS: dict[str, int] = {
    "Z": 0, "WET": 0, "WEST": 60, "MET": 60, "MEST": 120, "EET": 120, "MSK": 180,
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480,
    "PDT": -420, "JST": 540,
}  # fmt: skip


def _names(names: dict[str, int | str] | dict[str, int]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


# A dash may be a hyphen or a minus sign.
_OFFSET = r"(?:utc|gmt)\s?[+\-−–]\s?\d{1,2}(?::?[0-5]\d)?(?!\d)|[+\-−]\d\d:?[0-5]\d(?!\d)"
_PLACE = r"(?:europe|america|asia|africa|atlantic|australia|pacific)/[a-z_]{2,30}"
PLAIN = rf"(?:{_OFFSET}|{_PLACE}|(?:{_names(_ANY_CASE)})(?![\w/]))"
ZONE = re.compile(rf"(?i:{PLAIN})|(?:{_names(_CAPITALS)})(?![\w/])")
_READ = re.compile(r"(?:utc|gmt)?\s?([+\-−–])\s?(\d{1,2}):?([0-5]\d)?")


def zone(said: str) -> tzinfo | None:
    """The zone that these words name, or None."""
    word = " ".join(said.lower().split())
    known = _ANY_CASE.get(word, _CAPITALS.get(said))
    if isinstance(known, int):
        return timezone(timedelta(minutes=known))
    if isinstance(known, str):
        return ZoneInfo(known)
    if offset := _READ.fullmatch(word):
        return _fixed(offset)
    return _place(said) if "/" in said else None


def _fixed(offset: re.Match[str]) -> tzinfo | None:
    minutes = 60 * int(offset[2]) + int(offset[3] or 0)
    if minutes > 14 * 60:  # the farthest east that anybody lives
        return None
    return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))


def _place(said: str) -> tzinfo | None:
    try:
        return ZoneInfo("/".join(part.title() for part in said.lower().split("/")))
    except (KeyError, ValueError, OSError):  # no such place
        return None
