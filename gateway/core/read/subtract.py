"""Our own words in a body, found by shingles, whatever a client did to them: rewrapped, unmarked,
cut.

Pure comparison of word sequences; a line is ours only when most of its words stand in five-word
stretches that we sent.
"""

import re

from gateway.core.model import Span, SpanKind
from gateway.core.read.dates import ADDRESS, DATE, TIME
from gateway.core.read.headerblock import header_field
from gateway.core.read.lines import Line, clean, read_lines

Mark = tuple[SpanKind, str]
OURS: Mark = (SpanKind.QUOTE, "quote:our-words")
_HEADING: Mark = (SpanKind.ATTRIBUTION, "attribution:over-our-words")
_SHINGLE = 5
_SHARE = 0.8
_MAX_WORDS = 60_000
_WORD = re.compile(r"\w+")


def own_lines(text: str, tiles: tuple[Span, ...], sent_texts: tuple[str, ...]) -> dict[int, Mark]:
    """The marks of lines, by the line's start, that are new by `tiles` and yet ours."""
    lines = [line for line in read_lines(text) if _is_new(line, tiles_at(tiles, line.start))]
    shingles, whole = _known(sent_texts)
    ours = _matched(lines, shingles)
    _fill(lines, ours, whole)
    marks = {lines[at].start: OURS for at in sorted(ours)}
    for at in sorted(ours):
        if at - 1 not in ours:
            for heading in _heading(lines, at):
                marks[lines[heading].start] = _HEADING
    return marks


def tiles_at(tiles: tuple[Span, ...], position: int) -> Span | None:
    """The span that holds a position, by bisection."""
    low, high = 0, len(tiles)
    while low < high:
        middle = (low + high) // 2
        if tiles[middle].end <= position:
            low = middle + 1
        else:
            high = middle
    return tiles[low] if low < len(tiles) else None


def _is_new(line: Line, span: Span | None) -> bool:
    return span is not None and span.kind == SpanKind.NEW and line.end <= span.end


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _known(sent_texts: tuple[str, ...]) -> tuple[set[tuple[str, ...]], set[str]]:
    """All stretches of five words that we sent, and our lines as words."""
    shingles: set[tuple[str, ...]] = set()
    whole: set[str] = set()
    budget = _MAX_WORDS
    for sent in sent_texts:
        words = _words(sent[: budget * 12])[:budget]
        budget -= len(words)
        shingles.update(tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1))
        whole.update(" ".join(_words(line)) for line in sent[: 12 * _MAX_WORDS].splitlines())
    whole.discard("")
    return shingles, whole


def _matched(lines: list[Line], shingles: set[tuple[str, ...]]) -> set[int]:
    """Lines most of whose words stand in our stretches; stretches run over line ends."""
    stream: list[str] = []
    owner: list[int] = []
    for at, line in enumerate(lines):
        words = _words(line.text)
        stream += words
        owner += [at] * len(words)
    covered = bytearray(len(stream))
    for i in range(len(stream) - _SHINGLE + 1):
        if tuple(stream[i : i + _SHINGLE]) in shingles:
            covered[i : i + _SHINGLE] = b"\1" * _SHINGLE
    counts: dict[int, list[int]] = {}
    for at, hit in zip(owner, covered, strict=True):
        count = counts.setdefault(at, [0, 0])
        count[0] += hit
        count[1] += 1
    return {at for at, (hits, total) in counts.items() if hits >= _SHARE * total}


def _fill(lines: list[Line], ours: set[int], whole: set[str]) -> None:
    """Blank and short lines beside our lines go with them, the short ones only when we sent just
    that line.
    """
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        step = order.step
        for at in order:
            if at in ours or not _beside(lines, ours, at, -step):
                continue
            if " ".join(_words(lines[at].text)) in whole:
                ours.add(at)


def _beside(lines: list[Line], ours: set[int], at: int, step: int) -> bool:
    """The nearest filled line on that side is ours, at most two blank lines away."""
    for distance in range(1, 4):
        near = at + step * distance
        if not 0 <= near < len(lines):
            return False
        if near in ours:
            return True
        if not lines[near].blank:
            return False
    return False


def _heading(lines: list[Line], at: int) -> list[int]:
    """The lines of an attribution or header block right over our words, at most five."""
    above = at - 1
    while above >= 0 and lines[above].blank and at - above <= 2:
        above -= 1
    found: list[int] = []
    while above >= 0 and len(found) < 5 and not lines[above].blank:
        found.append(above)
        above -= 1
    if not found:
        return []
    texts = [lines[x].text for x in found]
    fields = [header_field(text) for text in texts]
    if len(found) >= 2 and all(field and field.role for field in fields):
        return found
    last = clean(texts[0])
    single = last.endswith((":", "：")) and (
        DATE.search(last) or ADDRESS.search(last) or TIME.search(last)
    )
    return found[:1] if single else []
