"""Delivery reports and other automatic mail."""

from dataclasses import replace

from sayings import (
    OFFICIAL,
    TECHNICIANS,
    THREAD,
    account,
    candidates,
    done,
    envelope,
    mail,
    own,
    proof,
    sent,
    situation,
    ticket,
    told,
)

from gateway.core.model import (
    Automatic,
    ProofLevel,
    Record,
    Report,
    Sender,
    SenderKind,
    Situation,
    TicketState,
)


def bounce(recipient: str, action: str = "failed") -> Situation:
    """A delivery report to one of our return paths."""
    report = Report("dsn", OFFICIAL, action, "5.1.1", None)
    return situation(
        mail=mail(automatic=Automatic.BOUNCE, report=report),
        envelope=envelope(mail_from="", recipients=(recipient,)),
        candidates=candidates(tickets=(ticket(),), ticket_accounts=(account(),)),
        sender=Sender(SenderKind.UNKNOWN),
        proof=proof(ProofLevel.NONE, None),
    )


def test_a_delivery_report_on_a_valid_return_path_marks_our_mail() -> None:
    """By the Message-ID that it had; staff are told, nobody else is tried."""
    answer = done(own(), THREAD).outgoing[0]
    said = done(bounce(answer.envelope_from), Record("automatic", "because"))
    assert answer.message_id in said.undelivered
    assert told(said) == [("staff-undelivered", TECHNICIANS.address)]
    assert sent(said) == []


def test_a_delivery_report_on_another_address_counts_for_nothing() -> None:
    """Anybody can write one."""
    answer = done(own(), THREAD).outgoing[0]
    flipped = answer.envelope_from.replace("@", "a@").replace("bounce+", "bounce+a")
    reply_token = answer.message_id[1:].split(".")[0]
    for recipient in ("support@host.example", flipped, f"bounce+{reply_token}@host.example"):
        said = done(bounce(recipient), Record("automatic", "because"))
        assert (said.undelivered, said.outgoing) == ((), ())


def test_whom_a_report_names_is_looked_at_where_the_mail_stands() -> None:
    """The writer compares it with the recipient; without it the mail itself must be named."""
    answer = done(own(), THREAD).outgoing[0]
    case = bounce(answer.envelope_from)
    said = done(case, Record("automatic", "because"))
    assert (said.undelivered_to, said.bounced) == (OFFICIAL, True)
    for named, counts in ((None, False), ("<x@y.example>", False), (answer.message_id, True)):
        nobody = Report("dsn", None, "failed", "4.4.7", named)
        other = replace(case, mail=replace(case.mail, report=nobody))
        said = done(other, Record("automatic", "because"))
        assert (said.undelivered != (), said.outgoing != ()) == (counts, counts)
        assert not counts or not said.bounced


def test_a_delay_is_no_failure() -> None:
    """The mail may still arrive."""
    answer = done(own(), THREAD).outgoing[0]
    said = done(bounce(answer.envelope_from, "delayed"), Record("automatic", "because"))
    assert said.undelivered == ()


def test_an_absence_note_is_filed_in_its_ticket_and_changes_nothing() -> None:
    """Kept, filed, never answered."""
    case = own(TicketState.CLOSED, mail=mail(automatic=Automatic.AUTO_REPLY))
    said = done(case, Record("automatic", "because"))
    assert [one.ticket for one in said.entries] == ["482913"]
    assert (said.changes, said.outgoing) == ((), ())
