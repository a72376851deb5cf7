"""A desk, templates and situations for the tests of this room; all of it plain values."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from gateway.core.know.token import Keys
from gateway.core.model import (
    Account,
    Address,
    Arc,
    ArticleHit,
    Automatic,
    Candidates,
    Confidence,
    Decision,
    Dmarc,
    DmarcResult,
    Effects,
    Envelope,
    Evidence,
    Hours,
    Incident,
    Knowledge,
    Listener,
    Mail,
    NotificationAddress,
    OfficialAddress,
    Open,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Queue,
    Reference,
    Registration,
    Request,
    RequestKind,
    Role,
    Sender,
    SenderKind,
    Situation,
    Span,
    SpanKind,
    Spending,
    Spf,
    SpfResult,
    StaffAddress,
    Thread,
    Ticket,
    TicketKind,
    TicketMatch,
    TicketState,
)
from gateway.core.model.routing import Department, Office, Routing
from gateway.core.say.desk import Desk, Post
from gateway.core.say.effects import effects
from gateway.core.say.templates import Templates, split

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
NONCE = bytes(range(16))
KEYS = Keys(1, ((1, b"k" * 32), (0, b"old" * 11)))
OFFICIAL = "anna@cliente.example"
SECONDARY = "tech@cliente.example"
STRANGER = "mario@curious.example"
SUPPORT = "support@host.example"

DESK = Desk(
    domain="host.example",
    addresses=(SUPPORT, "billing@host.example"),
    instance="4f1c2a",
    panel_url="https://panel.host.example/",
    name="Assistenza Host",
    languages=("it", "en"),
    keys=KEYS,
    articles_url="https://host.example/guida",
)
TECHNICIANS = StaffAddress("tecnici@host.example", "Tecnici", ("technical",))
LUCA = StaffAddress("luca@host.example", "Luca", ("technical", "financial"))
_HOURS = ((time(9), time(17, 30)),)
NAMES = {"it": "Assistenza tecnica", "en": "Technical support"}
ROUTING = Routing(
    departments=(
        Department("technical", NAMES, TECHNICIANS),
        Department("financial", {"it": "Amministrazione", "en": "Billing"}),
    ),
    default_department="technical",
    office=Office("Europe/Rome", dict.fromkeys(range(5), _HOURS)),
    freemail=frozenset({"freemail.example"}),
    staff=(LUCA,),
)


def sources() -> dict[str, dict[str, tuple[str, str, str | None]]]:
    """The templates as they are shipped."""
    found: dict[str, dict[str, tuple[str, str, str | None]]] = {}
    for path in sorted((ROOT / "templates").glob("*/*.txt")):
        found.setdefault(path.parent.name, {})[path.stem] = split(path.read_text("utf-8"))
    return found


TEMPLATES = Templates.load(sources())


def post(nonce: bytes = NONCE, at: datetime = NOW, routing: Routing = ROUTING) -> Post:
    """The post of this desk."""
    return Post(DESK, TEMPLATES, routing, nonce, at)


def account(number: str = "A-1001", official: str = OFFICIAL, **more: object) -> Account:
    """A customer."""
    base = Account(number, "Cliente Srl", "it", False, OfficialAddress(official, number))
    return replace(base, **more)  # type: ignore[arg-type]


def registered(role: Role = Role.PRIMARY, of: Account | None = None) -> Registration:
    """The author's address, on an account."""
    return Registration(of or account(), role, (), NOW - timedelta(days=90))


def ticket(number: str = "482913", **more: object) -> Ticket:
    """A standing ticket of the account."""
    base = Ticket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account="A-1001",
        subject="Posta lenta",
        state=TicketState.NEW,
        department="technical",
        priority="normal",
        proof="strong",
        opened_at=NOW - timedelta(days=2),
        queued_at=NOW - timedelta(days=2),
        updated_at=NOW - timedelta(days=2),
        version=3,
        language="it",
    )
    return replace(base, **more)  # type: ignore[arg-type]


def candidates(**more: object) -> Candidates:
    """What the store knows: nothing, unless said."""
    base = Candidates(
        registrations=(),
        staff=None,
        tickets=(),
        ticket_accounts=(),
        open_tickets=(),
        services=(),
        foreign=False,
        messages=(),
        sent_texts=(),
        articles=(),
        replays=(),
        seen=(),
        spending=Spending(),
        queue=Queue({"normal": 4, "high": 1}),
        free_number="700001",
    )
    return replace(base, **more)  # type: ignore[arg-type]


def mail(text: str = "Il sito è lento da stamattina.", **more: object) -> Mail:
    """A mail of a person."""
    base = Mail(
        subject="Sito lento",
        from_name="Anna",
        text=text,
        spans=(Span(SpanKind.NEW, 0, len(text), "own-words"),),
        html=False,
        language="it",
        automatic=Automatic.NO,
        automatic_because="",
        message_id="<m1@cliente.example>",
        in_reply_to=(),
        references=(),
        date=NOW,
        to=(),
        cc=(),
        attachments=(),
        report=None,
        content_digest="c" * 64,
        body_digest="b" * 64,
        defects=(),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def envelope(**more: object) -> Envelope:
    """A session."""
    base = Envelope(
        client_ip="192.0.2.10",
        helo="mx.cliente.example",
        mail_from=OFFICIAL,
        recipients=(SUPPORT,),
        listener=Listener.EDGE,
        received_at=NOW,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def proof(level: ProofLevel = ProofLevel.STRONG, author: str | None = OFFICIAL) -> Proof:
    """A level, and whom public text may go to."""
    proven = ProvenAuthor(author) if author else None
    return Proof(level, ("as said",), proven, frozenset({"*"}))


EVIDENCE = Evidence(
    spf=Spf(SpfResult.PASS, "cliente.example"),
    dkim=(),
    dmarc=Dmarc(DmarcResult.PASS, True, org_domain="cliente.example"),
    arc=Arc(),
)


def article() -> ArticleHit:
    """A public article."""
    body = "Dal pannello:\n\n1. aprire il dominio\n2. scegliere *Nameserver*"
    return ArticleHit("nameserver", "it", "Cambiare i nameserver", None, body, 9.0)


def situation(**more: object) -> Situation:
    """A customer's own mail from his official address, unless said otherwise."""
    registration = registered()
    base = Situation(
        envelope=envelope(),
        author=Address(*OFFICIAL.split("@")),
        mail=mail(),
        evidence=EVIDENCE,
        proof=proof(),
        sender=Sender(SenderKind.PRIMARY, registration, (registration,)),
        reference=Reference(TicketMatch.NONE),
        request=Request(RequestKind.GENERAL, ()),
        incident=Incident(),
        knowledge=Knowledge(Confidence.NONE),
        hours=Hours(True, NOW + timedelta(minutes=30)),
        candidates=candidates(registrations=(registration,)),
        repeat=None,
        spent=False,
        scope=True,
        department="technical",
        language="it",
        bilingual=False,
        mail_id="mail-1",
        raw=b"From: anna@cliente.example\r\n\r\nx\r\n",
    )
    return replace(base, **more)  # type: ignore[arg-type]


def stranger(**more: object) -> Situation:
    """A proven author without an account."""
    base = situation(
        author=Address(*STRANGER.split("@")),
        proof=proof(author=STRANGER),
        sender=Sender(SenderKind.UNKNOWN),
        candidates=candidates(),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def notified(kind: str = "technical") -> Account:
    """An account that wants notices at another address."""
    return account(notify=(NotificationAddress("noc@cliente.example", "A-1001", kind),))


OPEN = Open("account-mail", "because")
THREAD = Thread("own-ticket", "because")


def done(case: Situation, decision: Decision, routing: Routing = ROUTING) -> Effects:
    """The effects of one mail."""
    return effects(case, decision, TEMPLATES, DESK, routing, NONCE, "digest", {"sender": "x"})


def sent(said: Effects) -> list[tuple[str, str]]:
    """Kind and destination of all that goes to customers."""
    return [(one.kind, one.to) for one in said.outgoing if not one.notice]


def told(said: Effects) -> list[tuple[str, str]]:
    """Kind and destination of the notices."""
    return [(one.kind, one.to) for one in said.outgoing if one.notice]


def own(standing: TicketState = TicketState.NEW, **more: object) -> Situation:
    """A customer's mail about his own ticket."""
    one = ticket(state=standing, closed_at=NOW if standing is TicketState.CLOSED else None)
    return situation(reference=Reference(TicketMatch.OWN, one), **more)
