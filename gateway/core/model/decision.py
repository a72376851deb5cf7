"""A decision as a value with its reason: a closed union, matched with `assert_never`."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """product.md; the words are public."""

    THREAD = "thread"
    OPEN = "open"
    ASK = "ask"
    ANSWER = "answer"
    PANEL = "panel"
    SORT = "sort"
    ENQUIRY = "enquiry"
    REFUSE = "refuse"
    HOLD = "hold"
    STAFF = "staff"
    CONFIRM = "confirm"
    RECORD = "record"
    DEFER = "defer"
    REJECT = "reject"


class Discloses(StrEnum):
    """The most that an outcome may tell, least first."""

    NONE = "none"
    PUBLIC = "public"
    ACCOUNT = "account"


DISCLOSES: dict[Outcome, Discloses] = {
    Outcome.THREAD: Discloses.ACCOUNT,
    Outcome.OPEN: Discloses.ACCOUNT,
    Outcome.ASK: Discloses.ACCOUNT,
    Outcome.PANEL: Discloses.ACCOUNT,
    Outcome.ANSWER: Discloses.PUBLIC,
    Outcome.ENQUIRY: Discloses.PUBLIC,
    Outcome.SORT: Discloses.NONE,
    Outcome.REFUSE: Discloses.NONE,
    Outcome.HOLD: Discloses.NONE,
    Outcome.STAFF: Discloses.NONE,
    Outcome.CONFIRM: Discloses.NONE,
    Outcome.RECORD: Discloses.NONE,
    Outcome.DEFER: Discloses.NONE,
    Outcome.REJECT: Discloses.NONE,
}


@dataclass(frozen=True, slots=True)
class _Decided:
    """What every decision carries. `because` is logged and shown by `explain`, never mailed."""

    rule: str
    because: str
    department: str | None = None
    priority: str | None = None
    template: str | None = None
    reply: bool = True
    notices: tuple[str, ...] = ()  # paragraphs to add, by name


@dataclass(frozen=True, slots=True)
class Thread(_Decided):
    """The mail joins the sender's own ticket."""


@dataclass(frozen=True, slots=True)
class Open(_Decided):
    """A new ticket."""


@dataclass(frozen=True, slots=True)
class Ask(_Decided):
    """A new ticket whose acknowledgement asks, once, for what is missing."""


@dataclass(frozen=True, slots=True)
class Answer(_Decided):
    """A general question, answered from public articles."""


@dataclass(frozen=True, slots=True)
class Panel(_Decided):
    """A change: a ticket to be verified, to be confirmed from the control panel."""


@dataclass(frozen=True, slots=True)
class Sort(_Decided):
    """Several accounts: filed for staff, no reply."""


@dataclass(frozen=True, slots=True)
class Enquiry(_Decided):
    """A general question without an answer, from an author without an account."""


@dataclass(frozen=True, slots=True)
class Refuse(_Decided):
    """The constant refusal."""


@dataclass(frozen=True, slots=True)
class Hold(_Decided):
    """Parked until the official address confirms it."""


@dataclass(frozen=True, slots=True)
class Staff(_Decided):
    """A staff member's answer or command."""


@dataclass(frozen=True, slots=True)
class Confirm(_Decided):
    """A customer's confirmation that releases parked mail."""


@dataclass(frozen=True, slots=True)
class Record(_Decided):
    """Kept, filed, never answered."""


@dataclass(frozen=True, slots=True)
class Defer(_Decided):
    """4xx inside the SMTP dialogue."""


@dataclass(frozen=True, slots=True)
class Reject(_Decided):
    """5xx inside the SMTP dialogue."""


Decision = (
    Thread
    | Open
    | Ask
    | Answer
    | Panel
    | Sort
    | Enquiry
    | Refuse
    | Hold
    | Staff
    | Confirm
    | Record
    | Defer
    | Reject
)

DECISIONS: dict[Outcome, type[Decision]] = {
    Outcome.THREAD: Thread,
    Outcome.OPEN: Open,
    Outcome.ASK: Ask,
    Outcome.ANSWER: Answer,
    Outcome.PANEL: Panel,
    Outcome.SORT: Sort,
    Outcome.ENQUIRY: Enquiry,
    Outcome.REFUSE: Refuse,
    Outcome.HOLD: Hold,
    Outcome.STAFF: Staff,
    Outcome.CONFIRM: Confirm,
    Outcome.RECORD: Record,
    Outcome.DEFER: Defer,
    Outcome.REJECT: Reject,
}

OUTCOMES: dict[type[Decision], Outcome] = {
    decision: outcome for outcome, decision in DECISIONS.items()
}


def outcome_of(decision: Decision) -> Outcome:
    """The public word for a decision."""
    return OUTCOMES[type(decision)]
