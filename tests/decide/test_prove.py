"""The proof of a rule file agrees with trying every situation, and names what is wrong."""

from dataclasses import replace

from hypothesis import given, settings
from policy_tables import FEW, SIGNAL, every, tables

from gateway.core.decide.never import Never
from gateway.core.decide.prove import MOST_CELLS, near_miss, prove, vocabulary_size
from gateway.core.decide.rules import (
    Rule,
    Signal,
    Table,
    Theorem,
    conditions,
    holds,
    matching,
)
from gateway.core.model import DISCLOSES, Discloses, Outcome

WALLS = (
    Never(
        "proven",
        frozenset({Outcome.THREAD, Outcome.OPEN}),
        (conditions({"proof": ["strong", "medium"]}), conditions({"ticket": ["own"]})),
        "Only proven, or own.",
    ),
    Never(
        "early",
        frozenset({Outcome.DEFER, Outcome.REJECT}),
        ((),),
        "The door knows no ticket.",
        may_not_depend_on=("ticket", "token"),
    ),
)
SOME = (Outcome.THREAD, Outcome.OPEN, Outcome.DEFER, Outcome.REFUSE)


def outcome(table: Table, situation: dict[str, str | bool]) -> Outcome:
    rule = matching(table, situation)
    return rule.then if rule else Outcome.REFUSE


@settings(max_examples=120, deadline=None)
@given(tables(outcomes=SOME))
def test_broken_walls_are_found_exactly(table: Table) -> None:
    """A rule is blamed if and only if some situation of its own breaks the wall."""
    proved = prove(table, WALLS)
    blamed = {c.place[1] for c in proved.complaints if "never-rule `proven`" in c.message}
    broken = set()
    for situation in every(FEW):
        rule = matching(table, situation)
        if rule is None or rule.then not in WALLS[0].bars:
            continue
        if not any(holds(cube, situation) for cube in WALLS[0].unless):
            broken.add(table.rules.index(rule))
    assert blamed == broken


@settings(max_examples=120, deadline=None)
@given(tables(outcomes=SOME))
def test_what_the_door_may_not_depend_on_is_found_exactly(table: Table) -> None:
    """A complaint stands for each outcome and late fact by which it changes, and for no other."""
    proved = prove(table, WALLS)
    found = {
        (which, fact)
        for which in ("defer", "reject")
        for fact in ("ticket", "token")
        if any(f"`{which}` depends on `{fact}`" in c.message for c in proved.complaints)
    }
    expected = set()
    for situation in every(FEW):
        for which in ("defer", "reject"):
            for fact in ("ticket", "token"):
                here = outcome(table, situation) == which
                others = (
                    outcome(table, {**situation, fact: value}) == which
                    for value in table.values(fact)
                )
                if any(here != other for other in others):
                    expected.add((which, fact))
    assert found == expected


@settings(max_examples=120, deadline=None)
@given(tables())
def test_counts_and_dead_rules_agree_with_trying_every_situation(table: Table) -> None:
    """The number of situations that each rule decides is exact; a rule with none is named."""
    # Every fact is counted, so that the numbers are those of the whole small vocabulary.
    all_facts = conditions({fact: table.values(fact) for fact in FEW})
    table = replace(table, theorems=(Theorem("all", all_facts, frozenset(Outcome)),))
    proved = prove(table, ())
    counted: dict[str, int] = dict.fromkeys([rule.id for rule in table.rules] + ["default"], 0)
    for situation in every(FEW):
        rule = matching(table, situation)
        counted[rule.id if rule else "default"] += 1
    assert dict(proved.counts) == counted
    dead = {c.place[1] for c in proved.complaints if "never decides" in c.message}
    assert dead == {i for i, rule in enumerate(table.rules) if not counted[rule.id]}


@settings(max_examples=120, deadline=None)
@given(tables())
def test_theorems_fail_exactly_where_a_situation_breaks_them(table: Table) -> None:
    """A theorem fails if and only if one situation does, and the example is such a one."""
    proved = prove(table, ())
    failing = {c.place[1]: c for c in proved.complaints if c.place[0] == "test"}
    for index, theorem in enumerate(table.theorems):
        breaking = [
            situation
            for situation in every(FEW)
            if holds(theorem.given, situation)
            and outcome(table, situation) not in theorem.outcomes
        ]
        assert (index in failing) == bool(breaking)
        if breaking:
            example = dict(failing[index].example)
            assert any(example.items() <= situation.items() for situation in breaking)


@settings(max_examples=120, deadline=None)
@given(tables())
def test_a_near_miss_fails_one_condition_and_no_other(table: Table) -> None:
    """All conditions of the rule but one hold throughout the test, and that one nowhere."""
    for rule in table.rules:
        for theorem in table.theorems:
            inside = [s for s in every(FEW) if holds(theorem.given, s)]
            one_fails = any(
                all(
                    all((s[name] in values) != (name == fact) for name, values in rule.when)
                    for s in inside
                )
                for fact, _ in rule.when
            )
            assert near_miss(rule, theorem, table) == one_fails


def test_a_theorem_may_expect_rules_and_levels() -> None:
    """`rule` and `discloses` are held as `outcome` is."""
    rule = Rule("a", conditions({"ticket": ["own"]}), Outcome.OPEN, "why")
    given_own, given_none = conditions({"ticket": ["own"]}), conditions({"ticket": ["none"]})
    right = (
        Theorem("by a", given_own, rules=frozenset({"a"})),
        Theorem("account", given_own, discloses=frozenset({Discloses.ACCOUNT})),
        Theorem("default", given_none, rules=frozenset({"default"})),
    )
    assert prove(Table((rule,), (), right), ()).sound
    wrong = replace(right[1], discloses=frozenset({Discloses.NONE}))
    proved = prove(Table((rule,), (), (*right, wrong)), ())
    assert [c.place for c in proved.complaints] == [("test", 3)]
    assert "got `open` by rule `a`" in proved.complaints[0].hint
    assert DISCLOSES[Outcome.OPEN] is Discloses.ACCOUNT


def test_signals_are_free_in_the_proof() -> None:
    """A wall must hold whatever a signal does, and a late signal may not decide the SMTP reply."""
    guarded = Rule(
        "a", conditions({"partner": [True]}), Outcome.OPEN, "only for partners, and unproven"
    )
    proved = prove(Table((guarded,), (), (), (SIGNAL,)), WALLS)
    assert any("never-rule `proven`" in c.message for c in proved.complaints)
    late = Signal("gold", early=False)
    deferring = Rule("a", conditions({"gold": [True]}), Outcome.DEFER, "why")
    proved = prove(Table((deferring,), (), (), (late,)), WALLS)
    assert any("`defer` depends on `gold`" in c.message for c in proved.complaints)
    early = replace(late, early=True)
    proved = prove(Table((deferring,), (), (), (early,)), WALLS)
    assert not any("depends on" in c.message for c in proved.complaints)


def test_a_policy_that_tells_too_much_apart_is_refused_and_not_tried() -> None:
    """The proof says so instead of filling the memory."""
    signals = tuple(Signal(f"s{i}", early=True) for i in range(30))
    assert 2 ** len(signals) > MOST_CELLS
    rules = tuple(
        Rule(f"r{i}", conditions({each.id: [True]}), Outcome.RECORD, "why")
        for i, each in enumerate(signals)
    )
    table = Table(rules, (), (), signals)
    proved = prove(table, ())
    assert [c.message.endswith("more than can be proved") for c in proved.complaints] == [True]
    assert vocabulary_size(table) == 155_520_000 * 2**30
