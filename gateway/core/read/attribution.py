"""The lines that announce a quote: `On … wrote:`, `-----Original Message-----`, `Begin forwarded
message:`.

A date or an address, an end and what follows decide first; the words of phrases.py only second. A
date and `ha scritto:` with neither an address nor a quote after them are prose.
"""

import re
from dataclasses import dataclass

from gateway.core.read.dates import ADDRESS, ANGLE, DATE, TIME
from gateway.core.read.lines import Line, next_filled
from gateway.core.read.phrases import (
    FORWARD_OPENINGS,
    FORWARD_WORDS,
    GLUE,
    MESSAGE_NOUNS,
    ORIGINAL_WORDS,
    QUOTING,
    VERBS,
)

_MAX_LENGTH = 420
_MAX_FILLED = 4
_MAX_PROSE = 4
_DASHED = re.compile(r"\W{0,2}[-_=*—–]{2,}\s*(\w.{1,70}?)\s*[:.]?\s*[-_=*—–]{2,}\W{0,2}$")
_RULE = re.compile(r"[-_=*—–─━\s]{3,}$")
_VERB = re.compile(
    r"(?<![^\W\d_])(?:"
    + "|".join(sorted(map(re.escape, VERBS), key=len, reverse=True))
    + r")(?![^\W\d_])",
    re.IGNORECASE,
)
_MID_START = re.compile(
    r"(?:^|\s|-{2,}\s?)"
    r"((?:On|Il giorno|Il|In data|Le|Am|El|Em|Op|Den|W dniu|Dnia)\s[^\n]{0,20}?\d)"
)
_ABOVE = re.compile(
    r"^[-#=_*\s]{2,8}.{0,40}(?:(?:reply|respond|type|write) .{0,24}above this line|"
    r"sopra questa (?:riga|linea)|"
    r"oberhalb dieser zeile|über dieser zeile|au-dessus de cette ligne|encima de esta línea)",
    re.IGNORECASE,
)
# Somebody tells who wrote to him: no program names itself in that line.
_TOLD = re.compile(
    r"\b(?:mi|ci|vi|ti|gli) (?:ha|hanno|avete|aveva|avevano|ho|abbiamo) (?:scritto|risposto)|"
    r"\b(?:wrote|written|writes|replied|said) (?:to )?(?:me|us|you|him|her|them)\b|"
    r"\b(?:hat|haben|habe) (?:mir|uns|ihnen) .{0,40}geschrieben|\bschrieb (?:mir|uns)\b|"
    r"\b(?:m'a|nous a|m'avez|nous avez|vous ai) (?:écrit|répondu)|"
    r"\b(?:me|nos) (?:ha escrito|escribió|ha respondido)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w.']*")
_PART = re.compile(r"[\d@]")
_LEAD = 40


@dataclass(frozen=True, slots=True)
class Attribution:
    """Lines up to `end` (exclusive) announce a quote; `offset` characters of the first line come
    before it.
    """

    end: int
    rule: str
    offset: int = 0


def is_rule(line: Line) -> bool:
    """A line of dashes, underscores or equal signs alone."""
    return bool(_RULE.match(line.text))


def delimiter(line: Line) -> str | None:
    """`original` or `forward` for `-----Original Message-----` in any language of the lists, else
    None.
    """
    text = line.text
    if len(text) > 120 or not text:
        return None
    folded = text.casefold().strip("*_ ")
    bare = folded.rstrip(" :：")
    if bare in FORWARD_OPENINGS and folded != bare:
        return "forward"
    match = _DASHED.match(folded)
    if not match:
        return None
    inner = match.group(1)
    words = set(re.split(r"[\s:'’]+", inner))
    if len(words) > 6 or not words & MESSAGE_NOUNS:
        return None
    if any(word in inner for word in FORWARD_WORDS):
        return "forward"
    return "original" if any(word in inner for word in ORIGINAL_WORDS) else None


def reply_above(line: Line) -> bool:
    """A help desk's own marker: nothing below it was written now."""
    return len(line.text) <= 160 and bool(_ABOVE.search(line.text))


def attribution(
    lines: list[Line], index: int, quote_ahead: bool | None = None
) -> Attribution | None:
    """The attribution that begins in line `index`: up to four lines, and what comes after them."""
    first = lines[index]
    if not _may_begin(first.text):
        return None
    joined, filled, at = "", 0, index
    while at < len(lines) and filled < _MAX_FILLED + 1:
        line = lines[at]
        opened = joined.rfind("<") > joined.rfind(">")
        if line.depth != first.depth and not (opened and line.raw.startswith(">")):
            return None
        if line.blank and not opened:
            return None
        joined = f"{joined} {line.raw if opened else line.text}".strip()
        filled += not line.blank
        at += 1
        if len(joined) > _MAX_LENGTH:
            return None
        if _ended(joined):
            if any(_begins(line.text) for line in lines[index + 1 : at]):
                return None  # it begins further down
            follows = (
                _quote_follows(lines, at, first.depth) if quote_ahead is None else quote_ahead
            )
            found = _judge(lines, index, joined, at, follows)
            if found or joined.endswith((":", "：")) or not _address_next(lines, at):
                return found
        if _undelimited(joined) and _quote_follows(lines, at, first.depth):
            return Attribution(at, "attribution:date-address")
    return None


def _address_next(lines: list[Line], at: int) -> bool:
    """A name that ends like a verb: its address stands in the next line."""
    return at < len(lines) and lines[at].text.startswith(("<", "("))


def _may_begin(text: str) -> bool:
    """Cheap: something of an attribution stands in the line at all."""
    return bool(_PART.search(text[:300])) or (bool(text) and _ended(text))


def _begins(text: str) -> bool:
    """A line that begins an attribution of its own: a date within its first words."""
    return bool(DATE.search(text[:_LEAD])) and text[:1].isalpha()


def _ended(joined: str) -> bool:
    return joined.endswith((":", "：")) or _verb_last(joined)


def _verb_last(joined: str) -> bool:
    """A verb of the list is the last word, with or without dashes and a colon after it."""
    tail = joined[-60:].casefold().rstrip(" :：-_—–")
    if not tail.endswith(VERBS):
        return False
    verb = max((verb for verb in VERBS if tail.endswith(verb)), key=len)
    before = tail[: -len(verb)]
    return not before or not before[-1].isalpha() or not verb[0].isascii()


def _undelimited(joined: str) -> bool:
    """Old Gmail: `2011/4/7 Name <address>` and nothing more."""
    return joined.endswith(">") and bool(DATE.match(joined)) and bool(ANGLE.search(joined))


def _quote_follows(lines: list[Line], at: int, depth: int) -> bool:
    """The next line that is not blank is quoted deeper."""
    after = next_filled(lines, at)
    if after is not None:
        return lines[after].depth > depth
    return at < len(lines) and any(line.depth > depth for line in lines[at : at + 4])


def _judge(
    lines: list[Line], index: int, joined: str, end: int, quoted: bool
) -> Attribution | None:
    """Weigh the parts; a line shared with the customer's words is cut before its attribution."""
    shared = _shared(lines[index], joined, end, quoted) if end == index + 1 else None
    if shared:
        return shared
    own_paragraph = index == 0 or lines[index - 1].blank or lines[index - 1].depth > 0
    starts = _starts(joined)
    rule = _weigh(joined, quoted, starts) if starts or own_paragraph else None
    return Attribution(end, rule) if rule else None


def _starts(joined: str) -> bool:
    """A date or a time within the first words."""
    lead = joined[: _LEAD + 12]
    match = DATE.search(lead) or TIME.search(lead)
    return bool(match and match.start() <= _LEAD - 10)


def _weigh(joined: str, quoted: bool, starts: bool) -> str | None:
    """The rule by which these words announce a quote, or None where they are prose."""
    dashed = joined[:2] in ("--", "——", "––") or joined.endswith("--")
    bare = joined.strip("-—– ")
    dated, timed = bool(DATE.search(bare)), bool(TIME.search(bare))
    named, angled = bool(ADDRESS.search(bare)), bool(ANGLE.search(bare))
    verb = _verb_last(bare) or (bare.endswith(":") and bool(_VERB.search(bare)))
    if dashed and verb and (dated or named or quoted):
        return "attribution:dashed"
    prose = _prose(bare)
    if prose > _MAX_PROSE or (not quoted and _TOLD.search(bare[-120:])):
        return None
    if quoted and named and bare.casefold().startswith(QUOTING):
        return "attribution:quoting"
    if verb and quoted and (dated or named or timed):
        return "attribution:verb-quote"
    if verb and named and (dated or timed):
        return "attribution:verb-address"
    if not bare.endswith((":", "：")):
        return None
    if (
        dated
        and timed
        and bool(ANGLE.search(bare[-200:]))
        and bare.rstrip(": ").endswith((">", ")", "]"))
    ):
        return "attribution:date-time-address"
    if quoted and ((angled and (dated or timed)) or (dated and timed and starts and prose <= 1)):
        return "attribution:structure-quote"
    return None


def _prose(text: str) -> int:
    """How many lower-case words there are that no attribution needs: names and dates are not
    counted. One more than are allowed is enough.
    """
    count = 0
    for found in _WORD.finditer(ADDRESS.sub(" ", text)):
        word = found.group()
        if word[0].islower() and word not in GLUE and word.rstrip(".") not in GLUE:
            count += 1
            if count > _MAX_PROSE:
                break
    return count


def _shared(line: Line, joined: str, end: int, quoted: bool) -> Attribution | None:
    """`reply On Wed, Apr 4, 2012, bob@example.com wrote:` with a quote after it."""
    if not quoted:
        return None
    starts = list(_MID_START.finditer(joined))
    if not starts or starts[0].start(1) == 0:
        return None
    for match in reversed(starts):
        if _weigh(joined[match.start(1) :], quoted, True):
            offset = len(line.raw) - len(line.text) + match.start()
            return Attribution(end, "attribution:shared-line", offset)
    return None
