"""Bounces without a machine-readable report, in the words of the programs that send them."""

import pytest
from read_support import classified

from gateway.core.model import Automatic

COPY = "\nReceived: by mx.example\nMessage-ID: <o@host.example>\nSubject: ticket\n\nciao\n"

FORMATS = {
    "qmail": (
        "MAILER-DAEMON@mx.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.\n"
        "I'm afraid I wasn't able to deliver your "
        "message to the following addresses.\nThis is a permanent error; I've given up.\n\n"
        "<bob@x.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n" + COPY,
        "failed",
        "5.1.1",
    ),
    "exim": (
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent "
        "could not be delivered to one or more of its\n"
        "recipients. The following address(es) failed:\n\n"
        "  bob@x.example\n    host mx.x.example [192.0.2.1]\n    550 mailbox unavailable\n\n"
        "------ This is a copy of the message, including all the headers. ------\n" + COPY,
        "failed",
        "5.1.1",
    ),
    "exim delay": (
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Warning: message 1abc-00 delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its recipients "
        "after\n"
        "24 hours on the queue.\n"
        "The address to which the message has not yet been delivered is:\n\n"
        "  bob@x.example\n\nDelivery attempts will continue for some time.\n" + COPY,
        "delayed",
        "4.0.0",
    ),
    "sendmail": (
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        "Returned mail: User unknown",
        "The original message was received at Mon, 2 Mar 2026\n\n"
        "   ----- The following addresses had "
        "permanent fatal errors -----\n<bob@x.example>\n\n"
        "   ----- Transcript of session follows -----\n"
        "550 5.1.1 <bob@x.example>... User unknown\n\n   ----- Original message follows -----\n"
        + COPY,
        "failed",
        "5.1.1",
    ),
    "exchange 5.5": (
        "System Administrator <postmaster@x.example>",
        "Undeliverable: ticket",
        "Your message\n\n  To:      support@support.host.example\n  Subject: my ticket\n"
        "  Sent:    Fri\n\n"
        "did not reach the following recipient(s):\n\nbob@x.example on Fri, 20 Jul 2001\n"
        "    The recipient name is not recognized\n" + COPY,
        "failed",
        "5.1.1",
    ),
    "notes": (
        "Postmaster@x.example",
        "DELIVERY FAILURE: User bob (bob@x.example) not listed in Domino Directory",
        "Your message\n\n  Subject: ticket\n\nwas not delivered to:\n\n  bob@x.example\n\n"
        "because:\n\n"
        "  User bob (bob@x.example) not listed in Domino Directory\n" + COPY,
        "failed",
        "5.1.1",
    ),
    "yahoo": (
        "MAILER-DAEMON@yahoo.example",
        "Delivery failure",
        "Message from yahoo.example.\nUnable to deliver message to the following address(es).\n\n"
        "<bob@x.example>:\nSorry, your message to bob@x.example cannot be delivered. This account "
        "is "
        "over quota.\n\n--- Original message follows.\n" + COPY,
        "failed",
        "5.2.2",
    ),
    "imail": (
        '"Postmaster" <postmaster@x.example>',
        "Undeliverable Mail",
        "Unknown user: bob@x.example\n\nRCPT TO generated following response:\n553 5.3.0 "
        "<bob@x.example>... Addressee unknown\n\nOriginal message follows.\n" + COPY,
        "failed",
        "5.3.0",
    ),
    "gmail delay": (
        "Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        "Delivery Status Notification (Delay)",
        "THIS IS A WARNING MESSAGE ONLY.\n\n"
        "Delivery to the following recipient has been delayed:\n\n"
        "     bob@x.example\n\nMessage will be retried for 2 more day(s)\n\n"
        "   ----- Message header follows -----\n" + COPY,
        "delayed",
        "4.0.0",
    ),
    "italian": (
        "postmaster@x.example",
        "Mancato recapito: ticket",
        "Non è stato possibile recapitare il messaggio al seguente destinatario:\n\n"
        "  bob@x.example\n\n"
        "Casella di posta piena\n\n----- Messaggio originale -----\n" + COPY,
        "failed",
        "5.2.2",
    ),
    "german": (
        "Mailer-Daemon@x.example",
        "Unzustellbar: ticket",
        "Ihre Nachricht konnte nicht zugestellt werden.\n\n<bob@x.example>: 550 5.7.1 blocked\n"
        + COPY,
        "failed",
        "5.7.1",
    ),
    "appliance": (
        "imss@x.example",
        "Mail could not be delivered",
        "****** Message from InterScan Messaging Security Suite ******\n\n"
        "Sent <<< RCPT TO:<bob@x.example>\n"
        "Received >>> 550 5.1.1 unknown user.\n\nUnable to deliver message to <bob@x.example>.\n"
        + COPY,
        "failed",
        "5.1.1",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    """Recognised, with the recipient, the action, the status and the mail that came back."""
    author, subject, body, action, status = FORMATS[name]
    mail = f"From: {author}\nTo: support@support.host.example\nSubject: {subject}\n\n{body}"
    kind, _, report = classified(mail, "unknown@envelope.example")
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert (report.kind, report.final_recipient) == ("unstructured", "bob@x.example")
    assert (report.action, report.status) == (action, status)
    assert report.original_message_id == "<o@host.example>"


def test_the_header_that_exim_and_google_set() -> None:
    """X-Failed-Recipients names the address whatever the text says."""
    mail = "From: x@y.example\nX-Failed-Recipients: bob@x.example, c@x.example\nSubject: s\n\nx\n"
    kind, _, report = classified(mail)
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert report.final_recipient == "bob@x.example"


def test_an_absence_note_with_the_null_reverse_path_is_no_bounce() -> None:
    """It calls itself an automatic reply, even to a mail that was about a bounce."""
    mail = (
        "Return-Path: <>\nFrom: a@x.example\n"
        "Subject: Automatic reply: Undelivered Mail Returned to "
        "Sender\n\nI am away. Your message was not delivered to anybody else.\n"
    )
    assert classified(mail, "")[0] is Automatic.AUTO_REPLY


def test_a_receipt_from_a_desk_with_the_null_reverse_path_is_no_bounce() -> None:
    """A null reverse-path alone says only that nobody wants an answer."""
    mail = (
        "From: desk@x.example\nSubject: [#12] ticket\n\nYour message to us was received. Thanks.\n"
    )
    assert classified(mail, "")[0] is Automatic.AUTO_REPLY


def test_a_gateway_that_wraps_the_report() -> None:
    """The report inside the wrapped mail is read when the wrapper says nothing."""
    mail = (
        "From: postmaster@x.example\nSubject: Delivery Status Notification (Failure)\n"
        "MIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n"
        "From: postmaster@x.example\nContent-Type: multipart/report; boundary=i\n\n"
        "--i\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;x\n\n"
        "Final-Recipient: rfc822;bob@x.example\nAction: failed\nStatus: 5.1.1\n--i--\n"
        "--o\nContent-Type: text/plain\n\nThis e-mail is confidential.\n--o--\n"
    )
    kind, _, report = classified(mail)
    assert kind is Automatic.BOUNCE
    assert report is not None
    assert (report.final_recipient, report.status) == ("bob@x.example", "5.1.1")
