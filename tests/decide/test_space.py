"""Bit sets over situations say what counting one by one says."""

from hypothesis import given, settings
from hypothesis import strategies as st
from policy_tables import FEW, conditions_over, every, values

from gateway.core.decide.rules import Conditions, conditions, holds
from gateway.core.decide.space import Space

NAMED = {name: values(name) for name in FEW}
CUBE = conditions_over(FEW)


def brute(space: Space, when: Conditions) -> int:
    told = tuple(one.fact for one in space.dimensions)
    return sum(holds_within(when, situation, told) for situation in every(told))


def holds_within(
    when: Conditions, situation: dict[str, str | bool], told: tuple[str, ...]
) -> bool:
    return holds(tuple(each for each in when if each[0] in told), situation)


@settings(max_examples=150, deadline=None)
@given(st.lists(CUBE, min_size=1, max_size=4), st.lists(st.sampled_from(FEW), max_size=2))
def test_sets_hold_exactly_the_situations_of_their_conditions(
    cubes: list[Conditions], counted: list[str]
) -> None:
    """Counts, unions and complements agree with counting one by one."""
    space = Space(cubes, NAMED, counted)
    told = tuple(one.fact for one in space.dimensions)
    assert set(counted) <= set(told)
    assert space.situations == len(list(every(told)))
    union = 0
    for cube in cubes:
        assert space.count(space.where(cube)) == brute(space, cube)
        union |= space.where(cube)
    some = sum(any(holds_within(c, s, told) for c in cubes) for s in every(told))
    assert space.count(union) == some
    assert space.count(space.full & ~union) == space.situations - some


@settings(max_examples=100, deadline=None)
@given(st.lists(CUBE, min_size=1, max_size=4))
def test_an_example_lies_in_its_set(cubes: list[Conditions]) -> None:
    """The example of a set fulfils the conditions that made it."""
    space = Space(cubes, NAMED)
    told = tuple(one.fact for one in space.dimensions)
    for cube in cubes:
        assert holds_within(cube, space.example(space.where(cube)), told)


@settings(max_examples=100, deadline=None)
@given(st.lists(CUBE, min_size=1, max_size=3), st.sampled_from(FEW))
def test_a_set_is_sensitive_to_a_fact_exactly_when_a_change_leads_out(
    cubes: list[Conditions], fact: str
) -> None:
    """`sensitive` finds the groups in which another value of one fact changes the answer."""
    space = Space(cubes, NAMED)
    told = tuple(one.fact for one in space.dimensions)
    bits = 0
    for cube in cubes:
        bits |= space.where(cube)

    def inside(situation: dict[str, str | bool]) -> bool:
        return any(holds_within(cube, situation, told) for cube in cubes)

    moves = any(
        inside(situation) != inside({**situation, fact: value})
        for situation in every(told)
        for value in values(fact)
        if fact in told
    )
    assert bool(space.sensitive(bits, fact)) == moves


def test_values_that_nothing_tells_apart_share_a_cell() -> None:
    """Facts that nothing names are left out, and equal values are one class."""
    space = Space([conditions({"proof": ["strong", "medium"]})], NAMED)
    assert [one.fact for one in space.dimensions] == ["proof"]
    assert space.cells == 2
    assert space.situations == 5
    assert space.count(space.where(conditions({"proof": ["strong", "medium"]}))) == 2
