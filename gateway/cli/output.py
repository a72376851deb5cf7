"""How commands speak: tables for people, JSON for programs, control characters from mail made
visible."""

import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# A pipe has no width: lines are as long as they are, for programs that read them.
PIPE_WIDTH = 200
_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d{1,6}(?=Z|[+-]\d\d:\d\d)")
_width = None if sys.stdout.isatty() else PIPE_WIDTH
console = Console(highlight=False, width=_width)


def visible(text: object) -> str:
    """Text as it may be shown: control, bidirectional and invisible characters are escaped."""
    return "".join(
        char
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        else char.encode("unicode_escape", "backslashreplace").decode()
        for char in str(text)
    )


def cell(value: object) -> str:
    """A value as people read it: moments to the second, lists and pairs with commas."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {cell(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(cell(one) for one in value)
    return _FRACTION.sub("", visible(value))


def as_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n")


def plain(value: object) -> Any:
    """What JSON has no form for: moments as RFC 3339, sets and tuples as lists, others as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; it says so when it is empty."""
    drawn = Table(*columns, title=title, title_justify="left")
    for row in rows:
        drawn.add_row(*(Text(cell(value)) for value in row))
    console.print(drawn if drawn.row_count else f"{title}: none")


def listed(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    json: bool = False,
) -> None:
    """Rows as every list shows them: these columns for people, all of them for programs."""
    if json:
        as_json(rows)
        return
    table(title, columns, ([row.get(key) for key in columns] for row in rows))


def done(found: Mapping[str, Any], words: str, json: bool = False) -> None:
    """What a command did: a sentence for people, the values for programs."""
    if json:
        as_json(found)
    else:
        say(words)


def say(text: str) -> None:
    """A line for people."""
    console.print(Text(visible(text)))
