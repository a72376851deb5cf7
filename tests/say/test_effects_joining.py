"""Mails that join a ticket that stands."""

from dataclasses import replace
from datetime import timedelta

from sayings import (
    NOW,
    OFFICIAL,
    ROUTING,
    TECHNICIANS,
    THREAD,
    candidates,
    done,
    mail,
    own,
    proof,
    registered,
    sent,
    situation,
    ticket,
    told,
)

from gateway.core.model import (
    Incident,
    OwnMessage,
    ProofLevel,
    Reference,
    Request,
    RequestKind,
    Spending,
    TicketMatch,
    TicketState,
)


def test_thread_adds_an_entry_and_a_receipt() -> None:
    """A ticket that waits for staff stays where it is."""
    said = done(own(), THREAD)
    assert said.changes == ()
    assert said.expects == {"482913": 3}
    assert [(one.ticket, one.pending) for one in said.entries] == [("482913", False)]
    assert sent(said) == [("thread", OFFICIAL)]
    assert told(said) == [("staff-entry", TECHNICIANS.address)]


def test_a_strong_reply_reopens_a_closed_ticket_and_it_queues_from_then() -> None:
    """W1, tickets.md States."""
    said = done(own(TicketState.CLOSED), THREAD)
    (change,) = said.changes
    assert change.state is TicketState.STAFF
    assert change.queued_at == NOW
    assert "riaperta" in said.outgoing[0].text
    assert "ticket.reopened" in [one.kind for one in said.events]


def test_a_medium_reply_waits_as_a_pending_entry_and_changes_nothing() -> None:
    """Only `strong` changes the state of a standing ticket."""
    case = own(TicketState.CUSTOMER, proof=proof(ProofLevel.MEDIUM))
    said = done(case, THREAD)
    assert said.changes == ()
    assert said.entries[0].pending


def test_a_medium_reply_to_a_closed_ticket_opens_a_linked_one() -> None:
    """It may open, not reopen."""
    said = done(own(TicketState.CLOSED, proof=proof(ProofLevel.MEDIUM)), THREAD)
    assert said.changes == ()
    assert said.tickets[0].linked_to == "482913"
    assert sent(said) == [("open", OFFICIAL)]


def test_after_the_window_a_reply_opens_a_linked_ticket() -> None:
    """Where ops have set one."""
    window = replace(ROUTING, reopening=timedelta(days=30))
    old = ticket(state=TicketState.CLOSED, closed_at=NOW - timedelta(days=31))
    case = situation(reference=Reference(TicketMatch.OWN, old))
    assert done(case, THREAD, window).tickets[0].linked_to == "482913"
    young = replace(old, closed_at=NOW - timedelta(days=29))
    case = situation(reference=Reference(TicketMatch.OWN, young))
    assert done(case, THREAD, window).tickets == ()


def test_thanks_are_added_without_reopening_and_without_a_receipt() -> None:
    """text.md: thanks, solved."""
    case = own(TicketState.CLOSED, request=Request(RequestKind.THANKS, ()))
    said = done(case, THREAD)
    assert said.changes == ()
    assert sent(said) == []
    assert len(said.entries) == 1


def test_a_ticket_that_waits_for_the_customer_waits_for_staff_again() -> None:
    """Its place in the queue is the one of its opening."""
    (change,) = done(own(TicketState.CUSTOMER), THREAD).changes
    assert change.state is TicketState.STAFF
    assert change.queued_at is None


def test_the_missing_data_raise_the_priority_and_keep_the_time_of_opening() -> None:
    """Only where we asked for them."""
    complete = Incident(is_incident=True, identifiers=("vps-12",))
    asked = ticket(asked=True)
    case = situation(reference=Reference(TicketMatch.OWN, asked), incident=complete)
    (change,) = done(case, THREAD).changes
    assert (change.priority, change.queued_at) == ("high", None)
    case = situation(reference=Reference(TicketMatch.OWN, ticket()), incident=complete)
    assert [one.priority for one in done(case, THREAD).changes] == [None]


def test_receipts_within_ten_minutes_become_one() -> None:
    """The later one takes the place of the one that waits."""
    first = done(own(), THREAD).outgoing[0]
    assert (first.due, first.merge_key) == (None, "receipt:482913")
    lately = Spending(last_thread_receipt=NOW - timedelta(minutes=4))
    case = own(candidates=candidates(spending=lately, registrations=(registered(),)))
    later = done(case, THREAD).outgoing[0]
    assert later.due == NOW + timedelta(minutes=6)
    assert later.merge_key == "receipt:482913"


def test_the_same_incident_joins_the_open_ticket_and_the_receipt_says_so() -> None:
    """W3, from whichever of the account's addresses."""
    said = done(situation(repeat=ticket("555")), THREAD)
    assert said.entries[0].ticket == "555"
    assert "problema già segnalato" in said.outgoing[0].text


def test_a_receipt_refers_to_our_own_mails_and_to_the_one_it_answers() -> None:
    """And to no other id that the sender put there."""
    ours, theirs = "<ours@host.example>", "<x@evil.example>"
    case = own(
        mail=mail(references=(theirs, ours)),
        candidates=candidates(
            registrations=(registered(),), messages=(OwnMessage(ours, "482913", True),)
        ),
    )
    raw = done(case, THREAD).outgoing[0].raw.decode()
    assert f"References: {ours}\r\n <m1@cliente.example>\r\n" in raw
    assert theirs not in raw
