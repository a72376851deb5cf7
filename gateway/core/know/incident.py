"""What a critical incident must carry (I2): an own identifier, a start with its zone, diagnostics.

Everything is read from the text; order numbers, addresses and services count only where they are the
proven account's own. What is missing is asked for once.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from gateway.core.know.identify import names
from gateway.core.model import Candidates, Clues, Incident, Mail, Service, ServiceMatch

ANALYSED = 20_000
FUTURE = timedelta(hours=1)

_ZONES: dict[str, str | int] = {
    "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60,
    "cet": 60, "cest": 120, "met": 60, "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180,
    "ora italiana": "Europe/Rome", "ora di roma": "Europe/Rome", "italian time": "Europe/Rome",
}  # fmt: skip
_NAMED_ZONE = "|".join(sorted(map(re.escape, _ZONES), key=len, reverse=True))
_TIME = re.compile(
    r"(?:(?P<iso>\d{4})-(?P<iso_m>\d{2})-(?P<iso_d>\d{2})[T ]|"
    r"(?P<day>\d{1,2})[/.](?P<month>\d{1,2})(?:[/.](?P<year>\d{4}|\d{2}))?[^\d\n]{1,20}|"
    r"(?P<rel>oggi|ieri|today|yesterday|heute|gestern|hier|aujourd'hui|hoy|ayer)\b[^\d\n]{0,25}|"
    r"(?P<at>\b(?:alle|dalle|ore|at|since|from|um|seit|ab|à|depuis|desde|las)\b)[^\d\n]{0,12})"
    r"(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?::[0-5]\d)?\s?"
    rf"(?P<zone>\(?\s?(?:(?:utc|gmt)?\s?[+-]\d{{1,2}}:?(?:\d{{2}})?|{_NAMED_ZONE})\b\)?)?",
    re.IGNORECASE,
)
_YESTERDAY = frozenset({"ieri", "yesterday", "gestern", "hier", "ayer"})
_LONGEST_LINE = 500
_DIAGNOSTICS = re.compile(  # held against one line at a time: across lines it would be cubic
    r"(?i)(?:"
    r"\d{1,2}\s+\S.*\b\d+(?:\.\d+)?\s?ms\b|.*\b(?:traceroute|tracert|mtr|ping statistics|packet loss)\b|"
    r".*\b(?:request timed out|connection (?:refused|timed out|reset)|destination host unreachable)\b|"
    r".*\b(?:err_[a-z_]+|nxdomain|servfail)\b|.*\b(?:http|error|errore|status)\W{0,3}[45]\d\d\b|"
    r".*\[(?:error|crit|alert|emerg|warn)\]|.*\b(?:kernel|systemd|nginx|apache|mysqld|postfix)\[\d+\]|"
    r".*\bexit(?:ed)? (?:code|status) \d+|(?:\d{4}-\d\d-\d\d[T ]|[A-Z][a-z]{2} [ \d]\d )\d\d:\d\d:\d\d .{15})"
)
_DIAGNOSTIC_FILES = ("image/", "text/", "application/json", "application/gzip", "application/zip")


def read(
    mail: Mail, clues: Clues, candidates: Candidates, account: str | None, is_incident: bool
) -> Incident:
    """The incident's fields, and which of them are missing.

    `account` is the one account of the author, or None: then nothing that is named can be his own.
    """
    own = tuple(s for s in candidates.services if s.account == account) if account else ()
    named = tuple(service for service in own if names(clues, service))
    started, zoned = start(mail)
    diagnostics = _has_diagnostics(mail)
    missing = _missing(named, own, started, zoned, diagnostics) if is_incident else ()
    first = named[0] if named else None
    return Incident(
        ip=next((ip for s in named for ip in s.ips if ip in clues.ips), None),
        order=next((s.order for s in named if s.order in clues.orders), None),
        service=first.name if first else None,
        started=started if zoned else None,
        diagnostics=diagnostics,
        missing=missing,
        is_incident=is_incident,
        match=_match(named, candidates),
        identifiers=_identifiers(named),
    )


def _match(named: tuple[Service, ...], candidates: Candidates) -> ServiceMatch:
    if named:
        return ServiceMatch.OWN
    return ServiceMatch.OTHER if candidates.foreign else ServiceMatch.NONE


def _identifiers(named: tuple[Service, ...]) -> tuple[str, ...]:
    """One word a service, however the mail named it: equal services give equal identifiers."""
    return tuple(sorted({f"service:{service.account}/{service.name}" for service in named}))


def _missing(
    named: tuple[Service, ...],
    own: tuple[Service, ...],
    started: datetime | None,
    zoned: bool,
    diagnostics: bool,
) -> tuple[str, ...]:
    found = []
    if not named:
        found.append("identifier")
        if len(own) != 1:
            found.append("service")
    if started is None:
        found.append("started")
    elif not zoned:
        found.append("zone")
    if not diagnostics:
        found.append("diagnostics")
    return tuple(found)


def start(mail: Mail) -> tuple[datetime | None, bool]:
    """When it began, as said in the mail; the second value is whether a zone was said.

    Without a date the day of the mail is meant, or the day before where that time is yet to come.
    """
    for match in _TIME.finditer(f"{mail.subject}\n{mail.new_text[:ANALYSED]}"):
        moment = _moment(match, mail.date)
        if moment is not None:
            return moment
    return None, False


def _moment(match: re.Match[str], written: datetime | None) -> tuple[datetime, bool] | None:
    zone = _zone(match["zone"])
    reference = (written or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(zone or UTC)
    try:
        day = _day(match, reference.date())
        moment = datetime(
            day.year,
            day.month,
            day.day,
            int(match["hour"]),
            int(match["minute"]),
            tzinfo=zone or UTC,
        )
        if match["at"] and moment > reference + FUTURE:
            moment -= timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return moment, zone is not None


def _day(match: re.Match[str], today: date) -> date:
    if match["iso"]:
        return date(int(match["iso"]), int(match["iso_m"]), int(match["iso_d"]))
    if match["day"]:
        year = int(match["year"]) if match["year"] else today.year
        return date(year + 2000 if year < 100 else year, int(match["month"]), int(match["day"]))
    relative = (match["rel"] or "").lower()
    return today - timedelta(days=1) if relative in _YESTERDAY else today


def _zone(said: str | None) -> ZoneInfo | timezone | None:
    if not said:
        return None
    word = said.strip("() ").lower()
    known = _ZONES.get(word)
    if isinstance(known, str):
        return ZoneInfo(known)
    minutes = known if known is not None else _offset(word)
    return timezone(timedelta(minutes=minutes)) if minutes is not None else None


def _offset(word: str) -> int | None:
    match = re.fullmatch(r"(?:utc|gmt)?\s?([+-])(\d{1,2}):?(\d{2})?", word)
    if not match or int(match[2]) > 14:
        return None
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    return -minutes if match[1] == "-" else minutes


def _has_diagnostics(mail: Mail) -> bool:
    files = any(
        not attachment.inline and attachment.content_type.startswith(_DIAGNOSTIC_FILES)
        for attachment in mail.attachments
    )
    lines = (line.strip()[:_LONGEST_LINE] for line in mail.new_text[:ANALYSED].split("\n"))
    return files or any(_DIAGNOSTICS.match(line) for line in lines if line)
