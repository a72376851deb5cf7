"""The file of tickets from another system: JSONL, every row checked before the first is used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.core.model import NewEntry, NewTicket, TicketKind, TicketState
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
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A checked row; `where` is its place in the file."""

    where: str
    ticket: NewTicket
    entries: tuple[NewEntry, ...]


def load_file(path: Path) -> list[TicketRow]:
    """The rows of a JSONL file; BadInput names every wrong line, and nothing is applied."""

    def build(line: int, row: Mapping[str, Any]) -> TicketRow:
        return _ticket(f"{path}:{line}", row)

    return files.rows_of(path, build, lambda row: row.ticket.number)


def _ticket(where: str, row: Mapping[str, Any]) -> TicketRow:
    files.known_keys(row, _KEYS)
    number = files.text(row, "number")
    if not _NUMBER.fullmatch(number):
        raise BadInput(f"`number` is `{number}`", hint="it has 1 to 18 digits")
    opened = _moment(row, "opened")
    entries = tuple(_entry(number, item) for item in files.items(row, "entries"))
    ticket = NewTicket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account=files.text(row, "account"),
        subject=files.text(row, "subject", default=""),
        state=_STATES[files.one_of(row, "state", _STATES, TicketState.CLOSED.value)],
        department=files.text(row, "department", default="general"),
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
    said = files.text(item, "text", default="")
    kind = "event" if by == "system" else "mail"
    author = files.text_or_none(item, "author")
    return NewEntry(number, _moment(item, "at"), by, kind, author, None, said)


def _moment(row: Mapping[str, Any], key: str) -> datetime:
    """RFC 3339; a moment without a zone is in UTC."""
    value = files.text(row, key)
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"`{key}` is `{value}`", hint="write 2026-11-22T14:05:00+01:00") from None
