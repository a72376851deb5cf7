"""The file of tickets from another system: JSONL, every row checked before the first is used."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.core.model import NewEntry, NewTicket, TicketKind, TicketState
from gateway.core.say.headers import UNSAFE
from gateway.errors import BadInput
from gateway.store import files

_KEYS = (
    "number",
    "account",
    "subject",
    "state",
    "department",
    "priority",
    "language",
    "opened",
    "entries",
)
_ENTRY_KEYS = ("at", "by", "author", "text")
_STATES = {state.value: state for state in TicketState} | {"open": TicketState.STAFF}
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # what no database keeps as text
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A checked row; `where` is its place in the file."""

    where: str
    ticket: NewTicket
    entries: tuple[NewEntry, ...]


def load_file(path: Path, departments: Iterable[str] | None = None) -> list[TicketRow]:
    """The rows of a JSONL file; BadInput names every wrong line, and nothing is applied.

    `departments` are those that the desk has; None: not held against any.
    """
    known = None if departments is None else tuple(departments)

    def build(line: int, row: Mapping[str, Any]) -> TicketRow:
        return _ticket(f"{path}:{line}", row, known)

    return files.rows_of(path, build, lambda row: row.ticket.number)


def _ticket(where: str, row: Mapping[str, Any], known: tuple[str, ...] | None) -> TicketRow:
    files.known_keys(row, _KEYS)
    number = files.text(row, "number")
    if not _NUMBER.fullmatch(number):
        raise BadInput(f"`number` is `{number}`", hint="it has 1 to 18 digits")
    subject = files.text(row, "subject", default="")
    if UNSAFE.search(subject):
        raise BadInput("`subject` holds control characters")
    department = files.text(row, "department", default="general")
    if known is not None:
        department = files.one_of(row, "department", known, "general")
    opened = _moment(row, "opened")
    entries = tuple(_entry(number, item) for item in files.items(row, "entries"))
    ticket = NewTicket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account=files.text(row, "account"),
        subject=subject,
        state=_STATES[files.one_of(row, "state", _STATES, TicketState.CLOSED.value)],
        department=department,
        priority=files.text(row, "priority", default="normal"),
        proof="staff",
        language=files.text(row, "language", default=""),
        opened_at=opened,
        reply_due=None,
    )
    return TicketRow(where, ticket, entries)


def _entry(number: str, item: object) -> NewEntry:
    if not isinstance(item, Mapping):
        raise BadInput("`entries` is not a list of objects")
    files.known_keys(item, _ENTRY_KEYS)
    by = files.one_of(item, "by", ("customer", "staff", "system"), "customer")
    said = item.get("text", "")
    if not isinstance(said, str) or _UNSTORABLE.search(said):
        raise BadInput("`text` of an entry is not a text")
    kind = "event" if by == "system" else "mail"
    author = files.text_or_none(item, "author")
    return NewEntry(number, _moment(item, "at"), by, kind, author, None, said)


def _moment(row: Mapping[str, Any], key: str) -> datetime:
    """RFC 3339: without an offset nobody knows when it was."""
    value = files.text(row, key)
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError("no offset")
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"`{key}` is `{value}`", hint="write 2026-11-22T14:05:00+01:00") from None
