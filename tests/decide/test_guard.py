"""The guard, written by hand, agrees with the never-rules over the whole space."""

from dataclasses import replace
from itertools import product
from typing import cast

import pytest
from policy_tables import facts_of, values

from gateway.core.decide.facts import VOCABULARY, Facts
from gateway.core.decide.guard import allowed, guarded
from gateway.core.decide.never import NEVER
from gateway.core.decide.rules import SMTP, holds
from gateway.core.decide.space import Space
from gateway.core.model import DECISIONS, Open, Outcome, Refuse, Reject, outcome_of

NAMED = sorted({fact for wall in NEVER for cube in wall.unless for fact, _ in cube})


def walled() -> tuple[Space, dict[Outcome, int]]:
    """For each outcome the set of situations in which no wall bars it."""
    cubes = [cube for wall in NEVER for cube in wall.unless]
    space = Space(cubes, {fact: VOCABULARY[fact].values for fact in NAMED})
    free = dict.fromkeys(Outcome, space.full)
    for wall in NEVER:
        union = 0
        for cube in wall.unless:
            union |= space.where(cube)
        for outcome in wall.bars:
            free[outcome] &= union
    return space, free


def test_guard_and_never_rules_agree_over_the_whole_space() -> None:
    """In every situation and for every outcome the two independent forms say the same."""
    space, free = walled()
    seen = 0
    for chosen in product(*(values(fact) for fact in NAMED)):
        situation = dict(zip(NAMED, chosen, strict=True))
        facts = replace(USUAL, **situation)
        cell = sum(
            one.stride * next(i for i, c in enumerate(one.classes) if situation[one.fact] in c)
            for one in space.dimensions
        )
        for outcome in Outcome:
            assert allowed(facts, outcome) == bool(free[outcome] >> cell & 1), (outcome, situation)
        seen += 1
    assert seen == space.situations


USUAL = facts_of({})


@pytest.mark.parametrize("outcome", Outcome)
def test_what_a_wall_bars_becomes_a_silent_refusal(outcome: Outcome) -> None:
    """The guard lets nothing through that a wall bars, and says why to ops."""
    machine = replace(facts_of({}), automatic=VOCABULARY["automatic"].values[3])
    decided = guarded(machine, DECISIONS[outcome]("r", "b"))
    if outcome in {*SMTP, Outcome.RECORD}:
        assert outcome_of(decided) is outcome
        return
    assert isinstance(decided, Refuse)
    assert decided.reply is False
    assert decided.rule == ("r" if outcome is Outcome.REFUSE else "guard")


def test_a_decision_within_the_walls_passes_unchanged() -> None:
    """The guard hands back the very decision."""
    facts = facts_of({"sender": "primary", "proof": "strong", "scope": True})
    decision = Open("r", "b")
    assert guarded(facts, decision) is decision
    refusal = Refuse("r", "b")
    assert guarded(facts, refusal) is refusal
    reject = Reject("r", "b")
    assert guarded(facts, reject) is reject


def test_the_guard_is_total() -> None:
    """Facts that are none at all are refused, not raised."""
    nothing = cast(Facts, object())
    for decision in (Open("r", "b"), Refuse("r", "b")):
        decided = guarded(nothing, decision)
        assert isinstance(decided, Refuse)
        assert decided.reply is False


def test_an_unknown_value_counts_for_nothing() -> None:
    """A truthy value that is no member of the vocabulary opens no wall."""
    facts = facts_of({"sender": "primary", "proof": "strong", "scope": True})
    for field in ("proof", "sender", "ticket", "automatic"):
        odd = replace(facts, **{field: "yes"})
        assert isinstance(guarded(odd, Open("r", "b")), Refuse)
    assert isinstance(guarded(replace(facts, scope=1), Open("r", "b")), Refuse)


def test_never_rules_are_told_in_whole_sentences_and_once() -> None:
    """Ids are unique, and every sentence ends with a full stop."""
    assert len({wall.id for wall in NEVER}) == len(NEVER)
    for wall in NEVER:
        assert wall.sentence.endswith(".")
        assert wall.bars
        assert all(holds(cube, dict(as_first(cube))) for cube in wall.unless)


def as_first(cube: tuple[tuple[str, frozenset[str | bool]], ...]) -> list[tuple[str, str | bool]]:
    return [(fact, next(iter(chosen))) for fact, chosen in cube]
