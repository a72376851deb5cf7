"""The reason that `explain` and `trace` show for a mail that joins a ticket it does not name."""

from dataclasses import replace

from sayings import done, own, situation, ticket

from gateway.core.know import coalescing
from gateway.core.model import Incident, Open, Situation, Thread

RULE = Thread("same-incident", "It joins the open one.")
NAMED = ("vps-12", "web-40")
STANDING = ticket(identifiers=NAMED)


def because(case: Situation) -> str:
    """What is shown beside the rule's own reason."""
    return coalescing.explained(case, RULE).because.removeprefix(RULE.because)


def test_the_reason_names_the_ticket_and_the_shared_identifiers() -> None:
    """However the two mails wrote them."""
    said = because(situation(repeat=STANDING, incident=Incident(identifiers=NAMED[::-1])))
    assert "482913" in said
    assert all(name in said for name in NAMED)


def test_equal_words_are_said_where_no_identifier_is_shared() -> None:
    """A near twin joins by its text."""
    said = because(situation(repeat=STANDING, incident=Incident()))
    assert "482913" in said
    assert "near-identical text" in said


def test_a_mail_that_coalesces_with_nothing_keeps_the_reason_of_its_rule() -> None:
    """Neither where it names its ticket, nor where another decision was made."""
    assert because(situation()) == ""
    assert because(own()) == ""
    opening = Open("incident", "It opens one.")
    assert coalescing.explained(situation(repeat=STANDING), opening) is opening


def test_the_reason_is_kept_with_the_mail_and_reaches_nobody() -> None:
    """`trace` reads the row; no letter that goes out differs by a byte."""
    case = situation(repeat=STANDING, incident=Incident(identifiers=NAMED))
    plain, told = done(case, RULE), done(case, coalescing.explained(case, RULE))
    assert "vps-12" in told.mail.because
    assert told.outgoing == plain.outgoing
    assert replace(told, mail=plain.mail) == plain
