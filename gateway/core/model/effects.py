"""What is written and what is sent, as values: store.writer puts all of it into one transaction,
or none of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.core.model.account import (
    NotificationAddress,
    OfficialAddress,
    StaffAddress,
    TicketKind,
    TicketState,
    UnconfirmedAddress,
)
from gateway.core.model.evidence import ProvenAuthor
from gateway.core.model.mail import Attachment, Envelope, Span

# ---- text that may leave the house


class Tainted(str):
    """Text that a sender chose.

    A template of an automatic reply that prints it raises (never-rule 4).
    """

    __slots__ = ()

    def __html__(self) -> str:
        raise TypeError("text of the sender may not be printed by an automatic reply")


@dataclass(frozen=True, slots=True)
class Article:
    """Public text: articles of the knowledge base, by slug, title, link and body."""

    slug: str
    title: str
    url: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Constant:
    """Public text: one that is the same for everybody."""

    template: str


@dataclass(frozen=True, slots=True)
class StaffText:
    """Public text: what a staff member wrote to an author without an account, checked for account
    data."""

    text: str


PublicText = Article | Constant | StaffText


@dataclass(frozen=True, slots=True)
class AccountText:
    """Text about an account: a template and the values that it prints.

    Only core.decide.guard lets one be made.
    """

    template: str
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class AccountReply:
    """A reply to the account's official address, whatever any header says."""

    to: OfficialAddress
    text: AccountText | PublicText


@dataclass(frozen=True, slots=True)
class PublicReply:
    """Public text to an author whose address is proven."""

    to: ProvenAuthor
    text: PublicText


@dataclass(frozen=True, slots=True)
class StaffNotice:
    """A notice to a listed staff mailbox."""

    to: StaffAddress
    text: AccountText


@dataclass(frozen=True, slots=True)
class KindNotice:
    """A content-free notice of one kind (I7)."""

    to: NotificationAddress
    template: str


@dataclass(frozen=True, slots=True)
class AddressNotice:
    """The question whether a mailbox belongs to an account: a constant text."""

    to: UnconfirmedAddress
    template: str


Reply = AccountReply | PublicReply


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A finished mail for the outbox: bytes, fixed Message-ID, and the one envelope recipient."""

    to: str
    envelope_from: str  # "" is the null reverse-path
    kind: str  # the template's name: thread, open, refuse, …
    language: str
    message_id: str  # with angle brackets
    raw: bytes
    text: str  # the plain words, to be subtracted from later quotes
    account: str | None
    ticket: str | None
    ledger: str | None  # which cap it is counted against
    automatic: bool
    notice: bool = False  # to staff or a notification address
    due: datetime | None = None  # later than now for receipts that are merged
    merge_key: str | None = None  # an unsent row of this key is replaced by this one
    held: str | None = None  # why it waits (doubtful destination)
    merge_within: timedelta | None = None  # not sooner than this after the last of its merge key


# ---- rows


@dataclass(frozen=True, slots=True)
class MailRow:
    """The mail itself with what was found and decided: enough to decide again and to explain."""

    id: str
    key: str
    received_at: datetime
    envelope: Envelope
    raw: bytes
    author_key: str
    message_id: str | None
    content_digest: str
    body_digest: str
    subject: str
    outcome: str
    rule: str
    because: str
    proof: str
    policy_digest: str
    facts: dict[str, str | bool]
    evidence: dict[str, object]  # for `trace`, JSON
    account: str | None
    ticket: str | None
    automatic: str
    same_as: str | None = None  # an earlier arrival; this one has no second effect
    error: str | None = None  # a defect of ours: kept raw, decided again by `queue retry`


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to be opened.

    Its number was free when the mail was decided; the writer says `Moved` if not.
    """

    number: str
    kind: TicketKind
    account: str | None
    subject: str
    state: TicketState
    department: str
    priority: str
    proof: str
    language: str
    opened_at: datetime
    reply_due: datetime | None
    verified: bool = True
    linked_to: str | None = None
    asked: bool = False
    identifiers: tuple[str, ...] = ()
    body_digest: str | None = None
    enquirer: ProvenAuthor | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A change of a standing ticket, valid at `version` only; fields that are None stay as they
    are."""

    number: str
    version: int
    at: datetime
    state: TicketState | None = None
    department: str | None = None
    priority: str | None = None
    assignee: str | None = None
    queued_at: datetime | None = None
    reply_due: datetime | None = None
    asked: bool | None = None
    linked_to: str | None = None
    identifiers: tuple[str, ...] | None = None
    proof: str | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One line of a ticket's history; append-only.

    `text` keeps everything, `spans` say what was written now.
    """

    ticket: str
    at: datetime
    by: str  # customer | staff | system
    kind: str  # mail | note | event
    author: str | None
    proof: str | None
    text: str
    spans: tuple[Span, ...] = ()
    pending: bool = (
        False  # sender not proven: counts for nothing until staff or the customer take it
    )
    masked: bool = False  # secrets in it are masked wherever it is shown or sent


@dataclass(frozen=True, slots=True)
class Parked:
    """The mail waits for the account's confirmation."""

    account: str
    expires: datetime
    ticket: str | None = None
    network: str | None = None  # the client's /24 or /48, for the share of a network


@dataclass(frozen=True, slots=True)
class Known:
    """A Message-ID to be remembered for threading."""

    message_id: str
    ticket: str
    sent: bool
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Spend:
    """One unit of a ledger of a cap, for a destination."""

    ledger: str
    key: str
    at: datetime
    limit: int | None = (
        None  # units in 24 hours, this one included; above it the writer says `Moved`
    )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a webhook follower learns of: ticket opened, entry added, closed."""

    kind: str
    ticket: str
    at: datetime
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Answered:
    """An article went out as an answer: remembered without a word of the question."""

    article: str
    language: str
    message_id: str  # of the answer


@dataclass(frozen=True, slots=True)
class Effects:
    """All that one mail does. An empty one with a `mail` is a mail that is only kept."""

    mail: MailRow
    tickets: tuple[NewTicket, ...] = ()
    changes: tuple[TicketChange, ...] = ()
    entries: tuple[NewEntry, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    parked: Parked | None = None
    release: tuple[str, ...] = ()  # ids of parked mails to be decided again as confirmed
    known: tuple[Known, ...] = ()
    replays: tuple[str, ...] = ()  # digests of b=, remembered for 14 days
    spends: tuple[Spend, ...] = ()
    events: tuple[Event, ...] = ()
    undelivered: tuple[str, ...] = ()  # Message-IDs of ours that a delivery report names
    undelivered_to: str | None = None  # whom it names; only mail to that address counts
    bounced: bool = True  # the failure is permanent: the address is in doubt
    merges: tuple[tuple[str, str], ...] = ()  # (ticket, into)
    settles: tuple[tuple[str, bool], ...] = ()  # (ticket, whether staff take its pending entries)
    confirms: tuple[UnconfirmedAddress, ...] = ()  # addresses that have confirmed themselves
    expects: dict[str, int] = field(
        default_factory=dict
    )  # ticket number -> version that must still stand
    answered: Answered | None = None
    unsolved: tuple[str, ...] = ()  # Message-IDs of answers that did not help, as a reply says


@dataclass(frozen=True, slots=True)
class Committed:
    """What the writer says: durable, under this id; `duplicate` names the earlier arrival of the
    same key."""

    mail_id: str
    duplicate: bool = False
    unsolved: int = 0  # answers that did not help, as this mail says
    ticketed: int = 0  # answers after which their author opened this ticket


class Moved(Exception):
    """What the decision rested on changed meanwhile: read and decide again."""
