"""Runs of quoted lines: what belongs to them, and whether a run without an attribution is a quote
at all.

A log that a customer pasted with `>` before its lines is his own words.
"""

import re
from dataclasses import dataclass

from gateway.core.model import SpanKind
from gateway.core.read.lines import Hint, Line

_URL_TAIL = re.compile(r"[<(\[]\s?(?:https?://|mailto:)\S*")
_MACHINE = re.compile(
    r"\d{3}[ -]|\[?\d{4}-\d\d-\d\d|\[\w|[$#%] ?\S|\w{3} +\d{1,2} \d\d:\d\d|"
    r"[\w.-]+@[\w.-]+[:~]|(?:\d{1,3}\.){3}\d|[A-Z][A-Z_]{2,}\b[ :=]|"
    r"(?i:error|warning|fatal|notice|traceback|exception|get|post|head|bytes)\b[ :/]|"
    r"[\w.]+(?:Error|Exception)\b|at [\w.$]+\(|<\?|64 bytes|\d+ packets|\w+ ?= ?\S"
)
_WRAP_AT = 60


@dataclass(frozen=True, slots=True)
class Run:
    """Quoted lines up to `end`; `wrapped`: the client broke a quoted line without marking its
    rest.
    """

    end: int
    wrapped: bool


def hinted(lines: list[Line], hints: tuple[Hint, ...]) -> dict[int, tuple[SpanKind, str]]:
    """What HTML said: levels go into the lines' depth, the rest comes back as marks."""
    marks: dict[int, tuple[SpanKind, str]] = {}
    at = 0
    for hint in sorted(hints, key=lambda hint: hint.start):
        while at < len(lines) and lines[at].end <= hint.start:
            at += 1
        for index in range(at, len(lines)):
            line = lines[index]
            if line.start >= hint.end:
                break
            if line.start < hint.start and line.blank:
                continue
            if hint.kind is None:
                line.depth += 1
            elif not line.blank:
                marks.setdefault(index, (hint.kind, hint.rule))
    return marks


def count_runs(lines: list[Line]) -> int:
    """How many stretches of quoted words there are between words that are not."""
    runs, quoted = 0, False
    for line in lines:
        if line.blank:
            continue
        if line.depth and not quoted:
            runs += 1
        quoted = bool(line.depth)
    return runs


def read_run(lines: list[Line], start: int, wraps: bool) -> Run:
    """The quoted lines from `start`, with blank lines and broken rests of quoted lines between
    them.
    """
    at, wrapped = start, False
    while at < len(lines):
        line = lines[at]
        if line.depth:
            at += 1
        elif not line.text:
            after = at + 1
            while after < len(lines) and not lines[after].text and not lines[after].depth:
                after += 1
            if after >= len(lines) or not lines[after].depth:
                break
            at = after
        elif at > start and _broken(lines, at, wraps or wrapped):
            wrapped = wrapped or lines[at].text[0].islower()
            at += 1
        else:
            break
    return Run(at, wrapped)


def _broken(lines: list[Line], at: int, wraps: bool) -> bool:
    """The rest of a quoted line that the client wrapped: between quoted lines, mid-sentence or
    mid-link.
    """
    if at + 1 >= len(lines) or not lines[at + 1].depth or not lines[at - 1].depth:
        return False
    before, text = lines[at - 1], lines[at].text
    if _URL_TAIL.match(text):
        return True
    opened = max(before.text.rfind("(http"), before.text.rfind("<http"))
    if opened >= 0 and not re.search(r"[)>]", before.text[opened:]) and re.search(r"[)>]", text):
        return True
    if len(before.raw) < _WRAP_AT or not text[0].islower():
        return False
    return wraps or before.text[-1:].isalnum() or before.text[-1:] in ","


def is_quotation(lines: list[Line], start: int, end: int, runs: int) -> bool:
    """Whether a run that nothing announces quotes somebody: not what a colon introduces, nor
    machine output.
    """
    filled = [line for line in lines[start:end] if not line.blank]
    if not filled:
        return True
    before = next((lines[x].text for x in range(start - 1, -1, -1) if not lines[x].blank), "")
    if before.endswith((":", "：")) or _MACHINE.match(before):
        return False
    machine = sum(bool(_MACHINE.match(line.text)) for line in filled)
    if machine * 2 >= len(filled):
        return False
    return len(filled) >= 2 or runs >= 2
