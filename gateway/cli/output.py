"""How commands speak: tables for people, JSON for programs, control characters from mail made
visible."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# A pipe has no width: lines are as long as they are, for programs that read them.
PIPE_WIDTH = 200
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
        drawn.add_row(*(Text("" if cell is None else visible(cell)) for cell in row))
    console.print(drawn if drawn.row_count else f"{title}: none")


def say(text: str) -> None:
    """A line for people."""
    console.print(Text(visible(text)))
