"""Values for the tests of the store, complete but for what a test is about."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core.model import (
    Clues,
    Effects,
    Envelope,
    Listener,
    MailRow,
    NewEntry,
    NewTicket,
    Outgoing,
    TicketKind,
    TicketState,
)
from gateway.store import accounts

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def digest(text: str | bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def mail_row(name: str = "m1", **changed: Any) -> MailRow:
    """A mail whose id, key and Message-ID follow from its name."""
    raw = changed.pop("raw", f"Subject: {name}\r\n\r\nHello\r\n".encode())
    row = MailRow(
        id=name,
        key=digest(f"key {name}"),
        received_at=NOW,
        envelope=Envelope(
            "192.0.2.9", "mx.example", "a@b.example", ("s@h.example",), Listener.EDGE, NOW
        ),
        raw=raw,
        author_key="anna@cliente.example",
        message_id=f"<{name}@cliente.example>",
        content_digest=digest(raw),
        body_digest=digest(f"body {name}"),
        subject=name,
        outcome="open",
        rule="open",
        because="a registered address opens a ticket",
        proof="strong",
        policy_digest="p1",
        facts={"sender": "primary", "token": False},
        evidence={"spf": {"result": "pass"}},
        account="A-1001",
        ticket=None,
        automatic="no",
    )
    return replace(row, **changed)


def new_ticket(number: str = "482913", **changed: Any) -> NewTicket:
    """A ticket of A-1001."""
    ticket = NewTicket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account="A-1001",
        subject="vps is down",
        state=TicketState.NEW,
        department="technical",
        priority="normal",
        proof="strong",
        language="it",
        opened_at=NOW,
        reply_due=NOW + timedelta(minutes=30),
    )
    return replace(ticket, **changed)


def entry(ticket: str = "482913", **changed: Any) -> NewEntry:
    """A line that a customer wrote."""
    said = NewEntry(
        ticket, NOW, "customer", "mail", "anna@cliente.example", "strong", "It is down"
    )
    return replace(said, **changed)


def outgoing(name: str = "r1", ticket: str | None = "482913", **changed: Any) -> Outgoing:
    """An automatic reply to the official address of A-1001."""
    out = Outgoing(
        to="anna@cliente.example",
        envelope_from="",
        kind="open",
        language="it",
        message_id=f"<{name}@support.example>",
        raw=b"From: s@h.example\r\nTo: anna@cliente.example\r\nSubject: x\r\n\r\nText\r\n",
        text="Text",
        account="A-1001",
        ticket=ticket,
        ledger="strong",
        automatic=True,
    )
    return replace(out, **changed)


def opening(name: str = "m1", number: str = "482913", **changed: Any) -> Effects:
    """A mail that opens a ticket and is acknowledged."""
    mail = changed.pop("mail", None) or mail_row(name, ticket=number)
    return Effects(
        mail=mail,
        tickets=(new_ticket(number),),
        entries=(entry(number),),
        outgoing=(outgoing(f"r-{name}", number),),
        **changed,
    )


def clues(author: str = "anna@cliente.example", **changed: Any) -> Clues:
    """What a mail of this author asks, when it names nothing."""
    asked = Clues(
        author_key=author,
        author_domain=author.rpartition("@")[2],
        mail_key=digest("another key"),
        content_digest=digest("another content"),
        body_digest=digest("another body"),
        message_id="<new@cliente.example>",
        tickets=(),
        message_ids=(),
        ips=(),
        orders=(),
        words=(),
        signature_digests=(),
        query="",
        language=None,
        now=NOW,
    )
    return replace(asked, **changed)


def _account(number: str, name: str, primary: str, *secondary: str, **more: Any) -> Any:
    addresses = [accounts.AddressRow(address, address) for address in (primary, *secondary)]
    return accounts.AccountRow(
        line=1,
        number=number,
        name=name,
        language="it",
        state="active",
        primary=addresses[0],
        secondary=tuple(addresses[1:]),
        **more,
    )


ANNA = _account(
    "A-1001",
    "Cliente Srl",
    "anna@cliente.example",
    "tech@cliente.example",
    services=(accounts.ServiceRow("vps-12", "vps", "123456", ("192.0.2.7",)),),
)
BRUNO = _account(
    "A-1002",
    "Altro SpA",
    "bruno@altro.example",
    services=(accounts.ServiceRow("srv-altro", "vps", "654321", ("198.51.100.9",)),),
)
