"""Message-IDs and dates: fields with a grammar of their own, believed only when they keep to
it.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from gateway.core.read.encoded import unfold

_LIMIT = 16384
_MOST = 200
_LONGEST = 400
# RFC 5322 3.6.4: dot-atoms or a domain literal; what real programs add (`$`, `_`, `=`, doubled
# dots) is inside atext. No quote, angle bracket, comma, white space, control or 8-bit byte can be
# in it, so it is safe to send back.
_ID = re.compile(
    rb"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~:-]+@(?:[A-Za-z0-9._-]+|\[[A-Za-z0-9.:_-]+\]))>"
)
_COMMENT = re.compile(r"\([^()]*\)")
_DATE = re.compile(
    r"(?P<day>\d{1,2})[\s/-]+(?P<month>[A-Za-z]{3})[a-z]*\.?[\s,/-]+(?P<year>\d{2,4}),?\s+"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:[.,]\d+)?"
    r"\s*(?P<half>[AaPp][Mm]\b)?\s*(?P<zone>[+-]\d{1,2}:?\d{2}|[A-Za-z]{1,5})?"
    r"(?:\s*(?P<offset>[+-]\d{4}))?"
)
_ASCTIME = re.compile(
    r"(?P<month>[A-Za-z]{3})[a-z]*\.?\s+(?P<day>\d{1,2}),?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?\s+(?P<zone>[+-]\d{4}|[A-Za-z]{1,5}\s)?\s*(?P<year>\d{4})(?!\d)"
)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})[T\s](?P<hour>\d{2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?(?:\.\d+)?\s*(?P<zone>[+-]\d{2}:?\d{2}|Z)?"
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    # What some programs write in their own language.
    "gen": 1, "mag": 5, "mai": 5, "giu": 6, "lug": 7, "ago": 8, "set": 9, "ott": 10, "okt": 10,
    "dic": 12, "dez": 12,
}  # fmt: skip
# RFC 5322 4.3; military letters and unknown names say nothing about the zone and count as UTC.
_ZONES = {"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
          "cet": 1, "cest": 2, "met": 1, "mest": 2, "bst": 1, "wet": 0, "west": 1, "eet": 2,
          "eest": 3, "msk": 3, "ist": 0, "jst": 9, "aest": 10, "aedt": 11}  # fmt: skip


def message_id(value: bytes | None) -> str | None:
    """The one Message-ID of a field, with its angle brackets; None unless it keeps to the
    grammar.
    """
    if value is None:
        return None
    match = _ID.fullmatch(unfold(value[:_LIMIT]).strip())
    return _text(match) if match else None


def message_ids(*values: bytes) -> tuple[str, ...]:
    """Every well-formed Message-ID of In-Reply-To or References, in order, each once."""
    found: dict[str, None] = {}
    for value in values:
        for match in _ID.finditer(unfold(value[:_LIMIT])):
            text = _text(match)
            if text:
                found.setdefault(text)
    return tuple(found)[:_MOST]


def _text(match: re.Match[bytes]) -> str | None:
    return match.group().decode("ascii") if len(match.group()) <= _LONGEST else None


def date(value: bytes | None) -> datetime | None:
    """The moment of a Date field, aware; None where it does not name one (RFC 5322 3.3 and 4.3,
    asctime, ISO 8601).
    """
    if value is None:
        return None
    line = unfold(value[:200]).decode("ascii", "replace")
    line = _COMMENT.sub(" ", line)
    for form in (_DATE, _ASCTIME, _ISO):
        match = form.search(line)
        if match:
            return _moment(match.groupdict())
    return None


def _moment(part: dict[str, str | None]) -> datetime | None:
    month = part["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    hour = int(part["hour"] or 0)
    half = (part.get("half") or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    second = min(int(part["second"] or 0), 59)  # a leap second
    zone = _zone(part.get("offset") or part["zone"] or "")
    day, minute = int(part["day"] or 0), int(part["minute"] or 0)
    try:
        return datetime(_year(part["year"] or ""), number, day, hour, minute, second, tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _zone(name: str) -> timezone:
    if name[:1] in ("+", "-"):
        digits = name[1:].replace(":", "").zfill(4)
        offset = timedelta(hours=int(digits[:-2]), minutes=int(digits[-2:]))
        return (
            timezone(-offset if name[0] == "-" else offset) if offset < timedelta(days=1) else UTC
        )
    hours = _ZONES.get(name.strip().lower(), 0)
    return timezone(timedelta(hours=hours)) if hours else UTC
