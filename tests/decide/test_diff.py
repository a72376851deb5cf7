"""The difference of two rule files is exact."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from policy_tables import FEW, SIGNAL, every, facts_of, tables

from gateway.core.decide.diff import compare
from gateway.core.decide.guard import guarded
from gateway.core.decide.policy import read_plainly
from gateway.core.decide.rules import Notice, Rule, Signal, Table, conditions
from gateway.core.model import DISCLOSES, Discloses, Outcome, outcome_of

LEVELS = list(Discloses)
# Automatic mail is never answered, so that what the guard silences is no difference.
BY_HAND = ("proof", "ticket", "token")


@settings(max_examples=150, deadline=None)
@given(tables(names=BY_HAND), tables(names=BY_HAND))
def test_a_difference_agrees_with_trying_every_situation(old: Table, new: Table) -> None:
    """Counts, pairs of rules, and what discloses more are those of brute force."""
    difference = compare(old, new)
    told = {fact for t in (old, new) for r in (*t.rules, *t.notices) for fact, _ in r.when}
    found: Counter[tuple[str, str]] = Counter()
    more = 0
    for situation in every(BY_HAND):
        facts = facts_of(situation)
        was, becomes = read_plainly(old, facts), read_plainly(new, facts)
        same = (type(was), was.reply, set(was.notices)) == (
            type(becomes),
            becomes.reply,
            set(becomes.notices),
        )
        if not same:
            found[was.rule, becomes.rule] += 1
            levels = [LEVELS.index(DISCLOSES[outcome_of(d)]) for d in (was, becomes)]
            more += levels[1] > levels[0]
    total = len(list(every(BY_HAND)))
    # Facts that change nothing are not part of the compared space.
    unnamed = total // difference.situations
    said = {(c.old_rule, c.new_rule): c.situations * unnamed for c in difference.changes}
    assert total % difference.situations == 0
    assert said == dict(found)
    assert difference.disclosing_more * unnamed == more
    assert set(BY_HAND) >= told


@settings(max_examples=60, deadline=None)
@given(tables(names=BY_HAND), tables(names=BY_HAND))
def test_an_example_shows_its_change(old: Table, new: Table) -> None:
    """The example of a change is decided by the two rules that it names."""
    for change in compare(old, new).changes:
        facts = facts_of(dict(change.example))
        assert read_plainly(old, facts).rule == change.old_rule
        assert read_plainly(new, facts).rule == change.new_rule


@settings(max_examples=40, deadline=None)
@given(tables(names=FEW, signals=(SIGNAL,)))
def test_a_file_does_not_differ_from_itself(table: Table) -> None:
    """Nothing changes, and a mere renaming of rules is no change either."""
    renamed = replace(table, rules=tuple(replace(r, id=f"x-{r.id}") for r in table.rules))
    assert compare(table, table).changes == ()
    assert compare(table, renamed).changes == ()


def test_signals_of_one_name_and_two_definitions_are_two() -> None:
    """A list that was changed may change every mail that it named before or names now."""
    rule = Rule("a", conditions({"partner": [True]}), Outcome.RECORD, "why")
    old = Table((rule,), (), (), (Signal("partner", True, "domain_in=['a']"),))
    new = Table((rule,), (), (), (Signal("partner", True, "domain_in=['b']"),))
    difference = compare(old, new)
    assert {(c.old, c.new) for c in difference.changes} == {
        (Outcome.RECORD, Outcome.REFUSE),
        (Outcome.REFUSE, Outcome.RECORD),
    }
    assert (difference.changed, difference.situations) == (2, 4)


def test_a_notice_alone_is_a_change_that_discloses_no_more() -> None:
    """Another paragraph is told, and told apart from another outcome."""
    rule = Rule("a", (), Outcome.OPEN, "why")
    notice = Notice("n", conditions({"office": ["closed"]}), "out_of_hours")
    difference = compare(Table((rule,)), Table((rule,), (notice,)))
    assert [(c.old, c.new, c.situations) for c in difference.changes] == [
        (Outcome.OPEN, Outcome.OPEN, 1)
    ]
    assert difference.disclosing_more == 0
    silent = replace(rule, then=Outcome.REFUSE)
    assert compare(Table((silent,)), Table((silent,), (notice,))).changes == ()


def test_what_discloses_more_is_said_by_level() -> None:
    """From refuse to answer is more, and back is not."""
    refuse, answer = (
        Table((Rule("a", (), then, "why"),)) for then in (Outcome.REFUSE, Outcome.ANSWER)
    )
    assert compare(refuse, answer).disclosing_more == 1
    assert compare(answer, refuse).disclosing_more == 0
    facts = facts_of({"proof": "strong"})
    assert guarded(facts, read_plainly(answer, facts)).rule == "a"


def test_too_large_a_difference_says_so() -> None:
    """Nothing is compared by halves."""
    signals = tuple(Signal(f"s{i}", early=True) for i in range(30))
    rules = tuple(
        Rule(f"r{i}", conditions({f"s{i}": [True]}), Outcome.RECORD, "why") for i in range(30)
    )
    assert compare(Table(rules, (), (), signals), Table(())).too_large
