"""The wire gate: raw bytes to header fields and the one author, or why nothing is believed.

The only header splitter of the house: identity, signatures, threads and texts are read from these
fields. It never raises. A refused mail has its fields too, as far as they can be read, for people.
"""

import re
from dataclasses import dataclass
from itertools import islice

from gateway.core.model import Address, Field, Headers, Wire, WireDefect
from gateway.core.read import addresses

# RFC 5322 3.6, and the fields of RFC 2045 that decide how a body is read.
ONCE = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "date",
        "message-id",
        "subject",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
)

DEFECTS: dict[str, tuple[str, str]] = {
    "cr-cr-lf": ("5.5.2", "there is a CR CR LF"),
    "bare-cr": ("5.5.2", "there is a CR without LF"),
    "bare-lf": ("5.5.2", "there is an LF without CR"),
    "nul-in-body": ("5.5.2", "there is a NUL in the body"),
    "nul-in-header": ("5.6.0", "there is a NUL in the header"),
    "header-too-long": ("5.6.0", "the header is too long"),
    "too-many-fields": ("5.6.0", "the header has too many fields"),
    "leading-continuation": ("5.6.0", "the first line is a continuation"),
    "mbox-from": ("5.6.0", "there is an mbox `From ` line among the fields"),
    "no-colon": ("5.6.0", "a header line has no colon"),
    "space-before-colon": ("5.6.0", "a field name ends with a space"),
    "empty-name": ("5.6.0", "a field has no name"),
    "bad-name": ("5.6.0", "a field name holds a character that it must not"),
    "repeated-field": ("5.6.0", "a field that is allowed once is there twice"),
    "no-from": ("5.6.0", "there is no From field"),
    **addresses.DEFECTS,
}

_WINDOW = 1 << 20  # bytes looked at in one call, so that other threads have their turn
_LF = 0x0A
_CR = 0x0D

_BLANK = re.compile(rb"\n\r*+\n")
_FIELD = re.compile(rb"(?!\Z)[^\n]*+(?:\n|\Z)(?:[ \t][^\n]*+(?:\n|\Z))*+")
_NAME = re.compile(rb"[!-9;-~]+")
_MBOX = re.compile(rb">?From ")
_CR_CR_LF = re.compile(rb"\r\r\n")
_BARE_CR = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Ours; the most that 2,341 real mails needed are 91 fields and 136 KB."""

    fields: int = 500
    header_bytes: int = 262_144


def read(raw: bytes, limits: WireLimits = WireLimits(), smtputf8: bool = False) -> Wire:
    """Read the header of a mail as it came after DATA. Linear in its size."""
    line_ends = _line_ends(raw)
    header_end, body_start = _borders(raw, limits.header_bytes)
    fields, defect = _fields(raw[: min(header_end, limits.header_bytes)], limits)
    if line_ends is not None:
        defect = line_ends
    elif b"\0" in raw:
        nul = "nul-in-header" if 0 <= raw.find(b"\0") < body_start else "nul-in-body"
        defect = _defect(nul)
    elif header_end > limits.header_bytes:
        defect = _defect("header-too-long")
    author = defect or _author(fields, smtputf8)
    headers = Headers(fields, body_start)
    if isinstance(author, Address):
        return Wire(headers, author, None)
    return Wire(headers, None, author)


def split(
    raw: bytes, start: int = 0, end: int | None = None, limits: WireLimits = WireLimits()
) -> Headers:
    """The header of a part `raw[start:end]` of a mail; `body_start` is a place in `raw`.

    A line that is no field ends it as an empty line does: parts come without one. Nothing of it is
    ever an author.
    """
    end = len(raw) if end is None else min(end, len(raw))
    fields: list[Field] = []
    at = start
    stop = min(end, start + limits.header_bytes)
    while at < stop and len(fields) < limits.fields:
        for empty in (b"\r\n", b"\n"):
            if raw.startswith(empty, at, end):
                return Headers(tuple(fields), at + len(empty))
        match = _FIELD.match(raw, at, stop)
        line = match[0] if match else b""
        if _line_defect(line, 1) not in (None, "space-before-colon"):
            break
        fields.append(_field(line))
        at += len(line)
    return Headers(tuple(fields), at)


def _line_ends(raw: bytes) -> WireDefect | None:
    """CR and LF stand only together (RFC 5321 2.3.8). Counting is the fastest way to be sure."""
    start, end = 0, len(raw)
    while start < end:
        stop = min(start + _WINDOW, end)
        if stop < end and raw[stop - 1] == _CR and raw[stop] == _LF:
            stop += 1
        pairs = raw.count(b"\r\n", start, stop)
        if not pairs == raw.count(b"\r", start, stop) == raw.count(b"\n", start, stop):
            return _which(raw, start, stop)
        start = stop
    return None


def _which(raw: bytes, start: int, stop: int) -> WireDefect:
    if _CR_CR_LF.search(raw, start, stop):
        return _defect("cr-cr-lf")
    return _defect("bare-cr" if _BARE_CR.search(raw, start, stop) else "bare-lf")


def _borders(raw: bytes, most: int) -> tuple[int, int]:
    """Where the header ends and where the body starts; the empty line and the body may lack.

    A header of more than `most` bytes is not searched to its end.
    """
    first = raw[:2].lstrip(b"\r")[:1]
    if first == b"\n":
        return 0, raw.index(b"\n") + 1
    blank = _BLANK.search(raw, 0, most + len(b"\r\n"))
    if blank is None:
        return len(raw), min(len(raw), most)
    return blank.start() + 1, blank.end()


def _fields(header: bytes, limits: WireLimits) -> tuple[tuple[Field, ...], WireDefect | None]:
    """Every field that can be read, in order, and the first defect among the lines."""
    fields: list[Field] = []
    defect: WireDefect | None = None
    seen: set[str] = set()
    for number, match in enumerate(islice(_FIELD.finditer(header), limits.fields + 1)):
        raw = match[0]
        if number == limits.fields:
            defect = defect or _defect("too-many-fields")
            break
        kind = _line_defect(raw, number)
        if kind:
            defect = defect or _defect(kind)
            if kind != "space-before-colon":
                continue
        field = _field(raw)
        fields.append(field)
        if field.name in seen and field.name in ONCE:
            defect = defect or _defect("repeated-field", field.name)
        seen.add(field.name)
    return tuple(fields), defect


def _field(raw: bytes) -> Field:
    written, _, value = raw.partition(b":")
    name = written.rstrip(b" \t").lower().decode("ascii")
    return Field(name, value.removesuffix(b"\r\n").removesuffix(b"\n"), raw)


def _line_defect(raw: bytes, number: int) -> str | None:
    """What is wrong with a field's name (RFC 5322 2.2), or None."""
    name, colon, _ = raw.partition(b":")
    if _NAME.fullmatch(name):
        return None if colon else "no-colon"
    if number == 0 and raw[:1] in (b" ", b"\t"):
        return "leading-continuation"
    if _MBOX.match(raw):
        return "space-before-colon" if name.rstrip(b" \t") == b"From" and colon else "mbox-from"
    if not colon:
        return "no-colon"
    if not name.strip(b" \t"):
        return "empty-name"
    bare = name.rstrip(b" \t")
    return "space-before-colon" if _NAME.fullmatch(bare) else "bad-name"


def _author(fields: tuple[Field, ...], smtputf8: bool) -> Address | WireDefect:
    """There is exactly one From by now, or none."""
    for field in fields:
        if field.name == "from":
            return addresses.from_field(field.value, smtputf8)
    return _defect("no-from")


def _defect(kind: str, about: str = "") -> WireDefect:
    enhanced, sentence = DEFECTS[kind]
    return WireDefect(kind, f"{sentence}: `{about}`" if about else sentence, enhanced)
