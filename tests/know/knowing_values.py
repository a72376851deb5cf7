"""Plain values for the tests of what a mail wants: mails, rules, services, clues."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from tests_support import ROOT

from gateway.core.model import (
    Attachment,
    Automatic,
    Clues,
    Mail,
    Reference,
    RequestRules,
    Service,
    Span,
    SpanKind,
    TicketMatch,
)
from gateway.core.read import clues as reading
from gateway.errors import BadInput
from gateway.load.requests import read_requests
from gateway.toml import parse

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
NO_TICKET = Reference(TicketMatch.NONE)
VPS = Service("A-1", "vps-12", "vps", "123456", ("192.0.2.7",))
WEB = Service("A-1", "web-40", "hosting", "223344", ("198.51.100.9", "2001:db8::9"))
OTHERS = Service("B-2", "vps-99", "vps", "999999", ("203.0.113.99",))


def mail(text: str, subject: str = "", **more: object) -> Mail:
    """A mail whose whole text was written now."""
    span = Span(SpanKind.NEW, 0, len(text), "test")
    base = Mail(
        subject=subject,
        from_name="",
        text=text,
        spans=(span,) if text else (),
        html=False,
        language=None,
        automatic=Automatic.NO,
        automatic_because="",
        message_id=None,
        in_reply_to=(),
        references=(),
        date=NOW,
        to=(),
        cc=(),
        attachments=(),
        report=None,
        content_digest="c",
        body_digest="b",
        defects=(),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def clues(one: Mail, now: datetime = NOW) -> Clues:
    """What the store would be asked about this mail, as reading finds it."""
    text = f"{one.subject}\n{one.new_text}"
    return Clues(
        author_key="anna@cliente.example",
        author_domain="cliente.example",
        mail_key="",
        content_digest=one.content_digest,
        body_digest=one.body_digest,
        message_id=one.message_id,
        tickets=(),
        message_ids=(),
        ips=reading.ips(text),
        orders=reading.orders(text),
        words=reading.words(text),
        signature_digests=(),
        query=text,
        language=None,
        now=now,
    )


def attachment(content_type: str, size: int = 1000, inline: bool = False) -> Attachment:
    """A file that came with a mail."""
    return Attachment("a", content_type, content_type, size, "d", inline, b"")


@cache
def rules() -> RequestRules:
    """The shipped phrases."""
    path = ROOT / "policies" / "requests.toml"
    complaints: list[BadInput] = []
    read = read_requests(parse(path.read_text(encoding="utf-8"), str(path)), complaints)
    assert not complaints
    return read


def ago(**some: float) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(**some)
