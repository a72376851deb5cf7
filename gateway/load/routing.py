"""Reads `routing.toml`: departments, staff, office hours, caps. The only maker of StaffAddress."""

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from gateway.core.know import calendars
from gateway.core.model import (
    Caps,
    Department,
    Office,
    RequestKind,
    Routing,
    StaffAddress,
)
from gateway.errors import BadInput
from gateway.load.schema import Section, hint
from gateway.toml import Document

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LOCAL = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@")
_TIMES = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES = 24 * 60


def read_routing(document: Document, complaints: list[BadInput]) -> Routing:
    """The whole file; what is wrong with it is added to the complaints."""
    top = Section.top(document, complaints)
    departments = tuple(_department(each) for each in top.sections("department"))
    _once(top, "department", "id")
    names = [department.id for department in departments]
    if not names:
        top.complain((), "there is no [[department]]")
    default = top.text("default_department", names[0] if names else "general")
    if names and default not in names:
        top.complain("default_department", f"unknown department `{default}`", hint(default, names))
    kinds = top.texts("notification_kinds")
    for index, each in enumerate(departments):
        if each.kind is not None and each.kind not in kinds:
            place = ("department", index, "kind")
            top.complain(place, f"unknown kind `{each.kind}`", hint(each.kind, kinds))
    due, window = top.section("first_reply"), top.section("window")
    routing = Routing(
        departments=departments,
        default_department=default,
        office=_office(top.section("office")),
        priorities=top.flag("priorities", True),
        due_panel=due.number("panel_minutes", 10, 1, 100_000),
        due_mail=due.number("mail_minutes", 30, 1, 100_000),
        coalescing=timedelta(hours=window.number("same_incident_hours", 48, 0, 24 * 365)),
        reopening=_reopening(window),
        merging=timedelta(minutes=window.number("merge_receipts_minutes", 10, 0, 24 * 60)),
        parking=timedelta(days=window.number("parked_days", 14, 1, 365)),
        caps=_caps(top.section("caps")),
        freemail=frozenset(each.lower() for each in top.texts("freemail")),
        kinds=kinds,
        staff=_staff(top, names),
    )
    due.done()
    window.done()
    top.done()
    return routing


def _department(section: Section) -> Department:
    name = section.text("id")
    if name and not _ID.fullmatch(name):
        section.complain("id", f"`{name}` is no id", "lower-case letters, digits and hyphens")
    titles = section.section("name")
    mailbox = section.optional("mailbox")
    if mailbox is not None and not _ADDRESS.fullmatch(mailbox):
        section.complain("mailbox", f"`{mailbox}` is no address")
    department = Department(
        id=name,
        names={language: titles.text(language) for language in titles.data},
        mailbox=StaffAddress(mailbox, name, (name,)) if mailbox else None,
        recipients=_recipients(section),
        requests=_requests(section),
        kind=section.optional("kind"),
    )
    section.done()
    return department


def _recipients(section: Section) -> tuple[str, ...]:
    given = section.texts("recipients")
    for index, each in enumerate(given):
        if not (_ADDRESS.fullmatch(each) or _LOCAL.fullmatch(each)):
            section.complain(
                ("recipients", index), f"`{each}` is no address", "write `billing@` or a whole one"
            )
    return tuple(each.lower() for each in given)


def _requests(section: Section) -> tuple[RequestKind, ...]:
    found = []
    for index, each in enumerate(section.texts("requests")):
        if each in tuple(RequestKind):
            found.append(RequestKind(each))
        else:
            place = ("requests", index)
            section.complain(place, f"unknown request `{each}`", hint(each, tuple(RequestKind)))
    return tuple(found)


def _office(section: Section) -> Office:
    zone = section.text("timezone", "Europe/Rome")
    if not _is_zone(zone):
        section.complain("timezone", f"unknown time zone `{zone}`", hint(zone, _near(zone)))
        zone = "UTC"
    country, subdivision = section.optional("country"), section.optional("subdivision")
    _check_country(section, country, subdivision)
    days = section.section("hours")
    office = Office(
        timezone=ZoneInfo(zone).key,
        days={index: _times(days, day) for index, day in enumerate(_DAYS) if days.has(day)},
        country=country,
        subdivision=subdivision,
        closed=_dates(section, "closed"),
        worked=_dates(section, "worked"),
    )
    if not any(office.days.values()):
        section.complain((), "the office is never open", 'write hours.monday = ["9:00-17:30"]')
    days.done()
    section.done()
    return office


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _near(zone: str) -> list[str]:
    """The time zones of the same city or area, so that the hint stays short."""
    city = zone.rpartition("/")[2].casefold()
    area = zone.partition("/")[0].casefold()
    zones = available_timezones()
    near = [each for each in zones if city and each.casefold().endswith(city)]
    return near or [each for each in zones if each.casefold().startswith(area + "/")] or ["UTC"]


def _check_country(section: Section, country: str | None, subdivision: str | None) -> None:
    if country is None:
        return
    known = calendars.subdivisions(country)
    if known is None:
        section.complain("country", f"unknown country `{country}`", "two letters, as in ISO 3166")
    elif subdivision is not None and subdivision not in known:
        section.complain("subdivision", f"`{country}` has no subdivision `{subdivision}`")


def _times(days: Section, day: str) -> tuple[tuple[time, time], ...]:
    found: list[tuple[time, time]] = []
    for index, text in enumerate(days.texts(day)):
        match = _TIMES.fullmatch(text)
        if match is None:
            days.complain((day, index), f"`{text}` are no hours", "write `9:00-17:30`")
            continue
        opens = int(match[1]) * 60 + int(match[2])
        closes = int(match[3]) * 60 + int(match[4])
        if not opens < closes <= _DAY_MINUTES:
            days.complain((day, index), f"`{text}` ends before it begins")
        elif found and _clock(opens) < found[-1][1]:
            days.complain((day, index), f"`{text}` begins before the stretch before it ends")
        else:
            found.append((_clock(opens), _clock(closes)))
    return tuple(found)


def _clock(minutes: int) -> time:
    """24:00 is the last moment of the day."""
    return time.max if minutes == _DAY_MINUTES else time(minutes // 60, minutes % 60)


def _dates(section: Section, key: str) -> frozenset[date]:
    found = set()
    if section.has(key):
        listed = section.data[key]
        for index, each in enumerate(listed if isinstance(listed, list) else [listed]):
            if type(each) is date:
                found.add(each)
            else:
                section.complain((key, index), f"`{key}` holds dates", "write 2026-12-24, bare")
    return frozenset(found)


def _reopening(window: Section) -> timedelta | None:
    """Without the key a reply always reopens its ticket."""
    if not window.has("reopen_days"):
        return None
    return timedelta(days=window.number("reopen_days", 30, 1, 10_000))


def _caps(section: Section) -> Caps:
    shipped = Caps()
    values = {
        name: section.number(name, getattr(shipped, name), 0, 1_000_000)
        for name in Caps.__dataclass_fields__
    }
    section.done()
    return Caps(**values)


def _staff(top: Section, departments: list[str]) -> tuple[StaffAddress, ...]:
    found = []
    for section in top.sections("staff"):
        name, address = section.text("name"), section.text("address")
        if address and not _ADDRESS.fullmatch(address):
            section.complain("address", f"`{address}` is no address")
        named = section.texts("departments")
        for index, each in enumerate(named):
            if each not in departments:
                place = ("departments", index)
                section.complain(place, f"unknown department `{each}`", hint(each, departments))
        section.done()
        found.append(StaffAddress(address, name, named))
    _once(top, "staff", "address")
    return tuple(found)


def _once(top: Section, key: str, name: str) -> None:
    """Ids and addresses stand once."""
    seen: set[str] = set()
    for section in top.sections(key):
        given = section.data.get(name)
        if isinstance(given, str) and given.lower() in seen:
            section.complain(name, f"{key} `{given}` stands there twice")
        seen.add(str(given).lower())
