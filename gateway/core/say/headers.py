"""Header values of outgoing mail. They are built from our own strings, and checked all the same:
nothing with CR, LF, NUL, a control or a bidirectional character passes (CVE-2024-6923's class).
"""

import base64
import re
from collections.abc import Iterable
from datetime import datetime

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_MESSAGE_ID = re.compile(
    r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.:-]{1,200}@(?:[A-Za-z0-9._-]{1,200}|\[[A-Za-z0-9.:_-]{1,80}\])>"
)
_ADDRESS = re.compile(r"[^@<>\s]+@[A-Za-z0-9._-]+|\"(?:[^\"\\]|\\.)*\"@[A-Za-z0-9._-]+")
_ATOMS = re.compile(r'[^\x00- "(),.:;<>@\[\\\]\x7f]+(?:\.[^.\s@]+)*')
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_WORD_BYTES = 42  # 56 characters of base64: an encoded word stays within 75 (RFC 2047 2)
_LINE = 76


class UnsafeHeader(ValueError):
    """A value that could forge a header or deceive the reader; the mail is not written."""


def safe(value: str) -> str:
    """The value itself, if it may stand in a header."""
    found = UNSAFE.search(value)
    if found:
        raise UnsafeHeader(f"U+{ord(found[0]):04X} may not stand in a header")
    return value


def is_message_id(text: str | None) -> bool:
    """The strict grammar of RFC 5322 3.6.4 without quoted parts: the one thing that we echo."""
    return text is not None and _MESSAGE_ID.fullmatch(text) is not None


def message_ids(ids: Iterable[str]) -> str:
    """A folded list of Message-IDs for References."""
    return "\r\n ".join(one for one in ids if is_message_id(one))


def unstructured(value: str) -> str:
    """A subject: as it is if ASCII and short, else as encoded words (RFC 2047), folded."""
    safe(value)
    if value.isascii() and "=?" not in value and len(value) < 200:
        return _folded(value)
    return "\r\n ".join(f"=?utf-8?b?{one}?=" for one in _words(value))


def _words(value: str) -> Iterable[str]:
    """Base64 of pieces that each hold whole characters."""
    piece = b""
    for character in value:
        encoded = character.encode("utf-8")
        if len(piece) + len(encoded) > _WORD_BYTES:
            yield base64.b64encode(piece).decode("ascii")
            piece = b""
        piece += encoded
    yield base64.b64encode(piece).decode("ascii")


def _folded(value: str) -> str:
    lines = [""]
    for word in value.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _LINE - 10:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def address(text: str) -> str:
    """`local@domain` with the local part quoted where it needs to be (RFC 5321 4.1.2)."""
    safe(text)
    local, _, domain = text.rpartition("@")
    if not local:
        raise UnsafeHeader("not an address")
    if not _ATOMS.fullmatch(local) and not local.startswith('"'):
        escaped = local.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{escaped}"'
    written = f"{local}@{domain}"
    if not _ADDRESS.fullmatch(written):
        raise UnsafeHeader("not an address")
    return written


def mailbox(name: str, text: str) -> str:
    """`"Name" <address>`, the name as encoded words where it is not ASCII."""
    shown, written = safe(name).strip(), f"<{address(text)}>"
    if not shown:
        return written
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    phrase = f'"{escaped}"' if shown.isascii() else unstructured(shown)
    fold = " " if len(phrase) + len(written) < _LINE - 10 else "\r\n "
    return f"{phrase}{fold}{written}"


def date(moment: datetime) -> str:
    """RFC 5322 3.3, in English whatever the locale."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    clock = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    return f"{day}, {moment.day:02} {month} {moment.year:04} {clock} {moment:%z}"
