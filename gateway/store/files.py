"""Files that people hand us, one row a line: JSONL, or CSV with a head line. A wrong row is named
by its line.

Nothing here touches the database: a file is read to its end, and every complaint found, before a
row is used.
"""

import csv
import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from gateway.errors import BadInput

T = TypeVar("T")
SHOWN = 20  # complaints of one file


def rows_of(
    path: Path,
    build: Callable[[int, Mapping[str, Any]], T],
    key: Callable[[T], str],
    columns: Mapping[str, type] | None = None,
) -> list[T]:
    """What `build` makes of each row and its line number, in order; no `key` may repeat.

    BadInput names every wrong line. `columns` are those that a CSV may have; None: JSONL alone.
    `list` columns hold several values with `;` between them.
    """
    built: dict[str, T] = {}
    complaints: list[str] = []
    for number, row in _lines(path, columns):
        try:
            if isinstance(row, BadInput):
                raise row
            one = build(number, row)
            if key(one) in built:
                raise BadInput(f"`{key(one)}` stands there twice")
            built[key(one)] = one
        except BadInput as problem:
            hint = f" ({problem.hint})" if problem.hint else ""
            said = f"{problem.message}{hint}".replace("\n", r"\n")  # a complaint is one line
            complaints.append(f"{path}:{number}: {said}")
    if complaints:
        raise BadInput(_several(complaints), hint="nothing of the file was applied")
    return list(built.values())


def _several(complaints: list[str]) -> str:
    more = len(complaints) - SHOWN
    tail = [f"and {more} more"] if more > 0 else []
    return "\n".join(complaints[:SHOWN] + tail)


def _lines(
    path: Path, columns: Mapping[str, type] | None
) -> Iterator[tuple[int, Mapping[str, Any] | BadInput]]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as problem:
        raise BadInput(f"cannot be read: {problem.strerror}", where=str(path)) from None
    except UnicodeDecodeError as problem:
        line = problem.object.count(b"\n", 0, problem.start) + 1
        raise BadInput("is not UTF-8", where=f"{path}:{line}") from None
    if columns is not None and path.suffix.lower() == ".csv":
        return _csv(path, text, columns)
    return _jsonl(text)


def _jsonl(text: str) -> Iterator[tuple[int, Mapping[str, Any] | BadInput]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as problem:
            yield number, BadInput(f"is not JSON: {problem}")
            continue
        except RecursionError:
            yield number, BadInput("is nested too deeply")
            continue
        yield number, row if isinstance(row, dict) else BadInput("is not a JSON object")


def _csv(
    path: Path, text: str, columns: Mapping[str, type]
) -> Iterator[tuple[int, Mapping[str, Any] | BadInput]]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        if not head:
            raise BadInput("has no head line", where=f"{path}:1")
        known_keys(dict.fromkeys(head), columns)
    except (BadInput, csv.Error) as problem:
        hint = problem.hint if isinstance(problem, BadInput) else ""
        said = problem.message if isinstance(problem, BadInput) else str(problem)
        raise BadInput(said, where=f"{path}:1", hint=hint) from None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield number, BadInput(f"is not CSV: {problem}")
            return
        if cells:
            yield number, _cells(head, cells, columns)


def _cells(
    head: list[str], cells: list[str], columns: Mapping[str, type]
) -> Mapping[str, Any] | BadInput:
    if len(cells) != len(head):
        return BadInput(f"has {len(cells)} cells under {len(head)} columns")
    row: dict[str, Any] = {}
    for name, cell in zip(head, cells, strict=True):
        value = cell.strip()
        if columns[name] is list:
            row[name] = [part.strip() for part in value.split(";") if part.strip()]
        elif value:
            row[name] = value
    return row


def known_keys(row: Iterable[str], known: Iterable[str]) -> None:
    """BadInput with *did you mean* for a key that nobody knows."""
    names = list(known)
    for key in row:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(names)}"
            raise BadInput(f"unknown key `{key}`", hint=hint)


def text(row: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    """A string that must be there, or has a default."""
    value = row.get(key)
    if value is None and default is not None:
        return default
    if value is None or value == "":
        raise BadInput(f"`{key}` is missing")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadInput(f"`{key}` is not a text")
    return value


def text_or_none(row: Mapping[str, Any], key: str) -> str | None:
    """A string that may be missing."""
    return None if row.get(key) in (None, "") else text(row, key)


def one_of(row: Mapping[str, Any], key: str, choices: Iterable[str], default: str) -> str:
    """One of a few words."""
    value = text(row, key, default=default)
    words = list(choices)
    if value not in words:
        near = difflib.get_close_matches(value, words, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"it may be {', '.join(words)}"
        raise BadInput(f"`{key}` is `{value}`", hint=hint)
    return value


def items(row: Mapping[str, Any], key: str) -> list[Any]:
    """A list that may be missing; a single value is a list of one."""
    value = row.get(key)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
