"""People who write about automatic mail, beside the mail that they write about."""

import pytest
from read_support import classified, from_anna, parsed

from gateway.core.model import Automatic

PEOPLE = [
    (
        "Risposta automatica",
        "Buongiorno, la risposta automatica della casella info@ non parte più.",
    ),
    ("Risposta automatica", "Salve, vorrei sapere come attivare la risposta automatica. Grazie"),
    ("Risposta automatica", "Buongiorno, da ieri la casella info@ ne manda due a ciascuno."),
    ("Autorisponditore", "Vorrei attivarlo sulla casella info@"),
    ("Automatic reply", "Please tell me how to switch on the automatic reply for info@."),
    ("Auto-reply: info@", "It answers twice since the move to the new server."),
    ("Automatische Antwort", "Guten Tag, ich möchte eine automatische Antwort einrichten."),
    ("Abwesenheitsnotiz", "Die Notiz geht seit gestern nicht mehr hinaus."),
    ("Réponse automatique", "Bonjour, je voudrais activer la réponse automatique sur info@."),
    ("Respuesta automática", "Hola, quiero activar la respuesta automática en info@."),
    ("Fuori ufficio", "Vorrei impostare il messaggio di fuori ufficio: da lunedì sono in ferie."),
    ("In ferie", "Da lunedì sono in ferie, vorrei inoltrare la posta a Luca."),
    ("Out of office: how to set", "I will be out of office next week."),
    ("Out of office", "I am out of office next week and need to set up the autoresponder."),
    ("Letto: messaggio", "Il messaggio è stato letto da qualcun altro, la mia casella è violata!"),
    ("Read: my mail", "My mail was read on Monday, and it was not me who read it."),
    ("Ricevuta di lettura: come", "Questo messaggio è stato letto e non ho avuto la ricevuta"),
    ("Re: ticket", "Risposta automatica: vorrei attivarla, da lunedì sono in ferie."),
]
PROGRAMS = [
    ("Risposta automatica: Ticket", "Sono in ferie fino al 12 marzo."),
    ("Automatic reply: Ticket", "I am out of the office until Monday."),
    ("自動返信: Ticket", "不在にしております。"),
    ("Автоответ: Ticket", "Я не в офисе до 12 марта."),
    ("Automatyczna odpowiedź: Ticket", "Jestem na urlopie do 12 marca."),
    ("Letto: Ticket", "Il messaggio è stato letto lunedì."),
    ("Read: Ticket", "Your message\n\nTo: Anna\nSubject: Ticket\n\nwas read on 2 March 2026."),
    ("Re: ticket", "Messaggio automatico: sono in ferie fino al 12 marzo."),
    ("Re: ticket", "*** Automatic reply ***\nWe have received your message."),
]
TLS = "Content-Type: multipart/report; report-type=tlsrpt; boundary=B"


@pytest.mark.parametrize(("subject", "body"), PEOPLE)
def test_people_who_write_about_it(subject: str, body: str) -> None:
    """Without a reference or a header, a subject alone withholds nothing from anybody."""
    assert classified(from_anna(f"Subject: {subject}", body))[0] is Automatic.NO


@pytest.mark.parametrize(("subject", "body"), PROGRAMS)
def test_programs_without_any_header(subject: str, body: str) -> None:
    """Subject and text that say the same are a program's."""
    assert classified(from_anna(f"Subject: {subject}", body))[0] is Automatic.AUTO_REPLY


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("TLS-Report-Domain: host.example", Automatic.BULK),
        ("Subject: x", Automatic.BULK),
    ],
)
def test_reports_on_tls(fields: str, kind: Automatic) -> None:
    """RFC 8460 5.3, by the header or by the structure."""
    mail = from_anna(fields).replace("Content-Type: text/plain; charset=utf-8", TLS)
    body = (
        "--B\n\nan aggregate TLS report\n--B\nContent-Type: application/tlsrpt+gzip\n\nx\n--B--\n"
    )
    assert classified(mail.replace("ciao\n", body))[0] is kind


def test_any_multipart_report_is_for_machines() -> None:
    """RFC 6522: a kind that nobody knows yet is a program's too."""
    mail = from_anna("Subject: x").replace(
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: multipart/report; report-type=new; boundary=B",
    )
    assert classified(mail.replace("ciao\n", "--B\n\nx\n--B--\n"))[0] is Automatic.AUTO_REPLY


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("google.example!host.example!1741046400!1741132799.zip", Automatic.BULK),
        ("a.example!host.example!1741046400!1741132799!7f.xml.gz", Automatic.BULK),
        ("report.zip", Automatic.NO),
    ],
)
def test_aggregate_reports_of_dmarc(name: str, kind: Automatic) -> None:
    """RFC 7489 7.2.1.1: subject and file name of their forms, whoever the sender is."""
    subject = "Subject: Report Domain: host.example Submitter: google.example Report-ID: <1>"
    mail = from_anna(subject).replace(
        "Content-Type: text/plain; charset=utf-8",
        f'Content-Type: application/zip\nContent-Disposition: attachment; filename="{name}"',
    )
    assert parsed(mail).attachments
    assert classified(mail)[0] is kind
