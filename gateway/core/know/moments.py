"""When something began, as a mail says it: a time of day with its date and zone.

Dates are read in five languages. Of several times the one that is said best counts: with its
zone, behind a word such as `since`, beside a date; of equals the first. Each time is looked at
with a few dozen characters around it, so the work grows with the length of the text. Total: what
cannot be a moment is passed over.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice

from gateway.core.know import ago
from gateway.core.know.zones import PLAIN, ZONE, zone

ANALYSED = 20_000
MOST = 200  # times of day that are looked at
AROUND = 60  # characters before and behind a time
NEAR = 30  # characters between a time and its date
SOON = timedelta(hours=1)  # clocks differ
LONG_AGO = timedelta(days=366)

_CLOCK = re.compile(
    r"(?:(?<![\w.,:/+\-#€$])|(?<=\dT))(?P<hour>\d{1,2})"
    r"(?:(?P<sep>[:.h])(?P<minute>[0-5]\d)(?:[:.][0-5]\d(?:[.,]\d{1,9})?)?)?"
    r"(?!\d)(?![.:,/]\d)(?:\s?(?P<half>[ap]\.?m\b\.?)|\s?(?P<unit>uhr|o'clock|h)\b)?",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:dalle|dall'|alle|all'|ore|dal|since|from|at|um|seit|ab|gegen|à|depuis|dès|vers|desde|"
    r"las|verso|"
    r"inizi\w{1,4}|start\w{0,4}|beg[aiu]n\w{0,4}|début|inicio)"
    r"[\s:,(]{1,3}(?:(?:le|les|las|ore|circa|ca|about|around|approx|etwa|the)[\s.]{1,2}){0,2}$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?i)\b(?P<since>da|dal|dalla|a|verso|since|from|at|um|seit|ab|à|depuis|desde|al)\s"
    r"(?:(?P<noon>mezzogiorno|noon|mittags?|midi|mediodía)|"
    r"(?:mezzanotte|midnight|mitternacht|minuit|medianoche))\b"
)
_ENDS = re.compile(
    r"\s{0,9}(?:$|[.,;!)\n]|(?:di|del|della|of|this|today|oggi|ieri|yesterday|heute|gestern|hier|ce|"
    r"hoy|ayer|horas|circa|heures)\b)",
    re.IGNORECASE,
)
_PLAIN = re.compile(rf"(?i)(?<![\w+:.\-]){PLAIN}")
_LABELLED = re.compile(
    r"(?i)\b(?:time ?zones?|fuso(?: orario)?|zeitzone|fuseau(?: horaire)?|zona horaria|"
    r"(?:all )?times?(?: are)?(?: in)?|orari[oa]?(?: sono)?(?: in)?|uhrzeiten(?: in)?|"
    r"heures(?: en)?|horas(?: en)?)"
    rf"\W{{1,3}}(?P<zone>{PLAIN})"
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "gennaio january januar janvier enero gen jan ene jänner",
            "febbraio february februar février fevrier febrero feb fév",
            "marzo march märz maerz mars mar mär",
            "aprile april avril abril apr avr abr",
            "maggio may mai mayo mag",
            "giugno june juni juin junio giu jun",
            "luglio july juli juillet julio lug jul juil",
            "agosto august août aout ago aug",
            "settembre september septembre septiembre set sep sept",
            "ottobre october oktober octobre octubre ott oct okt",
            "novembre november noviembre nov",
            "dicembre december dezember décembre decembre diciembre dic dec dez déc",
        ),
        1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "lunedì lunedi monday montag lundi lunes",
            "martedì martedi tuesday dienstag mardi martes",
            "mercoledì mercoledi wednesday mittwoch mercredi miércoles miercoles",
            "giovedì giovedi thursday donnerstag jeudi jueves",
            "venerdì venerdi friday freitag vendredi viernes",
            "sabato saturday samstag sonnabend samedi sábado sabado",
            "domenica sunday sonntag dimanche domingo",
        )
    )
    for name in names.split()
}
_DAYS_AGO = {
    "oggi": 0, "stamattina": 0, "stamani": 0, "stamane": 0, "questa mattina": 0,
    "stanotte": 0, "questa notte": 0, "ieri": 1, "iersera": 1, "l'altro ieri": 2, "avantieri": 2,
    "today": 0, "this morning": 0, "this afternoon": 0, "tonight": 0, "yesterday": 1,
    "last night": 1, "the day before yesterday": 2,
    "heute": 0, "heute nacht": 0, "gestern": 1, "vorgestern": 2,
    "aujourd'hui": 0, "ce matin": 0, "cette nuit": 0, "hier": 1, "avant-hier": 2,
    "hoy": 0, "esta mañana": 0, "esta noche": 0, "ayer": 1, "anoche": 1, "anteayer": 2,
}  # fmt: skip
_NIGHT = frozenset(
    {"stanotte", "questa notte", "tonight", "heute nacht", "cette nuit", "esta noche"}
)


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_DATE = re.compile(
    r"(?<![\d.])(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})(?!\d)|"
    r"(?<![\d./])(?P<d2>\d{1,2})[/.\-](?P<m2>\d{1,2})(?:[/.\-](?P<y2>\d{4}|\d\d))?"
    r"(?![\d/])(?!\.\d)|"
    r"(?<!\d)(?P<d3>\d{1,2})(?:st|nd|rd|th|°|º|er|\.)?\s(?:de |of )?"
    rf"(?P<m3>{_any(_MONTHS)})\b\.?"
    r"(?:,? (?:de |del )?(?P<y3>\d{4}))?|"
    rf"\b(?P<m4>{_any(_MONTHS)})\b\.?\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\b"
    r"(?:,? (?P<y4>\d{4}))?|"
    rf"\b(?P<ago>{_any(_DAYS_AGO)})\b|\b(?P<weekday>{_any(_WEEKDAYS)})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Started:
    """A moment in the zone that was said, or in the reader's where none was."""

    moment: datetime
    zoned: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """A time of day with everything that stands around it."""

    hour: int
    minute: int
    zone: tzinfo | None
    date: re.Match[str] | None
    worth: int


def start(text: str, written: datetime) -> Started | None:
    """The moment that a text says best. `written` (aware) is when the text was written.

    Without a date the last such time before it is meant, without a year the last such day. Where
    no time of day is said, `twenty minutes ago` is one.
    """
    text = _NAMED.sub(_clocked, text[:ANALYSED].replace("’", "'"))
    labelled = _LABELLED.search(text)
    general = zone(labelled["zone"]) if labelled else None
    found = (_said(text, match, general) for match in islice(_CLOCK.finditer(text), MOST))
    said = sorted((one for one in found if one), key=lambda one: -one.worth)
    clock = next((moment for one in said if (moment := _moment(one, written))), None)
    if clock is not None:
        return clock
    span = ago.long_ago(text, written)
    return None if span is None else Started(span, True)


def _clocked(match: re.Match[str]) -> str:
    """`since noon` as the clock says it."""
    return f"{match['since']} {'12:00' if match['noon'] else '0:00'}"


def _said(text: str, match: re.Match[str], general: tzinfo | None) -> _Said | None:
    before = text[max(0, match.start() - AROUND) : match.start()].rpartition("\n\n")[2]
    behind = text[match.end() : match.end() + AROUND].partition("\n\n")[0]
    since = _SINCE.search(before) is not None
    close = _zone_behind(behind)
    own = close or _zone_near(before, behind)
    dated = _date_beside(before, behind)
    if not _is_time(match, since, close is not None, dated is not None, behind):
        return None
    said = own or general
    worth = 4 * (said is not None) + 2 * since + (dated is not None) + (match["sep"] == ":")
    hour = _of_24(int(match["hour"]), (match["half"] or "").lower().replace(".", ""))
    return _Said(hour, int(match["minute"] or 0), said, dated, worth)


def _is_time(match: re.Match[str], since: bool, zoned: bool, dated: bool, behind: str) -> bool:
    """Whether digits are a time of day at all: `14.05` may be a price, and `9` anything."""
    if match["sep"] in (":", "h", "H") or match["half"]:
        return True
    if match["minute"]:
        return since or zoned or dated or match["unit"] is not None
    unit = (match["unit"] or "").lower()
    if unit in ("uhr", "o'clock"):
        return True
    return since and (
        zoned or (unit == "h" and int(match["hour"]) > 5) or bool(_ENDS.match(behind))
    )


def _of_24(hour: int, half: str) -> int:
    if half and hour <= 12:
        return hour % 12 + (12 if half == "pm" else 0)
    return hour


def _zone_behind(behind: str) -> tzinfo | None:
    """Right behind the time, in brackets or not."""
    said = ZONE.match(behind.lstrip(" \t(,"))
    return zone(said[0]) if said else None


def _zone_near(before: str, behind: str) -> tzinfo | None:
    """A little farther on, or just before; a bare offset there is a telephone number."""
    for near in (behind[:NEAR], before[-15:]):
        said = _PLAIN.search(near)
        if said and said[0][0].isalpha() and (found := zone(said[0])):
            return found
    return None


def _date_beside(before: str, behind: str) -> re.Match[str] | None:
    """The date that stands nearest before the time, else the one behind it."""
    earlier = list(_DATE.finditer(before))
    if earlier and len(before) - earlier[-1].end() <= NEAR:
        return earlier[-1]
    later = _DATE.search(behind)
    return later if later and later.start() <= NEAR else None


def _moment(said: _Said, written: datetime) -> Started | None:
    """None where there is no such day, or where it lies in the future or long ago."""
    try:
        there = written.astimezone(said.zone) if said.zone else written
        day = _day(said.date, there.date()) if said.date else there.date()
        moment = _at(day, said, there.tzinfo)
        if moment > written + SOON and _may_be_earlier(said):
            moment = _at(day - timedelta(days=1), said, there.tzinfo)
        if not written - LONG_AGO <= moment <= written + SOON:
            return None
    except (ValueError, OverflowError):
        return None
    return Started(moment, said.zone is not None)


def _at(day: date, said: _Said, local: tzinfo | None) -> datetime:
    """By way of UTC, so that a time that the clocks skipped becomes one that there was."""
    naive = datetime(day.year, day.month, day.day, said.hour, said.minute, tzinfo=local)
    return naive.astimezone(UTC).astimezone(local)


def _may_be_earlier(said: _Said) -> bool:
    return said.date is None or (said.date["ago"] or "").lower() in _NIGHT


def _day(match: re.Match[str], today: date) -> date:
    if match["ago"]:
        return today - timedelta(days=_DAYS_AGO[" ".join(match["ago"].lower().split())])
    if match["weekday"]:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS[match["weekday"].lower()]) % 7)
    if match["y1"]:
        return date(int(match["y1"]), int(match["m1"]), int(match["d1"]))
    day, month, year = _numbers(match)
    if month > 12 >= day:  # November 22 as 11/22
        day, month = month, day
    if year is not None:
        return date(year + 2000 if year < 100 else year, month, day)
    this_year = date(today.year, month, day)
    if this_year > today + timedelta(days=1):
        return this_year.replace(year=today.year - 1)
    return this_year


def _numbers(match: re.Match[str]) -> tuple[int, int, int | None]:
    """Day, month and year of a date with a day."""
    which = next(number for number in "234" if match[f"d{number}"])
    month, year = match[f"m{which}"], match[f"y{which}"]
    number = int(month) if month.isdigit() else _MONTHS[month.lower()]
    return int(match[f"d{which}"]), number, int(year) if year else None
