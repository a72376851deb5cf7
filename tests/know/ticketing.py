"""Plain values for the tests about identity and tickets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.core.model import (
    Account,
    Automatic,
    Candidates,
    Clues,
    Envelope,
    Listener,
    Mail,
    OfficialAddress,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Queue,
    Registration,
    Role,
    Spending,
    Ticket,
    TicketKind,
    TicketState,
)

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


def account(number: str) -> Account:
    """A customer."""
    official = OfficialAddress("anna@cliente.example", number)
    return Account(number, "Cliente", "it", False, official)


def registration(number: str, role: Role = Role.PRIMARY) -> Registration:
    """The author's address on an account."""
    return Registration(account(number), role, (), NOW - timedelta(days=9))


def ticket(number: str, owner: str | None, **more: object) -> Ticket:
    """A standing ticket."""
    base = Ticket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account=owner,
        subject="Posta lenta",
        state=TicketState.NEW,
        department="technical",
        priority="normal",
        proof="strong",
        opened_at=NOW,
        queued_at=NOW,
        updated_at=NOW,
        version=1,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def candidates(**more: object) -> Candidates:
    """What the store knows: nothing, unless said."""
    base = Candidates(
        (), None, (), (), (), (), False, (), (), (), (), (), Spending(), Queue(), "700001"
    )
    return replace(base, **more)  # type: ignore[arg-type]


def clues_of(**more: object) -> Clues:
    """Nothing named, unless said."""
    base = Clues(
        "anna@cliente.example",
        *("cliente.example", "k", "c", "b", None),
        *((), (), (), (), (), (), "", None, NOW),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def mail(**more: object) -> Mail:
    """A mail of a person."""
    base = Mail(
        subject="Posta lenta",
        from_name="",
        text="Ancora lenta.",
        spans=(),
        html=False,
        language="it",
        automatic=Automatic.NO,
        automatic_because="",
        message_id="<new@cliente.example>",
        in_reply_to=(),
        references=(),
        date=None,
        to=(),
        cc=(),
        attachments=(),
        report=None,
        content_digest="c",
        body_digest="b",
        defects=(),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def envelope(*recipients: str) -> Envelope:
    """A session with these recipients."""
    to = recipients or ("support@host.example",)
    return Envelope("192.0.2.1", None, "anna@cliente.example", to, Listener.EDGE, NOW)


def proof(level: ProofLevel = ProofLevel.STRONG, *signed: str) -> Proof:
    """A level, and the fields that it covers (all, unless said)."""
    return Proof(level, (), ProvenAuthor("anna@cliente.example"), frozenset(signed or ("*",)))
