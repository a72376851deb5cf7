"""Reports for machines: delivery status, disposition, feedback; who failed, how, and which mail
it was.
"""

import pytest
from read_support import classified

from gateway.core.model import Automatic, Report

STATUS = "message/delivery-status"


def _report(kind: str, part: str, fields: str, returned: str = "", subject: str = "s") -> str:
    returned = returned or "Content-Type: message/rfc822\n\nMessage-ID: <o@host.example>\n\nx"
    return (
        f"From: MAILER-DAEMON@mx.example\nTo: support@support.host.example\nSubject: {subject}\n"
        f"MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind}; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\nwords <text@x.example> 550 5.2.2 quota\n"
        f"--b\nContent-Type: {part}\n\n{fields}\n--b\n{returned}\n--b--\n"
    )


def _dsn(recipient: str, returned: str = "") -> Report:
    kind, _, report = classified(
        _report(
            "delivery-status", STATUS, f"Reporting-MTA: dns; mx.example\n\n{recipient}", returned
        )
    )
    assert kind is Automatic.BOUNCE
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("fields", "recipient", "action", "status"),
    [
        (
            "Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1",
            "a@x.example",
            "failed",
            "5.1.1",
        ),
        (
            "Final-Recipient: RFC822;<a@x.example>\nAction: Failed\nStatus: 5.0.0 (no)",
            "a@x.example",
            "failed",
            "5.0.0",
        ),
        (
            "Final-Recipient: rfc822;a@x.example\nAction: delayed\nStatus: 4.4.7",
            "a@x.example",
            "delayed",
            "4.4.7",
        ),
        (
            "Final-Recipient: rfc822;a@x.example\nAction: relayed\nStatus: 2.1.9",
            "a@x.example",
            "relayed",
            "2.1.9",
        ),
        ("Final-Recipient: rfc822;a@x.example\nAction: failed", "a@x.example", "failed", "5.0.0"),
        (
            "Final-Recipient: rfc822;a@x.example\nAction: failed\n"
            "Diagnostic-Code: smtp; 550 5.7.1 no",
            "a@x.example",
            "failed",
            "5.7.1",
        ),
        ("Final-Recipient: rfc822;a@x.example\nStatus: 4.2.2", "a@x.example", "delayed", "4.2.2"),
        (
            "Original-Recipient: rfc822;asked@x.example\nFinal-Recipient: rfc822;a@y.local\n"
            "Action: failed\nStatus: 5.1.1",
            "asked@x.example",
            "failed",
            "5.1.1",
        ),
        (
            "Final-Recipient: rfc822;ok@x.example\nAction: relayed\nStatus: 2.0.0\n\n"
            "Final-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.1.1",
            "a@x.example",
            "failed",
            "5.1.1",
        ),
        ("Status: 5.1.10", "text@x.example", "failed", "5.1.10"),
        ("", "text@x.example", "failed", "5.2.2"),
    ],
)
def test_delivery_status(fields: str, recipient: str, action: str, status: str) -> None:
    """RFC 3464, with what mailers leave out taken from the diagnostic or the text."""
    report = _dsn(fields)
    assert (report.kind, report.final_recipient) == ("dsn", recipient)
    assert (report.action, report.status) == (action, status)
    assert report.original_message_id == "<o@host.example>"


@pytest.mark.parametrize(
    "returned",
    [
        "Content-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <o@host.example>",
        "Content-Type: message/rfc822\n\nReceived: by x\nmessage-id:\n <o@host.example>\n\nx",
        "Content-Type: message/rfc822\n\ngarbage line\nMessage-Id: <o@host.example>\n\nx",
    ],
)
def test_the_mail_that_came_back(returned: str) -> None:
    """Its Message-ID, from the whole mail or from its header alone."""
    fields = "Final-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.1.1"
    assert _dsn(fields, returned).original_message_id == "<o@host.example>"


def test_postfix_says_auto_replied_and_is_a_bounce() -> None:
    """Bounces are recognised before automatic replies."""
    mail = _report(
        "delivery-status", STATUS, "Final-Recipient: rfc822;a@x.example\nAction: failed"
    )
    kind, _, report = classified("Auto-Submitted: auto-replied\nPrecedence: bulk\n" + mail)
    assert (kind, report is not None) == (Automatic.BOUNCE, True)


def test_a_reading_receipt() -> None:
    """RFC 8098: automatic, and no bounce."""
    fields = (
        "Final-Recipient: rfc822;a@x.example\nOriginal-Message-ID: <sent@host.example>\n"
        "Disposition: manual-action/MDN-sent-manually; displayed"
    )
    kind, _, report = classified(
        _report("disposition-notification", "message/disposition-notification", fields)
    )
    assert kind is Automatic.AUTO_REPLY
    assert report == Report("mdn", "a@x.example", None, None, "<sent@host.example>")


def test_a_refusal_in_the_shape_of_a_receipt() -> None:
    """Sieve's reject (RFC 5429): the mail was deleted, and its text says so."""
    fields = (
        "Final-Recipient: rfc822;a@x.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted"
    )
    mail = _report(
        "disposition-notification",
        "message/disposition-notification",
        fields,
        subject="Automatically rejected mail",
    ).replace("words <text@x.example>", "Your message was automatically rejected:")
    kind, _, report = classified(mail)
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert (report.final_recipient, report.action, report.status) == (
        "a@x.example",
        "failed",
        "5.2.2",
    )


def test_a_complaint() -> None:
    """RFC 5965: bulk, with the recipient who complained."""
    fields = "Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <a@x.example>"
    kind, _, report = classified(_report("feedback-report", "message/feedback-report", fields))
    assert kind is Automatic.BULK
    assert report == Report("arf", "a@x.example", None, None, "<o@host.example>")


def test_a_report_that_somebody_attaches_is_his_mail() -> None:
    """A person who attaches a delivery report to his question is a person."""
    mail = (
        "From: Anna <anna@cliente.example>\nSubject: perché torna indietro?\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        "Buongiorno, vedi allegato\n--b\n"
        "Content-Type: message/delivery-status; name=details.txt\n\n"
        "Final-Recipient: rfc822;a@x.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
    )
    assert classified(mail)[0] is Automatic.NO


def test_a_bomb_of_groups_is_read_in_part() -> None:
    """A hundred thousand recipients cost no more than the part of the report that is read."""
    fields = "Final-Recipient: rfc822;a@b.example\n\n" * 100_000
    kind, _, report = classified(_report("delivery-status", STATUS, fields))
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert report.final_recipient == "a@b.example"
