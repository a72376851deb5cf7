"""The macro language of SPF (RFC 7208 7): read once, expanded for each check; never too much."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

NAME_LIMIT = 253  # RFC 7208 7.3
TEXT_LIMIT = 1000  # characters of an explanation that we keep

_PIECE = re.compile(
    r"[\x21-\x24\x26-\x7e]+"
    r"|%(?:[%_-]|\{(?P<letter>[A-Za-z])(?P<digits>\d*)(?P<r>[rR]?)(?P<delimiters>[.+,/_=-]*)\})",
    re.ASCII,
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]*\.[A-Za-z]+", re.ASCII)
_NO_LETTERS: frozenset[str] = frozenset()
_TOP_LABEL = re.compile(r"[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9]")
_ESCAPED = {"%%": "%", "%_": " ", "%-": "%20"}
_IN_NAMES = frozenset("slodiphv")
_EVERYWHERE = _IN_NAMES | frozenset("crt")


class MacroSyntax(ValueError):
    """A macro string that does not follow the grammar; the text says where."""


@dataclass(frozen=True, slots=True)
class Macro:
    """One `%{…}`."""

    text: str
    letter: str  # lower case
    escape: bool  # written in upper case: the value is URL-escaped
    keep: int  # right-hand parts to keep; 0 keeps all
    reverse: bool
    delimiters: str


class MacroString(NamedTuple):
    """Literals and macros in order."""

    text: str
    parts: tuple[str | Macro, ...]
    letters: frozenset[str]  # the macro letters that stand in it, in lower case
    plain: str | None  # the name that it always gives, where it holds no macro letter

    @property
    def names_client(self) -> bool:
        """The whole address of the client is part of the name."""
        return any(isinstance(p, Macro) and p.letter == "i" and not p.keep for p in self.parts)


def _macro_string(text: str, parts: Sequence[str | Macro]) -> MacroString:
    letters = frozenset(part.letter for part in parts if isinstance(part, Macro))
    plain = None if letters else _cut("".join(part for part in parts if isinstance(part, str)))
    return MacroString(text, tuple(parts), letters, plain)


def read_macros(text: str, letters: frozenset[str] = _EVERYWHERE) -> MacroString:
    """A macro-string (RFC 7208 7.1). Raises `MacroSyntax`."""
    return _macro_string(text, [_part(piece, letters) for piece in _pieces(text)])


def read_domain_spec(text: str) -> MacroString:
    """A domain-spec: ends in a macro, or in a dot and a top label. Raises `MacroSyntax`."""
    if _PLAIN_NAME.fullmatch(text):  # the usual case, and what a bomb has thousands of
        return MacroString(text, (text,), _NO_LETTERS, _cut(text))
    pieces = _pieces(text)
    if not pieces:
        raise MacroSyntax("a domain is missing")
    if not pieces[-1][0].startswith("%"):
        _, dot, label = text.removesuffix(".").rpartition(".")
        if not dot or _TOP_LABEL.fullmatch(label) is None:
            raise MacroSyntax(f"`{text[-40:]}` does not end in a top-level domain")
    return _macro_string(text, [_part(piece, _IN_NAMES) for piece in pieces])


def read_explanation(text: str) -> MacroString:
    """An explain-string: a macro-string that may hold spaces. Raises `MacroSyntax`."""
    parts: list[str | Macro] = []
    for index, word in enumerate(text.split(" ")):
        if index:
            parts.append(" ")
        parts.extend(read_macros(word).parts)
    return _macro_string(text, parts)


def _pieces(text: str) -> list[re.Match[str]]:
    pieces = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise MacroSyntax(f"`{text[at : at + 20]}` is no macro")
        pieces.append(piece)
        at = piece.end()
    return pieces


def _part(piece: re.Match[str], letters: frozenset[str]) -> str | Macro:
    text = piece[0]
    letter = piece["letter"]
    if letter is None:
        return _ESCAPED.get(text, text)
    if letter.lower() not in letters:
        raise MacroSyntax(f"the macro `{text}` may not stand here")
    digits = piece["digits"].lstrip("0")
    if piece["digits"] and not digits:
        raise MacroSyntax(f"the macro `{text}` keeps no part")
    keep = int(digits[:9]) if digits else 0
    return Macro(
        text, letter.lower(), letter.isupper(), keep, bool(piece["r"]), piece["delimiters"]
    )


def transformed(macro: Macro, value: str) -> str:
    """RFC 7208 7.3: split, reverse, keep the right-hand parts, join with dots, escape."""
    delimiters = macro.delimiters or "."
    if macro.keep or macro.reverse or delimiters != ".":
        for other in delimiters[1:]:
            value = value.replace(other, delimiters[0])
        parts = value.split(delimiters[0])
        if macro.reverse:
            parts.reverse()
        value = ".".join(parts[-macro.keep :])
    return quote(value, safe="-._~", errors="replace") if macro.escape else value


def expand_name(spec: MacroString, value: Callable[[Macro], str]) -> str:
    """A name to ask for, without its final dot, cut on the left to 253 characters.

    It is put together from the right, and no further than it can count.
    """
    taken: list[str] = []
    length = 0
    for part in reversed(spec.parts):
        text = part if isinstance(part, str) else value(part)
        taken.append(text)
        length += len(text)
        if length > NAME_LIMIT + 1:
            break
    return _cut("".join(reversed(taken)))


def _cut(name: str) -> str:
    name = name.removesuffix(".")
    if len(name) > NAME_LIMIT:
        dot = name.find(".", len(name) - NAME_LIMIT - 1)
        name = name[dot + 1 :] if dot >= 0 else ""
    return name


def expand_text(spec: MacroString, value: Callable[[Macro], str]) -> str:
    """An explanation, as far as it is worth keeping."""
    taken: list[str] = []
    length = 0
    for part in spec.parts:
        text = part if isinstance(part, str) else value(part)
        taken.append(text)
        length += len(text)
        if length > TEXT_LIMIT:
            break
    return "".join(taken)[:TEXT_LIMIT]
