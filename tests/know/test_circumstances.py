"""What lies around a mail: department, a standing ticket, the spent share, scope, language."""

from dataclasses import replace
from datetime import timedelta

import pytest
from knowing_values import mail
from ticketing import NOW, account, candidates, clues_of, envelope, proof, registration, ticket

from gateway.core.know import circumstances
from gateway.core.know.identify import identify
from gateway.core.model import (
    Address,
    Caps,
    Department,
    Incident,
    Office,
    Proof,
    ProofLevel,
    Reference,
    Request,
    RequestKind,
    Routing,
    Sender,
    SenderKind,
    Spending,
    Ticket,
    TicketKind,
    TicketMatch,
    TicketState,
)

TECHNICAL = Department(
    "technical", {}, recipients=("noc@",), requests=(RequestKind.INCIDENT,), kind="support"
)
FINANCIAL = Department(
    "financial",
    {},
    recipients=("billing@host.example",),
    requests=(RequestKind.BILLING,),
    kind="billing",
)
GENERAL = Department("general", {})
ROUTING = Routing(
    (TECHNICAL, FINANCIAL, GENERAL),
    "general",
    Office("Europe/Rome", {}),
    caps=Caps(unproven=1, medium=2, strong=3, author=2, domain=4, all_strong=50, all_public=60),
    freemail=frozenset({"mail.example"}),
)
NO_TICKET = Reference(TicketMatch.NONE)
ABOUT_VPS = Incident(is_incident=True, identifiers=("vps-12",), missing=("diagnostics",))
CRITICAL = replace(ABOUT_VPS, missing=())


def wants(kind: RequestKind) -> Request:
    """A request of this kind."""
    return Request(kind, ())


@pytest.mark.parametrize(
    ("recipient", "kind", "wanted"),
    [
        ("billing@host.example", RequestKind.INCIDENT, "financial"),
        ("billing+token@host.example", RequestKind.GENERAL, "financial"),
        ("billing@other.example", RequestKind.GENERAL, "general"),
        ("NOC@any.example", RequestKind.BILLING, "technical"),
        ("support@host.example", RequestKind.BILLING, "financial"),
        ("support@host.example", RequestKind.INCIDENT, "technical"),
        ("support@host.example", RequestKind.ABUSE, "general"),
    ],
)
def test_the_recipient_chooses_the_department_before_the_words(
    recipient: str, kind: RequestKind, wanted: str
) -> None:
    """An address of ours, with or without a token; else the kind of request."""
    assert circumstances.department(envelope(recipient), wants(kind), ROUTING) == wanted


def test_the_first_recipient_that_chooses_decides() -> None:
    """One decision a mail."""
    both = envelope("support@host.example", "noc@host.example", "billing@host.example")
    assert circumstances.department(both, wants(RequestKind.BILLING), ROUTING) == "technical"


def repeated(
    *open_tickets: Ticket,
    incident: Incident = ABOUT_VPS,
    level: ProofLevel = ProofLevel.STRONG,
    owner: str | None = "A-1",
    reference: Reference = NO_TICKET,
    routing: Routing = ROUTING,
    department: str = "technical",
    kinds: tuple[str, ...] = (),
) -> str | None:
    """The number of the ticket that the mail joins."""
    found = circumstances.repeat(
        mail("Giù", body_digest="same words"),
        incident,
        proof(level),
        account(owner) if owner else None,
        candidates(open_tickets=open_tickets),
        routing,
        reference,
        department,
        replace(registration("A-1"), kinds=kinds),
        NOW,
    )
    return found.number if found else None


STANDING = ticket("1", "A-1", identifiers=("vps-12",))


def test_a_mail_about_equal_identifiers_joins_the_open_ticket() -> None:
    """One incident, one ticket (W3)."""
    assert repeated(STANDING) == "1"


def test_equal_words_are_the_same_thing_without_any_identifier() -> None:
    """A near twin from another address of the account."""
    twin = ticket("1", "A-1", body_digest="same words")
    assert repeated(twin, incident=Incident()) == "1"
    assert repeated(replace(twin, body_digest="other"), incident=Incident()) is None
    assert repeated(replace(twin, body_digest=None), incident=Incident()) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(STANDING, identifiers=("vps-12", "web-40")),
        replace(STANDING, identifiers=()),
        replace(STANDING, account="B-2"),
        replace(STANDING, account=None),
        replace(STANDING, kind=TicketKind.ENQUIRY),
        replace(STANDING, state=TicketState.CLOSED),
        replace(STANDING, proof="medium"),
        replace(STANDING, proof="none"),
        replace(
            STANDING, opened_at=NOW - timedelta(hours=60), updated_at=NOW - timedelta(hours=49)
        ),
    ],
)
def test_any_other_ticket_is_not_joined(other: Ticket) -> None:
    """Other services, others' tickets, closed ones, a lower proof, or out of the window."""
    assert repeated(other) is None


def test_a_ticket_that_was_added_to_within_the_window_is_still_the_same_incident() -> None:
    """However long ago it was opened."""
    old = replace(STANDING, opened_at=NOW - timedelta(days=9), updated_at=NOW - timedelta(hours=5))
    assert repeated(old) == "1"


def test_a_weaker_proof_may_join_a_stronger_ticket() -> None:
    """The entry is marked; the ticket's standing is not raised by it."""
    assert repeated(STANDING, level=ProofLevel.MEDIUM) == "1"


def test_a_critical_incident_never_joins_a_normal_ticket() -> None:
    """It opens a high one, linked; a high one it joins, and so it does without priorities."""
    assert repeated(STANDING, incident=CRITICAL) is None
    assert repeated(replace(STANDING, priority="high"), incident=CRITICAL) == "1"
    assert repeated(STANDING, incident=CRITICAL, routing=replace(ROUTING, priorities=False)) == "1"


def test_a_mail_that_already_has_its_ticket_joins_no_other() -> None:
    """Neither where it names one, nor where its author chose another subject."""
    assert repeated(STANDING, reference=Reference(TicketMatch.OWN, STANDING)) is None
    assert repeated(STANDING, reference=Reference(TicketMatch.NONE, linked_to="2")) is None
    assert repeated(STANDING, owner=None) is None


def test_an_address_joins_no_ticket_of_a_department_it_may_not_speak_about() -> None:
    """Neither by the identifiers nor by the words, whatever department it wrote to (I7)."""
    words = replace(STANDING, body_digest="same words")
    for standing in (STANDING, words):
        for department in ("technical", "financial"):
            assert repeated(standing, department=department, kinds=("billing",)) is None
    assert repeated(STANDING, kinds=("support",)) == "1"
    bill = replace(STANDING, department="financial")
    assert repeated(STANDING, bill, department="financial", kinds=("billing",)) == bill.number


def test_only_an_incident_joins_a_ticket_of_another_department() -> None:
    """An outage written to billing@ is the same one; a bill for the server is another matter."""
    question = replace(ABOUT_VPS, is_incident=False, missing=())
    words = replace(STANDING, identifiers=(), body_digest="same words")
    assert repeated(STANDING, department="financial") == "1"
    assert repeated(STANDING, incident=question, department="financial") is None
    assert repeated(words, incident=Incident(), department="financial") == "1"
    assert repeated(STANDING, incident=question) == "1"


def spent(level: ProofLevel, known: bool, **some: object) -> bool:
    """Whether the share is spent, for a known or an unknown author at `cliente.example`."""
    sender = Sender(SenderKind.UNKNOWN)
    if known:
        found = candidates(registrations=(registration("A-1"),))
        sender = identify(Address("anna", "cliente.example"), found, clues_of())
    spending = Spending(**some)  # type: ignore[arg-type]
    return circumstances.spent(sender, Proof(level, ()), spending, ROUTING, "cliente.example")


@pytest.mark.parametrize(
    ("level", "ledger", "cap"),
    [
        (ProofLevel.STRONG, "strong_today", 3),
        (ProofLevel.MEDIUM, "medium_today", 2),
        (ProofLevel.NONE, "unproven_today", 1),
        (ProofLevel.FAIL, "unproven_today", 1),
    ],
)
def test_each_proof_spends_its_own_share(level: ProofLevel, ledger: str, cap: int) -> None:
    """Forgeries never use up what proven mail may cause."""
    assert spent(level, True, **{ledger: cap})
    assert not spent(level, True, **{ledger: cap - 1})
    others = {"strong_today", "medium_today", "unproven_today"} - {ledger}
    assert not spent(level, True, **dict.fromkeys(others, 99))


def test_everybody_together_has_a_share_too() -> None:
    """By ledger, so that a flood in one uses up no other."""
    assert spent(ProofLevel.STRONG, True, global_today={"strong": 50})
    assert not spent(ProofLevel.STRONG, True, global_today={"unproven": 9_999, "public": 9_999})
    assert spent(ProofLevel.STRONG, False, global_today={"public": 60})


def test_public_texts_are_capped_by_author_and_by_domain() -> None:
    """Freemail domains belong to many people, and are counted by author alone."""
    assert spent(ProofLevel.STRONG, False, author_today=2)
    assert spent(ProofLevel.STRONG, False, domain_today=4)
    assert not spent(ProofLevel.STRONG, False, author_today=1, domain_today=3)
    free = circumstances.spent(
        Sender(SenderKind.UNKNOWN), proof(), Spending(domain_today=99), ROUTING, "mail.example"
    )
    assert not free


@pytest.mark.parametrize(
    ("kinds", "department", "wanted"),
    [
        ((), "technical", True),
        (("billing",), "financial", True),
        (("billing",), "technical", False),
        (("technical",), "technical", True),
        (("support",), "technical", True),
        (("support",), "general", False),
    ],
)
def test_an_address_for_one_kind_speaks_about_its_departments_alone(
    kinds: tuple[str, ...], department: str, wanted: bool
) -> None:
    """Kinds are departments, or the kinds of notices that departments belong to (I7)."""
    address = replace(registration("A-1"), kinds=kinds)
    assert circumstances.scope(address, department, ROUTING) is wanted


def test_an_author_without_a_registration_is_out_of_no_scope() -> None:
    """What he may do is decided by other facts."""
    assert circumstances.scope(None, "technical", ROUTING)


@pytest.mark.parametrize(
    ("said", "of_account", "of_ticket", "wanted"),
    [
        ("en", "it", "it", ("en", False)),
        (None, "en", "it", ("en", False)),
        (None, None, "en", ("en", False)),
        ("de", "en", None, ("en", False)),
        ("de", None, None, ("it", True)),
        (None, None, None, ("it", True)),
    ],
)
def test_the_language_of_the_reply(
    said: str | None, of_account: str | None, of_ticket: str | None, wanted: tuple[str, bool]
) -> None:
    """The mail's, the account's, the ticket's; else the default, and a second one beside it."""
    owner = replace(account("A-1"), language=of_account)
    standing = replace(STANDING, language=of_ticket)
    one = mail("x", language=said)
    assert circumstances.language(one, owner, standing, ("it", "en")) == wanted
