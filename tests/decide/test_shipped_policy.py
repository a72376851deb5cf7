"""The shipped tables: sound, current in the docs, and as the designs of sender and tickets say."""

from collections import Counter
from pathlib import Path

import pytest

from gateway import load
from gateway.core.decide import pages, policy
from gateway.core.decide.facts import Asks, Early, Facts, from_dict
from gateway.core.decide.guard import guarded
from gateway.core.model import (
    Automatic,
    Decision,
    Defer,
    Listener,
    Outcome,
    ProofLevel,
    Reject,
    RequestKind,
    outcome_of,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shipped() -> load.Policies:
    return load.load_policies(ROOT / "policies")


def facts(**named: str | bool) -> Facts:
    return from_dict(named, assume="usual")


def decided(shipped: load.Policies, **named: str | bool) -> Decision:
    here = facts(**named)
    return guarded(here, policy.decide(shipped.disclosure.policy, here))


CUSTOMER: dict[str, str | bool] = {"sender": "primary", "proof": "strong"}
STRANGER: dict[str, str | bool] = {"sender": "unknown", "proof": "strong"}


def test_the_shipped_policy_is_sound(shipped: load.Policies) -> None:
    """It breaks no wall, its tests hold, no rule is dead, no test is missing."""
    assert shipped.proved.complaints == ()
    assert shipped.proved.situations > 1_000_000


def test_every_outcome_is_used(shipped: load.Policies) -> None:
    """What the product can do, the shipped rules do."""
    assert {rule.then for rule in shipped.disclosure.policy.rules} == set(Outcome)


def test_no_rule_leaves_a_mail_to_the_default(shipped: load.Policies) -> None:
    """Every situation has a rule of its own."""
    assert dict(shipped.proved.counts)["default"] == 0


@pytest.mark.parametrize(
    ("named", "outcome"),
    [
        # sender-auth: the level of proof
        ({**CUSTOMER, "proof": "temperror"}, "defer"),
        ({**STRANGER, "proof": "temperror"}, "defer"),
        ({**CUSTOMER, "proof": "medium"}, "open"),
        ({**CUSTOMER, "proof": "medium", "ticket": "own"}, "thread"),
        ({**CUSTOMER, "proof": "none"}, "hold"),
        ({**CUSTOMER, "proof": "fail"}, "hold"),
        ({**CUSTOMER, "proof": "fail", "dmarc": "reject"}, "reject"),
        ({**STRANGER, "proof": "fail", "dmarc": "reject"}, "reject"),
        ({**CUSTOMER, "proof": "fail", "dmarc": "reject", "listener": "relay"}, "hold"),
        ({**CUSTOMER, "proof": "fail", "dmarc": "quarantine"}, "hold"),
        ({"sender": "staff", "proof": "medium", "own_domain": True}, "reject"),
        ({"sender": "unknown", "proof": "none", "own_domain": True}, "reject"),
        (
            {"sender": "unknown", "proof": "none", "own_domain": True, "listener": "relay"},
            "record",
        ),
        ({"sender": "staff", "proof": "strong", "own_domain": True, "token": True}, "staff"),
        # customers
        ({**CUSTOMER, "ticket": "own", "request": "reply"}, "thread"),
        ({**CUSTOMER, "ticket": "own", "request": "thanks"}, "thread"),
        ({**CUSTOMER, "request": "change"}, "panel"),
        ({**CUSTOMER, "request": "billing"}, "open"),
        ({**CUSTOMER, "request": "general", "knowledge": "sure"}, "answer"),
        ({**CUSTOMER, "request": "general", "knowledge": "weak"}, "open"),
        ({**CUSTOMER, "request": "incident", "incident": "incomplete"}, "ask"),
        ({**CUSTOMER, "request": "incident", "incident": "complete", "service": "own"}, "open"),
        ({**CUSTOMER, "request": "incident", "incident": "complete", "repeat": True}, "thread"),
        ({**CUSTOMER, "request": "confirm"}, "confirm"),
        ({**CUSTOMER, "request": "thanks"}, "record"),
        ({**CUSTOMER, "ticket": "other"}, "refuse"),
        ({**CUSTOMER, "service": "other", "request": "account"}, "refuse"),
        ({**CUSTOMER, "scope": False}, "hold"),
        ({**CUSTOMER, "automatic": "auto-reply", "ticket": "own"}, "record"),
        ({**CUSTOMER, "sender": "ambiguous"}, "sort"),
        # strangers
        ({**STRANGER, "request": "general", "knowledge": "sure"}, "answer"),
        ({**STRANGER, "request": "general"}, "enquiry"),
        ({**STRANGER, "request": "account"}, "refuse"),
        ({**STRANGER, "token": True, "ticket": "other", "request": "reply"}, "refuse"),
        ({**STRANGER, "proof": "none", "request": "general", "knowledge": "sure"}, "refuse"),
        ({**STRANGER, "ticket": "own", "request": "reply"}, "enquiry"),
        # whoever writes
        ({**STRANGER, "request": "abuse"}, "enquiry"),
        ({**STRANGER, "proof": "none", "request": "data-rights"}, "enquiry"),
        ({**CUSTOMER, "request": "data-rights"}, "open"),
        ({"sender": "staff", "proof": "strong", "request": "general"}, "refuse"),
    ],
)
def test_what_the_shipped_policy_decides(
    shipped: load.Policies, named: dict[str, str | bool], outcome: str
) -> None:
    """The designs, case by case."""
    assert outcome_of(decided(shipped, **named)) == outcome


def test_high_is_given_to_a_complete_incident_about_an_own_service_alone(
    shipped: load.Policies,
) -> None:
    """Nothing else moves ahead in the queue."""
    critical = decided(shipped, **CUSTOMER, request="incident", incident="complete", service="own")
    assert critical.priority == "high"
    assert [rule.id for rule in shipped.disclosure.policy.rules if rule.priority] == ["critical"]


def test_an_unproven_report_is_filed_without_an_answer(shipped: load.Policies) -> None:
    """No backscatter for reports of abuse either."""
    assert decided(shipped, sender="unknown", proof="none", request="abuse").reply is False


def test_the_door_says_the_same_whoever_is_registered(shipped: load.Policies) -> None:
    """What is settled before accounts are read is what would be decided after, for everybody."""
    for level in ProofLevel:
        for asks in Asks:
            for listener in Listener:
                for own in (False, True):
                    early = Early(level, listener, asks, own, Automatic.NO)
                    settled = policy.settle(shipped.disclosure.policy, early)
                    outcomes = {
                        outcome_of(
                            decided(
                                shipped,
                                sender=sender,
                                ticket=ticket,
                                proof=level.value,
                                dmarc=asks.value,
                                listener=listener.value,
                                own_domain=own,
                            )
                        )
                        for sender in ("unknown", "primary", "ambiguous", "staff")
                        for ticket in ("none", "own", "other")
                    }
                    if settled is None:
                        assert not outcomes & {Outcome.DEFER, Outcome.REJECT}
                    else:
                        assert isinstance(settled, Defer | Reject)
                        assert outcomes == {outcome_of(settled)}


def test_out_of_hours_is_said_in_replies_about_accounts_alone(shipped: load.Policies) -> None:
    """The paragraph is added to a receipt, and never to a public or constant text."""
    assert decided(shipped, **CUSTOMER, office="closed").notices == ("out_of_hours",)
    assert decided(shipped, **STRANGER, office="closed").notices == ()
    closed = decided(shipped, **STRANGER, office="closed", knowledge="sure")
    assert closed.notices == ()


def test_routing_as_shipped(shipped: load.Policies) -> None:
    """Departments, hours, first replies and caps are those of the desk's documents."""
    routing = shipped.routing
    ids = [department.id for department in routing.departments]
    assert ids == ["technical", "financial", "commercial", "abuse", "general"]
    assert all(set(each.names) == {"it", "en", "de", "fr", "es"} for each in routing.departments)
    assert sorted(routing.office.days) == [0, 1, 2, 3, 4]
    assert (routing.office.timezone, routing.office.country) == ("Europe/Rome", "IT")
    assert (routing.due_panel, routing.due_mail) == (10, 30)
    assert routing.coalescing.total_seconds() == 48 * 3600
    assert routing.reopening is None
    caps = routing.caps
    assert (caps.unproven, caps.medium, caps.strong, caps.author, caps.domain) == (1, 5, 50, 3, 20)
    assert (
        routing.department_for(["support@host.example", "billing+x@host.example"]) == "financial"
    )
    assert routing.department_for(["support@host.example"]) is None
    assert routing.department_of_request(RequestKind.ABUSE) == "abuse"
    assert routing.speaks(("billing",), "financial")
    assert not routing.speaks(("billing",), "technical")
    assert routing.speaks((), "technical")


def test_each_request_goes_to_one_department(shipped: load.Policies) -> None:
    """No kind of request is left without a desk, or has two."""
    found = Counter(kind for each in shipped.routing.departments for kind in each.requests)
    assert found == Counter(RequestKind)


def test_phrases_cover_every_language_for_what_must_not_be_missed(shipped: load.Policies) -> None:
    """Abuse, data rights, incidents and changes have strong phrases in all five languages."""
    for kind in (
        RequestKind.ABUSE,
        RequestKind.DATA_RIGHTS,
        RequestKind.INCIDENT,
        RequestKind.CHANGE,
    ):
        assert set(shipped.requests.strong[kind]) == {"it", "en", "de", "fr", "es"}
    assert set(shipped.requests.order) == set(RequestKind)


@pytest.mark.parametrize(
    ("name", "page"), [("facts.md", pages.facts_page), ("never.md", pages.never_page)]
)
def test_generated_pages_are_current(name: str, page: object) -> None:
    """`make docs` has nothing to change."""
    assert callable(page)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page()


def test_everything_that_is_shipped_loads_together() -> None:
    """Policies, templates and articles are right, and name each other rightly."""
    loaded = load.load(ROOT / "policies", ROOT / "templates", ROOT / "knowledge")
    assert loaded.policy.digest == load.read_disclosure(ROOT / "policies").policy.digest
    assert load.discloses_more(loaded, loaded) == ""
