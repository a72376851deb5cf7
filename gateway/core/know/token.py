"""Thread tokens: which ticket a mail is about, unforgeably. They never say who writes.

HMAC-SHA256 (RFC 2104), cut to 128 bits, over purpose, key id, time of issue, ticket and the
account that the token is bound to. One form, one verify function, comparison in constant time.
Staff tokens are bound to the staff mailbox instead of an account.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.core.model import Mail
from gateway.core.read.tokenform import (
    MAC_BYTES,
    NONCE_BYTES,
    Purpose,
    Written,
    head,
    is_number,
    read,
    tickets_named,
    tokens_in,
    write,
)

__all__ = [
    "MAX_AGE",
    "Keys",
    "Purpose",
    "Token",
    "bounce_address",
    "bounced",
    "is_number",
    "make",
    "message_id",
    "reply_address",
    "strange",
    "tickets_named",
    "tokens_in",
    "verify",
]

MAX_AGE = timedelta(days=730)
THREADS = frozenset({Purpose.THREAD, Purpose.AUTOMATIC})
_SKEW = timedelta(minutes=10)
_CONTEXT = b"portiere thread token\x00"
_MAX_LOCAL = 64  # RFC 5321 4.5.3.1.1


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets by id (0 to 255): the current one makes new tokens, all are good for reading."""

    current: int
    keys: tuple[tuple[int, bytes], ...]

    def secret(self, key_id: int) -> bytes | None:
        """The secret of this id, or None where it was retired."""
        return next((secret for known, secret in self.keys if known == key_id), None)


@dataclass(frozen=True, slots=True)
class Token:
    """A verified token; `account` is what it is bound to: account, staff mailbox, or nothing."""

    ticket: str
    account: str
    key_id: int
    issued: datetime
    purpose: Purpose = Purpose.THREAD
    nonce: bytes = b""


def _mac(secret: bytes, signed: bytes, account: str) -> bytes:
    bound = account.encode("utf-8", "surrogatepass")
    return hmac.digest(secret, _CONTEXT + signed + bound, hashlib.sha256)[:MAC_BYTES]


def make(
    keys: Keys,
    ticket: str,
    account: str,
    issued: datetime,
    purpose: Purpose = Purpose.THREAD,
    nonce: bytes = b"",
) -> str:
    """A token's text. `nonce` (five bytes) stands in return paths alone.

    ValueError: the number is not 1 to 18 digits, or the current key is not among the keys.
    """
    secret = keys.secret(keys.current)
    if secret is None:
        raise ValueError("the current key is not among the keys")
    if len(nonce) != (NONCE_BYTES if purpose is Purpose.BOUNCE else 0):
        raise ValueError("a nonce of five bytes stands in return paths, and only there")
    seconds = int(issued.timestamp())
    signed = head(purpose, keys.current, seconds, ticket) + nonce
    mac = _mac(secret, signed, account)
    return write(Written(purpose, keys.current, seconds, ticket, nonce, mac))


def verify(
    keys: Keys,
    text: str,
    account: str,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    purposes: frozenset[Purpose] = THREADS,
) -> Token | None:
    """The token that `text` is: bound to `account`, for one of `purposes`, not too old."""
    written = read(text)
    if written is None or written.purpose not in purposes:
        return None
    secret = keys.secret(written.key_id)
    expected = _mac(secret or b"\x00" * 32, written.signed, account)
    genuine = hmac.compare_digest(expected, written.mac) and secret is not None
    issued = datetime.fromtimestamp(written.issued, UTC)
    if not genuine or not issued - _SKEW <= now <= issued + max_age:
        return None
    return Token(written.number, account, written.key_id, issued, written.purpose, written.nonce)


def message_id(token: str, nonce: bytes, domain: str) -> str:
    """`<token.nonce@domain>`; the nonce keeps two mails of one second apart."""
    return f"<{token}.{nonce.hex()}@{domain}>"


def reply_address(token: str, address: str) -> str:
    """`support+token@domain`, or the plain address where the local part would be too long."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}" if len(local) + len(token) < _MAX_LOCAL else address


def bounce_address(token: str, domain: str) -> str:
    """The return path `bounce+token@domain` (VERP)."""
    return f"bounce+{token}@{domain}"


def bounced(keys: Keys, token: Token, domain: str) -> tuple[str, ...]:
    """The Message-IDs that the mail with this return path can have had (automatic or not)."""
    old = Keys(token.key_id, keys.keys)
    made = (make(old, token.ticket, token.account, token.issued, p) for p in sorted(THREADS))
    return tuple(message_id(text, token.nonce, domain) for text in made)


def strange(keys: Keys, texts: Iterable[str]) -> bool:
    """Whether a token in these names a key that is not known; genuine or not."""
    written = (read(token) for text in texts for token in tokens_in(text))
    return any(one is not None and keys.secret(one.key_id) is None for one in written)


def tokens_of(mail: Mail) -> tuple[str, ...]:
    """Tokens in the ids that a mail answers, nearest first."""
    nearest = (*mail.in_reply_to[:5], *reversed(mail.references[-30:]))
    return tuple(dict.fromkeys(token for one in nearest for token in tokens_in(one)))
