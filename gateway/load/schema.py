"""Reads tables of a TOML document by name and type, and gathers every complaint with its place.

A reader gives a harmless value for what it complains about, so that one run shows all mistakes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import BadInput
from gateway.toml import Document, Part, Path, did_you_mean

_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    list: "a list",
    dict: "a table",
}


class Refused(BadInput):
    """Files that cannot be used: every complaint about them, one after the other."""

    def __init__(self, complaints: Iterable[BadInput]) -> None:
        """There is at least one complaint; the first one's place stands for all."""
        self.complaints = tuple(complaints)
        first = self.complaints[0]
        super().__init__(first.message, first.where, first.hint)

    def __str__(self) -> str:
        return "\n".join(str(each) for each in self.complaints)


@dataclass
class Section:
    """One table being read. `done` complains about every key that nothing asked for."""

    document: Document
    path: Path
    complaints: list[BadInput]
    data: dict[str, Any] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    @classmethod
    def top(cls, document: Document, complaints: list[BadInput]) -> "Section":
        """The whole document."""
        return cls(document, (), complaints, document.data)

    def complain(
        self, key: str | int | Path, message: str, hint: str = "", part: Part = "value"
    ) -> None:
        """Note a mistake at a key of this table, or at a path below it."""
        below = key if isinstance(key, tuple) else (key,)
        self.complaints.append(self.document.error((*self.path, *below), message, hint, part=part))

    def at(self, key: str) -> str:
        """`file:line:column` of a key's value."""
        return self.document.at((*self.path, key))

    def has(self, key: str) -> bool:
        """Whether the key stands there."""
        self._asked.add(key)
        return key in self.data

    def text(self, key: str, default: str | None = None) -> str:
        """A string; one without a default is required and not empty."""
        value = self._typed(key, str, default)
        if default is None and not value.strip() and key in self.data:
            self.complain(key, f"`{key}` is empty")
        return str(value)

    def optional(self, key: str) -> str | None:
        """A string that may be absent."""
        return self.text(key) if self.has(key) else None

    def choice(
        self, key: str, words: Iterable[str], default: str | None = None, noun: str = ""
    ) -> str:
        """One of a few words; `noun` is what they are called, where that is not the key."""
        known = list(words)
        value = self.text(key, default)
        if value not in known and key in self.data and isinstance(self.data[key], str):
            self.complain(key, f"unknown {noun or key} `{value}`", hint(value, known))
        return value if value in known else known[0]

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self._typed(key, bool, default))

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._typed(key, int, default)
        if not low <= value <= high:
            self.complain(key, f"`{key}` is {value}, not between {low} and {high}")
            return default
        return int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, each once; empty when absent."""
        found: dict[str, None] = {}
        for index, value in enumerate(self._typed(key, list, [])):
            if isinstance(value, str) and value.strip():
                if value in found:
                    self.complain((key, index), f"`{value}` stands here already")
                found[value] = None
            else:
                self.complain((key, index), f"`{key}` holds strings that are not empty")
        return tuple(found)

    def section(self, key: str) -> "Section":
        """A table below this one; empty when absent."""
        return Section(
            self.document, (*self.path, key), self.complaints, self._typed(key, dict, {})
        )

    def sections(self, key: str) -> list["Section"]:
        """An array of tables; empty when absent."""
        found = []
        for index, value in enumerate(self._typed(key, list, [])):
            if isinstance(value, dict):
                place = (*self.path, key, index)
                found.append(Section(self.document, place, self.complaints, value))
            else:
                self.complain((key, index), f"write `[[{key}]]`, a table each")
        return found

    def keys(self) -> list[str]:
        """All keys, asked for as such."""
        self._asked.update(self.data)
        return list(self.data)

    def done(self) -> None:
        """Complain about keys that mean nothing here."""
        for key in self.data:
            if key not in self._asked:
                self.complain(key, f"unknown key `{key}`", hint(key, self._asked), part="key")

    def _typed(self, key: str, kind: type, default: Any) -> Any:
        self._asked.add(key)
        value = self.data.get(key)
        if value is None:
            if default is None:
                self.complain((), f"`{key}` is missing")
            return kind() if default is None else default
        # A boolean is an int for Python, and not for us.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.complain(key, f"`{key}` must be {_KINDS[kind]}")
            return kind() if default is None else default
        return value


def hint(word: str, words: Iterable[str]) -> str:
    """`did you mean …?`, else the words that there are."""
    known = sorted(words)
    return did_you_mean(word, known) or f"known: {', '.join(known)}"
