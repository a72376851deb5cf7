"""What a staff member's mail does."""

import pytest
from sayings import (
    LUCA,
    OFFICIAL,
    STRANGER,
    account,
    candidates,
    done,
    mail,
    proof,
    sent,
    situation,
    ticket,
    told,
)

from gateway.core.model import (
    Attachment,
    ProofLevel,
    ProvenAuthor,
    Reference,
    Sender,
    SenderKind,
    Situation,
    Span,
    SpanKind,
    Staff,
    TicketKind,
    TicketMatch,
    TicketState,
)


def by_luca(text: str, about: object = None, **more: object) -> Situation:
    """A staff member's mail with a valid token."""
    standing = about or ticket(state=TicketState.STAFF)
    reference = Reference(
        TicketMatch.NONE,
        token=True,
        staff_token=True,
        token_ticket=standing,  # type: ignore[arg-type]
        token_account=account(),
    )
    defaults: dict[str, object] = {
        "sender": Sender(SenderKind.STAFF, staff=LUCA),
        "proof": proof(author=LUCA.address),
        "reference": reference,
        "mail": mail(text),
        "candidates": candidates(staff=LUCA),
    }
    return situation(**(defaults | more))


ANSWER = Staff("staff-answer", "because")


def test_a_staff_answer_goes_to_the_official_address_from_ours() -> None:
    """Without Auto-Submitted, and without the staff member's own address."""
    said = done(by_luca("Buongiorno,\nrisolto. Scrivete pure a Luca@host.example."), ANSWER)
    (answer,) = said.outgoing
    assert (answer.kind, answer.to, answer.automatic) == ("staff-reply", OFFICIAL, False)
    raw = answer.raw.decode()
    assert "Auto-Submitted" not in raw
    assert "X-Auto-Response-Suppress" not in raw
    assert "luca@" not in raw.lower()
    assert said.changes[0].state is TicketState.CUSTOMER
    assert said.entries[0].by == "staff"


def test_staff_commands_close_assign_and_raise() -> None:
    """The first lines of the mail; what follows is the answer."""
    said = done(by_luca("/priority high\n/assign luca\n/close\n\nFatto."), ANSWER)
    (change,) = said.changes
    assert change.state is TicketState.CLOSED
    assert (change.assignee, change.priority) == ("luca", "high")
    assert "Con questa risposta" in said.outgoing[0].text
    assert "/close" not in said.outgoing[0].text


def test_close_alone_sends_the_notice_of_closing() -> None:
    """W2: the closing of a ticket is notified."""
    assert sent(done(by_luca("/close"), ANSWER)) == [("closed", OFFICIAL)]


def test_close_on_a_closed_ticket_tells_the_staff_member_alone() -> None:
    """The customer is not told twice, and the history has no second line."""
    said = done(by_luca("/close", ticket(state=TicketState.CLOSED)), ANSWER)
    assert sent(said) == []
    assert told(said) == [("staff-unsent", LUCA.address)]
    assert "già chiuso" in said.outgoing[0].text
    assert (said.changes, said.entries, said.events) == ((), (), ())


def test_a_note_is_kept_inside() -> None:
    """Nothing goes out."""
    said = done(by_luca("/note\nIl cliente ha torto."), ANSWER)
    assert said.outgoing == ()
    assert (said.entries[0].kind, said.changes) == ("note", ())


LONG = "Il cliente non paga da tre mesi: non dategli nulla prima di aver parlato con noi. " * 2


@pytest.mark.parametrize(
    "text, note",
    [
        (f"/note {LONG}", LONG.strip()),
        ("/note Ha telefonato\nDomani", "Ha telefonato\nDomani"),
        ("/note: interno", "interno"),
        ("\u200b/note\ninterno", "interno"),
        ("\u3164\ufeff/note\ninterno", "interno"),
        ("\uff0fnote\ninterno", "interno"),
        ("/ note\ninterno", "interno"),
        ("/priority high\n\n/note\ninterno", "interno"),
    ],
)
def test_a_note_never_leaves_the_house_however_it_is_written(text: str, note: str) -> None:
    """Long, after a colon, behind characters that show nothing, with a wide stroke."""
    said = done(by_luca(text), ANSWER)
    assert (sent(said), told(said)) == ([], [])
    assert [one.text for one in said.entries if one.kind == "note"] == [note]


@pytest.mark.parametrize(
    "text",
    ["/nota segreto", "/home/anna e' a posto", "Ciao,\n/close", "Fatto.\n\n/nota segreto",
     "/close Fatto.", "/assign Nobody\nFatto.", "\u2044\u2044x", "x\n" * 20 + "/note\ny"],
)  # fmt: skip
def test_what_looks_like_a_command_and_is_none_is_kept_whole_and_not_sent(text: str) -> None:
    """The staff member is told; not one of the words is lost."""
    said = done(by_luca(text), ANSWER)
    assert (sent(said), told(said)) == ([], [("staff-unsent", LUCA.address)])
    assert [(one.kind, one.text) for one in said.entries] == [("note", text)]
    assert said.changes == ()


def test_a_path_below_words_is_no_command() -> None:
    """Staff may write of files."""
    assert sent(done(by_luca("Ecco:\n/var/log/syslog e' pieno"), ANSWER)) == [
        ("staff-reply", OFFICIAL)
    ]


def test_a_note_and_a_closing_tell_the_customer_of_the_closing_alone() -> None:
    """W2; and the history says both."""
    said = done(by_luca("/close\n/note Moroso."), ANSWER)
    assert sent(said) == [("closed", OFFICIAL)]
    assert "Moroso" not in said.outgoing[0].text
    assert [one.text for one in said.entries] == ["Moroso.", "closed"]


def test_an_empty_answer_is_not_sent_with_what_it_quotes() -> None:
    """The quote is our own notice to staff."""
    text = "> Account: A-1001"
    quoted = mail(text, spans=(Span(SpanKind.QUOTE, 0, len(text), "quote"),))
    for empty in (quoted, mail("", spans=()), mail(text)):
        said = done(by_luca("", mail=empty), ANSWER)
        assert (sent(said), told(said)) == ([], [("staff-unsent", LUCA.address)])
        assert (said.entries, said.changes) == ((), ())


def test_an_answer_with_attachments_waits_and_staff_are_told() -> None:
    """They are not passed on, so that nobody reads of an attachment that is not there."""
    file = Attachment(
        "fattura.pdf", "application/pdf", "application/pdf", 3, "d" * 64, False, b"x"
    )
    said = done(by_luca("", mail=mail("Ecco in allegato.", attachments=(file,))), ANSWER)
    assert "attachments" in str(said.outgoing[0].held)
    assert told(said) == [("staff-held", LUCA.address)]


def test_a_mistyped_command_sends_nothing_to_the_customer() -> None:
    """Staff are told; the text is kept as a note."""
    said = done(by_luca("/colse\nFatto."), ANSWER)
    assert sent(said) == []
    assert told(said) == [("staff-unsent", LUCA.address)]
    assert said.changes == ()


def test_an_answer_to_a_ticket_that_is_to_be_verified_is_not_sent() -> None:
    """Until the customer confirms, staff cannot act on it."""
    said = done(by_luca("Fatto.", ticket(verified=False)), ANSWER)
    assert sent(said) == []
    assert told(said) == [("staff-unsent", LUCA.address)]
    assert said.entries[0].text == "Fatto."


@pytest.mark.parametrize(
    "more",
    [
        {"proof": proof(ProofLevel.MEDIUM, LUCA.address)},
        {"reference": Reference(TicketMatch.NONE, token=True, token_ticket=ticket())},
    ],
)
def test_staff_need_both_a_strong_proof_and_a_staff_token(more: dict[str, object]) -> None:
    """Checked again where it is used, whatever the decision says."""
    said = done(by_luca("Fatto.", **more), ANSWER)
    assert (said.outgoing, said.entries, said.changes) == ((), (), ())


def test_secrets_in_a_staff_answer_are_masked_in_the_mail_and_kept_in_the_entry() -> None:
    """The customer finds them in the panel."""
    said = done(by_luca("Il codice auth-info è Ab#12345x."), ANSWER)
    assert "Ab#12345x" not in said.outgoing[0].text
    assert "Ab#12345x" in said.entries[0].text


ENQUIRY = ticket(
    "900", kind=TicketKind.ENQUIRY, account=None, enquirer=ProvenAuthor(STRANGER), language="en"
)


def test_an_enquiry_is_answered_at_its_authors_address() -> None:
    """In public terms."""
    said = done(by_luca("Yes, we do that.", ENQUIRY), ANSWER)
    assert sent(said) == [("enquiry-reply", STRANGER)]
    assert said.outgoing[0].held is None


@pytest.mark.parametrize(
    "text, foreign",
    [
        ("Il server è 192.0.2.7", False),
        ("Scriva ad anna@cliente.example", False),
        ("La richiesta è la #482913", False),
        ("Il servizio vps-12 è attivo", True),
    ],
)
def test_an_enquirys_answer_that_names_account_data_waits(text: str, foreign: bool) -> None:
    """Held back with a warning to the staff member."""
    store = candidates(staff=LUCA, foreign=foreign)
    said = done(by_luca(text, ENQUIRY, candidates=store), ANSWER)
    assert said.outgoing[0].held is not None
    assert told(said) == [("staff-held", LUCA.address)]


def test_a_sort_is_not_answered_before_it_is_assigned() -> None:
    """It has no destination yet."""
    waiting = ticket("901", kind=TicketKind.SORT, account=None, candidates=("A-1001",))
    assert sent(done(by_luca("Ciao", waiting), ANSWER)) == []


def test_what_waits_is_taken_over_by_a_command_and_may_be_answered_at_once() -> None:
    """`/accept`: the ticket counts as verified, its pending entries are settled, who says so."""
    said = done(by_luca("/accept\n\nFatto.", ticket(verified=False)), ANSWER)
    assert sent(said) == [("staff-reply", OFFICIAL)]
    assert said.changes[0].verified is True
    assert said.settles == (("482913", True),)
    assert said.entries[-1].text == "taken over by staff"
    assert said.entries[-1].author == LUCA.address


def test_accept_alone_puts_an_answered_ticket_back_into_the_queue() -> None:
    """Somebody must answer what was taken over."""
    said = done(by_luca("/accept", ticket(state=TicketState.CUSTOMER)), ANSWER)
    assert (said.changes[0].state, sent(said)) == (TicketState.STAFF, [])
    assert [one.kind for one in said.events] == ["ticket.changed"]


def test_decline_settles_without_a_word_to_the_customer() -> None:
    """The entries stay, and count for nothing; the ticket is not verified by it."""
    said = done(by_luca("/decline", ticket(verified=False)), ANSWER)
    assert said.settles == (("482913", False),)
    assert said.changes[0].verified is None
    assert said.outgoing == ()


@pytest.mark.parametrize(
    "words", ["/colse", "/accept all", "/priority urgent", "/assign", "/help", "/", "/close fatto"]
)
def test_a_wrong_command_is_answered_with_the_right_ones(words: str) -> None:
    """Nothing is changed or settled; the text is kept as a note."""
    said = done(by_luca(f"{words}\nFatto."), ANSWER)
    (help_,) = said.outgoing
    assert (help_.kind, help_.to) == ("staff-unsent", LUCA.address)
    assert "/priority high" in help_.text
    assert "/accept" in help_.text
    assert (said.changes, said.settles) == ((), ())
    assert [one.kind for one in said.entries] == ["note"]


def test_followers_learn_of_notes_and_commands() -> None:
    """A note is an entry; a command changes the ticket; closing is closing, and told once."""
    assert [one.kind for one in done(by_luca("/note\nVisto."), ANSWER).events] == ["entry.added"]
    assert [one.kind for one in done(by_luca("/assign luca"), ANSWER).events] == ["ticket.changed"]
    closed = done(by_luca("/close\n/note\nChiuso."), ANSWER)
    assert [one.kind for one in closed.events] == ["ticket.closed", "entry.added"]
    both = done(by_luca("/assign luca\n/close\nFatto."), ANSWER)
    assert [one.kind for one in both.events] == ["entry.added", "ticket.closed"]
