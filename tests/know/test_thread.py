"""Which ticket a mail is about, and whose it must be."""

from dataclasses import replace
from datetime import timedelta

import pytest
from ticketing import (
    NOW,
    account,
    candidates,
    clues_of,
    envelope,
    mail,
    proof,
    registration,
    ticket,
)

from gateway.core.know.thread import refer
from gateway.core.know.token import MAX_AGE, Keys, Purpose, make, message_id
from gateway.core.model import (
    Candidates,
    Envelope,
    Mail,
    OwnMessage,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Reference,
    Sender,
    SenderKind,
    Service,
    StaffAddress,
    TicketKind,
    TicketMatch,
)

KEYS = Keys(1, ((1, b"k" * 32),))
MINE = ticket("482913", "A-1001")
THEIRS = ticket("654321", "A-1002", subject="Altro")
STORE = candidates(
    registrations=(registration("A-1001"),),
    tickets=(MINE, THEIRS),
    ticket_accounts=(account("A-1001"), account("A-1002")),
)
ANNA = Sender(SenderKind.PRIMARY, registration("A-1001"), (registration("A-1001"),))
TOKEN = make(KEYS, "482913", "A-1001", NOW)
OTHERS = make(KEYS, "654321", "A-1002", NOW)


def referred(
    said: Mail | None = None,
    store: Candidates = STORE,
    sender: Sender = ANNA,
    how: Proof | None = None,
    session: Envelope | None = None,
) -> Reference:
    """The reference of this mail."""
    return refer(
        said or mail(),
        clues_of(),
        store,
        sender,
        how or proof(),
        KEYS,
        NOW,
        session or envelope(),
    )


def to_token(token: str) -> Envelope:
    """A mail to the reply address."""
    return envelope(f"support+{token}@host.example")


def test_a_mail_that_names_nothing_is_about_no_ticket() -> None:
    """It opens one."""
    found = referred(mail(subject="Nuovo problema"))
    assert (found.match, found.token, found.ticket) == (TicketMatch.NONE, False, None)


def test_the_token_in_the_reply_address_threads() -> None:
    """Signed or not: the envelope is what the session said."""
    found = referred(session=to_token(TOKEN), how=proof(ProofLevel.STRONG, "from"))
    assert (found.match, found.ticket, found.token) == (TicketMatch.OWN, MINE, True)


def test_the_number_in_the_subject_threads() -> None:
    """For people."""
    found = referred(mail(subject="Re: [#482913] Abbiamo ricevuto la sua richiesta"))
    assert (found.match, found.ticket, found.token) == (TicketMatch.OWN, MINE, False)


@pytest.mark.parametrize("where", ["in_reply_to", "references"])
def test_the_ids_that_it_answers_thread(where: str) -> None:
    """By the token in them."""
    ours = message_id(TOKEN, b"12345", "host.example")
    assert referred(mail(**{where: (ours,)})).ticket == MINE


def test_a_reply_to_the_customers_own_mail_threads() -> None:
    """His own Message-IDs are remembered."""
    store = replace(STORE, messages=(OwnMessage("<m1@cliente.example>", "482913", False),))
    assert referred(mail(in_reply_to=("<m1@cliente.example>",)), store).ticket == MINE


def test_a_mail_whose_answer_came_first_joins_it() -> None:
    """The late parent, by its own id."""
    store = replace(STORE, messages=(OwnMessage("<new@cliente.example>", "482913", False),))
    assert referred(mail(), store).ticket == MINE


@pytest.mark.parametrize(
    "said, field",
    [
        (mail(subject="[#482913] x"), "subject"),
        (mail(in_reply_to=(message_id(TOKEN, b"1", "h.example"),)), "in-reply-to"),
        (mail(references=(message_id(TOKEN, b"1", "h.example"),)), "references"),
    ],
)
def test_what_the_proof_does_not_cover_does_not_thread(said: Mail, field: str) -> None:
    """An unsigned Subject, References or In-Reply-To, unless SPF equals the author."""
    assert referred(said, how=proof(ProofLevel.STRONG, "from", "to")).match is TicketMatch.NONE
    assert referred(said, how=proof(ProofLevel.STRONG, "from", field)).ticket == MINE
    assert referred(said, how=proof(ProofLevel.MEDIUM, "*")).ticket == MINE


@pytest.mark.parametrize("number", ["654321", "999999", "1"])
def test_somebody_elses_ticket_and_none_are_the_same_value(number: str) -> None:
    """Field by field, so that nothing can tell them apart."""
    found = referred(mail(subject=f"[#{number}] quale stato?"))
    because = "it names a ticket that is not the author's, or none that exists"
    assert found == Reference(TicketMatch.OTHER, because=because)


def test_a_valid_token_of_somebody_else_says_which_ticket_and_never_who() -> None:
    """The ticket is `other`; where to park the mail is kept."""
    found = referred(session=to_token(OTHERS))
    assert (found.match, found.ticket, found.token) == (TicketMatch.OTHER, None, True)
    assert found.token_account == account("A-1002")


@pytest.mark.parametrize(
    "token",
    [
        TOKEN[:-1],
        TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b"),
        make(KEYS, "482913", "A-1002", NOW),
        make(KEYS, "482913", "A-1001", NOW - MAX_AGE - timedelta(days=1)),
        make(Keys(1, ((1, b"x" * 32),)), "482913", "A-1001", NOW),
        make(KEYS, "482913", "A-1001", NOW, Purpose.BOUNCE, b"12345"),
        make(KEYS, "482913", "A-1001", NOW, Purpose.STAFF),
        "١٢",
        "../../etc/passwd",
        "",
    ],
)
def test_a_token_that_does_not_verify_threads_nothing(token: str) -> None:
    """Truncated, flipped, of another account, key, time or purpose."""
    found = referred(mail(subject="Ciao"), session=to_token(token))
    assert found.match is not TicketMatch.OWN
    assert (found.token, found.ticket) == (False, None)


@pytest.mark.parametrize("level", [ProofLevel.NONE, ProofLevel.FAIL, ProofLevel.TEMPERROR])
def test_an_unproven_author_owns_no_ticket(level: ProofLevel) -> None:
    """Though he holds the token and the number."""
    said = mail(subject="[#482913] Posta lenta")
    found = referred(said, how=proof(level), session=to_token(TOKEN))
    assert (found.match, found.ticket) == (TicketMatch.OTHER, None)


def test_a_stranger_owns_no_ticket() -> None:
    """A proven one with a valid token: his mail is parked for the token's account."""
    found = referred(sender=Sender(SenderKind.UNKNOWN), session=to_token(TOKEN))
    assert (found.match, found.token) == (TicketMatch.OTHER, True)
    assert found.token_account == account("A-1001")


def test_an_own_ticket_is_found_beside_somebody_elses() -> None:
    """The first that is the author's."""
    said = mail(subject="[#654321] [#482913] Posta lenta")
    assert referred(said).ticket == MINE


def test_merged_tickets_are_followed() -> None:
    """Also over several steps; a ring names nothing."""
    first = ticket("1", "A-1001", merged_into="2")
    second = ticket("2", "A-1001", merged_into="482913")
    store = replace(STORE, tickets=(first, second, MINE))
    assert referred(mail(subject="[#1] x"), store).ticket == MINE
    token = make(KEYS, "1", "A-1001", NOW)
    assert referred(mail(), store, session=to_token(token)).ticket == MINE
    ring = (ticket("1", "A-1001", merged_into="2"), ticket("2", "A-1001", merged_into="1"))
    found = referred(mail(subject="[#1] x"), replace(STORE, tickets=ring))
    assert found.match is TicketMatch.OTHER


def test_a_reply_under_another_subject_opens_a_linked_ticket() -> None:
    """One ticket, one subject (W3)."""
    found = referred(mail(subject="Re: Fattura di novembre"), session=to_token(TOKEN))
    assert (found.match, found.ticket, found.linked_to) == (TicketMatch.NONE, None, "482913")
    assert found.token


@pytest.mark.parametrize(
    "subject",
    [
        *("Re: Posta lenta", "R: [#482913] tutt'altro", "POSTA  LENTA!"),
        *("", "Re:", "I: posta lenta (2)"),
    ],
)
def test_the_same_subject_in_another_dress_threads(subject: str) -> None:
    """Prefixes, case, punctuation, our number, and no subject at all."""
    assert referred(mail(subject=subject), session=to_token(TOKEN)).match is TicketMatch.OWN


def test_what_answers_our_automatic_mail_threads_whatever_its_subject() -> None:
    """And sets off no automatic reply; another desk's receipt, too."""
    token = make(KEYS, "482913", "A-1001", NOW, Purpose.AUTOMATIC)
    said = mail(subject="[Ticket 77] Your request was received")
    found = referred(said, session=to_token(token))
    assert (found.match, found.answers_automatic) == (TicketMatch.OWN, True)


def test_an_unsigned_answer_to_our_automatic_mail_is_seen_as_one() -> None:
    """Withholding a reply needs no proof."""
    known = OwnMessage("<ack@host.example>", "482913", True, automatic=True)
    store = replace(STORE, messages=(known,))
    said = mail(subject="x", in_reply_to=("<ack@host.example>",))
    found = referred(said, store, how=proof(ProofLevel.MEDIUM, "from"))
    assert (found.match, found.answers_automatic) == (TicketMatch.NONE, True)


def test_an_answer_to_staff_is_none_to_automatic_mail() -> None:
    """It gets its receipt."""
    assert not referred(session=to_token(TOKEN)).answers_automatic


def test_a_bare_number_in_the_subject_is_an_order_unless_it_is_an_own_ticket() -> None:
    """`#123456` is how orders are written (I2)."""
    assert referred(mail(subject="Server #999999 fermo")).match is TicketMatch.NONE
    assert referred(mail(subject="Novità su #482913?")).ticket == MINE


def test_an_own_order_in_brackets_names_no_ticket() -> None:
    """They look alike; both are tried."""
    order = Service("A-1001", "vps-12", "vps", "999999")
    store = replace(STORE, services=(order,))
    assert referred(mail(subject="[#999999] fermo"), store).match is TicketMatch.NONE
    assert referred(mail(subject="[#999998] fermo"), store).match is TicketMatch.OTHER


def test_an_enquirer_owns_his_enquiry() -> None:
    """By his proven address; nobody else does."""
    anna = ProvenAuthor("anna@cliente.example")
    his = ticket("900", None, kind=TicketKind.ENQUIRY, enquirer=anna)
    store = candidates(tickets=(his,))
    session = to_token(make(KEYS, "900", "", NOW))
    stranger = Sender(SenderKind.UNKNOWN)
    assert referred(mail(), store, stranger, session=session).ticket == his
    other = replace(proof(), author=ProvenAuthor("eve@evil.example"))
    assert referred(mail(), store, stranger, other, session).match is TicketMatch.OTHER


MARTA = StaffAddress("Marta@host.example", "Marta", ("technical", "abuse"))


@pytest.mark.parametrize(
    "bound, good",
    [
        ("marta@host.example", True),
        ("department/technical", True),
        ("department/financial", False),
        ("luca@host.example", False),
        ("A-1001", False),
    ],
)
def test_a_staff_token_is_bound_to_the_mailbox_or_its_department(bound: str, good: bool) -> None:
    """A customer's token gives staff nothing, nor another department's."""
    token = make(KEYS, "482913", bound, NOW, Purpose.STAFF)
    sender = Sender(SenderKind.STAFF, staff=MARTA)
    for found in (
        referred(sender=sender, session=to_token(token)),
        referred(mail(in_reply_to=(f"<{token}.1@host.example>",)), sender=sender),
    ):
        assert (found.staff_token, found.token) == (good, good)
        assert (found.token_ticket == MINE) is good
        assert found.ticket is None


def test_a_staff_token_gives_a_customer_nothing() -> None:
    """It has a purpose of its own."""
    token = make(KEYS, "482913", "department/technical", NOW, Purpose.STAFF)
    found = referred(mail(subject="Ciao"), session=to_token(token))
    assert (found.match, found.token, found.staff_token) == (TicketMatch.NONE, False, False)


def test_a_hundred_numbers_are_read_in_bounded_number() -> None:
    """token-subj-many: none of them is the author's."""
    subject = " ".join(f"[#{number}]" for number in range(123400, 123500))
    assert referred(mail(subject=subject)).match is TicketMatch.OTHER
