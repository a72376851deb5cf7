"""What ops decide about the desk: departments, staff, hours, caps, and the words of requests.

These are `policies/routing.toml` and `policies/requests.toml` after load has checked them;
nothing here decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from gateway.core.model.account import StaffAddress
from gateway.core.model.situation import RequestKind


@dataclass(frozen=True, slots=True)
class Department:
    """One desk. `recipients` choose it: an address, or `local@` for any domain of ours."""

    id: str
    names: dict[str, str]  # language -> what customers read
    mailbox: StaffAddress | None = None  # gets the notice of new entries
    recipients: tuple[str, ...] = ()
    requests: tuple[RequestKind, ...] = ()  # kinds that go there when no recipient says otherwise
    kind: str | None = None  # the kind of notices about its tickets (I7)

    def name(self, language: str) -> str:
        """The department's name in that language, else in the first that it has, else its id."""
        return self.names.get(language) or next(iter(self.names.values()), self.id)


@dataclass(frozen=True, slots=True)
class Office:
    """When staff look at tickets. `days`: Monday = 0 … Sunday = 6 -> (opens, closes) in order."""

    timezone: str  # IANA name
    days: dict[int, tuple[tuple[time, time], ...]]
    country: str | None = None  # ISO 3166, for public holidays
    subdivision: str | None = None
    closed: frozenset[date] = frozenset()  # days off besides
    worked: frozenset[date] = frozenset()  # public holidays that are worked all the same


@dataclass(frozen=True, slots=True)
class Caps:
    """How much automatic mail may leave in a day, by ledger: one destination's, then all."""

    unproven: int = 1
    medium: int = 5
    strong: int = 50
    author: int = 3  # public texts to one author
    domain: int = 20  # public texts to one organisational domain, freemail excepted
    sign_in: int = 5
    all_unproven: int = 500
    all_medium: int = 2000
    all_strong: int = 20000
    all_public: int = 2000
    all_sign_in: int = 2000
    parked_per_network: int = 20  # parked mails of one source network on an account's page


@dataclass(frozen=True, slots=True)
class Routing:
    """The whole of `policies/routing.toml`."""

    departments: tuple[Department, ...]
    default_department: str
    office: Office
    priorities: bool = True  # False: one queue, strictly by time
    due_panel: int = 10  # office minutes to the first reply
    due_mail: int = 30
    coalescing: timedelta = timedelta(hours=48)
    reopening: timedelta | None = None  # None: a reply always reopens
    merging: timedelta = timedelta(minutes=10)  # receipts of one ticket within this become one
    parking: timedelta = timedelta(days=14)
    caps: Caps = field(default_factory=Caps)
    freemail: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()  # of notification addresses (I7)
    staff: tuple[StaffAddress, ...] = ()

    def department(self, name: str) -> Department | None:
        """The department of that id, or None."""
        return next((each for each in self.departments if each.id == name), None)

    def speaks(self, kinds: tuple[str, ...], department: str) -> bool:
        """Whether an address with these kinds may speak about a department; without kinds, yes."""
        found = self.department(department)
        return not kinds or department in kinds or (found is not None and found.kind in kinds)

    def department_for(self, recipients: Iterable[str]) -> str | None:
        """The department that the first recipient with one chooses (`Address.key` each)."""
        for recipient in recipients:
            for department in self.departments:
                if _chooses(department.recipients, recipient):
                    return department.id
        return None

    def department_of_request(self, kind: RequestKind) -> str:
        """Where a kind of request goes when no recipient says otherwise."""
        for department in self.departments:
            if kind in department.requests:
                return department.id
        return self.default_department


def _chooses(patterns: tuple[str, ...], recipient: str) -> bool:
    """A sub-address (`billing+token@`) is the same recipient."""
    local, _, domain = recipient.rpartition("@")
    base = local.partition("+")[0]
    return f"{base}@" in patterns or f"{base}@{domain}" in patterns


@dataclass(frozen=True, slots=True)
class RequestRules:
    """The whole of `policies/requests.toml`: kind -> language -> phrases.

    A phrase is words in order; `*` at the end of a word stands for any ending, `...` between two
    words for none to four words of the same sentence; case and accents do not count. `strong`
    phrases decide alone, `phrases` add weight, `against` take it away.
    """

    phrases: dict[RequestKind, dict[str, tuple[str, ...]]]
    strong: dict[RequestKind, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    against: dict[RequestKind, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    order: tuple[RequestKind, ...] = ()  # the earlier wins where two weigh the same
    unsolved: dict[str, tuple[str, ...]] = field(default_factory=dict)  # an answer did not help
    services: dict[str, tuple[str, ...]] = field(default_factory=dict)  # it is about a service
