"""What the store knows about a mail, fetched in one read, the same number of queries whoever
writes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.core.model.evidence import ProvenAuthor, Replay


@dataclass(frozen=True, slots=True)
class OfficialAddress:
    """The one destination of an account's replies.

    Only store.reader makes one, from the account's row.
    """

    address: str
    account: str


@dataclass(frozen=True, slots=True)
class StaffAddress:
    """A listed staff member's or department's own mailbox.

    Only load makes one, from routing.toml.
    """

    address: str
    name: str
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotificationAddress:
    """A mailbox that gets content-free notices of one kind (I7). Only store.reader makes one."""

    address: str
    account: str
    kind: str


@dataclass(frozen=True, slots=True)
class UnconfirmedAddress:
    """A mailbox that is asked whether it belongs to an account, in one text that names none.

    Only store.reader makes one, from a row that waits for the answer. `asked_at` is of its latest
    mail: an earlier one no longer counts.
    """

    address: str
    key: str  # Address.key
    account: str
    asked_at: datetime


class Role(StrEnum):
    """What an address is to its account."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class TicketState(StrEnum):
    """tickets.md, States."""

    NEW = "new"
    STAFF = "waiting for staff"
    CUSTOMER = "waiting for customer"
    CLOSED = "closed"


class TicketKind(StrEnum):
    """Whose ticket it is: an account's, nobody's yet (`sort`), or an author without an account."""

    ACCOUNT = "account"
    SORT = "sort"
    ENQUIRY = "enquiry"


@dataclass(frozen=True, slots=True)
class Account:
    """One customer, as far as a mail concerns him."""

    number: str
    name: str
    language: str | None
    suspended: bool
    official: OfficialAddress
    doubtful: str | None = (
        None  # why text must not go to the official address (bounced, domain changed hands)
    )
    notify: tuple[NotificationAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """The author's address stands on this account; unconfirmed addresses are not fetched."""

    account: Account
    role: Role
    kinds: tuple[str, ...]  # departments that it may speak about; () is all of them
    confirmed_at: datetime
    domain_changed_at: datetime | None = None  # registrar's data: transferred or expired


@dataclass(frozen=True, slots=True)
class Claim:
    """The author's address waits for its own confirmation on this account; it proves nothing
    yet."""

    account: Account
    to: UnconfirmedAddress


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket's row, at the version that the decision rests on."""

    number: str
    kind: TicketKind
    account: str | None
    subject: str
    state: TicketState
    department: str
    priority: str
    proof: str  # the lowest proof among its opening entries: strong | medium | staff
    opened_at: datetime
    queued_at: datetime  # what the queue is ordered by
    updated_at: datetime
    version: int
    language: str | None = None
    verified: bool = True  # False: staff may not act until the customer confirms in the panel
    merged_into: str | None = None
    linked_to: str | None = None
    assignee: str | None = None
    closed_at: datetime | None = None
    asked: bool = False  # missing data was asked for once
    identifiers: tuple[str, ...] = ()  # own ips, orders, services that the ticket is about
    body_digest: str | None = None  # of the mail that opened it
    enquirer: ProvenAuthor | None = None
    candidates: tuple[str, ...] = ()  # accounts among which staff may assign a `sort`


@dataclass(frozen=True, slots=True)
class Service:
    """A service of an account, with everything by which a mail may name it."""

    account: str
    name: str
    kind: str | None
    order: str | None
    ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A Message-ID that we know: sent by us (`sent`) or received from a customer, and the ticket
    it belongs to."""

    message_id: str
    ticket: str
    sent: bool
    automatic: bool = False  # one of our automatic replies


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """A public article that the full-text search found, best first."""

    slug: str
    language: str
    title: str
    url: str | None
    body: str
    score: float
    covered: float = 0.0  # the share of the question that the article has words for, 0 to 1


@dataclass(frozen=True, slots=True)
class Clues:
    """Everything in a mail by which the store can be asked about it; computed before the one
    read."""

    author_key: str
    author_domain: str
    mail_key: str  # SHA-256 of envelope and content, hex: the very same mail again
    content_digest: str
    body_digest: str
    message_id: str | None
    tickets: tuple[str, ...]  # numbers from tokens and from the subject
    message_ids: tuple[str, ...]  # In-Reply-To and References
    ips: tuple[str, ...]
    orders: tuple[str, ...]
    words: tuple[str, ...]  # lower-case host and service names that stand in subject and new text
    signature_digests: tuple[str, ...]
    query: str  # text for the knowledge base
    language: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """An earlier arrival of this mail: the very same, or the same content by another way."""

    mail_id: str
    same: bool  # envelope and content are equal
    proof: str
    ticket: str | None


@dataclass(frozen=True, slots=True)
class Spending:
    """How much automatic mail went out lately, by ledger (tickets.md, caps)."""

    unproven_today: int = 0  # notices of parked mail to the account
    medium_today: int = 0
    strong_today: int = 0
    author_today: int = 0  # public texts to this author
    domain_today: int = 0  # public texts to this organisational domain
    last_thread_receipt: datetime | None = None  # for merging receipts of one ticket
    global_today: dict[str, int] = field(default_factory=dict)  # by ledger


@dataclass(frozen=True, slots=True)
class Queue:
    """How many tickets wait, by priority: the honest place of a new one."""

    waiting: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The answer to `Clues`.

    Rows of other accounts are here too; core.know decides what may be believed of them.
    """

    registrations: tuple[Registration, ...]
    staff: StaffAddress | None
    tickets: tuple[Ticket, ...]  # those named, with merges followed
    ticket_accounts: tuple[Account, ...]  # of those tickets, for parked mail and staff answers
    open_tickets: tuple[
        Ticket, ...
    ]  # of the registered accounts, not closed or closed within the coalescing window
    services: tuple[Service, ...]  # of the registered accounts, all of them
    foreign: bool  # an order, ip or service named here belongs to some other account or to nobody
    messages: tuple[OwnMessage, ...]
    sent_texts: tuple[str, ...]  # plain texts that we sent in the tickets named
    articles: tuple[ArticleHit, ...]
    replays: tuple[Replay, ...]
    seen: tuple[Seen, ...]
    spending: Spending
    queue: Queue
    free_number: str  # a ticket number that nobody has, for the case that one is opened
    announcements: tuple["Announcement", ...] = ()
    parked: tuple["ParkedMail", ...] = ()  # of the registered accounts, oldest first
    claims: tuple[Claim, ...] = ()  # accounts on which the author's address is unconfirmed
    somebodys: tuple[str, ...] = ()  # what a staff answer to an enquiry names that an account has


@dataclass(frozen=True, slots=True)
class ParkedMail:
    """A mail that waits for its account's confirmation; `mail` is what `Effects.release` names."""

    mail: str
    account: str
    ticket: str | None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A public notice that acknowledgements of matching incidents carry while it is active (H4,
    I6)."""

    slug: str
    title: str
    text: str
    services: tuple[str, ...]
