"""What Received fields say of the way a mail came: how many hops, and which address a trusted hop
wrote down.

Pure. A Received field is believed only as far as trusted servers wrote it, and only where its
form leaves no doubt.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

_RECEIVED = re.compile(rb"^received[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
# from NAME (comment) by …: Postfix, Sendmail, Exchange, Google; Exim writes `([ip] helo=name)`.
_FROM = re.compile(
    r"from +(?P<name>[^\s()]+) +\((?P<comment>[^()]*(?:\([^()]*\)[^()]*)?)\)"
    r"(?: +\([^()]*\))* +by +[^\s();]"
)
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]", re.IGNORECASE)
_HELO = re.compile(r"helo=(\S+)")
_HEADER_MAX = 256 * 1024

Trusted = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Hop:
    """Who handed a mail over, as its receiver wrote it down."""

    address: str
    helo: str | None


def count(raw: bytes) -> int:
    """Received fields in the header."""
    return (b"\r\n" + _header(raw).lower()).count(b"\r\nreceived:")


def walk(raw: bytes, trusted: Trusted) -> Hop | None:
    """The first hop that is not trusted, from the top (the newest) down; None where any doubt is
    left.

    The topmost field was written by the relay that speaks to us; each further one is believed
    only because the hop above it is one of ours.
    """
    for match in _RECEIVED.finditer(_header(raw)):
        found = hop(match[1])
        if found is None or not trusted(found.address):
            return found
    return None


def hop(value: bytes) -> Hop | None:
    """One field's client: exactly one address in the comment after the name, else None."""
    if not value.isascii():
        return None
    match = _FROM.match(" ".join(value.decode("ascii").split()))
    if match is None:
        return None
    name, comment = match["name"], match["comment"]
    if (told := _HELO.search(comment)) is not None and comment.startswith("helo="):
        literals, helo = _LITERAL.findall(name), told[1]  # Exim, a client without a name
    else:
        literals = _LITERAL.findall(comment) or [comment]
        helo = told[1] if told else name
    if len(literals) != 1 or (address := _address(literals[0])) is None:
        return None
    return Hop(address, helo)


def _address(text: str) -> str | None:
    try:
        parsed = ipaddress.ip_address(text.removeprefix("IPv6:"))
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def _header(raw: bytes) -> bytes:
    if raw.startswith(b"\r\n"):
        return b""
    end = raw.find(b"\r\n\r\n", 0, _HEADER_MAX)
    return raw[: end + 2] if end >= 0 else raw[:_HEADER_MAX]
