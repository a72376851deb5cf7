"""TOML that knows where each key and value stands, so that a complaint can point at it.

`tomllib` reads the values and says nothing of their places; a small scanner walks the same text
once more and notes them. It may assume a valid document, since `tomllib` has accepted it before.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from gateway.errors import BadInput, Defect

Path = tuple[str | int, ...]
Part = Literal["key", "value"]

_TOMLLIB_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class Document:
    """The values of a TOML text with their places.

    Lists count from 0 in a path, also lists of tables.
    """

    data: dict[str, Any]
    source: str
    text: str

    def where(self, path: Path, part: Part = "value") -> tuple[int, int]:
        """Line and column, both from 1.

        For a path that does not stand there, those of its nearest parent.
        """
        return _line_and_column(self.text, self._offset(path, part))

    def at(self, path: Path, part: Part = "value") -> str:
        """`file:line:column`."""
        line, column = self.where(path, part)
        return f"{self.source}:{line}:{column}"

    def excerpt(self, path: Path, part: Part = "value") -> str:
        """The line in which it stands, and a caret under it."""
        return _caret(self.text, self._offset(path, part))

    def error(self, path: Path, message: str, hint: str = "", part: Part = "value") -> BadInput:
        """An error that names the place, shows the line with a caret, and then the hint."""
        shown = "\n".join(text for text in (self.excerpt(path, part), hint) if text)
        return BadInput(message, self.at(path, part), shown)

    @cached_property
    def _places(self) -> dict[Path, tuple[int, int]]:
        """Found when the first complaint asks for one: there is none about most documents."""
        scanner = _Scanner(self.text)
        scanner.document()
        return scanner.places

    def _offset(self, path: Path, part: Part) -> int:
        while path and path not in self._places:
            path = path[:-1]
        key, value = self._places.get(path, (0, 0))
        return key if part == "key" else value


def parse(text: str, source: str) -> Document:
    """Values and places of a TOML text; `source` is its name in complaints. Raises BadInput."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")  # some editors begin with a mark
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise BadInput("nested too deeply", source) from None
    except ValueError as error:
        raise _syntax_error(text, source, str(error)) from None
    return Document(data, source, text)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A hint that names the nearest of the words, or nothing where none is near."""
    near = difflib.get_close_matches(word.casefold(), list(words), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def _syntax_error(text: str, source: str, message: str) -> BadInput:
    """tomllib's complaint in our form; its line and column are kept."""
    place = _TOMLLIB_PLACE.search(message)
    said = message[: place.start()] if place else message
    said = said[:1].lower() + said[1:]
    if place is None:
        return BadInput(said, source)
    offset = len(text)
    if place[1]:
        lines = text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: int(place[1]) - 1]) + int(place[2]) - 1
    line, column = _line_and_column(text, offset)
    return BadInput(said, f"{source}:{line}:{column}", _caret(text, offset))


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


def _caret(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)]
    # Tabs stay tabs in the padding, so that the caret stands under its character.
    padding = "".join("\t" if char == "\t" else " " for char in line[: offset - start])
    return f"  {line}\n  {padding}^"


class _Scanner:
    """One walk over a valid document.

    `places` maps a path to the offsets of its key and of its value.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, tuple[int, int]] = {}
        self.tables: dict[Path, int] = {}  # how many elements an array of tables has so far

    def document(self) -> None:
        """The top level: headers of tables, and keys with values."""
        table: Path = ()
        self.skip_blank()
        while self.at < len(self.text):
            table = self.header() if self.text[self.at] == "[" else self.pair(table, table)
            self.skip_blank()

    def header(self) -> Path:
        """`[a.b]` or `[[a.b]]`; gives the path of the table that it opens."""
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        keys = self.keys()
        self.at += 2 if many else 1
        path: Path = ()
        for name, offset in keys[:-1]:
            path = self.into(path, name, offset)
        path = (*path, keys[-1][0])
        self.places.setdefault(path, (keys[-1][1], start))
        if many:
            index = self.tables.get(path, 0)
            self.tables[path] = index + 1
            path = (*path, index)
        self.places[path] = (keys[-1][1], start)
        return path

    def into(self, path: Path, name: str, offset: int) -> Path:
        """The table `name` below `path`; of an array of tables, its last element."""
        path = (*path, name)
        self.places.setdefault(path, (offset, offset))
        count = self.tables.get(path)
        return path if count is None else (*path, count - 1)

    def pair(self, table: Path, result: Path) -> Path:
        """`key = value` below a table; gives `result`, the table in which the document goes on."""
        keys = self.keys()
        path = table
        for name, offset in keys[:-1]:
            path = (*path, name)
            self.places.setdefault(path, (offset, offset))
        self.at += 1  # the equals sign
        self.skip_space()
        self.value((*path, keys[-1][0]), keys[-1][1])
        return result

    def keys(self) -> list[tuple[str, int]]:
        """A dotted key: each part with its offset. Ends before `=` or `]`."""
        found = []
        while True:
            self.skip_space()
            start = self.at
            if self.text[start] in "\"'":
                self.string()
                name = str(tomllib.loads(f"x = {self.text[start : self.at]}")["x"])
            else:
                self.take(_BARE_KEY)
                name = self.text[start : self.at]
            found.append((name, start))
            self.skip_space()
            if self.text[self.at] != ".":
                return found
            self.at += 1

    def value(self, path: Path, key: int | None = None) -> None:
        """Any value; an element of a list has no key, so its own place stands for it."""
        start = self.at
        self.places[path] = (start if key is None else key, start)
        match self.text[start]:
            case '"' | "'":
                self.string()
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case _:
                self.take(_SCALAR)

    def array(self, path: Path) -> None:
        """`[ value, value, ]`, over several lines."""
        self.at += 1
        index = 0
        self.skip_blank()
        while self.text[self.at] != "]":
            self.value((*path, index))
            index += 1
            self.skip_separator()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        """`{ key = value, … }`."""
        self.at += 1
        self.skip_blank()
        while self.text[self.at] != "}":
            self.pair(path, path)
            self.skip_separator()
        self.at += 1

    def string(self) -> None:
        """A string of any of the four kinds."""
        quote = self.text[self.at]
        if not self.text.startswith(quote * 3, self.at):
            pattern = _BASIC if quote == '"' else _LITERAL
        else:
            pattern = _LONG_BASIC if quote == '"' else _LONG_LITERAL
        self.take(pattern)

    def take(self, pattern: re.Pattern[str]) -> None:
        """Past what the pattern matches here; a valid document always has it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise Defect(f"the position scanner lost its way at offset {self.at}")
        self.at = found.end()

    def skip_separator(self) -> None:
        self.skip_blank()
        if self.text[self.at] == ",":
            self.at += 1
            self.skip_blank()

    def skip_space(self) -> None:
        self.take(_SPACE)

    def skip_blank(self) -> None:
        """White space, line ends and comments."""
        self.take(_BLANK)


_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Numbers, booleans, dates; a date may hold one space before its time.
_SCALAR = re.compile(r"[^,\]}#\n]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# Up to two quotes may stand right before the closing three (TOML 1.0, string).
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}')
_LONG_LITERAL = re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}")
