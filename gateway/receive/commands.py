"""The arguments of MAIL, RCPT and hello, by a grammar that accepts no more than it should.

Pure. Addresses themselves are judged by `core.read.addresses.path`; here is what stands around
them.
"""

import re
from dataclasses import dataclass

from gateway.core.model import Address
from gateway.core.read import addresses

# RFC 5321 4.1.2: Path, with quoted strings that may hold the closing bracket; then parameters.
_ARGUMENT = re.compile(
    r'<(?P<path>(?:[^"<>\\ \x00-\x1f\x7f]|"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*")*)>'
    r"(?P<parameters>(?: +[^ \x00-\x1f\x7f]+)*) *"
)
_PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[\x21-\x3c\x3e-\x7e]+)?")
_HELLO = re.compile(r"[A-Za-z0-9_.\-]{1,255}|\[[0-9A-Za-z:.\-]{3,64}\]")


@dataclass(frozen=True, slots=True)
class Path:
    """What stood in the angle brackets, and the parameters behind it (names in upper case)."""

    text: str
    parameters: dict[str, str | None]


def argument(text: str, keyword: str) -> Path | None:
    """`FROM:<path> [parameters]`; None where the grammar is left. A space after the colon is
    forgiven.
    """
    if text[: len(keyword)].upper() != keyword:
        return None
    match = _ARGUMENT.fullmatch(text[len(keyword) :].lstrip(" "))
    if match is None:
        return None
    parameters: dict[str, str | None] = {}
    for word in match["parameters"].split():
        if _PARAMETER.fullmatch(word) is None:
            return None
        name, equals, value = word.partition("=")
        if name.upper() in parameters:
            return None
        parameters[name.upper()] = value if equals else None
    return Path(match["path"], parameters)


def mailbox(text: str, smtputf8: bool) -> Address | None:
    """The address of a path; None where it is none, or needs SMTPUTF8 that was not asked for."""
    if len(text) > 512 or any("\ud800" <= char <= "\udfff" for char in text):
        return None  # bytes that are no UTF-8 arrive as lone surrogates
    return addresses.path(text, smtputf8)


def hello(text: str) -> str | None:
    """The name that a client gives itself (RFC 5321 4.1.1.1), forgiving underscores; None where
    it is none.
    """
    return text if _HELLO.fullmatch(text) else None
