"""The body of a mail as lines: offsets into the text, quote depth, and the words without marks.

At most 2,000 lines of 2,000 characters are looked at; what lies beyond is kept by whoever tiles
the text.
"""

import re
from dataclasses import dataclass
from itertools import islice

from gateway.core.model import SpanKind

MAX_LINES = 2_000
MAX_CHARS = 2_000
SIGNATURE_DASHES = "-- "  # RFC 3676 4.3: with its space

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_QUOTED = re.compile(r"[ \t]{0,3}>[> \t]*")
# Marks that clients put into visible lines: bidi marks, joiners, soft hyphens, byte order marks.
_RANGES = ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069))
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, 0x180E, 0xFEFF]
    + [code for first, last in _RANGES for code in range(first, last + 1)]
)
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_CLEAN = str.maketrans({chr(code): text for code, text in {**_INVISIBLE, **_SPACES}.items()})


@dataclass(frozen=True, slots=True)
class Hint:
    """What HTML says of `text[start:end]`: its kind, or (None) only that it stands one quote
    level deeper.
    """

    start: int
    end: int
    kind: SpanKind | None
    rule: str


@dataclass(slots=True)
class Line:
    """One line: `text[start:end]` with its line end, `raw` as read, `text` without quote marks
    and outer space.
    """

    start: int
    end: int
    raw: str
    text: str
    depth: int  # how many `>` stand before it

    @property
    def blank(self) -> bool:
        """Nothing but quote marks and space."""
        return not self.text


def clean(text: str) -> str:
    """Without invisible marks, every kind of space a plain one, and no space around."""
    return text.strip() if text.isascii() else text.translate(_CLEAN).strip()


def read_lines(text: str) -> list[Line]:
    """The first lines of a body; CRLF, LF and a lone CR end a line, nothing else does."""
    lines = []
    for match in islice(_LINE.finditer(text), MAX_LINES):
        start, end = match.span()
        if start == end:
            break
        raw = clean(text[start : min(end, start + MAX_CHARS)])
        if raw in ("--", "- --") and text.startswith(f"{raw} ", start) and end - start <= 7:
            raw = SIGNATURE_DASHES
        mark = _QUOTED.match(raw)
        inner = raw[mark.end() :].strip() if mark else raw.rstrip()
        lines.append(Line(start, end, raw, inner, mark.group().count(">") if mark else 0))
    return lines


def next_filled(lines: list[Line], index: int, limit: int = 12) -> int | None:
    """The first line at or after `index` that is not blank, within `limit` lines."""
    for at in range(index, min(index + limit, len(lines))):
        if not lines[at].blank:
            return at
    return None
