"""Blocks of header-like lines that clients put before a quoted mail: From, Sent, To, Subject in
any language.

Structure first: a date, an address, the order of the lines; the labels of phrases.py are the
second signal.
"""

import re
from dataclasses import dataclass

from gateway.core.read.dates import ADDRESS, ANGLE, DATE, TIME
from gateway.core.read.lines import Line
from gateway.core.read.phrases import (
    CC,
    FORM_LABELS,
    FROM,
    ROLES,
    SENT,
    SUBJECT,
    TO,
    TRANSPORT_LABELS,
)

_FIELD = re.compile(
    r"[*_]{0,2}([^\W\d_][^:：*_<>@\d]{0,28}?)\s?[*_]{0,2}\s?[:：]\s*[*_]{0,2}\s*(.*)"
)
_LABEL = re.compile(r"(?:^|\s)\*{0,2}([^\W\d_]{1,12}(?: [^\W\d_]{1,8})?) ?:\*{0,2}\s")
_BARE = re.compile(r"(da|from|a|to|cc|data|date|oggetto|subject)(?: (.*)|)$", re.IGNORECASE)
_BARE_ROLES = {
    "da": FROM, "from": FROM, "a": TO, "to": TO, "cc": CC, "data": SENT, "date": SENT,
    "oggetto": SUBJECT, "subject": SUBJECT,
}  # fmt: skip
_MAX_LINE = 600
_MAX_FIELDS = 12
_MAX_VALUE = 300
_PAIRS = (("<", ">"), ("[", "]"))


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One header-like line; `role` is None where the label is not known."""

    label: str
    value: str
    role: str | None

    def extended(self, more: str) -> "HeaderField":
        """The field with a wrapped line added to its value."""
        return HeaderField(self.label, f"{self.value} {more}"[: 2 * _MAX_VALUE], self.role)


def header_field(text: str) -> HeaderField | None:
    """The line as a field, or None; the label has at most three words."""
    if text.find(":", 1, 48) < 0 and text.find("：", 1, 48) < 0:
        return None
    match = _FIELD.match(text)
    if not match:
        return None
    label = match.group(1).strip().casefold()
    if label.count(" ") > 2:
        return None
    return HeaderField(label, match.group(2)[:_MAX_VALUE], ROLES.get(label))


@dataclass(frozen=True, slots=True)
class Block:
    """Header-like lines from where it was asked to `end`."""

    end: int
    fields: tuple[HeaderField, ...]

    @property
    def roles(self) -> set[str]:
        """The roles of the labels that are known."""
        return {field.role for field in self.fields if field.role}


class HeaderBlocks:
    """Reads blocks out of a body's lines; each line is taken apart once."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._fields: dict[int, HeaderField | None] = {}

    def field(self, at: int) -> HeaderField | None:
        """The line as a field, or None."""
        if at >= len(self._lines):
            return None
        if at not in self._fields:
            self._fields[at] = header_field(self._lines[at].text)
        return self._fields[at]

    def read(self, index: int, loose: bool = False) -> Block | None:
        """The header-like lines from `index` on; `loose` lets blank lines stand between them."""
        if not self.field(index) or not any(self.field(index + step) for step in (1, 2, 3)):
            return None
        depth = self._lines[index].depth
        if index and self._lines[index - 1].depth == depth and self._refused(index - 1):
            return None
        fields: list[HeaderField] = []
        at = index
        while at < len(self._lines) and len(fields) < _MAX_FIELDS:
            line, field = self._lines[at], self.field(at)
            if line.depth != depth:
                break
            if field and field.role and _thrice(field, fields):
                break
            if field and (field.role or not fields or not _cut_short(fields[-1])):
                fields.append(field)
                at += 1
                continue
            step = self._gap(at, fields[-1], loose)
            if not step:
                break
            if not line.blank:
                fields[-1] = fields[-1].extended(line.text[:_MAX_VALUE])
            at += step
        return Block(at, tuple(fields))

    def _gap(self, at: int, last: HeaderField, loose: bool) -> int:
        """How many lines to step over: a wrapped value, blank lines; 0 ends the block."""
        if not self._lines[at].blank:
            return 1 if self._continues(at, last) else 0
        following = at + 1
        limit = min(at + 3, len(self._lines))
        while following < limit and self._lines[following].blank:
            following += 1
        return following - at if loose and self._known(following, self._lines[at].depth) else 0

    def _continues(self, at: int, last: HeaderField) -> bool:
        """A wrapped value: the line before was cut short, or a known label follows soon."""
        line = self._lines[at]
        if not last.role or line.blank:
            return False
        if line.text[0] in "<[(" and "@" in line.text and not ADDRESS.search(last.value):
            return True
        return _cut_short(last) or any(self._known(at + step, line.depth) for step in (1, 2))

    def _refused(self, above: int) -> bool:
        """The block began above and was refused there: a header's line, or one of a form."""
        field = self.field(above)
        return field is not None and (field.role is not None or _never_quoted(field))

    def _known(self, at: int, depth: int) -> bool:
        field = self.field(at)
        return field is not None and field.role is not None and self._lines[at].depth == depth


def _thrice(field: HeaderField, fields: list[HeaderField]) -> bool:
    """A header names its sender once, or twice where one wrote for another."""
    return sum(before.role == field.role for before in fields) > 1


def _cut_short(last: HeaderField) -> bool:
    """An address in the value was opened and not closed."""
    value = last.value
    opened = any(value.rfind(left) > value.rfind(right) for left, right in _PAIRS)
    return opened and last.role is not None and last.role != SUBJECT


def one_line_header(text: str) -> bool:
    """`From: … Sent: … To: … Subject: …` run together into one line, with an address or a date."""
    if not _FIELD.match(text) or len(text) > _MAX_LINE:
        return False
    roles = [ROLES.get(match.group(1).casefold()) for match in _LABEL.finditer(text)]
    known = {role for role in roles if role}
    if len(known) < 4 or not known >= {FROM, SENT, SUBJECT}:
        return False
    return roles[0] in (FROM, SENT) and has_date(text[:400]) and bool(ADDRESS.search(text))


def colonless(lines: list[Line], index: int) -> int:
    """The end of a header whose labels have no colons, as webmail of Aruba writes it, or 0.

    An author with an address, then recipients, a date with a time and a subject, each once.
    """
    roles: list[str] = []
    at = index
    while at < len(lines) and len(roles) < len(_BARE_ROLES):
        match = _BARE.match(lines[at].text[:_MAX_LINE])
        role = _BARE_ROLES[match.group(1).casefold()] if match else None
        if match is None or role is None or role in roles:
            break
        value = match.group(2) or ""
        if role == FROM and not ADDRESS.search(value):
            return 0
        if role == SENT and not (DATE.search(value) and TIME.search(value)):
            return 0
        roles.append(role)
        at += 1
    whole = roles[:1] == [FROM] and {FROM, TO, SENT, SUBJECT} <= set(roles)
    return at if whole else 0


def is_quote_header(block: Block, announced: bool, free_before: bool, free_after: bool) -> bool:
    """Whether these lines head somebody else's mail.

    `announced`: a delimiter or rule stands right before; `free_*`: a blank line, a quote or the
    edge of the body is on that side. A form that a customer filled in has labels like `ip` or
    `order`, and no sender.
    """
    roles = block.roles
    known = [field for field in block.fields if field.role]
    if any(_never_quoted(field) for field in block.fields):
        return False
    dated = any(f.role == SENT and has_date(f.value) for f in known)
    addressed = any(f.role in (FROM, TO, CC) and ADDRESS.search(f.value) for f in known)
    if announced:
        return len(roles) >= 2 and (FROM in roles or addressed) and (dated or addressed)
    if len(roles) >= 3 and dated and FROM in roles:
        # `Da: Milano`, `A: Roma` and a date are a journey.
        timed = any(f.role == SENT and TIME.search(f.value) for f in known)
        if not (addressed or timed or SUBJECT in roles):
            return False
        return free_after or (free_before and addressed)
    if len(known) == 2 and dated and addressed and free_before and free_after:
        return FROM in roles or TO in roles
    return free_before and free_after and _foreign(block)


def _never_quoted(field: HeaderField) -> bool:
    """A label of a form, or of a raw header that somebody pasted: no client quotes these."""
    if field.role:
        return False
    return field.label in FORM_LABELS or field.label in TRANSPORT_LABELS or field.label[:2] == "x-"


def has_date(value: str) -> bool:
    """A date, or a time of day."""
    return bool(DATE.search(value[:400]) or TIME.search(value[:400]))


def _foreign(block: Block) -> bool:
    """Three or more lines with labels that nobody listed: a named sender first, then a date with
    a time.
    """
    if not 3 <= len(block.fields) <= 8 or len({f.label for f in block.fields}) < 3:
        return False
    named = any(ANGLE.search(f.value) and not f.value.startswith("<") for f in block.fields[:2])
    dated = any(DATE.search(f.value) and TIME.search(f.value) for f in block.fields)
    return named and dated
