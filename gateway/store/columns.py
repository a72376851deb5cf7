"""How values stand in columns: moments as microseconds since 1970 in UTC, lists and objects as
JSON, text without NUL.

Both engines then hold the same bytes, and no driver converts anything on the way.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)
HOUR = 3_600_000_000  # in microseconds


def micros(moment: datetime) -> int:
    """An aware moment as a number that sorts by time."""
    return (moment - EPOCH) // MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """The same, where there may be none."""
    return None if moment is None else micros(moment)


def moment(number: int) -> datetime:
    """The aware moment in UTC again."""
    return EPOCH + timedelta(microseconds=number)


def moment_or_none(number: int | None) -> datetime | None:
    """The same, where there may be none."""
    return None if number is None else moment(number)


def dump(value: object) -> str:
    """JSON in ASCII, so that no character of a mail can trouble an engine."""
    return _ENCODER.encode(value)


def undump(column: str) -> Any:
    """The value again."""
    return json.loads(column)


def texts(column: str | None) -> tuple[str, ...]:
    """A JSON list of strings; most are empty."""
    if column is None or column == "[]":
        return ()
    return tuple(json.loads(column))


def dump_texts(values: Iterable[str]) -> str:
    """The column of a list of strings."""
    listed = list(values)
    return dump(listed) if listed else "[]"


def clean(text: str) -> str:
    """Text that both engines take: PostgreSQL has no NUL, and neither has lone surrogates."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
