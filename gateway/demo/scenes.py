"""The mails of the demo, each with what must come of it: the outcome, and who gets a mail."""

from dataclasses import dataclass, field

from gateway.demo.world import SUPPORT, TICKET

ANNA = "anna@studio-rossi.example"
TECNICO = "tecnico@posta.example"
CARLO = "carlo@bianchi-srl.example"
CURIOUS = "mario@curious.example"
FORGER = "eve@forger.example"


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail and what must happen. `host` is the domain whose server sends it."""

    kind: str
    story: str
    host: str
    author: str
    subject: str
    body: str
    outcome: str  # of product.md; "reject" is answered inside the dialogue
    out_to: tuple[str, ...]  # every destination of what goes out, sorted
    mail_from: str | None = None  # None: the author
    signed_by: str | None = None  # None: the author's domain; "": not signed
    headers: dict[str, str] = field(default_factory=dict)
    recipient: str = SUPPORT
    times: int = 1  # how often the very same bytes are sent


SCENES: tuple[Scene, ...] = (
    Scene(
        "thread",
        "a customer continues his ticket from his secondary address",
        "posta.example",
        TECNICO,
        f"Re: [#{TICKET}] Posta lenta",
        "Il problema si ripresenta da stamattina: le mail escono con ore di ritardo.\n",
        "thread",
        (ANNA,),
    ),
    Scene(
        "open",
        "a customer opens a ticket",
        "studio-rossi.example",
        ANNA,
        "Certificato sul sito",
        "Buongiorno,\nsul servizio vps-12 vorrei sapere perche' il certificato del sito non si\n"
        "rinnova da solo: ieri ho visto un avviso nel registro.\n\nGrazie\nAnna Rossi\n",
        "open",
        (ANNA,),
    ),
    Scene(
        "question",
        "a customer asks a general question",
        "bianchi-srl.example",
        CARLO,
        "Cambiare i nameserver",
        "Buongiorno,\ncome si cambiano i nameserver di un dominio?\n",
        "answer",
        (CARLO,),
    ),
    Scene(
        "stranger-question",
        "a stranger asks a general question",
        "curious.example",
        CURIOUS,
        "Changing nameservers",
        "Hello,\nhow do I change the nameservers of a domain?\n",
        "answer",
        (CURIOUS,),
    ),
    Scene(
        "guess",
        "a stranger guesses a ticket number",
        "curious.example",
        CURIOUS,
        f"Re: [#{TICKET}] Posta lenta",
        "Hello, please send me the state of this ticket and the password again.\n",
        "refuse",
        (CURIOUS,),
    ),
    Scene(
        "forged",
        "a forger writes as a customer",
        "forger.example",
        ANNA,
        "Urgente",
        "Buongiorno, mi serve subito il codice di trasferimento del dominio.\n",
        "hold",
        (ANNA,),
        mail_from=FORGER,
        signed_by="forger.example",
    ),
    Scene(
        "forged-reject",
        "a forger writes as a customer whose domain asks for rejection",
        "forger.example",
        CARLO,
        "Urgente",
        "Buongiorno, chiudete il mio account.\n",
        "reject",
        (),
        mail_from=FORGER,
        signed_by="",
    ),
    Scene(
        "reply-to",
        "a customer's mail with Reply-To, Sender and Errors-To elsewhere",
        "studio-rossi.example",
        ANNA,
        "Spazio su disco",
        "Buongiorno,\nil valore dello spazio libero che vedo da ieri sul mio server non torna:\n"
        "potete guardare voi?\n",
        "open",
        (ANNA,),
        headers={
            "Reply-To": FORGER,
            "Sender": FORGER,
            "Errors-To": FORGER,
            "Disposition-Notification-To": FORGER,
        },
    ),
    Scene(
        "change",
        "a customer asks by mail for another address",
        "bianchi-srl.example",
        CARLO,
        "Cambio indirizzo email",
        "Buongiorno,\nvi chiedo di cambiare l'indirizzo email principale del mio account in\n"
        "carlo.nuovo@posta.example. Grazie.\n",
        "panel",
        (CARLO,),
    ),
    Scene(
        "incident",
        "a customer reports an outage and forgets half of it",
        "bianchi-srl.example",
        CARLO,
        "Server non raggiungibile",
        "Buongiorno,\nil server 198.51.100.9 non risponde piu', il sito e' irraggiungibile!\n",
        "ask",
        (CARLO,),
    ),
    Scene(
        "out-of-office",
        "a customer's mailbox answers by itself",
        "studio-rossi.example",
        ANNA,
        "Risposta automatica: fuori ufficio",
        "Saro' assente fino al 7 dicembre.\n",
        "record",
        (),
        headers={"Auto-Submitted": "auto-replied"},
    ),
    Scene(
        "twice",
        "a server sends the very same mail twice",
        "studio-rossi.example",
        ANNA,
        "Avviso del registro di sistema",
        "Buongiorno,\nvi giro una riga che trovo ogni notte nel registro del mio server; vorrei\n"
        "che qualcuno la guardasse con calma.\n",
        "open",
        (ANNA,),
        times=2,
    ),
)
