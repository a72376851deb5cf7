"""The written form of thread tokens: 48 or 56 characters of lower-case base32, without padding.

It can be read without a key: it says which ticket to look for, and proves nothing.
core.know.token holds it against the key.
"""

import base64
import re
from dataclasses import dataclass
from enum import IntEnum

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_SHAPE = re.compile(r"(?<![a-z0-9])(?:[a-z2-7]{56}|[a-z2-7]{48})(?![a-z0-9])")
_NUMBER = re.compile(r"[0-9]{1,18}")
_HEAD = 14  # bytes before the nonce and the MAC: purpose, key, time of issue, number
MAC_BYTES = 16
NONCE_BYTES = 5
MAX_FOUND = 20


class Purpose(IntEnum):
    """What a token was made for, and its first byte; one never stands for another."""

    THREAD = 0x51  # answers of people, in Message-ID and reply address
    AUTOMATIC = 0x52  # the same, in our automatic mail: what answers it gets no receipt
    BOUNCE = 0x53  # VERP return path
    STAFF = 0x54  # notices to staff
    PARKED = 0x55  # the notice of parked mail
    ADDRESS = 0x56  # the question whether an address belongs to an account


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a token, unproven. `nonce` is empty except in a return path."""

    purpose: Purpose
    key_id: int
    issued: int  # seconds since 1970
    number: str  # of the ticket
    nonce: bytes
    mac: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that the MAC is over, the binding aside."""
        return head(self.purpose, self.key_id, self.issued, self.number) + self.nonce


def is_number(number: str) -> bool:
    """Whether a ticket's number can stand in a token: one to 18 ASCII digits."""
    return _NUMBER.fullmatch(number) is not None


def head(purpose: Purpose, key_id: int, issued: int, number: str) -> bytes:
    """Purpose, key, time of issue, and the number behind a 1, which keeps leading zeros."""
    if not is_number(number):
        raise ValueError("a ticket's number is one to 18 digits")
    parts = (purpose.to_bytes(1), (key_id % 256).to_bytes(1), (issued % 2**32).to_bytes(4))
    return b"".join(parts) + int("1" + number).to_bytes(8)


def write(written: Written) -> str:
    """The token as text."""
    return base64.b32encode(written.signed + written.mac).decode("ascii").lower()


def read(text: str) -> Written | None:
    """The token that `text` is, as a whole; ASCII case aside, nothing is forgiven."""
    lowered = text.translate(_LOWER)
    if not _SHAPE.fullmatch(lowered):
        return None
    raw = base64.b32decode(lowered.upper())
    number = str(int.from_bytes(raw[6:_HEAD]))
    if raw[0] not in _PURPOSES or number[0] != "1" or not is_number(number[1:]):
        return None
    purpose = Purpose(raw[0])
    nonce = raw[_HEAD:-MAC_BYTES]
    if bool(nonce) != (purpose is Purpose.BOUNCE):
        return None
    issued = int.from_bytes(raw[2:6])
    return Written(purpose, raw[1], issued, number[1:], nonce, raw[-MAC_BYTES:])


_PURPOSES = frozenset(int(purpose) for purpose in Purpose)


def tokens_in(text: str) -> tuple[str, ...]:
    """Everything in a text that has the form of a token, lower case, in order; at most 20."""
    found: dict[str, None] = {}
    for match in _SHAPE.finditer(text[:20_000].translate(_LOWER)):
        if len(found) == MAX_FOUND:
            break
        if read(match[0]):
            found[match[0]] = None
    return tuple(found)


def tickets_named(text: str) -> tuple[str, ...]:
    """The ticket numbers in all that looks like a token, so that the store can be asked."""
    numbers = (written.number for token in tokens_in(text) if (written := read(token)))
    return tuple(dict.fromkeys(numbers))
