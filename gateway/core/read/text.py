"""What the customer wrote now: a body tiled with spans, each with the rule that marked it;
nothing is deleted.

Structure comes before language, quotes are kept beside inline answers, and a line that may be the
customer's stays new. One pass over at most 2,000 lines of 2,000 characters; what lies beyond is
kept as it is.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass

from gateway.core.model import Span, SpanKind
from gateway.core.read import legal, quotes, signature
from gateway.core.read.afterword import resumes
from gateway.core.read.attribution import Attribution, attribution, delimiter, is_rule, reply_above
from gateway.core.read.headerblock import (
    HeaderBlocks,
    colonless,
    is_quote_header,
    one_line_header,
)
from gateway.core.read.lines import Hint, Line, next_filled, read_lines
from gateway.core.read.subtract import own_lines

Mark = tuple[SpanKind, str]

_NEW: Mark = (SpanKind.NEW, "own-words")
_BEYOND: Mark = (SpanKind.NEW, "not-analysed")
_PARAGRAPH = 60
_PEC_LINES = 20
_HEADLINE = 80
_LEAD_IN = re.compile(r"^[^:].*[^\W\d_][\"')\]»”]?\s?[:：]$")


def spans(text: str, hints: tuple[Hint, ...] = ()) -> tuple[Span, ...]:
    """Tile the whole body in order; `hints` are what an HTML part said of the same text."""
    lines = read_lines(text)
    reading = _Reading(lines, quotes.hinted(lines, hints))
    reading.walk()
    reading.trim_tails()
    return _tile(text, lines, reading)


def subtract(text: str, tiles: tuple[Span, ...], sent_texts: tuple[str, ...]) -> tuple[Span, ...]:
    """The same tiling with lines marked as quoted that we sent in this ticket, however they came
    back.
    """
    marks = own_lines(text, tiles, sent_texts) if sent_texts and tiles else {}
    if not marks:
        return tiles
    pieces: list[tuple[int, Mark]] = []
    starts = sorted(marks)
    ends = {line.start: line.end for line in read_lines(text)}
    for tile in tiles:
        pieces.append((tile.start, (tile.kind, tile.rule)))
        for start in starts[bisect_left(starts, tile.start) : bisect_left(starts, tile.end)]:
            pieces.append((start, marks[start]))
            pieces.append((ends[start], (tile.kind, tile.rule)))
    return merge(pieces, len(text))


@dataclass(frozen=True, slots=True)
class _Opening:
    """Lines up to `end` that announce a quote, and what follows them."""

    end: int
    kind: SpanKind
    rule: str
    offset: int = 0


class _Reading:
    """The marks of one body's lines, as they are found from top to bottom."""

    def __init__(self, lines: list[Line], hinted: dict[int, Mark]) -> None:
        self.lines = lines
        hinted = _without_afterwords(lines, hinted)
        self.marks: list[Mark | None] = [hinted.get(at) for at in range(len(lines))]
        self.offsets: dict[int, int] = {}
        self._headers = HeaderBlocks(lines)
        self.rest: Mark | None = None
        self._attributed: Mark | None = next(
            (mark for mark in hinted.values() if mark[0] == SpanKind.QUOTE), None
        )
        self._worded = False
        self._limit = -1
        self._judged = 0
        self._openings: dict[int, _Opening | None] = {}
        self._runs = quotes.count_runs(lines)
        self._wraps = False

    def walk(self) -> None:
        """From the first line to the last; each step marks what it recognises and says where to
        go on.
        """
        at = 0
        while at < len(self.lines):
            at = self._step(at)

    def _step(self, at: int) -> int:
        if self.marks[at] or self.lines[at].blank:
            return at + (not self.lines[at].depth or bool(self.marks[at]) or self._quote_blank(at))
        if self.lines[at].depth:
            return self._quoted(at)
        opening = self._opening(at)
        if opening:
            return self._announce(at, opening)
        for rule in (self._pec, self._armour, self._mobile, self._signature, self._legal):
            end = rule(at)
            if end:
                return end
        self._worded = self._worded or any(char.isalpha() for char in self.lines[at].text)
        return at + 1

    def _quote_blank(self, at: int) -> int:
        self.marks[at] = self._attributed or (SpanKind.QUOTE, "quote:blank")
        return 1

    def _mark(self, start: int, end: int, mark: Mark) -> int:
        for at in range(start, end):
            if not self.marks[at]:
                self.marks[at] = mark
        return end

    # What announces a quote

    def _opening(self, at: int) -> _Opening | None:
        if at not in self._openings:
            self._openings[at] = self._find_opening(at)
        return self._openings[at]

    def _find_opening(self, at: int) -> _Opening | None:
        line = self.lines[at]
        if is_rule(line):
            after = next_filled(self.lines, at + 1, 4)
            ruled = after is not None and self._header(after, True)
            return ruled or None
        if reply_above(line):
            return _Opening(at + 1, SpanKind.QUOTE, "quote:reply-above")
        cut = delimiter(line)
        if cut:
            kind = SpanKind.FORWARD if cut == "forward" else SpanKind.QUOTE
            after = next_filled(self.lines, at + 1, 4)
            header = self._header(after, True, loose=True) if after is not None else None
            return _Opening(header.end if header else at + 1, kind, f"{kind}:delimiter")
        found = self._header(at, False) or self._said(at)
        return None if found and self._led_in(at, found.end) else found

    def _said(self, at: int) -> _Opening | None:
        bare = colonless(self.lines, at)
        if bare:
            return _Opening(bare, SpanKind.QUOTE, "attribution:header-block")
        said: Attribution | None = attribution(self.lines, at)
        return _Opening(said.end, SpanKind.QUOTE, said.rule, said.offset) if said else None

    def _led_in(self, at: int, end: int) -> bool:
        """Words of his own that end with a colon: `I get this:`, and what stands below is pasted.

        Where the pasted thing ends nobody can say, so that it stays new like what follows it;
        quoted lines tell by themselves.
        """
        above = range(at - 1, max(at - 4, -1), -1)
        last = next((x for x in above if not self.lines[x].blank), None)
        if last is None or self.marks[last] or self.lines[last].depth:
            return False
        if not _LEAD_IN.search(self.lines[last].text) or delimiter(self.lines[last]):
            return False
        after = next_filled(self.lines, end)
        return after is None or not (self.lines[after].depth or self.marks[after])

    def _header(self, at: int, announced: bool, loose: bool = False) -> _Opening | None:
        if one_line_header(self.lines[at].text):
            return _Opening(at + 1, SpanKind.QUOTE, "attribution:one-line-header")
        block = self._headers.read(at, loose)
        if not block:
            return None
        before = at == 0 or self.lines[at - 1].blank or bool(self.marks[at - 1])
        after = (
            block.end >= len(self.lines)
            or self.lines[block.end].blank
            or self.lines[block.end].depth != self.lines[at].depth
        )
        if not is_quote_header(block, announced, before, after):
            return None
        return _Opening(block.end, SpanKind.QUOTE, "attribution:header-block")

    def _announce(self, at: int, opening: _Opening) -> int:
        """Mark the announcement; what follows is the quoted lines, or everything to the end."""
        kind = SpanKind.FORWARD if opening.kind == SpanKind.FORWARD else SpanKind.ATTRIBUTION
        self._mark(at, opening.end, (kind, opening.rule))
        if opening.offset:
            self.offsets[at] = opening.offset
        quote: Mark = (opening.kind, opening.rule.replace("attribution:", "quote:"))
        self._attributed = quote
        after = next_filled(self.lines, opening.end, len(self.lines))
        if after is not None and self.lines[after].depth:
            return opening.end
        if after is not None and self.marks[after]:
            return opening.end
        self.rest = quote
        return self._mark(opening.end, len(self.lines), quote)

    # Quoted lines

    def _quoted(self, at: int) -> int:
        run = quotes.read_run(self.lines, at, self._wraps)
        self._wraps = self._wraps or run.wrapped
        mark = self._nested(at, run.end) or self._attributed
        if not mark and quotes.is_quotation(self.lines, at, run.end, self._runs):
            mark = (SpanKind.QUOTE, "quote:unattributed")
        elif mark:
            self._attributed = mark
        else:
            self._worded = True
        return self._mark(at, run.end, mark or (SpanKind.NEW, "own-words:marked"))

    def _nested(self, start: int, end: int) -> Mark | None:
        """An announcement inside the quote marks, as Apple Mail and Hotmail write them."""
        seen = 0
        for at in range(start, min(end, start + 12)):
            if self.lines[at].blank:
                continue
            seen += 1
            if seen > 3:
                return None
            cut = delimiter(self.lines[at])
            if cut == "forward":
                return SpanKind.FORWARD, "forward:quoted"
            said = attribution(self.lines, at, quote_ahead=True)
            if cut or said or self._header(at, seen == 1):
                return SpanKind.QUOTE, "quote:attributed-inside"
        return None

    # What stands under the words

    def _until(self, at: int) -> int:
        """The next line that is quoted, marked or announces a quote: a signature ends there."""
        if at < self._limit:
            return self._limit
        end = at + 1
        while end < len(self.lines):
            line = self.lines[end]
            if line.depth or self.marks[end] or (not line.blank and self._opening(end)):
                break
            end += 1
        self._limit = end
        return end

    def _mobile(self, at: int) -> int:
        if not signature.mobile(self.lines[at]):
            return 0
        after = at + 1
        if after < len(self.lines) and not self.lines[after].blank:
            follower = self.lines[after]
            if not (
                follower.depth or is_rule(follower) or self._opening(after) or self.marks[after]
            ):
                return 0
        start = at - 1 if at and is_rule(self.lines[at - 1]) else at
        return self._mark(start, after, (SpanKind.SIGNATURE, "signature:mobile"))

    def _signature(self, at: int) -> int:
        if signature.list_footer(self.lines, at):
            return self._mark(at, len(self.lines), (SpanKind.SIGNATURE, "signature:list-footer"))
        end = signature.delimited(self.lines, at, self._until(at), self._worded) or 0
        return self._mark(at, end, (SpanKind.SIGNATURE, "signature:delimiter")) if end else 0

    def _paragraph_end(self, at: int) -> int:
        end = at
        while end < len(self.lines) and end < at + _PARAGRAPH and not self.lines[end].blank:
            if self.lines[end].depth or self.marks[end] or (end > at and self._opening(end)):
                break
            end += 1
        return end

    def _legal(self, at: int) -> int:
        """A footer begins with its paragraph, or with a headline inside one."""
        line = self.lines[at].text
        if at < self._judged and not legal.headline(line):
            return 0
        fresh = at == 0 or self.lines[at - 1].blank or bool(self.marks[at - 1])
        if not legal.headline(line) and not (fresh and legal.signed(line)):
            return 0
        end = self._paragraph_end(at)
        if end == at + 1 and len(line) <= _HEADLINE:
            after = next_filled(self.lines, end, 3)
            end = self._paragraph_end(after) if after is not None else end
        rule = legal.footer(" ".join(line.text for line in self.lines[at:end]))
        self._judged = max(self._judged, end)
        return self._mark(at, end, (SpanKind.LEGAL, rule)) if rule else 0

    def _armour(self, at: int) -> int:
        """The frame of a text that is signed by OpenPGP: nobody wrote it."""
        end = signature.armour(self.lines, at)
        return self._mark(at, end, (SpanKind.SIGNATURE, "signature:openpgp")) if end else 0

    def _pec(self, at: int) -> int:
        if not legal.opens_pec(self.lines[at].text):
            return 0
        for end in range(at + 1, min(at + _PEC_LINES, len(self.lines))):
            if legal.closes_pec(self.lines[end].text):
                return self._mark(at, end + 1, (SpanKind.LEGAL, "legal:certified-mail-envelope"))
        return 0

    def trim_tails(self) -> None:
        """At the end of each stretch of words: a closing with a contact block, a name behind a
        dash.
        """
        start = None
        for at in range(len(self.lines) + 1):
            own = at < len(self.lines) and self.marks[at] is None
            if own and start is None:
                start = at
            elif not own and start is not None:
                self._trim(start, at)
                start = None

    def _trim(self, start: int, end: int) -> None:
        closing = signature.closing_block(self.lines, start, end)
        if closing is not None:
            self._mark(closing, end, (SpanKind.SIGNATURE, "signature:closing"))
            return
        last = next((x for x in range(end - 1, start, -1) if not self.lines[x].blank), None)
        if last is not None and signature.dash_name(self.lines, last, end):
            self._mark(last, end, (SpanKind.SIGNATURE, "signature:dash-name"))


def _without_afterwords(lines: list[Line], hinted: dict[int, Mark]) -> dict[int, Mark]:
    """What markup calls a signature ends where its owner writes on inside it."""
    signed = sorted(at for at, (kind, _) in hinted.items() if kind == SpanKind.SIGNATURE)
    kept = dict(hinted)
    while signed:
        block = 1
        while block < len(signed) and all(
            lines[at].blank for at in range(signed[block - 1] + 1, signed[block])
        ):
            block += 1
        end = signed[block - 1] + 1
        for at in range(resumes(lines, signed[0], end, worded=True), end):
            kept.pop(at, None)
        signed = signed[block:]
    return kept


def _tile(text: str, lines: list[Line], reading: _Reading) -> tuple[Span, ...]:
    """Marks of lines as spans; a blank line goes with the line before it."""
    pieces: list[tuple[int, Mark]] = []
    last: Mark = _NEW
    for at, line in enumerate(lines):
        mark = reading.marks[at] or (last if line.blank else _NEW)
        offset = reading.offsets.get(at)
        if offset:
            pieces.append((line.start, _NEW))
            pieces.append((line.start + offset, mark))
        else:
            pieces.append((line.start, mark))
        last = mark
    read = lines[-1].end if lines else 0
    if read < len(text):
        pieces.append((read, reading.rest or _BEYOND))
    return merge(pieces, len(text))


def merge(pieces: list[tuple[int, Mark]], length: int) -> tuple[Span, ...]:
    """Starts with marks as spans; neighbours of one mark become one."""
    tiles: list[Span] = []
    for index, (start, mark) in enumerate(pieces):
        end = pieces[index + 1][0] if index + 1 < len(pieces) else length
        if start == end:
            continue
        if tiles and (tiles[-1].kind, tiles[-1].rule) == mark:
            tiles[-1] = Span(mark[0], tiles[-1].start, end, mark[1])
        else:
            tiles.append(Span(mark[0], start, end, mark[1]))
    return tuple(tiles)
