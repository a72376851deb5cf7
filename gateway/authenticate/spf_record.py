"""Reads an SPF record into terms; a fault anywhere is a fault of the whole (RFC 7208 4.6)."""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.authenticate.remember import Remembered
from gateway.authenticate.spf_macro import (
    MacroString,
    MacroSyntax,
    read_domain_spec,
    read_macros,
)
from gateway.core.model import SpfResult

LONGEST_RECORD = 10 * 1024  # bytes
QUALIFIERS = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}

_CIDR = r"(?:0|[1-9]\d{0,2})"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4 = re.compile(rf"((?:{_OCTET}\.){{3}}{_OCTET})(?:/({_CIDR}))?", re.ASCII)
_IP6 = re.compile(rf"([0-9A-Fa-f:.]{{2,45}})(?:/({_CIDR}))?", re.ASCII)
_DUAL = re.compile(rf"(?:/(?P<four>{_CIDR}))?(?://(?P<six>{_CIDR}))?\Z", re.ASCII)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.ASCII | re.DOTALL)
_MECHANISM = re.compile(r"(?P<kind>[A-Za-z0-9]+)(?::(?P<spec>.*)|(?P<rest>/.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RecordFault:
    """Why the record means `permerror`."""

    problem: str


class Term(NamedTuple):
    """A directive: qualifier and mechanism. A tuple, because a record may hold thousands."""

    text: str  # as written
    result: SpfResult  # what a match means
    kind: str
    spec: MacroString | None = None
    network: int = 0  # of ip4 and ip6, shifted right by `shift`
    shift: int = 0
    four: int = 32  # prefix lengths in bits
    six: int = 128


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """Directives in order, and the two modifiers that mean something."""

    terms: tuple[Term, ...]
    redirect: MacroString | None
    explanation: MacroString | None


_read: Remembered[bytes, SpfRecord | RecordFault] = Remembered(2 << 20)


def is_spf(text: bytes) -> bool:
    """RFC 7208 4.5: the version, in any case, ended by a space or by the end of the record."""
    return text[:6].lower() == b"v=spf1" and text[6:7] in (b"", b" ")


def read_record(text: bytes) -> SpfRecord | RecordFault:
    """The record of these bytes; read once and remembered."""
    record = _read.get(text)
    if record is None:
        try:
            record = _parse(text)
        except MacroSyntax as fault:
            record = RecordFault(str(fault))
        _read.put(text, record, len(text) + 100)
    return record


def _parse(text: bytes) -> SpfRecord | RecordFault:
    if len(text) > LONGEST_RECORD:
        return RecordFault("the record is longer than 10 KB")
    if not text.isascii():
        return RecordFault("the record holds bytes that are not ASCII")
    terms: list[Term] = []
    modifiers: dict[str, MacroString] = {}
    for word in text.decode("ascii")[6:].split(" "):
        if not word:
            continue
        modifier = None if word.startswith(("ip4:", "ip6:")) else _MODIFIER.fullmatch(word)
        if modifier is None:
            terms.append(_directive(word))
            continue
        name = modifier[1].lower()
        if name not in ("redirect", "exp"):
            read_macros(modifier[2])
        elif name in modifiers:
            return RecordFault(f"`{name}` appears twice")
        else:
            modifiers[name] = read_domain_spec(modifier[2])
    return SpfRecord(tuple(terms), modifiers.get("redirect"), modifiers.get("exp"))


def _directive(word: str) -> Term:
    result = QUALIFIERS.get(word[0])
    plain = word if result is None else word[1:]
    result = result or SpfResult.PASS
    mechanism = _MECHANISM.fullmatch(plain)
    if mechanism is None:
        raise MacroSyntax(f"`{word[:60]}` is no term")
    kind = mechanism["kind"].lower()
    read = _MECHANISMS.get(kind)
    if read is None:
        raise MacroSyntax(f"`{word[:60]}` is no mechanism")
    return read(word, result, kind, mechanism["spec"], mechanism["rest"])


def _all(word: str, result: SpfResult, kind: str, spec: str | None, rest: str | None) -> Term:
    if spec is not None or rest is not None:
        raise MacroSyntax(f"`{word[:60]}`: `all` takes nothing")
    return Term(word, result, kind, four=0, six=0)


def _named(word: str, result: SpfResult, kind: str, spec: str | None, rest: str | None) -> Term:
    """`include`, `exists` (a domain is due) and `ptr` (a domain may stand)."""
    if rest is not None or (spec is None and kind != "ptr"):
        raise MacroSyntax(f"`{word[:60]}`: a domain is due after `:`")
    return Term(word, result, kind, None if spec is None else read_domain_spec(spec))


def _hosts(word: str, result: SpfResult, kind: str, spec: str | None, rest: str | None) -> Term:
    """`a` and `mx`, with prefix lengths for both families (RFC 7208 5.3, 5.4)."""
    text = spec if spec is not None else rest or ""
    dual = _DUAL.search(text)
    four = int(dual["four"] or 32) if dual else 32
    six = int(dual["six"] or 128) if dual else 128
    name = text[: dual.start()] if dual else text
    if four > 32 or six > 128:
        raise MacroSyntax(f"`{word[:60]}`: the prefix is too long")
    if spec is None:
        if name:
            raise MacroSyntax(f"`{word[:60]}`: the prefix cannot be read")
        return Term(word, result, kind, None, four=four, six=six)
    return Term(word, result, kind, read_domain_spec(name), four=four, six=six)


def _ip4(word: str, result: SpfResult, kind: str, spec: str | None, rest: str | None) -> Term:
    match = _IP4.fullmatch(spec or "")
    prefix = int(match[2] or 32) if match else 33
    if match is None or prefix > 32:
        raise MacroSyntax(f"`{word[:60]}` is no IPv4 network")
    number = int.from_bytes(socket.inet_aton(match[1]), "big")
    return Term(word, result, kind, None, number >> (32 - prefix), 32 - prefix, four=prefix)


def _ip6(word: str, result: SpfResult, kind: str, spec: str | None, rest: str | None) -> Term:
    match = _IP6.fullmatch(spec or "")
    prefix = int(match[2] or 128) if match else 129
    if match is None or prefix > 128:
        raise MacroSyntax(f"`{word[:60]}` is no IPv6 network")
    try:
        number = int.from_bytes(socket.inet_pton(socket.AF_INET6, match[1]), "big")
    except OSError:
        raise MacroSyntax(f"`{word[:60]}` is no IPv6 network") from None
    return Term(word, result, kind, None, number >> (128 - prefix), 128 - prefix, six=prefix)


_MECHANISMS: dict[str, Callable[[str, SpfResult, str, str | None, str | None], Term]] = {
    "all": _all,
    "include": _named,
    "exists": _named,
    "ptr": _named,
    "a": _hosts,
    "mx": _hosts,
    "ip4": _ip4,
    "ip6": _ip6,
}
