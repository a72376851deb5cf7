"""The commands that a staff member's mail begins with. What looks like one and is none is a fault:
nothing of such a mail may be sent, so that an inner word never reaches a customer.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.core.model import StaffAddress
from gateway.core.model.routing import Routing
from gateway.core.say.case import HIGH, NORMAL
from gateway.core.say.words import Reason

_FORMS = ("/note", "/close", "/assign name", "/priority high", "/accept", "/decline")
_WORDS = frozenset(form[1:].split()[0] for form in _FORMS)
_SLASHES = frozenset("/\u2044\u2215\u29f8\uff0f")
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that show nothing
_COMMAND = re.compile(r"/\s*(\w{1,20})(?![\w/.])[:.,;]?\s*(.*)", re.DOTALL)
FIRST_LINES = 10  # a stroke among them is a slip, even under a greeting
_QUOTED = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What the first lines command, and the text below them."""

    text: str
    close: bool = False
    note: bool = False
    takes: bool | None = None  # what waits in the ticket: taken over, or declined
    assignee: str | None = None
    priority: str | None = None
    fault: Reason | None = None  # a command that is none: nothing is sent, so that it never leaks


def order(text: str, routing: Routing) -> Order:
    """Read the commands that a mail begins with. Text after `/note` begins the note."""
    lines = text.strip().split("\n")
    if all(_visible(line)[:1] in ("", ">") for line in lines):
        return Order("")  # a quote that nothing announces
    found, noted, at = Order(""), "", 0
    for at, line in enumerate(lines):  # noqa: B007 -- where the commands end is used below
        seen = _visible(line)
        if not seen:
            continue
        if not seen.startswith("/"):
            break
        found = _obeyed(found, seen, routing)
        if found.fault is not None:
            return Order(text.strip(), fault=found.fault)
        noted = noted or (_argument(seen) if found.note else "")
    else:
        at = len(lines)
    below = "\n".join(lines[at:]).strip()
    found = replace(found, text="\n".join(one for one in (noted, below) if one))
    fault = _missing(found) or (None if found.note else _stray(below.split("\n"), at))
    return Order(text.strip(), fault=fault) if fault else found


def _visible(line: str) -> str:
    """The line from its first visible character on; strokes of any width are one."""
    shown = "".join(one for one in line if _shows(one)).strip()
    return f"/{shown[1:]}" if shown[:1] in _SLASHES else shown


def _shows(character: str) -> bool:
    if character.isascii():
        return character.isprintable()
    kind = unicodedata.category(character)
    return character not in _BLANKS and kind not in ("Cf", "Cc", "Mn", "Me", "Zl", "Zp")


def _argument(seen: str) -> str:
    match = _COMMAND.fullmatch(seen)
    return match[2].strip() if match and match[1].lower() == "note" else ""


def _obeyed(found: Order, seen: str, routing: Routing) -> Order:
    match = _COMMAND.fullmatch(seen)
    word, argument = (match[1].lower(), match[2].strip()) if match else ("", "")
    match word:
        case "close" if not argument:
            return replace(found, close=True)
        case "note":
            return replace(found, note=True)
        case "accept" | "decline" if not argument:
            return replace(found, takes=word == "accept")
        case "assign" if argument:
            return _assigned(found, argument, routing)
        case "priority" if argument.lower() in (NORMAL, HIGH):
            return replace(found, priority=argument.lower())
        case _:
            return replace(found, fault=_no_command(seen if word in _WORDS else seen.split()[0]))


def _no_command(said: str) -> Reason:
    forms, shown = ", ".join(_FORMS), said[:_QUOTED]
    return Reason(
        en=f"`{shown}` is not a command; the first lines of your mail may be {forms},"
        " and an answer begins below them",
        it=f"`{shown}` non è un comando; le prime righe del messaggio possono essere {forms},"
        " e la risposta comincia sotto",
    )


def _assigned(found: Order, name: str, routing: Routing) -> Order:
    member = member_named(name, routing)
    if member is not None:
        return replace(found, assignee=member)
    return replace(found, fault=nobody(name))


def nobody(name: str) -> Reason:
    """Said where a ticket is given to somebody who is not listed."""
    shown = name[:_QUOTED]
    return Reason(
        en=f"`{shown}` is none of the staff", it=f"`{shown}` non è tra le persone dell'assistenza"
    )


def member_named(name: str, routing: Routing) -> str | None:
    """The name as it was written, where somebody has it: a name, an address, or its local part.

    Where the routing lists nobody, any name will do.
    """
    boxes = (one.mailbox for one in routing.departments if one.mailbox is not None)
    known = _names((*routing.staff, *boxes))
    return name if not known or name.casefold() in known else None


def _names(staff: Iterable[StaffAddress]) -> frozenset[str]:
    return frozenset(
        said.casefold()
        for one in staff
        for said in (one.name, one.address, one.address.rpartition("@")[0])
    )


def _missing(found: Order) -> Reason | None:
    if not found.note or found.text:
        return None
    return Reason(en="the note has no words", it="la nota è vuota")


def _stray(lines: list[str], first: int) -> Reason | None:
    """A command below words that would go out: one of ours anywhere, any at all near the top."""
    for number, line in enumerate(lines, first):
        seen = _visible(line)
        match = _COMMAND.fullmatch(seen) if seen.startswith("/") else None
        if match is not None and (match[1].lower() in _WORDS or number < FIRST_LINES):
            shown = seen[:_QUOTED]
            return Reason(
                en=f"`{shown}` stands below other words; commands come first",
                it=f"`{shown}` sta sotto altre parole; i comandi vanno per primi",
            )
    return None
