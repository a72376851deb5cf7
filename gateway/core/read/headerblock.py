"""Blocks of header-like lines that clients put before a quoted mail: From, Sent, To, Subject in any language.

Structure first: a date, an address, the order of the lines; the labels of phrases.py are the second signal.
"""

import re
from dataclasses import dataclass

from gateway.core.read.dates import ADDRESS, ANGLE, DATE, TIME
from gateway.core.read.lines import Line
from gateway.core.read.phrases import CC, FORM_LABELS, FROM, ROLES, SENT, SUBJECT, TO

_FIELD = re.compile(
    r"[*_]{0,2}([^\W\d_][^:：*_<>@]{0,28}?)\s?[*_]{0,2}\s?[:：]\s*[*_]{0,2}\s*(.*)"
)
_MAX_FIELDS = 12


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One header-like line; `role` is None where the label is not known."""

    label: str
    value: str
    role: str | None


def header_field(text: str) -> HeaderField | None:
    """The line as a field, or None; the label has at most three words."""
    match = _FIELD.match(text)
    if not match:
        return None
    label = match.group(1).strip().casefold()
    if label.count(" ") > 2:
        return None
    return HeaderField(label, match.group(2)[:300], ROLES.get(label))


@dataclass(frozen=True, slots=True)
class Block:
    """Header-like lines from where it was asked to `end`."""

    end: int
    fields: tuple[HeaderField, ...]

    @property
    def roles(self) -> set[str]:
        """The roles of the labels that are known."""
        return {field.role for field in self.fields if field.role}


def read_block(lines: list[Line], index: int, loose: bool = False) -> Block | None:
    """The header-like lines that begin at `index`; `loose` lets single blank lines stand between them."""
    if index >= len(lines):
        return None
    depth = lines[index].depth
    fields: list[HeaderField] = []
    at = index
    while at < len(lines) and len(fields) < _MAX_FIELDS:
        line = lines[at]
        field = header_field(line.text) if line.text else None
        if line.depth != depth or (not field and not fields):
            break
        if field and (field.role or not fields or not _continues(lines, at, fields[-1])):
            fields.append(field)
            at += 1
            continue
        step = _gap(lines, at, fields[-1], loose)
        if not step:
            break
        if not line.blank:
            fields[-1] = HeaderField(
                fields[-1].label, f"{fields[-1].value} {line.text[:300]}", fields[-1].role
            )
        at += step
    return Block(at, tuple(fields)) if fields else None


def _gap(lines: list[Line], at: int, last: HeaderField, loose: bool) -> int:
    """How many lines to step over to stay within the block: a wrapped value, or blank lines; 0 ends it."""
    if lines[at].blank:
        following = at + 1 if at + 1 < len(lines) and not lines[at + 1].blank else at + 2
        known = loose and _known(lines, following, lines[at].depth)
        return following - at if known else 0
    return 1 if _continues(lines, at, last) else 0


def _continues(lines: list[Line], at: int, last: HeaderField) -> bool:
    """A wrapped value: the line before was cut short, or a known label follows within two lines."""
    text, depth = lines[at].text, lines[at].depth
    if not last.role:
        return False
    if text[0] in "<[(" and "@" in text and not ADDRESS.search(last.value):
        return True
    opened = last.value.rfind("<") > last.value.rfind(">") or last.value.rfind(
        "["
    ) > last.value.rfind("]")
    if opened and last.role != SUBJECT:
        return True
    return any(_known(lines, at + step, depth) for step in (1, 2))


def _known(lines: list[Line], at: int, depth: int) -> bool:
    if at >= len(lines) or lines[at].depth != depth:
        return False
    field = header_field(lines[at].text)
    return field is not None and field.role is not None


def is_quote_header(block: Block, announced: bool, free_before: bool, free_after: bool) -> bool:
    """Whether these lines head somebody else's mail.

    `announced`: a delimiter or rule stands right before; `free_*`: a blank line, a quote or the edge of the
    body is on that side. A form that a customer filled in has labels like `ip` or `order`, and no sender.
    """
    roles = block.roles
    known = [field for field in block.fields if field.role]
    if any(f.label in FORM_LABELS and not f.role for f in block.fields):
        return False
    dated = any(f.role == SENT and has_date(f.value) for f in known)
    addressed = any(f.role in (FROM, TO, CC) and ADDRESS.search(f.value) for f in known)
    if announced:
        return len(roles) >= 2 and (FROM in roles or addressed) and (dated or addressed)
    if len(known) >= 3 and dated and len(roles) >= 3 and (addressed or FROM in roles):
        return free_after or (free_before and addressed)
    if len(known) == 2 and dated and addressed and free_before and free_after:
        return FROM in roles or TO in roles
    return free_before and free_after and _foreign(block)


def has_date(value: str) -> bool:
    """A date, or a time with a number before it."""
    return bool(DATE.search(value[:200]) or TIME.search(value[:200]))


def _foreign(block: Block) -> bool:
    """Three or more lines with labels that nobody listed: a named sender first, then a date with a time."""
    if not 3 <= len(block.fields) <= 8 or len({f.label for f in block.fields}) < 3:
        return False
    named = any(ANGLE.search(f.value) and not f.value.startswith("<") for f in block.fields[:2])
    dated = any(DATE.search(f.value) and TIME.search(f.value) for f in block.fields)
    return named and dated
