"""Authentication-Results (RFC 8601): our own field, foreign ones under our name, a relay's word.

Whatever stands in a mail under our own id was written by somebody else, and gets another name.
"""

import re
from dataclasses import dataclass

from gateway.authenticate import results_read
from gateway.core.model import (
    Address,
    DkimResult,
    Envelope,
    Evidence,
    Headers,
    Signature,
    Spf,
    SpfResult,
)
from gateway.core.read import addresses

RENAMED = b"X-Original-Authentication-Results"

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+._`{|}~@:\[\]-]{1,253}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RelaySays:
    """SPF and DKIM passes that a relay found; alignment is for us to judge."""

    spf: Spf
    dkim: tuple[Signature, ...]


def field(authserv_id: str, envelope: Envelope, evidence: Evidence, author: Address) -> bytes:
    """Our own field with name and CRLF, for the stored mail; no word of a sender breaks out."""
    spf = evidence.spf
    sender = envelope.mail_from or "<>"
    parts = [f"spf={spf.result}{_property('smtp.mailfrom', sender)}"]
    if envelope.helo:
        parts.append(f"spf={spf.helo_result}{_property('smtp.helo', envelope.helo)}")
    for one in evidence.dkim:
        properties = _property("header.d", one.domain) + _property("header.s", one.selector)
        parts.append(f"dkim={one.result}{properties}")
    if not evidence.dkim:
        parts.append("dkim=none")
    parts.append(f"dmarc={evidence.dmarc.result}{_property('header.from', author.domain)}")
    if evidence.arc.result != "none":
        parts.append(f"arc={evidence.arc.result}")
    lines = ";\r\n\t".join([_value(authserv_id), *parts])
    return f"Authentication-Results: {lines}\r\n".encode("ascii")


def rename(raw: bytes, headers: Headers, authserv_id: str) -> bytes:
    """The mail with every field that claims our id, read strictly or not, under another name."""
    pieces = []
    copied = 0
    at = 0
    for each in headers.fields:
        start = raw.find(each.raw, at)
        if start < 0:
            continue
        at = start + len(each.raw)
        if each.name == "authentication-results" and _claims(each.value, authserv_id):
            colon = each.raw.index(b":")
            pieces += [raw[copied:start], RENAMED, each.raw[colon:]]
            copied = at
    return b"".join([*pieces, raw[copied:]])


def relay_says(headers: Headers, authserv_id: str) -> RelaySays | None:
    """What the relay of this id found, from the fields above its own Received; None if nothing.

    Only raw SPF and DKIM facts are taken. What a field says of DMARC or ARC is not believed.
    Without a Received nothing stands above one: the sender may have written every field.
    """
    if headers.first("received") is None:
        return None
    spf = Spf(SpfResult.NONE, None)
    dkim: list[Signature] = []
    for each in headers.fields:
        if each.name == "received":
            break
        if each.name != "authentication-results":
            continue
        results = results_read.read(each.value)
        if results is None or results.authserv_id != authserv_id.lower():
            continue
        for fact in results.facts:
            if fact.method == "dkim" and (signature := _signature(fact)):
                dkim.append(signature)
            elif fact.method == "spf" and (passed := _spf(fact)):
                spf = passed
    if spf.result is SpfResult.NONE and not dkim:
        return None
    return RelaySays(spf, tuple(dkim[:10]))


def _claims(value: bytes, authserv_id: str) -> bool:
    results = results_read.read(value)
    if results is not None:
        return results.authserv_id.rstrip(".") == authserv_id.lower().rstrip(".")
    return authserv_id.lower().encode("ascii", "replace") in value.lower()


def _signature(fact: results_read.Fact) -> Signature | None:
    domain = fact.first("header.d")
    if fact.result != "pass" or domain is None:
        return None
    return Signature(DkimResult.PASS, domain.lower(), fact.first("header.s"))


def _spf(fact: results_read.Fact) -> Spf | None:
    sender = fact.first("smtp.mailfrom")
    if fact.result != "pass" or sender is None:
        return None
    address = addresses.path(sender if "@" in sender else f"postmaster@{sender}")
    if address is None:
        return None
    return Spf(SpfResult.PASS, address.domain, mail_from=address)


def _property(name: str, value: str | None) -> str:
    return "" if value is None else f" {name}={_value(value)}"


def _value(text: str) -> str:
    """A token, or a quoted string in which nothing can end the field (RFC 8601 2.2)."""
    if _TOKEN.fullmatch(text):
        return text
    printable = "".join(char if " " <= char <= "~" else "?" for char in text[:253])
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
