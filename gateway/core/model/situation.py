"""What a mail means: all that the decision rests on, and all that a reply may say."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.core.model.account import (
    Account,
    ArticleHit,
    Candidates,
    Claim,
    Registration,
    StaffAddress,
    Ticket,
)
from gateway.core.model.evidence import Evidence, Proof
from gateway.core.model.mail import Address, Envelope, Mail


class SenderKind(StrEnum):
    """Who the author is to us, whatever his proof."""

    UNKNOWN = "unknown"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    AMBIGUOUS = "ambiguous"
    STAFF = "staff"


class TicketMatch(StrEnum):
    """`other`: somebody else's, or not existing; one value on purpose."""

    NONE = "none"
    OWN = "own"
    OTHER = "other"


class ServiceMatch(StrEnum):
    """`other`: not ours and somebody else's are one value."""

    NONE = "none"
    OWN = "own"
    OTHER = "other"


class RequestKind(StrEnum):
    """What the mail wants, as far as words can tell. A wrong one must be harmless."""

    REPLY = "reply"
    GENERAL = "general"
    ACCOUNT = "account"
    INCIDENT = "incident"
    CHANGE = "change"
    DATA_RIGHTS = "data-rights"
    ABUSE = "abuse"
    BILLING = "billing"
    THANKS = "thanks"
    CONFIRM = "confirm"


class Confidence(StrEnum):
    """How sure an article answers the question."""

    NONE = "none"
    WEAK = "weak"
    SURE = "sure"


@dataclass(frozen=True, slots=True)
class Sender:
    """The author among the registered addresses.

    `registration` is set when exactly one account is meant.
    """

    kind: SenderKind
    registration: Registration | None = None
    registrations: tuple[Registration, ...] = ()
    staff: StaffAddress | None = None

    @property
    def account(self) -> Account | None:
        """The one account, or None."""
        return self.registration.account if self.registration else None


@dataclass(frozen=True, slots=True)
class Reference:
    """Which ticket the mail refers to. `ticket` is set for `own` alone."""

    match: TicketMatch
    ticket: Ticket | None = None
    token: bool = False  # a thread token of ours verified
    because: str = ""
    answers_automatic: bool = False  # it replies to one of our automatic mails
    linked_to: str | None = None  # own ticket whose subject was changed: open a linked one
    token_ticket: Ticket | None = (
        None  # the ticket of a valid token, whoever writes (parking a stranger's mail)
    )
    token_account: Account | None = None
    staff_token: bool = False
    notice: bool = False  # it answers a notice of parked mail, or the question of an address


@dataclass(frozen=True, slots=True)
class Request:
    """The kind with the phrases that spoke for it."""

    kind: RequestKind
    because: tuple[str, ...]
    unsolved: bool = False  # it says that an answer of ours did not help
    service: bool = False  # it speaks of a service, whichever
    alarm: bool = False  # a question with words of an incident: no article answers it by itself


@dataclass(frozen=True, slots=True)
class Incident:
    """What a critical incident must carry (I2); identifiers are the proven account's alone."""

    ip: str | None = None
    order: str | None = None
    service: str | None = None
    started: datetime | None = None  # aware, with the zone that was said
    diagnostics: bool = False
    missing: tuple[str, ...] = ()  # of: identifier, service, started, zone, diagnostics
    is_incident: bool = False
    match: ServiceMatch = ServiceMatch.NONE
    identifiers: tuple[str, ...] = ()  # own ips, orders, services named

    @property
    def complete(self) -> bool:
        """Nothing is missing."""
        return self.is_incident and not self.missing


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The public articles that may answer."""

    confidence: Confidence
    articles: tuple[ArticleHit, ...] = ()

    @property
    def best(self) -> ArticleHit | None:
        """The first article, or None."""
        return self.articles[0] if self.articles else None


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours at the moment of the mail, in the office's own zone."""

    open: bool
    reply_due: datetime  # aware, in the office's zone
    opens_at: datetime | None = None  # next opening, when closed
    holiday: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """The whole of what is known about one mail."""

    envelope: Envelope
    author: Address
    mail: Mail
    evidence: Evidence
    proof: Proof
    sender: Sender
    reference: Reference
    request: Request
    incident: Incident
    knowledge: Knowledge
    hours: Hours
    candidates: Candidates
    repeat: Ticket | None  # an open ticket of the account about the same incident
    spent: bool  # the destination has had its share of automatic mail
    scope: bool  # this address may speak about this department
    department: str  # by recipient and request, before rules set another
    language: str  # of the reply
    bilingual: bool  # the language is a guess: say it in the default and in English
    mail_id: str
    raw: bytes
    unnamed: bool = False  # it is about one of several services, and does not say which
    claim: Claim | None = None  # the mail confirms its own author's address on this account

    @property
    def now(self) -> datetime:
        """The one moment at which everything is judged."""
        return self.envelope.received_at
