"""The facts of a mail: a closed, typed vocabulary from which every rule of the policy is made.

Eighteen enumerations and booleans, computed once a mail and stored with it. Their names and
values are public: more may be added, none renamed. `docs/facts.md` is made from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.core.model import (
    Automatic,
    Confidence,
    Envelope,
    Evidence,
    Incident,
    Listener,
    Mail,
    Proof,
    ProofLevel,
    RequestKind,
    SenderKind,
    ServiceMatch,
    Situation,
    TicketMatch,
)

Value = str | bool
Signals = tuple[tuple[str, bool], ...]


class Asks(StrEnum):
    """What the author's domain asks for when nothing passes (RFC 9989)."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Lacks(StrEnum):
    """Whether the mail reports a critical incident, and with everything that one must carry."""

    NONE = "none"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"


class Office(StrEnum):
    """Office hours, at the moment of the mail."""

    OPEN = "open"
    CLOSED = "closed"


class Standing(StrEnum):
    """The account's own state."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision rests on. `signals` are the booleans that ops named, by name."""

    sender: SenderKind
    proof: ProofLevel
    ticket: TicketMatch
    token: bool
    service: ServiceMatch
    request: RequestKind
    listener: Listener
    dmarc: Asks
    own_domain: bool
    automatic: Automatic
    knowledge: Confidence
    incident: Lacks
    repeat: bool
    spent: bool
    office: Office
    standing: Standing
    scope: bool
    unnamed: bool = False
    signals: Signals = ()


@dataclass(frozen=True, slots=True)
class Early:
    """What is known before any account is read: enough to settle the SMTP reply."""

    proof: ProofLevel
    listener: Listener
    dmarc: Asks
    own_domain: bool
    automatic: Automatic
    signals: Signals = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One word of the vocabulary. `worse` is what it counts as where it cannot be established."""

    name: str
    values: tuple[Value, ...]
    usual: Value  # what `explain` assumes for a fact that is not given
    worse: Value
    early: bool  # known before any account is read
    sentence: str


def _enum(
    name: str, kind: type[StrEnum], usual: str, worse: str, sentence: str, early: bool = False
) -> Fact:
    return Fact(name, tuple(kind), kind(usual), kind(worse), early, sentence)


def _flag(name: str, usual: bool, worse: bool, sentence: str, early: bool = False) -> Fact:
    return Fact(name, (False, True), usual, worse, early, sentence)


_ALL = (
    _enum(
        "sender",
        SenderKind,
        "unknown",
        "unknown",
        "Who the author is among the registered addresses, whatever his proof; `ambiguous` is "
        "several accounts with nothing in the mail that picks one.",
    ),
    _enum(
        "proof",
        ProofLevel,
        "none",
        "none",
        "How well the author is proven.",
        early=True,
    ),
    _enum(
        "ticket",
        TicketMatch,
        "none",
        "other",
        "The ticket that the mail refers to; somebody else's and one that does not exist are "
        "both `other`.",
    ),
    _flag(
        "token",
        False,
        False,
        "A thread token of ours verified; it says which ticket is meant, never who writes.",
    ),
    _enum(
        "service",
        ServiceMatch,
        "none",
        "other",
        "A service, order, IP or domain named in the mail; not ours and somebody else's are "
        "both `other`.",
    ),
    _enum(
        "request",
        RequestKind,
        "general",
        "general",
        "What the mail wants, as far as words can tell; a wrong one must be harmless.",
    ),
    _enum(
        "listener",
        Listener,
        "edge",
        "relay",
        "Whether it came from the Internet itself or through a relay of ours.",
        early=True,
    ),
    _enum(
        "dmarc",
        Asks,
        "none",
        "none",
        "What the author's domain asks for when nothing passes.",
        early=True,
    ),
    _flag("own_domain", False, True, "From is one of our own domains.", early=True),
    _enum(
        "automatic",
        Automatic,
        "no",
        "loop",
        "Whether a person wrote it; everything but `no` is never answered.",
        early=True,
    ),
    _enum(
        "knowledge",
        Confidence,
        "none",
        "none",
        "How surely a public article answers the question.",
    ),
    _enum(
        "incident",
        Lacks,
        "none",
        "none",
        "Whether it reports a critical incident, with everything that one must carry or not.",
    ),
    _flag(
        "repeat", False, False, "The account already has an open ticket about the same incident."
    ),
    _flag(
        "spent",
        False,
        True,
        "The destination has had its share of automatic mail; this suppresses the reply, never "
        "the outcome.",
    ),
    _enum("office", Office, "open", "closed", "Office hours at the moment of the mail."),
    _enum("standing", Standing, "active", "suspended", "The state of the author's account."),
    _flag(
        "scope",
        True,
        False,
        "This address may speak about the department of the mail, and of the ticket that it "
        "continues.",
    ),
    _flag(
        "unnamed",
        False,
        False,
        "It begins something about one of the account's several services, and does not say "
        "which; an incident is asked for that anyway.",
    ),
)

VOCABULARY: dict[str, Fact] = {fact.name: fact for fact in _ALL}

# What a decision answered inside the SMTP dialogue may depend on. `office` is not among them,
# nor are the words of the mail: the reply is settled before they are looked at.
EARLY: frozenset[str] = frozenset(fact.name for fact in _ALL if fact.early)

_USUAL: dict[str, Value] = {fact.name: fact.usual for fact in _ALL}
_WORSE: dict[str, Value] = {fact.name: fact.worse for fact in _ALL}
_READERS: tuple[tuple[str, dict[Any, Value], bool], ...] = tuple(
    (fact.name, {value: value for value in fact.values}, isinstance(fact.usual, bool))
    for fact in _ALL
)


def facts(situation: Situation, signals: Signals = ()) -> Facts:
    """The facts of a situation; `signals` were computed outside, where RE2 and lists are."""
    account = situation.sender.account
    suspended = account is not None and account.suspended
    return Facts(
        sender=situation.sender.kind,
        proof=situation.proof.level,
        ticket=situation.reference.match,
        token=situation.reference.token or situation.reference.staff_token,
        service=situation.incident.match,
        request=situation.request.kind,
        listener=situation.envelope.listener,
        dmarc=_asks(situation.evidence),
        own_domain=situation.evidence.own_domain,
        automatic=situation.mail.automatic,
        knowledge=situation.knowledge.confidence,
        incident=_lacks(situation.incident),
        repeat=situation.repeat is not None,
        spent=situation.spent,
        office=Office.OPEN if situation.hours.open else Office.CLOSED,
        standing=Standing.SUSPENDED if suspended else Standing.ACTIVE,
        scope=situation.scope,
        unnamed=situation.unnamed,
        signals=signals,
    )


def early(
    envelope: Envelope, evidence: Evidence, proof: Proof, mail: Mail, signals: Signals = ()
) -> Early:
    """The facts that need no account. `signals` are those that need none either."""
    return Early(
        proof=proof.level,
        listener=envelope.listener,
        dmarc=_asks(evidence),
        own_domain=evidence.own_domain,
        automatic=mail.automatic,
        signals=signals,
    )


def completed(part: Early) -> Facts:
    """Early facts with the worse value for each fact that is not known yet."""
    known: dict[str, Any] = {name: getattr(part, name) for name in EARLY}
    rest: dict[str, Any] = {fact.name: fact.worse for fact in _ALL if not fact.early}
    return Facts(**known, **rest, signals=part.signals)


def as_dict(of: Facts) -> dict[str, Value]:
    """Plain words, for JSON; signals follow under their own names."""
    plain: dict[str, Value] = {}
    for name in VOCABULARY:
        value = getattr(of, name)
        plain[name] = value if isinstance(value, bool) else str(value)
    return plain | dict(of.signals)


def from_dict(plain: Mapping[str, Value], assume: str = "worse") -> Facts:
    """Facts out of plain words. What is missing or unknown takes its `worse` or `usual` value."""
    fallback = _USUAL if assume == "usual" else _WORSE
    chosen: dict[str, Any] = {}
    for name, members, flag in _READERS:
        given = plain.get(name)
        # Booleans equal neither words nor numbers.
        known = isinstance(given, bool if flag else str) and given in members
        chosen[name] = members[given] if known else fallback[name]
    signals = tuple(
        (name, value)
        for name, value in plain.items()
        if name not in VOCABULARY and isinstance(value, bool)
    )
    return Facts(**chosen, signals=signals)


def same(value: Value, given: object) -> bool:
    """Equality in which booleans equal neither words nor numbers."""
    return isinstance(given, bool) == isinstance(value, bool) and value == given


def _asks(evidence: Evidence) -> Asks:
    policy = evidence.dmarc.policy
    return next((asks for asks in Asks if asks == policy), Asks.NONE)


def _lacks(incident: Incident) -> Lacks:
    if not incident.is_incident:
        return Lacks.NONE
    return Lacks.COMPLETE if incident.complete else Lacks.INCOMPLETE
