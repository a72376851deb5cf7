"""Posta elettronica certificata: the provider's wrapper around a mail, its certificate, and its
receipts.

The words of a wrapped mail are read from `postacert.eml`. Whom it proves is not decided here: the
wrapper is only described, for those who check its S/MIME signature (DPR 68/2005 and the technical
rules of 2 November 2005).
"""

import html
import re
from dataclasses import dataclass
from datetime import datetime

from gateway.core.model import Address, Headers
from gateway.core.read import addresses
from gateway.core.read.encoded import unfold
from gateway.core.read.identifiers import message_id

_LONGEST = 65536
_SUBJECT = re.compile(r"\s*(?:posta certificata|anomalia messaggio)\s*:\s*", re.IGNORECASE)
_ELEMENT = re.compile(rb"<(mittente|identificativo|msgid)(?:\s[^<>]{0,200})?>([^<]{1,1000})</")
_RECIPIENT = re.compile(rb"<destinatari(?:\s[^<>]{0,200})?>([^<]{1,1000})</")
_MOST_RECIPIENTS = 500
_MADE = re.compile(
    rb"<data\b[^<>]{0,100}?\szona\s*=\s*[\"']([+-]\d\d:?\d\d)[\"'][^<>]{0,100}>\s{0,100}"
    rb"<giorno>\s*(\d\d/\d\d/\d{4})\s*</giorno>\s{0,100}<ora>\s*(\d\d:\d\d:\d\d)\s*</ora>"
)
_KIND = re.compile(rb"<postacert\b[^<>]{0,400}?\stipo\s*=\s*[\"']([a-z-]{1,40})[\"']")
# Technical rules, 6: the values of X-Ricevuta. Only these are receipts.
RECEIPTS = frozenset(
    {
        "accettazione",
        "non-accettazione",
        "preavviso-errore-consegna",
        "presa-in-carico",
        "rilevazione-virus",
        "errore-consegna",
        "avvenuta-consegna",
    }
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What daticert.xml says, unproven until the wrapper's signature is checked."""

    kind: str | None = None
    sender: Address | None = None
    identifier: str | None = None
    message_id: str | None = None
    recipients: tuple[Address, ...] = ()
    at: datetime | None = None  # when the provider took the letter, aware


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A PEC wrapper: `transport`, `anomaly`, or `receipt` with the kind of receipt."""

    kind: str
    receipt: str | None = None
    signed: bool = False  # the wrapper is multipart/signed with S/MIME; not that it verifies
    inner_from: Address | None = None  # the one mailbox of the inner From field, if it is one
    certificate: Certificate = Certificate()
    reference: str | None = None  # X-Riferimento-Message-ID: the mail that it is about


def kind_of(headers: Headers) -> tuple[str, str | None] | None:
    """What the provider's marks say that this mail is, with the receipt's kind."""
    receipt = _mark(headers, "x-ricevuta")
    if receipt in RECEIPTS:
        return "receipt", receipt
    transport = _mark(headers, "x-trasporto")
    return {"posta-certificata": ("transport", None), "errore": ("anomaly", None)}.get(transport)


def wrapped(headers: Headers, signed: bool, inner: Headers | None, data: bytes) -> Wrapped | None:
    """Describe the wrapper; `data` is daticert.xml, empty where it is absent."""
    found = kind_of(headers)
    if found is None:
        return None
    author = inner.all("from") if inner else ()
    one = addresses.from_field(author[0]) if len(author) == 1 else None
    return Wrapped(
        kind=found[0],
        receipt=found[1],
        signed=signed,
        inner_from=one if isinstance(one, Address) else None,
        certificate=certificate(data),
        reference=message_id(headers.first("x-riferimento-message-id")),
    )


def certificate(data: bytes) -> Certificate:
    """The few elements that matter, without an XML parser and so without entities or includes."""
    data = data[:_LONGEST]
    kind = _KIND.search(data)
    values: dict[bytes, str] = {}
    for element in _ELEMENT.finditer(data):
        text = html.unescape(element.group(2).decode("utf-8", "replace")).strip()
        values.setdefault(element.group(1), text)
    return Certificate(
        kind=kind.group(1).decode("ascii") if kind else None,
        sender=addresses.parse(values.get(b"mittente", "")),
        identifier=values.get(b"identificativo"),
        message_id=message_id(values.get(b"msgid", "").encode("utf-8", "replace")),
        recipients=_recipients(data),
        at=_made(data),
    )


def _recipients(data: bytes) -> tuple[Address, ...]:
    found = []
    for element in list(_RECIPIENT.finditer(data))[:_MOST_RECIPIENTS]:
        one = addresses.parse(html.unescape(element.group(1).decode("utf-8", "replace")).strip())
        found += [one] if one else []
    return tuple(found)


def _made(data: bytes) -> datetime | None:
    match = _MADE.search(data)
    if match is None:
        return None
    zone, day, clock = (group.decode("ascii") for group in match.groups())
    try:
        return datetime.strptime(f"{day} {clock} {zone}", "%d/%m/%Y %H:%M:%S %z")
    except ValueError:
        return None


def inner_subject(subject: str) -> str:
    """The subject without the provider's prefix."""
    return _SUBJECT.sub("", subject, count=1)


def _mark(headers: Headers, name: str) -> str:
    value = headers.first(name) or b""
    return unfold(value[:100]).decode("ascii", "replace").strip().lower()
