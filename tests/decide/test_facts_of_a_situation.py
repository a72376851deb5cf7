"""Facts are read off a situation, and signals and shadow policies off a mail."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.core.decide import facts as vocabulary
from gateway.core.decide import policy
from gateway.core.decide.facts import Asks, Lacks, Office, Standing
from gateway.core.model import (
    Account,
    Address,
    Arc,
    Automatic,
    Confidence,
    Dmarc,
    DmarcResult,
    Envelope,
    Evidence,
    Hours,
    Incident,
    Knowledge,
    Listener,
    OfficialAddress,
    Open,
    Proof,
    ProofLevel,
    Record,
    Reference,
    Registration,
    Request,
    RequestKind,
    Role,
    Sender,
    SenderKind,
    Service,
    Situation,
    Spf,
    SpfResult,
    TicketMatch,
)
from gateway.load import Loaded, discloses_more, read_disclosure
from gateway.load.signals import Compiled, Seen, compute

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ACCOUNT = Account("A-1", "Name", "it", False, OfficialAddress("a@b.example", "A-1"))
EVIDENCE = Evidence(
    Spf(SpfResult.PASS, "b.example"), (), Dmarc(DmarcResult.PASS, True, "reject"), Arc()
)


@dataclass(frozen=True)
class FakeMail:
    """The fields of a mail that facts and signals look at."""

    subject: str = "Domanda"
    new_text: str = "Come si fa?"
    language: str = "it"
    automatic: Automatic = Automatic.NO
    attachments: tuple[object, ...] = ()


@dataclass(frozen=True)
class FakeCandidates:
    """The services of the author's account."""

    services: tuple[Service, ...] = (Service("A-1", "vps-1", "vps", "123456"),)


@dataclass(frozen=True)
class FakeSituation:
    """The fields that facts and signals look at."""

    envelope: Envelope
    author: Address
    mail: FakeMail
    evidence: Evidence
    proof: Proof
    sender: Sender
    reference: Reference
    request: Request
    incident: Incident
    knowledge: Knowledge
    hours: Hours
    candidates: FakeCandidates
    repeat: object
    spent: bool
    scope: bool
    unnamed: bool
    department: str
    raw: bytes


# A proven customer's general question.
PLAIN = FakeSituation(
    envelope=Envelope(None, None, "", ("s@h.example",), Listener.RELAY, NOW),
    author=Address("a", "b.example"),
    mail=FakeMail(),
    evidence=EVIDENCE,
    proof=Proof(ProofLevel.MEDIUM, ()),
    sender=Sender(SenderKind.PRIMARY, Registration(ACCOUNT, Role.PRIMARY, (), NOW)),
    reference=Reference(TicketMatch.NONE),
    request=Request(RequestKind.GENERAL, ()),
    incident=Incident(),
    knowledge=Knowledge(Confidence.WEAK),
    hours=Hours(False, NOW),
    candidates=FakeCandidates(),
    repeat=None,
    spent=True,
    scope=True,
    unnamed=True,
    department="general",
    raw=b"x" * 10,
)


def facts(**changes: Any) -> vocabulary.Facts:
    return vocabulary.facts(cast(Situation, replace(PLAIN, **changes)))


def test_every_fact_is_read_from_its_own_place() -> None:
    """One proven customer's question, fact by fact."""
    assert vocabulary.as_dict(facts()) == {
        "sender": "primary",
        "proof": "medium",
        "ticket": "none",
        "token": False,
        "service": "none",
        "request": "general",
        "listener": "relay",
        "dmarc": "reject",
        "own_domain": False,
        "automatic": "no",
        "knowledge": "weak",
        "incident": "none",
        "repeat": False,
        "spent": True,
        "office": "closed",
        "standing": "active",
        "scope": True,
        "unnamed": True,
    }


def test_standing_is_the_accounts_and_active_without_one() -> None:
    """Only an account can be suspended."""
    suspended = replace(ACCOUNT, suspended=True)
    sender = Sender(SenderKind.PRIMARY, Registration(suspended, Role.PRIMARY, (), NOW))
    assert facts(sender=sender).standing is Standing.SUSPENDED
    assert facts(sender=Sender(SenderKind.UNKNOWN)).standing is Standing.ACTIVE


@pytest.mark.parametrize(
    ("incident", "said"),
    [
        (Incident(), Lacks.NONE),
        (Incident(is_incident=True), Lacks.COMPLETE),
        (Incident(is_incident=True, missing=("zone",)), Lacks.INCOMPLETE),
        (Incident(missing=("zone",)), Lacks.NONE),
    ],
)
def test_an_incident_is_complete_when_nothing_is_missing(incident: Incident, said: Lacks) -> None:
    """Gaps count only in an incident."""
    assert facts(incident=incident).incident is said


def test_a_staff_token_is_a_token() -> None:
    """What the rule for staff asks for is either kind."""
    assert facts(reference=Reference(TicketMatch.NONE, staff_token=True)).token is True
    assert facts(reference=Reference(TicketMatch.OTHER, token=True)).token is True


def test_a_missing_or_odd_dmarc_policy_asks_for_nothing() -> None:
    """Only `quarantine` and `reject` ask for something."""
    for asked in (None, "none", "odd"):
        dmarc = replace(EVIDENCE.dmarc, policy=asked)
        assert facts(evidence=replace(EVIDENCE, dmarc=dmarc)).dmarc is Asks.NONE


def test_early_facts_are_those_of_the_whole() -> None:
    """What settles the SMTP reply is read from the same places."""
    whole = PLAIN
    early = vocabulary.early(
        whole.envelope, whole.evidence, whole.proof, cast(Any, whole.mail), (("s", True),)
    )
    completed = vocabulary.completed(early)
    for name in vocabulary.EARLY:
        assert getattr(completed, name) == getattr(facts(), name)
    assert completed.signals == (("s", True),)
    assert completed.office is Office.CLOSED


# ---- signals and the shadow

LATE = """
[[signal]]
id = "named"
account_in = ["A-1"]

[[signal]]
id = "vps"
service_kind_in = ["vps"]

[[signal]]
id = "desk"
department_in = ["general"]

[[rule]]
id = "all"
then = "record"
why = "Everything is kept."
"""


@pytest.fixture
def late(tmp_path: Path) -> tuple[Compiled, ...]:
    path = tmp_path / "disclosure.toml"
    path.write_text(LATE)
    return read_disclosure(path).compiled


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, (True, True, True)),
        ({"sender": Sender(SenderKind.UNKNOWN)}, (False, False, True)),
        ({"department": "abuse"}, (True, True, False)),
        ({"candidates": FakeCandidates(())}, (True, False, True)),
    ],
)
def test_late_signals_look_at_the_account(
    late: tuple[Compiled, ...], changes: dict[str, Any], said: tuple[bool, ...]
) -> None:
    """Account, kinds of its services, and department."""
    situation = cast(Situation, replace(PLAIN, **changes))
    seen = Seen(situation.author, situation.envelope, situation.mail, 10, situation)
    assert tuple(value for _, value in compute(late, seen)) == said


def test_a_signal_that_fails_is_false(late: tuple[Compiled, ...]) -> None:
    """A defect in computing one does not keep a mail from being decided."""
    seen = Seen(cast(Address, None), PLAIN.envelope, cast(Any, None), 1, cast(Any, object()))
    assert {value for _, value in compute(late, seen)} == {False}


def loaded(text: str, shadow: str | None, folder: Path) -> Loaded:
    """Only what decides; templates and articles do not matter here."""
    files = {"now": text, "next": shadow or text}
    for name, written in files.items():
        (folder / f"{name}.toml").write_text(written)
    now, after = (read_disclosure(folder / f"{name}.toml") for name in files)
    rest: dict[str, Any] = dict.fromkeys(
        ("routing", "requests", "templates", "articles", "proved", "digest")
    )
    return Loaded(
        policy=now.policy,
        next=after.policy if shadow else None,
        compiled=now.compiled,
        next_compiled=after.compiled if shadow else (),
        **rest,
    )


def test_the_shadow_tells_only_what_it_would_decide_otherwise(tmp_path: Path) -> None:
    """The same rule and outcome is no difference; signals of both are computed once."""
    other = LATE.replace('then = "record"', 'then = "open"').replace('"desk"', '"desk2"')
    both = loaded(LATE, other, tmp_path)
    known = facts()
    decided = policy.decide(both.policy, known)
    assert isinstance(decided, Record)
    assert isinstance(both.shadow(known, decided), Open)
    assert both.shadow(known, Open("all", "why")) is None
    signals = both.signals(cast(Situation, PLAIN))
    assert [name for name, _ in signals] == ["named", "vps", "desk", "desk2"]
    alone = loaded(LATE, None, tmp_path)
    assert alone.shadow(known, decided) is None
    assert "`record` by `all` becomes `open` by `all`" in discloses_more(
        alone, loaded(other, None, tmp_path)
    )
