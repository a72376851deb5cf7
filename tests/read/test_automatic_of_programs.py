"""Automatic mail of many programs in their own words, and people who sound like them."""

import pytest
from read_support import classified

from gateway.core.model import Automatic

AUTO, BULK, BOUNCE, NO = Automatic.AUTO_REPLY, Automatic.BULK, Automatic.BOUNCE, Automatic.NO


def _mail(fields: str, body: str) -> str:
    return (
        f"{fields}\nTo: support@host.example\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n"
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    )


ANNA = "From: Anna Rossi <anna@cliente.example>"
ANSWER = f"{ANNA}\nIn-Reply-To: <o1@host.example>"

# By words alone: programs that set no header at all.
PROGRAMS = {
    "vacation en": (f"{ANSWER}\nSubject: Out of office: [#1] Ticket",
                    "I am out of the office until Monday with limited access to e-mail."),
    "vacation en sentence": (f"{ANSWER}\nSubject: I am out of the office until 12/03/2026",
                             "I will respond to your message when I return."),
    "vacation en re": (f"{ANSWER}\nSubject: Re: [#1] Ticket (out of office)",
                       "I am currently out of the office and will be back on Monday."),
    "vacation it": (f"{ANSWER}\nSubject: Fuori ufficio: R: [#1] Ticket",
                    "Sono fuori ufficio fino al 12 marzo. Per urgenze: ufficio@cliente.example"),
    "vacation it auto": (f"{ANSWER}\nSubject: Risposta automatica: [#1] Ticket",
                         "Sarò assente dal 1 al 12 marzo."),
    "vacation it assente": (f"{ANSWER}\nSubject: Assente per ferie Re: [#1] Ticket",
                            "Sono in ferie, rientrerò il 12 marzo."),
    "vacation de": (f"{ANSWER}\nSubject: Abwesenheitsnotiz: [#1] Ticket",
                    "Ich bin bis 12.03. nicht im Büro."),
    "vacation de auto": (f"{ANSWER}\nSubject: Automatische Antwort: [#1] Ticket",
                         "Vielen Dank für Ihre Nachricht. Ich bin im Urlaub."),
    "vacation fr": (f"{ANSWER}\nSubject: Réponse automatique : [#1] Ticket",
                    "Je suis absent du bureau jusqu'au 12 mars."),
    "vacation fr absence": (f"{ANSWER}\nSubject: Absence du bureau : [#1] Ticket",
                            "Je suis en congés jusqu'au 12 mars."),
    "vacation es": (f"{ANSWER}\nSubject: Respuesta automática: [#1] Ticket",
                    "Estoy fuera de la oficina hasta el 12 de marzo."),
    "vacation es fuera": (f"{ANSWER}\nSubject: Fuera de la oficina: [#1] Ticket",
                          "Estaré fuera de la oficina hasta el 12 de marzo."),
    "acknowledgement en": (f"{ANSWER}\nSubject: [Ticket#20260302] Your request has been received",
                           "This is an automatic reply. Your request has been received and a "
                           "ticket has been created. Please do not reply to this e-mail."),
    "acknowledgement it": (f"{ANSWER}\nSubject: Abbiamo ricevuto la tua richiesta (#4711)",
                           "Questa è una risposta automatica: abbiamo ricevuto la tua richiesta e "
                           "aperto il ticket 4711. Non rispondere a questo messaggio."),
    "acknowledgement de": (f"{ANSWER}\nSubject: Eingangsbestätigung Ticket 4711",
                           "Dies ist eine automatisch erzeugte Nachricht. Ihre Anfrage ist bei "
                           "uns eingegangen. Bitte antworten Sie nicht auf diese E-Mail."),
    "acknowledgement fr": (f"{ANSWER}\nSubject: Accusé de réception de votre demande",
                           "Ceci est un message automatique. Votre demande a bien été reçue, "
                           "merci de ne pas répondre à ce message."),
    "acknowledgement es": (f"{ANSWER}\nSubject: Hemos recibido su solicitud [4711]",
                           "Este es un mensaje automático. Hemos recibido su solicitud. No "
                           "responda a este correo."),
    "autoresponder of a panel": ("From: info@cliente.example\nSubject: Autoresponse: Ticket",
                                 "Thank you for your message."),
    "challenge": (f"{ANSWER}\nSubject: Please confirm your message to anna@cliente.example",
                  "This message was created automatically by a spam filter. To have your message "
                  "delivered, click the link below or just reply to this message."),
    "challenge boxbe": (f"{ANSWER}\nSubject: [#1] Ticket (Boxbe needs your response)",
                        "Hello, your message about \"[#1] Ticket\" was waitlisted. Please add "
                        "yourself to my Guest List so your future messages will go to my Inbox. "
                        "This message was sent automatically by Boxbe."),
    "read receipt": (f"{ANSWER}\nSubject: Read: [#1] Ticket",
                     "Your message was read on Monday."),
    "read receipt it": (f"{ANSWER}\nSubject: Letto: [#1] Ticket",
                        "Il messaggio è stato letto lunedì."),
    "recall": (f"{ANSWER}\nSubject: Message Recall Failure: [#1] Ticket",
               "Your recall request was not successful."),
    "no reply": ("From: Shop <noreply@shop.example>\nSubject: Ordine", "Grazie."),
    "no reply de": ("From: Shop <nicht-antworten@shop.example>\nSubject: Bestellung", "Danke."),
    "no reply it": ("From: Shop <nonrispondere@shop.example>\nSubject: Ordine", "Grazie."),
}  # fmt: skip
HEADERS = {
    "exim autoreply": ("Auto-Submitted: auto-replied", AUTO),
    "gmail vacation": ("Precedence: bulk\nX-Autoreply: yes", AUTO),
    "cpanel": ("X-Autorespond: [#1] Ticket\nPrecedence: auto_reply", AUTO),
    "plesk": ("Auto-Submitted: auto-replied (vacation)", AUTO),
    "zimbra": ("Auto-Submitted: auto-replied (zimbra; vacation)\nPrecedence: bulk", AUTO),
    "sieve": ("Auto-Submitted: auto-replied (vacation)", AUTO),
    "exchange oof": ("X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated", AUTO),
    "zendesk": ("Auto-Submitted: auto-generated\nX-Mailer: Zendesk Mailer", AUTO),
    "freshdesk": ("X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated", AUTO),
    "otrs": ("X-OTRS-Loop: ja\nAuto-Submitted: auto-replied", AUTO),
    "rt": ("RT-Ticket: rt.example #4711\nX-RT-Loop-Prevention: rt", AUTO),
    "jira": ("X-JIRA-FingerPrint: 3f1c\nPrecedence: bulk", AUTO),
    "osticket": ("X-Auto-Response-Suppress: DR, OOF, AutoReply", AUTO),
    "mailman": ("List-Id: <l.x.example>\nX-BeenThere: l@x.example\nPrecedence: list", BULK),
    "sympa": ("List-Id: <l.x.example>\nX-Loop: l@x.example\nPrecedence: list", BULK),
    "mailchimp": ("X-MC-User: 1\nFeedback-ID: 1:1:us1:mc\nList-Unsubscribe: <https://x>", BULK),
    "sendgrid news": ("List-Unsubscribe: <https://x>\nX-SG-EID: abc", BULK),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_by_their_words(name: str) -> None:
    """Nobody is answered who is not there."""
    assert classified(_mail(*PROGRAMS[name]))[0] is not NO


@pytest.mark.parametrize("name", HEADERS)
def test_programs_by_their_headers(name: str) -> None:
    """What programs of the field set in practice."""
    fields, kind = HEADERS[name]
    found = classified(_mail(f"{ANSWER}\nSubject: Re: [#1] Ticket\n{fields}", "Grazie."))[0]
    assert found is kind


PEOPLE = {
    "asks about an absence note": (f"{ANNA}\nSubject: Risposta automatica non funziona",
                                   "Buongiorno, ho impostato la risposta automatica per le ferie "
                                   "ma non parte. Come mai?"),
    "asks for an absence note": (f"{ANNA}\nSubject: Out of office setup",
                                 "Hello, how do I set an out of office message in webmail?"),
    "announces an absence": (f"{ANNA}\nSubject: Assenza in agosto",
                             "Buongiorno, vi segnalo che ad agosto siamo chiusi: potete rinviare "
                             "la manutenzione?"),
    "quotes a bounce": (f"{ANNA}\nSubject: mail non consegnata",
                        "Buongiorno, da ieri ricevo questo errore, potete controllare?\n\n"
                        "550 5.1.1 <bob@x.example>: Recipient address rejected: User unknown"),
    "asks about a bounce": (f"{ANNA}\nSubject: Undelivered Mail Returned to Sender",
                            "Hi, my mail to bob@x.example keeps bouncing with this. Why?\n\n"
                            "550 5.7.1 blocked using spamhaus"),
    "forwards a bounce": (f"{ANNA}\nSubject: Fwd: Undelivered Mail Returned to Sender",
                          "Come mai?\n\n---------- Forwarded message ---------\nFrom: Mail "
                          "Delivery System <MAILER-DAEMON@x.example>\nSubject: Undelivered Mail "
                          "Returned to Sender\n\nI'm sorry to have to inform you that your "
                          "message could not be delivered.\n550 5.1.1 user unknown"),
    "forwards a bounce in Italian": (f"{ANNA}\nSubject: I: Mancata consegna",
                                     "In allegato l'errore.\n\nDa: MAILER-DAEMON\n\n"
                                     "550 5.1.1 utente sconosciuto"),
    "answers a bounce": (f"{ANSWER}\nSubject: Re: failure notice",
                         "Non capisco questo messaggio.\n\n> I'm afraid I wasn't able to deliver "
                         "your message"),
    "a postmaster who writes": ("From: Luca <postmaster@cliente.example>\nSubject: Delivery",
                                "Hello, our mails to your server are rejected with 550 5.7.1. "
                                "Could you check our IP 192.0.2.9? Thanks, Luca"),
    "an administrator who writes": ("From: admin@cliente.example\nSubject: Mail delivery failed",
                                    "Buongiorno, le mail verso bob@x.example tornano indietro con "
                                    "errore 550. Potete verificare?"),
    "root who writes": ("From: root@vps.cliente.example\nSubject: disco pieno",
                        "Ciao, il disco della VPS è pieno, potete ampliarlo?"),
    "a confirmation by a person": (f"{ANSWER}\nSubject: R: [#1] Ticket",
                                   "Buongiorno, confermo di aver ricevuto la vostra risposta."),
    "received your request, by a person": (f"{ANSWER}\nSubject: R: [#1] Ticket",
                                           "Abbiamo ricevuto la vostra richiesta di documenti, ve "
                                           "li mando domani."),
    "mentions an automatic message": (f"{ANSWER}\nSubject: R: [#1] Ticket",
                                      "Ho ricevuto un messaggio automatico che dice che il "
                                      "dominio scade: è vero?"),
    "read by a person": (f"{ANSWER}\nSubject: Letto: ecco i dati", "Ecco i dati richiesti."),
    "asks for another address": (f"{ANSWER}\nSubject: R: [#1] Ticket",
                                 "Non rispondete a questa mail, scrivetemi all'altro indirizzo."),
    "quotes our acknowledgement": (f"{ANSWER}\nSubject: R: [#1] Ticket",
                                   "Ancora niente, grazie.\n\nIl 02/03/2026 10:15, Desk ha "
                                   "scritto:\n> Questo è un messaggio automatico: abbiamo avuto "
                                   "la richiesta.\n"),
    "on holiday, by a person": (f"{ANNA}\nSubject: In ferie ma il sito è giù",
                                "Sono in ferie e il sito è giù: potete riavviarlo?"),
    "spam question": (f"{ANNA}\nSubject: Spam",
                      "Il filtro ha bloccato una mail con \"message rejected as spam\", la "
                      "sbloccate?"),
    "x-loop of a filter": (f"{ANNA}\nX-Loop: anna@cliente.example\nSubject: aiuto", "È giù."),
    "invitation": (f"{ANNA}\nSubject: Invito: riunione", "Vi va bene lunedì?"),
    "warning": (f"{ANNA}\nSubject: Warning: disk full", "My server says the disk is full, help."),
    "a delayed answer": (f"{ANSWER}\nSubject: delayed mail",
                         "Mail from our customers arrives hours late, what is wrong?"),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_people_who_sound_like_programs(name: str) -> None:
    """A person is never withheld."""
    assert classified(_mail(*PEOPLE[name]))[:2] == (NO, "nothing says that a program wrote it")
