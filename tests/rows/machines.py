"""Mail that machines write, of every kind that reaches a support desk, and mail of people that
looks like it. Each is what `House.compose` takes; `chance` chooses among senders and words.
"""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Told = dict[str, Any]
ANNA, TECNICO = "anna@studio-rossi.example", "tecnico@posta.example"
CARLO, MARIO = "carlo@bianchi-srl.example", "mario@curious.example"
FORGER = {"host": "forger.example", "mail_from": "eve@forger.example"}

# Whom a machine writes for: customers and a stranger, proven and not, and the forgery of each.
SENDERS: tuple[Told, ...] = (
    {"from": ANNA},
    {"from": TECNICO},
    {"from": CARLO},
    {"from": MARIO},
    {"from": ANNA, "signed": False},
    {"from": ANNA, "signed": False, **FORGER},
    {"from": MARIO, "signed": False, **FORGER},
    {"from": "eve@forger.example"},
)

# Subjects by which responders name themselves, with what their users have written below.
AWAY = {
    "it": ("Risposta automatica: {}", "Sono assente fino a lunedì e leggerò al mio rientro."),
    "en": ("Automatic reply: {}", "I am out of the office until Monday with limited access."),
    "de": ("Automatische Antwort: {}", "Ich bin bis Montag nicht im Büro."),
    "fr": ("Réponse automatique : {}", "Je suis absent jusqu'à lundi."),
    "es": ("Respuesta automática: {}", "Estoy fuera de la oficina hasta el lunes."),
    "pt": ("Resposta automática: {}", "Estou ausente até segunda-feira."),
    "nl": ("Automatisch antwoord: {}", "Ik ben afwezig tot maandag."),
    "pl": ("Odpowiedź automatyczna: {}", "Jestem nieobecny do poniedziałku."),
    "sv": ("Autosvar: {}", "Jag är borta till måndag."),
    "ru": ("Автоматический ответ: {}", "Я буду в отпуске до понедельника."),
    "assenza": ("Fuori sede: {}", "Sono fuori sede e rientro lunedì."),
    "ooo": ("Out of office: {}", "I am out of the office, I'll be back on Monday."),
}
ABOUT = ("Richiesta", "Server lento", "Your ticket", "Rechnung", "[#482913] Backup", "vps-12")
MARKS: tuple[dict[str, str], ...] = (
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated"},
    {"Auto-Submitted": 'auto-notified; owner-email="x@y.example"'},
    {"auto-submitted": "AUTO-REPLIED (vacation)"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": "Fuori sede"},
    {"X-Autoreply-From": "anna@studio-rossi.example"},
    {"Precedence": "auto_reply"},
    {"Precedence": "bulk"},
    {"Precedence": "junk"},
    {"X-Auto-Response-Suppress": "All"},
    {"X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply"},
    {"X-Mailer": "vacation 1.2.7"},
    {"X-FC-MachineGenerated": "true"},
    {"X-POST-MessageClass": "9; Autoresponder"},
    {"Delivered-To": "Autoresponder"},
    {"Return-Path": "<>"},
    {"X-Cron-Env": "<SHELL=/bin/sh>"},
)
LISTS: tuple[dict[str, str], ...] = (
    {"List-Id": "<annunci.liste.example>"},
    {"List-Post": "<mailto:annunci@liste.example>", "Precedence": "list"},
    {"List-Unsubscribe": "<https://news.example/u/1>"},
    {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    {"Mailing-List": "contact x-help@liste.example; run by ezmlm"},
    {"X-BeenThere": "annunci@liste.example"},
    {"Feedback-ID": "1:2:3:mailer"},
    {"X-Campaign": "autunno"},
)
# What other help desks say of themselves in the mail by which they acknowledge ours.
DESKS: tuple[dict[str, str], ...] = (
    {"Auto-Submitted": "auto-generated", "X-Zendesk-Priority-Mail": "Autoreply"},
    {"X-OTRS-Loop": "yes", "X-Powered-By": "OTRS", "Precedence": "bulk"},
    {"X-Znuny-Loop": "yes"},
    {"X-RT-Loop-Prevention": "rt.example", "RT-Ticket": "rt.example #4711"},
    {"X-Auto-Response-Suppress": "All", "Auto-Submitted": "auto-replied", "X-Mailer": "Desk"},
    {"X-Jira-Fingerprint": "6e2b1f"},
    {"X-Redmine-Host": "tracker.example"},
    {"X-GitLab-NotificationReason": "own_activity"},
    {"Auto-Submitted": "auto-replied", "X-Loop": "support@desk.example"},
    {"X-Portiere-Instance": "another-house"},
)
VERP = (
    "bounces+7-ab=host.example@{}",
    "owner-annunci@{}",
    "annunci-return-12-x=y@{}",
    "bounce@{}",
)
ROBOTS = ("no-reply", "noreply", "do-not-reply", "mailer-daemon", "non-rispondere", "donotreply")
PARTS = {
    "dsn": ("delivery-status", "message/delivery-status", (
        "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; x@y.example\n"
        "Action: failed\nStatus: 5.1.1\n")),
    "delayed": ("delivery-status", "message/delivery-status", (
        "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; x@y.example\n"
        "Action: delayed\nStatus: 4.4.1\n")),
    "mdn": ("disposition-notification", "message/disposition-notification", (
        "Reporting-UA: mua; x\nFinal-Recipient: rfc822; anna@studio-rossi.example\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n")),
    "arf": ("feedback-report", "message/feedback-report", (
        "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n")),
}  # fmt: skip


@dataclass(frozen=True)
class Thread:
    """What a machine may answer: our own mail, where one is known."""

    message_id: str | None = None
    reply_to: str | None = None


Made = Callable[[random.Random], Told]


def _plain(chance: random.Random, headers: dict[str, str] | None = None) -> Told:
    """A mail whose words tell nothing, so that the fields must."""
    return {
        "subject": f"Re: {chance.choice(ABOUT)}",
        "body": chance.choice(("Grazie del messaggio.", "Thank you for your mail.", "Danke.")),
        "headers": dict(headers or {}),
    }


def _responder(chance: random.Random) -> Told:
    return _plain(chance, chance.choice(MARKS))


def _away(chance: random.Random) -> Told:
    """By its subject and words alone, as Exchange and Google write them."""
    subject, body = AWAY[chance.choice(list(AWAY))]
    return {"subject": subject.format(chance.choice(ABOUT)), "body": body}


def _list(chance: random.Random) -> Told:
    return _plain(chance, chance.choice(LISTS))


def _desk(chance: random.Random) -> Told:
    number = chance.randrange(10_000, 99_999)
    body = f"Abbiamo ricevuto la sua richiesta. Il numero del ticket è {number}."
    subject = f"[Ticket #{number}] {chance.choice(ABOUT)}"
    return {"subject": subject, "body": body, "headers": dict(chance.choice(DESKS))}


def _verp(chance: random.Random) -> Told:
    return {**_plain(chance), "verp": chance.choice(VERP)}


def _null(chance: random.Random) -> Told:
    return {**_plain(chance), "mail_from": ""}


def _robot(chance: random.Random) -> Told:
    return {**_plain(chance), "robot": chance.choice(ROBOTS)}


def _report(chance: random.Random) -> Told:
    name, kind, content = PARTS[chance.choice(list(PARTS))]
    body = (
        f"--b\nContent-Type: text/plain\n\nThis is a report.\n--b\nContent-Type: {kind}\n\n"
        f"{content}\n--b--"
    )
    head = {"Content-Type": f'multipart/report; report-type={name}; boundary="b"'}
    null = {"mail_from": ""} if chance.random() < 0.5 else {}
    return {"subject": "Report", "body": body, "headers": head, **null}


def _dmarc(chance: random.Random) -> Told:
    """RFC 7489 7.2.1.1: an aggregate report, sent by a program with or without a mark."""
    packed = base64.b64encode(b"\x1f\x8b" + chance.randbytes(40)).decode()
    name = f"mx.example!host.example!{chance.randrange(10**9)}!{chance.randrange(10**9)}.xml.gz"
    body = (
        "--b\nContent-Type: text/plain\n\nThis is an aggregate report.\n--b\nContent-Type:"
        f' application/gzip; name="{name}"\nContent-Transfer-Encoding: base64\n\n{packed}\n--b--'
    )
    subject = f"Report Domain: host.example Submitter: mx.example Report-ID: {chance.random()}"
    head = {"Content-Type": 'multipart/mixed; boundary="b"'}
    return {"subject": subject, "body": body, "headers": head, "robot": "noreply-dmarc-support"}


def _challenge(chance: random.Random) -> Told:
    """Asks us to prove that we are no machine."""
    token = chance.randrange(10**9)
    return {
        "subject": f"Please confirm your message (confirm#{token})",
        "body": f"To deliver your mail, reply to this message or visit https://c.example/{token}",
        "headers": dict(
            chance.choice(({"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}))
        ),
    }


def _certified(chance: random.Random) -> Told:
    """PEC receipts (RFC 6109)."""
    word = chance.choice(("accettazione", "avvenuta-consegna", "non-accettazione",
                          "preavviso-errore-consegna", "presa-in-carico"))  # fmt: skip
    return {
        "subject": f"{word.replace('-', ' ').upper()}: {chance.choice(ABOUT)}",
        "body": "Ricevuta.\n\nIl messaggio è stato consegnato nella casella di destinazione.",
        "headers": {"X-Ricevuta": word, "X-Riferimento-Message-ID": "<1@pec.example>"},
    }


def _calendar(chance: random.Random) -> Told:
    body = (
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:1\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR"
    )
    head = {"Content-Type": "text/calendar; method=REPLY; charset=utf-8"}
    return {"subject": f"Accepted: {chance.choice(ABOUT)}", "body": body, "headers": head}


def _cron(chance: random.Random) -> Told:
    return {"subject": "Cron <root@vps-12> /usr/bin/backup", "body": "rsync: error"}


MACHINES: dict[str, Made] = {
    "responder": _responder,
    "away": _away,
    "list": _list,
    "help desk": _desk,
    "verp": _verp,
    "null path": _null,
    "robot": _robot,
    "report": _report,
    "dmarc": _dmarc,
    "challenge": _challenge,
    "pec receipt": _certified,
    "calendar": _calendar,
    "cron": _cron,
}


def machine(chance: random.Random, ours: Thread, serial: int) -> tuple[str, Told]:
    """One automatic mail, and its kind; half of them answer our own mail."""
    kind = chance.choice(list(MACHINES))
    told = MACHINES[kind](chance)
    told = {**chance.choice(SENDERS), **told}
    host = told.get("host") or told["from"].partition("@")[2]
    if "verp" in told:
        told["mail_from"] = told.pop("verp").format(host)
    if "robot" in told:
        told["from"] = f"{told.pop('robot')}@{told['from'].partition('@')[2]}"
    told["body"] += f"\n\n{serial}" if "Content-Type" not in told.get("headers", {}) else ""
    if ours.message_id and chance.random() < 0.5:
        told["headers"] = {**told.get("headers", {}), "In-Reply-To": ours.message_id}
        told["to"] = ours.reply_to or "support@host.example"
    return kind, told


# ---- people

QUESTIONS = (
    "Buongiorno,\nnella pagina {} del mio account vedo un valore strano: che cosa significa?",
    "Hello,\nin row {} of my account I see a value that I do not understand. Can you look?",
    "Guten Tag,\nin Zeile {} meines Kontos steht ein Wert, den ich nicht verstehe.",
)
LOOKALIKES: tuple[tuple[str, Told], ...] = (
    ("plain", {}),
    ("says that it is a person's", {"headers": {"Auto-Submitted": "no"}}),
    ("asks about automatic replies", {"subject": "La risposta automatica della mia casella"}),
    ("answers an automatic reply", {"subject": "Re: Automatic reply: invoice"}),
    ("forwards one", {"subject": "Fwd: Out of Office: Mario"}),
    ("works out of office", {"subject": "Fuori sede di Milano, nuovo dominio"}),
    ("asks about a bounce", {"subject": "Undelivered Mail Returned to Sender, perché?"}),
    ("wants a receipt", {"headers": {"Disposition-Notification-To": "<{from}>",
                                     "Return-Receipt-To": "<{from}>"}}),
    ("Exchange, no receipts", {"headers": {"X-Auto-Response-Suppress": "DR, RN, NRN"}}),
    ("first class", {"headers": {"Precedence": "first-class"}}),
    ("urgent", {"headers": {"Importance": "high", "X-Priority": "1 (Highest)"}}),
    ("forwarded path", {"mail_from": "SRS0=ab=cd={domain}=x@{domain}"}),
    ("tagged path", {"mail_from": "{local}+tag@{domain}"}),
    ("a list in its words", {"body": "List-Unsubscribe: come si imposta per la mia newsletter?\n"
                                     "Precedence: bulk è giusto per il mio account? ({})"}),
    ("speaks of cron", {"subject": "cron sul mio hosting"}),
    ("no reply yet", {"subject": "No reply to my last question"}),
    ("auto is a car", {"subject": "Auto aziendale: fattura"}),
    ("holiday question", {"subject": "Ferie: siete aperti?"}),
)  # fmt: skip


def person(chance: random.Random, serial: int) -> tuple[str, Told]:
    """One mail of a customer, and what makes it look like a machine's."""
    name, more = chance.choice(LOOKALIKES)
    author = chance.choice((ANNA, TECNICO, CARLO))
    local, _, domain = author.partition("@")
    filled = {"from": author, "local": local, "domain": domain}
    told: Told = {
        "from": author,
        "subject": f"Pagina {serial}",
        "body": chance.choice(QUESTIONS),
        **more,
    }
    told["body"] = told["body"].format(serial)
    if "mail_from" in told:
        told["mail_from"] = told["mail_from"].format(**filled)
    if "headers" in told:
        told["headers"] = {n: v.format(**filled) for n, v in told["headers"].items()}
    return name, told
