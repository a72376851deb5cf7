"""Whether a person wrote it: headers first, words last, and people who speak of automatic mail
are people.
"""

import pytest
from read_support import INSTANCE, classified, from_anna

from gateway.core.model import Automatic

AUTO, BULK, NO = Automatic.AUTO_REPLY, Automatic.BULK, Automatic.NO


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("Auto-Submitted: auto-replied", AUTO),
        ("Auto-Submitted: auto-GENERATED (rejected)", AUTO),
        ("Auto-Submitted: auto-notified; owner-email=x", AUTO),
        ("AUTO-SUBMITTED:auto-replied", AUTO),
        ("Auto-Submitted: no\nAuto-Submitted: auto-replied", AUTO),
        ("Auto-Submitted: no", NO),
        ("X-Autoreply: yes", AUTO),
        ("X-Autoreply: no", NO),
        ("X-Autorespond: Re: x", AUTO),
        ("X-Auto-Response-Suppress: All", AUTO),
        ("X-Auto-Response-Suppress: DR, RN, OOF, AutoReply", AUTO),
        ("X-Auto-Response-Suppress: DR, RN", NO),
        ("Delivered-To: Autoresponder", AUTO),
        ("Delivered-To: support@support.host.example", NO),
        ("X-Mailer: vacation 1.2", AUTO),
        ("X-Mailer: Microsoft Outlook 16.0", NO),
        ("X-FC-MachineGenerated: true", AUTO),
        ("RT-Ticket: peer.example #12", AUTO),
        ("Precedence: bulk", BULK),
        ("Precedence: list", BULK),
        ("Precedence: junk", BULK),
        ("Precedence: auto_reply", AUTO),
        ("Precedence: first-class", NO),
        ("List-Id: <l.example>", BULK),
        ("List-Unsubscribe: <mailto:u@l.example>", BULK),
        ("Feedback-ID: 1:camp:x", BULK),
        ("Mailing-List: contact l-help@l.example", BULK),
        ("X-Loop: anna@cliente.example", NO),
        ("X-MS-Exchange-Inbox-Rules-Loop: anna@cliente.example", NO),
        ("X-PHP-Originating-Script: 33:form.php", NO),
        ("Importance: high", NO),
    ],
)
def test_headers(fields: str, kind: Automatic) -> None:
    """Each marker by itself, and those that look like one."""
    found, because, report = classified(from_anna(f"{fields}\nSubject: Assistenza"))
    assert found is kind
    assert because
    assert report is None


@pytest.mark.parametrize(
    ("mail_from", "kind"),
    [
        ("", AUTO),
        ("MAILER-DAEMON@host.example", AUTO),
        ("list-request@lists.example", BULK),
        ("owner-list@lists.example", BULK),
        ("list-owner@lists.example", BULK),
        ("list-bounces+anna=cliente.example@lists.example", BULK),
        ("bounce-12-34@mail.example", BULK),
        ("bounces+12-ab=cd@em.example", BULK),
        ("postmaster@cliente.example", NO),
        ("prvs=12ab=anna@cliente.example", NO),
        ("SRS0=ab=cd=x.example=anna@forward.example", NO),
        ("anna+bounce@cliente.example", NO),
        ("web-admin@cliente.example", NO),
        ("bouncer@cliente.example", NO),
    ],
)
def test_reverse_paths(mail_from: str, kind: Automatic) -> None:
    """RFC 3834 2: whom not to answer, and people whose addresses look alike."""
    assert classified(from_anna("Subject: Assistenza"), mail_from)[0] is kind


@pytest.mark.parametrize(
    "author",
    [
        "noreply@x.example",
        "no-reply@x.example",
        "do_not_reply@x.example",
        "noreply-support@x.example",
    ],
)
def test_authors_who_take_no_replies(author: str) -> None:
    """The author says that nobody reads what is sent to him."""
    mail = from_anna("Subject: Avviso").replace("anna@cliente.example>\nTo", f"{author}>\nTo")
    assert classified(mail)[0] is AUTO


def test_our_own_marker_is_a_loop() -> None:
    """The mail has been here; another gateway of our kind is only automatic."""
    assert classified(from_anna(f"X-Portiere-Instance: {INSTANCE}"))[0] is Automatic.LOOP
    assert classified(from_anna("X-Portiere-Instance: 00000000"))[0] is AUTO


def test_too_many_hops_are_a_loop() -> None:
    """Fifty Received fields are a long way, one more is a circle."""
    assert classified("Received: x\n" * 50 + from_anna("Subject: s"))[0] is NO
    assert classified("Received: x\n" * 51 + from_anna("Subject: s"))[0] is Automatic.LOOP


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Ticket", "Auto-Reply: Ticket", "[Auto-Reply] Ticket", "AutoReply",
        "Out of Office AutoReply: Ticket", "Risposta automatica: Ticket",
        "Automatische Antwort: Ticket",
        "Réponse automatique : Ticket", "Respuesta automática: Ticket",
        "Resposta automática: Ticket",
        "Automatisch antwoord: Ticket", "Autosvar: Ticket", "Automaattinen vastaus: Ticket",
        "Automatyczna odpowiedź: Ticket", "Automatická odpověď: Ticket", "Otomatik yanıt: Ticket",
        "Автоответ: Ticket", "自動返信: Ticket", "自动回复: Ticket", "자동 회신: Ticket",
        "Αυτόματη απάντηση: Ticket", "מענה אוטומטי: Ticket", "رد تلقائي: Ticket",
        "Abwesenheitsnotiz: Ticket",
    ],
)  # fmt: skip
def test_subjects_that_programs_write(subject: str) -> None:
    """Without any header, the prefix of a mail program is enough for an answer to a mail of
    ours.
    """
    fields = f"Subject: {subject}\nIn-Reply-To: <x@support.host.example>"
    assert classified(from_anna(fields, "Sono assente fino a lunedì."))[0] is AUTO


def test_words_of_absence_need_subject_and_text() -> None:
    """`Out of office` is a phrase of people too."""
    away = from_anna("Subject: Fuori sede: Ticket", "Sono fuori sede fino al 12 marzo.")
    assert classified(away)[0] is AUTO
    asks = from_anna(
        "Subject: Fuori sede: come delego un collega?", "Sono fuori sede: come faccio?"
    )
    assert classified(asks)[0] is NO


def test_reading_receipts_without_their_part() -> None:
    """Subject and text of a receipt together; a subject alone is a person's."""
    receipt = from_anna("Subject: Letto: Ticket", "Il messaggio è stato letto il 2/3/2026")
    assert classified(receipt)[0] is AUTO
    assert classified(from_anna("Subject: Letto: la guida", "Non ho capito il passo 3"))[0] is NO


def test_answers_of_calendars() -> None:
    """method=REPLY is a program's; an invitation is a person's."""
    for method, kind in (("REPLY", AUTO), ("REQUEST", NO)):
        mail = from_anna("Subject: Accepted: call").replace(
            "Content-Type: text/plain", f"Content-Type: text/calendar; method={method}"
        )
        assert classified(mail)[0] is kind


QUOTED = (
    "This is the mail system at host x. I'm sorry to have to inform you that your message\n"
    "could not be delivered\n<bob@x.example>: 550 5.1.1 User unknown\n"
)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("Subject: Re: Out of Office: x\nIn-Reply-To: <x@support.host.example>", "ok, grazie"),
        (
            "Subject: Fwd: Undelivered Mail Returned to Sender",
            f"Come mai?\n\n---- Forwarded\n{QUOTED}",
        ),
        (
            "Subject: I: Undelivered Mail Returned to Sender",
            f"Da: Mail Delivery System\n\n{QUOTED}",
        ),
        ("Subject: Undelivered Mail Returned to Sender", f"Buongiorno, ricevo questo:\n{QUOTED}"),
        ("Subject: Undelivered Mail Returned to Sender\nUser-Agent: Mozilla Thunderbird", QUOTED),
        (
            "Subject: Delivery failure",
            "My message could not be delivered to bob@x.example, 550 5.1.1",
        ),
        (
            "Subject: mancato recapito",
            "non è stato possibile recapitare a bob@x.example, 550. Che fare?",
        ),
        ("Subject: Risposta automatica non funziona", "La risposta automatica non parte."),
        ("Subject: Automatic reply: how do I set it up?", "How do I set up the automatic reply?"),
        ("Subject: Out of office", "Come si attiva l'out of office?"),
        ("Subject: List-Unsubscribe non funziona", "aiuto"),
        ("Subject: mailer-daemon error", "I get mails from MAILER-DAEMON all day"),
        ("Subject: vacation-rentals.example offline", "Il sito non risponde."),
        ("Subject: bounce rate too high", "how can I fix it"),
        ("Subject: delay in delivery of mail", "Our mail is two hours late today"),
        ("Subject: Returned mail: see transcript for details", "ho ricevuto questo, allego."),
        ("Subject: Ausencia de servicio: web caida", "mi web no funciona"),
    ],
)
def test_people_are_never_withheld(fields: str, body: str) -> None:
    """Somebody who forwards, quotes, asks about or complains of automatic mail is a person."""
    assert classified(from_anna(fields, body))[0] is NO


RULE = (
    "Auto-Submitted: auto-generated\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\n"
    "X-MS-Exchange-Inbox-Rules-Loop: anna@cliente.example"
)


def test_what_an_exchange_rule_forwards_is_a_persons() -> None:
    """Microsoft marks it as automatic, though a person wrote it; our own mail coming back is
    not.
    """
    theirs = from_anna(
        f"{RULE}\nSubject: FW: fattura", "Da: Mario <mario@x.example>\nIl sito è giù"
    )
    assert classified(theirs)[0] is NO
    ours = from_anna(
        f"{RULE}\nSubject: FW: ticket", "From: support@support.host.example\nricevuto"
    )
    assert classified(ours)[0] is AUTO
    assert classified(from_anna(f"{RULE}\nSubject: Out of Office: x", "via"))[0] is AUTO


@pytest.mark.parametrize(
    ("author", "subject", "body"),
    [
        (
            "postmaster@cliente.example",
            "Mail delivery failed to gmail",
            "Good morning, we get 550 5.7.26",
        ),
        ("System Administrator <admin@cliente.example>", "server reboot", "please reboot vps-12"),
        ("Postmaster <postmaster@cliente.example>", "DNS change", "please check the MX"),
    ],
)
def test_administrators_are_people(author: str, subject: str, body: str) -> None:
    """Customers write from their postmaster's mailbox."""
    mail = from_anna(f"Subject: {subject}", body).replace("Anna <anna@cliente.example>", author)
    assert classified(mail)[0] is NO
