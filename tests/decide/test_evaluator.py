"""The compiled function decides as the rules read, whatever the rules."""

from dataclasses import replace
from typing import cast

from hypothesis import given, settings
from policy_tables import FEW, SIGNAL, every, facts_of, tables

from gateway.core.decide import evaluator, policy
from gateway.core.decide.facts import Asks, Early, Facts
from gateway.core.decide.guard import guarded
from gateway.core.decide.replay import Replay
from gateway.core.decide.rules import Notice, Rule, Signal, Table, conditions
from gateway.core.model import (
    Automatic,
    Defer,
    Listener,
    Open,
    Outcome,
    ProofLevel,
    Refuse,
    Reject,
    outcome_of,
)


@settings(max_examples=100, deadline=None)
@given(tables(signals=(SIGNAL,)))
def test_the_compiled_function_equals_plain_reading(table: Table) -> None:
    """Rule, outcome and notices are the same in every situation, with and without the signal."""
    compiled = policy.compile(table)
    for situation in every(FEW):
        facts = facts_of(situation)
        for signals in ((), (("partner", False),), (("partner", True),)):
            here = replace(facts, signals=signals)
            plainly = replace(here, signals=signals or (("partner", False),))
            assert policy.decide(compiled, here) == policy.read_plainly(table, plainly)


@settings(max_examples=30, deadline=None)
@given(tables(signals=(SIGNAL,)))
def test_rules_in_order_equal_the_tree(table: Table) -> None:
    """The fallback for very large rule files decides the same."""
    writer = evaluator._Writer(table)
    writer.define("decide", writer.chain())
    exec(compile(writer.source, "chain", "exec"), writer.names)
    tree = evaluator.compiled(table)
    for situation in every(FEW):
        facts = replace(facts_of(situation), signals=(("partner", True),))
        assert writer.names["decide"](facts) == tree(facts)


def test_a_rule_file_too_large_for_a_tree_is_read_in_order() -> None:
    """The tree is given up at its bound, and the decisions stay right."""
    signals = tuple(Signal(f"s{i}", early=True) for i in range(26))
    rules = tuple(
        Rule(f"r{i}", conditions({f"s{i}": [True], f"s{i + 13}": [True]}), Outcome.RECORD, "why")
        for i in range(13)
    )
    table = Table(rules, (), (), signals)
    compiled = policy.compile(table)
    facts = facts_of({})
    assert policy.decide(compiled, facts).rule == "default"
    on = tuple((f"s{i}", i in (4, 17, 5)) for i in range(26))
    assert policy.decide(compiled, replace(facts, signals=on)).rule == "r4"


def test_nothing_matching_is_refused_and_silently_for_machines() -> None:
    """The default answers no automatic mail."""
    empty = policy.compile(Table(()))
    assert policy.decide(empty, facts_of({})) == Refuse("default", "no rule matches", reply=True)
    machine = policy.decide(empty, facts_of({"automatic": "bounce"}))
    assert isinstance(machine, Refuse)
    assert machine.reply is False


def test_an_error_while_deciding_refuses_in_silence() -> None:
    """Facts that are none at all do not raise, and disclose nothing."""
    broken = policy.compile(
        Table((Rule("a", conditions({"proof": ["none"]}), Outcome.OPEN, "w"),))
    )
    nothing = cast(Facts, object())
    decided = policy.decide(broken, nothing)
    assert isinstance(decided, Refuse)
    assert decided.reply is False


def test_a_value_outside_the_vocabulary_takes_the_worse_branch() -> None:
    """A defect in making facts cannot open what the worse value would not."""
    rule = Rule("a", conditions({"proof": ["strong", "medium"]}), Outcome.OPEN, "why")
    compiled = policy.compile(Table((rule,)))
    odd = replace(facts_of({}), proof="excellent")
    assert isinstance(policy.decide(compiled, odd), Refuse)


def test_notices_are_added_to_replies_about_accounts_alone() -> None:
    """Public and constant texts stay the same for everybody."""
    notices = (
        Notice("closed", conditions({"office": ["closed"]}), "out_of_hours"),
        Notice("held", conditions({"standing": ["suspended"]}), "suspended"),
    )
    rules = (
        Rule("a", conditions({"ticket": ["own"]}), Outcome.OPEN, "why"),
        Rule("b", (), Outcome.ANSWER, "why"),
    )
    compiled = policy.compile(Table(rules, notices))
    closed = {"office": "closed", "standing": "suspended"}
    own = policy.decide(compiled, facts_of({"ticket": "own", **closed}))
    assert own.notices == ("out_of_hours", "suspended")
    assert policy.decide(compiled, facts_of({"ticket": "own"})).notices == ()
    assert policy.decide(compiled, facts_of(closed)).notices == ()


def test_settling_gives_defer_reject_or_nothing() -> None:
    """Only what belongs into the SMTP dialogue is settled before accounts are read."""
    rules = (
        Rule("a", conditions({"proof": ["temperror"]}), Outcome.DEFER, "why"),
        Rule("b", conditions({"dmarc": ["reject"]}), Outcome.REJECT, "why"),
        Rule("c", (), Outcome.RECORD, "why"),
    )
    compiled = policy.compile(Table(rules))
    early = Early(ProofLevel.TEMPERROR, Listener.EDGE, Asks.NONE, False, Automatic.NO)
    assert isinstance(policy.settle(compiled, early), Defer)
    early = replace(early, proof=ProofLevel.FAIL, dmarc=Asks.REJECT)
    assert isinstance(policy.settle(compiled, early), Reject)
    assert policy.settle(compiled, replace(early, dmarc=Asks.NONE)) is None


def test_explaining_names_the_first_fact_that_fails() -> None:
    """Each rule up to the one that decides, with the value and what was wanted."""
    rules = (
        Rule("a", conditions({"proof": ["strong"], "ticket": ["own"]}), Outcome.OPEN, "why"),
        Rule("b", conditions({"token": [True]}), Outcome.RECORD, "why"),
        Rule("c", (), Outcome.RECORD, "why"),
    )
    steps = policy.explain(Table(rules), facts_of({"proof": "strong", "ticket": "none"}))
    assert [(s.rule, s.matched, s.fact, s.value, s.wanted) for s in steps] == [
        ("a", False, "ticket", "none", "own"),
        ("b", False, "token", "false", "true"),
        ("c", True, None, None, None),
    ]
    assert policy.explain(Table(rules[:1]), facts_of({}))[-1].rule == "default"


def test_the_digest_says_what_decides_and_nothing_else() -> None:
    """A test or a place does not change the digest; a condition, an effect or the order does."""
    one = Rule("a", conditions({"proof": ["strong"]}), Outcome.OPEN, "why", where="x:1:1")
    two = Rule("b", (), Outcome.RECORD, "why")
    digest = policy.digest(Table((one, two)))
    assert digest == policy.digest(Table((replace(one, where="y:2:2"), two)))
    assert digest != policy.digest(Table((two, one)))
    assert digest != policy.digest(Table((replace(one, then=Outcome.RECORD), two)))
    assert digest != policy.digest(Table((replace(one, when=()), two)))


def test_a_replay_decides_stored_facts_behind_the_guard() -> None:
    """Missing facts count as their worse value, and an unsound rule still discloses nothing."""
    unsound = policy.compile(Table((Rule("a", (), Outcome.OPEN, "why"),)))
    again = Replay(unsound)
    assert outcome_of(again.decide({"sender": "primary"})) is Outcome.REFUSE
    whole = {"sender": "primary", "proof": "strong", "ticket": "none", "service": "none"}
    whole |= {"automatic": "no", "scope": True}
    decided = again.decide(whole)
    assert isinstance(decided, Open)
    assert again.decide(dict(whole)) is decided
    assert guarded(facts_of({}), decided).rule == "guard"
