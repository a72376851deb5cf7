"""Questions to DNS and their answers, as values, and the bounds under which one mail may ask.

A question that failed is kept apart from one whose answer is "nothing": a failure must never
look like an absent record.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

TYPES = frozenset({"TXT", "A", "AAAA", "MX", "PTR", "CNAME"})

_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?", re.ASCII)


class Status(StrEnum):
    """How a question ended."""

    OK = "ok"
    NODATA = "nodata"  # the name exists, and has no record of this type
    NXDOMAIN = "nxdomain"  # the name does not exist, or is no name
    SERVFAIL = "servfail"  # nobody could say
    TIMEOUT = "timeout"  # nobody said in time


Record = bytes | str | tuple[int, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """TXT records are bytes (whole strings), MX (preference, host), others text, no final dot."""

    status: Status
    records: tuple[Record, ...] = ()
    ttl: int = 0  # seconds

    @property
    def failed(self) -> bool:
        """Nothing is known: neither that there is a record nor that there is none."""
        return self.status is Status.SERVFAIL or self.status is Status.TIMEOUT

    @property
    def void(self) -> bool:
        """There is nothing of this kind (RFC 7208 4.6.4)."""
        return self.status is Status.NODATA or self.status is Status.NXDOMAIN

    def texts(self) -> tuple[bytes, ...]:
        """The records of a TXT question."""
        return tuple([record for record in self.records if isinstance(record, bytes)])

    def names(self) -> tuple[str, ...]:
        """The records of an A, AAAA, PTR or CNAME question."""
        return tuple([record for record in self.records if isinstance(record, str)])

    def exchanges(self) -> tuple[tuple[int, str], ...]:
        """The records of an MX question."""
        return tuple([record for record in self.records if isinstance(record, tuple)])


SERVFAIL = Answer(Status.SERVFAIL)
TIMEOUT = Answer(Status.TIMEOUT)
NXDOMAIN = Answer(Status.NXDOMAIN)
NODATA = Answer(Status.NODATA)


class Resolver(Protocol):
    """Whoever answers questions. It never raises for what a name or an answer holds."""

    async def query(self, name: str, rtype: str) -> Answer:
        """`name` may be anything; what is not a name of plain labels does not exist."""
        ...


def checked(name: str) -> str | None:
    """The name in lower case without its final dot; None where a label is not plain ASCII.

    Letters, digits, hyphen and underscore alone (RFC 1035 2.3.4), so that no NUL, no dot inside a
    label and no international letter can turn one name into another on its way.
    """
    if len(name) > 254 or _NAME.fullmatch(name) is None:
        return None
    plain = name.lower().removesuffix(".")
    return plain if len(plain) <= 253 else None


class _Limit:
    """A span of time that begins with the first question that has to wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: float | None = None

    def ends(self, now: float) -> float:
        if self._ends is None:
            self._ends = now + self._seconds
        return self._ends


class _Budget:
    """What all questions about one mail share."""

    def __init__(self, cap: int) -> None:
        self.left = cap
        self.known: dict[tuple[str, str], Answer] = {}


class Lookup:
    """The resolver as one mail sees it: a deadline in seconds, and at most `cap` questions.

    Beyond the number every answer is `servfail`, beyond the deadline `timeout`: never "nothing".
    """

    def __init__(self, resolver: Resolver, deadline: float = 8.0, cap: int = 60) -> None:
        self._resolver = resolver
        # A resolver may be able to say at once what it knows already.
        self._peek: Callable[[str, str], Answer | None] | None = getattr(resolver, "peek", None)
        self._budget = _Budget(cap)
        self._limits: tuple[_Limit, ...] = (_Limit(deadline),)

    def within(self, seconds: float) -> "Lookup":
        """The same mail's questions under a nearer deadline too."""
        nearer = Lookup.__new__(Lookup)
        nearer._resolver, nearer._peek, nearer._budget = self._resolver, self._peek, self._budget
        nearer._limits = (*self._limits, _Limit(seconds))
        return nearer

    @property
    def asked(self) -> tuple[str, ...]:
        """The names that this mail has asked about, in order."""
        return tuple(name for name, _ in self._budget.known)

    def knows(self, *names: str) -> bool:
        """Whether the TXT records of all these names are at hand without waiting."""
        known, peek = self._budget.known, self._peek
        return peek is not None and all(
            (name, "TXT") in known or peek(name, "TXT") is not None for name in names
        )

    async def query(self, name: str, rtype: str) -> Answer:
        """One question, at most once a mail."""
        budget = self._budget
        answer = budget.known.get((name, rtype))
        if answer is not None:
            return answer
        if budget.left <= 0:
            return SERVFAIL
        budget.left -= 1
        answer = self._peek(name, rtype) if self._peek else None
        if answer is None:
            answer = await self._ask(name, rtype)
            if answer is None:
                return TIMEOUT
        budget.known[name, rtype] = answer
        return answer

    async def _ask(self, name: str, rtype: str) -> Answer | None:
        """None when our own time is up."""
        now = asyncio.get_running_loop().time()
        ends = min(limit.ends(now) for limit in self._limits)
        if ends <= now:
            return None
        try:
            async with asyncio.timeout_at(ends):
                return await self._resolver.query(name, rtype)
        except TimeoutError:
            return None
