"""Reads Authentication-Results (RFC 8601): bounded and strict; what is out of form is nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_FIELD = 20_000  # bytes; a longer one is not read
DEEPEST_COMMENT = 20
MOST_RESULTS = 50

_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+)|(?P<quoted>"(?:[^"\\]|\\.)*+")|(?P<mark>[;=])'
    r'|(?P<text>[^\s"();=\\]+)|(?P<open>\()',
    re.DOTALL,
)
_UNPAIRED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fact:
    """One method's result with its properties; names in lower case, values as written."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str | None:
        """The value of a property such as `header.d`; None where it is absent or not unique."""
        values = {value for key, value in self.properties if key == name}
        return values.pop() if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class Results:
    """Who says it, and what."""

    authserv_id: str
    facts: tuple[Fact, ...]


def read(value: bytes) -> Results | None:
    """One field's value. None where it does not follow the grammar, as without an authserv-id."""
    if len(value) > LONGEST_FIELD:
        return None
    words = _words(value.decode("utf-8", "replace"))
    if words is None:
        return None
    groups = _groups(words)
    head, rest = groups[0], groups[1:]
    if not head or len(head) > 2 or "=" in head or (len(head) == 2 and not head[1].isdecimal()):
        return None
    authserv_id = _plain(head[0]).lower()
    if rest and rest[-1] == []:  # a final semicolon, as some write it
        rest = rest[:-1]
    if rest == [["none"]]:
        return Results(authserv_id, ())
    facts = [_fact(group) for group in rest[:MOST_RESULTS]]
    if not facts or any(fact is None for fact in facts):
        return None
    return Results(authserv_id, tuple(fact for fact in facts if fact is not None))


def _groups(words: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for word in words:
        if word == ";":
            groups.append([])
        else:
            groups[-1].append(word)
    return groups


def _fact(words: list[str]) -> Fact | None:
    """`method=result` and then pairs `name=value`."""
    pairs = []
    for at in range(0, len(words), 3):
        name, equals, value = [*words[at : at + 3], "", ""][:3]
        if equals != "=" or name in ("=", "") or value in ("=", ""):
            return None
        pairs.append((name.lower(), _plain(value)))
    if not pairs:
        return None
    method = pairs[0][0].partition("/")[0]
    return Fact(method, pairs[0][1].lower(), tuple(pairs[1:]))


def _plain(word: str) -> str:
    """The value of a word; quoted parts keep whatever they hold, as one value."""
    if '"' not in word:
        return word
    return "".join(
        _UNPAIRED.sub(r"\1", piece[0][1:-1]) if piece["quoted"] else piece[0]
        for piece in _TOKEN.finditer(word)
    )


def _words(text: str) -> list[str] | None:
    """Words, semicolons and equals signs; pieces that touch are one word. None if out of form."""
    words: list[str] = []
    touching = False
    for kind, piece in _pieces(text):
        if kind == "?":
            return None
        if kind == "mark":
            words.append(piece)
            touching = False
        elif kind == "space":
            touching = False
        else:
            if touching:
                words[-1] += piece
            else:
                words.append(piece)
            touching = True
    return words


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            yield "?", ""
            return
        kind = str(match.lastgroup)
        at = match.end()
        if kind == "open":
            at = _comment_end(text, at)
            if at < 0:
                yield "?", ""
                return
            kind = "space"
        yield kind, match[0]


def _comment_end(text: str, at: int) -> int:
    """Behind the comment that was opened before `at`; -1 where it stays open."""
    depth = 1
    while at < len(text):
        match text[at]:
            case "\\":
                at += 1
            case "(":
                depth += 1
            case ")":
                depth -= 1
        at += 1
        if depth == 0:
            return at
        if depth > DEEPEST_COMMENT:
            return -1
    return -1
