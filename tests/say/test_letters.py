"""What the house says by itself, and what commands say for staff."""

from dataclasses import replace
from email import message_from_bytes, policy

from sayings import (
    LUCA,
    NOW,
    OFFICIAL,
    ROUTING,
    STRANGER,
    TECHNICIANS,
    account,
    notified,
    post,
    ticket,
)

from gateway.core.model import ProvenAuthor, TicketKind, TicketState
from gateway.core.say import letters


def test_an_answer_by_command_is_the_same_as_one_by_mail() -> None:
    """To the official address; the ticket waits for the customer."""
    said = letters.answer(post(), ticket(), account(), "Risolto.", "luca@host.example")
    assert [(one.kind, one.to) for one in said.outgoing] == [("staff-reply", OFFICIAL)]
    assert said.change is not None
    assert said.change.state is TicketState.CUSTOMER


def test_an_answer_waits_where_the_destination_is_doubtful() -> None:
    """It is written, and held."""
    said = letters.answer(post(), ticket(), account(doubtful="bounced"), "x", "luca")
    assert said.outgoing[0].held == "bounced"


def test_notices_of_an_answer_hold_no_word_of_it() -> None:
    """I7: of the department's kind, without content."""
    said = letters.answer(post(), ticket(), notified(), "Zanzibar.", "luca")
    assert [one.to for one in said.outgoing] == [OFFICIAL, "noc@cliente.example"]
    assert "Zanzibar" not in said.outgoing[1].text
    kinds = tuple(replace(one, kind="support") for one in ROUTING.departments)
    routing = replace(ROUTING, departments=kinds)
    said = letters.answer(post(routing=routing), ticket(), notified("support"), "x", "luca")
    assert len(said.outgoing) == 2


def test_a_ticket_without_a_destination_is_not_answered() -> None:
    """What was written is kept, and the reason said."""
    enquiry = ticket(kind=TicketKind.ENQUIRY, account=None)
    for one, owner in (
        (enquiry, None),
        (ticket(), None),
        (ticket(merged_into="1"), account()),
        (ticket(kind=TicketKind.SORT, account=None), None),
        (ticket(verified=False), account()),
    ):
        said = letters.answer(post(), one, owner, "x", "luca")
        assert said.outgoing == ()
        assert said.unsent
        assert len(said.entries) == 1


def test_closing_tells_the_customer_and_no_enquirer() -> None:
    """W2."""
    said = letters.closing(post(), ticket(), account(), "luca")
    assert [(one.kind, one.to) for one in said.outgoing] == [("closed", OFFICIAL)]
    enquiry = ticket(kind=TicketKind.ENQUIRY, account=None, enquirer=ProvenAuthor(STRANGER))
    assert letters.closing(post(), enquiry, None, "luca").outgoing == ()


def test_a_closed_ticket_is_not_closed_again() -> None:
    """Nothing is written, nobody is told, and the reason is said; an answer closes it once."""
    over = ticket(state=TicketState.CLOSED)
    said = letters.closing(post(), over, account(), "luca")
    assert said == letters.Said(unsent=letters.CLOSED_ALREADY)
    said = letters.answer(post(), over, account(), "Altro.", "luca", closing=True)
    assert [one.kind for one in said.events] == ["entry.added"]


def test_an_overdue_ticket_is_shown_to_its_department() -> None:
    """Where it has no mailbox, to those who work in it."""
    (told,) = letters.escalation(post(), ticket(), NOW)
    assert (told.to, told.kind, told.notice) == (TECHNICIANS.address, "staff-overdue", True)
    (told,) = letters.escalation(post(), ticket(department="financial"), NOW)
    assert told.to == LUCA.address


def test_an_announcement_is_copied_to_the_official_address() -> None:
    """In the account's language, as generated mail."""
    one = letters.announcement(post(), account(), "Manutenzione", "Stanotte.")
    assert (one.to, one.language, one.ticket) == (OFFICIAL, "it", None)
    assert b"Auto-Submitted: auto-generated" in one.raw


NOTICE = (
    "## Quando\n\nStanotte, **dalle 2 alle 4**:\n\n- [stato](https://stato.example/)\n- `vps-12`\n"
)


def test_an_announcement_s_markdown_is_laid_out() -> None:
    """Tags in the HTML part, words without marks in the text part; the title is one clean line."""
    one = letters.announcement(post(), account(), "Lavori su **vps-12**", NOTICE)
    mail = message_from_bytes(one.raw, policy=policy.default)
    html = mail.get_body(("html",)).get_content()
    assert one.text.startswith("Lavori su vps-12\n")
    assert (
        "\nQuando\n\nStanotte, dalle 2 alle 4:\n\n- stato (https://stato.example/)\n- vps-12"
        in one.text
    )
    assert "<strong>dalle 2 alle 4</strong>" in html
    assert '<a href="https://stato.example/"' in html
    assert "<li><code>vps-12</code></li>" in html
    assert not any(mark in one.text + html for mark in ("**", "##", "`", "\x1a"))


def test_the_old_official_address_is_told_of_the_change() -> None:
    """So that a theft is noticed."""
    one = letters.official_changed(post(), account())
    assert (one.to, one.kind) == (OFFICIAL, "official-changed")


def test_an_imported_ticket_with_a_strange_number_is_answered_without_a_token() -> None:
    """It threads by its Message-ID, which is remembered."""
    said = letters.answer(post(), ticket("OLD-77"), account(), "x", "luca")
    assert said.outgoing[0].envelope_from == ""
    assert b"\r\nReply-To:" not in said.outgoing[0].raw
