"""The mail as people see it: subject, names, dates, the text and the page to read, and every
attached file.

Our own reader over bytes (RFC 2045-2049), on the header splitter that identity uses. Total and
linear: whatever the bytes are, there is a `Parsed`, and what was wrong with them is named in
`defects`. Nothing here ever names an author.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.core.model import Address, Attachment, Headers
from gateway.core.read import addresses, bodies, encoded, identifiers, pec, wire
from gateway.core.read.bodies import ReportPart
from gateway.core.read.structure import Budget, Part, tree

__all__ = ["USUAL", "Budget", "Parsed", "ReportPart", "read"]

_MOST_DEFECTS = 50
USUAL = Budget()


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the bytes of a mail say to a person, each field decoded and safe to show on one
    line.
    """

    subject: str
    from_name: str
    message_id: str | None  # grammar-checked, with angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None  # aware
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    body_text: (
        str | None
    )  # the text/plain to analyse, lines ended by LF; None where there is only a page
    body_html: str | None
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...]
    thread_topic: str | None = None
    thread_index: str | None = None
    wrapped: pec.Wrapped | None = None
    charset: str | None = None  # the codec that decoded the first text
    root_type: str = "text/plain"  # of the whole mail, with what decides whether it is automatic
    report_type: str | None = None
    calendar_method: str | None = None
    message_class: str = ""  # of winmail.dat
    reports: tuple[ReportPart, ...] = ()  # machine-readable parts and returned mails, in order


def read(raw: bytes, headers: Headers, budget: Budget = USUAL) -> Parsed:
    """Read everything but identity.

    `headers` is what wire.read made of the same bytes. Never raises.
    """
    root, defects = tree(raw, headers, budget)
    found = bodies.collect(root, budget)
    parsed = _parsed(headers, root, found, defects)
    return _unwrapped(parsed, headers, root, found, budget) if pec.kind_of(headers) else parsed


def _parsed(headers: Headers, root: Part, found: bodies.Found, defects: list[str]) -> Parsed:
    return Parsed(
        subject=encoded.text(headers.first("subject"), found.label),
        from_name=_from_name(headers.first("from")),
        message_id=identifiers.message_id(headers.first("message-id")),
        in_reply_to=identifiers.message_ids(*headers.all("in-reply-to")),
        references=identifiers.message_ids(*headers.all("references")),
        date=identifiers.date(headers.first("date")),
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        body_text=found.text,
        body_html=found.html,
        attachments=tuple(found.attachments),
        defects=tuple(dict.fromkeys([*defects, *found.defects]))[:_MOST_DEFECTS],
        thread_topic=encoded.text(headers.first("thread-topic")) or None,
        thread_index=encoded.text(headers.first("thread-index"))[:1024] or None,
        charset=found.charset,
        root_type=root.type,
        report_type=(root.content_type.get("report-type") or "").lower() or None,
        calendar_method=found.calendar_method,
        message_class=found.message_class,
        reports=tuple(found.reports),
    )


def _unwrapped(
    outer: Parsed, headers: Headers, root: Part, found: bodies.Found, budget: Budget
) -> Parsed:
    """A PEC wrapper: the words, files and references of postacert.eml in the place of the
    wrapper's own.
    """
    signed = root.type == "multipart/signed"
    data = next(
        (a.content for a in outer.attachments if a.filename.lower() == "daticert.xml"), b""
    )
    letter = _letter(outer)
    if letter is None:
        return replace(outer, wrapped=pec.wrapped(headers, signed, None, data))
    inner_headers = wire.split(letter.content)
    wrapped = pec.wrapped(headers, signed, inner_headers, data)
    if wrapped is None or wrapped.kind == "receipt":
        return replace(outer, wrapped=wrapped)
    inner_root, defects = tree(letter.content, inner_headers, budget)
    words = bodies.collect(inner_root, budget)
    inner = _parsed(inner_headers, inner_root, words, [*outer.defects, *defects])
    rest = tuple(a for a in outer.attachments if a is not letter)
    return replace(
        outer,
        subject=inner.subject or pec.inner_subject(outer.subject),
        from_name=inner.from_name or outer.from_name,
        in_reply_to=outer.in_reply_to or inner.in_reply_to,
        references=outer.references or inner.references,
        body_text=inner.body_text,
        body_html=inner.body_html,
        attachments=(*inner.attachments, *rest),
        defects=inner.defects,
        charset=inner.charset,
        wrapped=wrapped,
        reports=inner.reports,
    )


def _letter(outer: Parsed) -> Attachment | None:
    """The wrapped mail: by its customary name, else the one mail that there is."""
    mails = [a for a in outer.attachments if a.declared_type == "message/rfc822"]
    named = [a for a in mails if a.filename.lower() == "postacert.eml"]
    if named:
        return named[0]
    return mails[0] if len(mails) == 1 else None


def _from_name(value: bytes | None) -> str:
    if value is None:
        return ""
    return encoded.one_line(encoded.words(addresses.display_name(value)))[:500]


def _addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    """Every address of the field; a mail with the field twice has its defect already (wire)."""
    return tuple(a for value in headers.all(name)[:4] for a in addresses.mailboxes(value))
