"""Rule files that nobody wrote, over a few facts, and what they are held against."""

from collections.abc import Iterator
from itertools import product

from hypothesis import strategies as st

from gateway.core.decide.facts import VOCABULARY, Facts, Value, from_dict
from gateway.core.decide.rules import Conditions, Notice, Rule, Signal, Table, Theorem, conditions
from gateway.core.model import Outcome

FEW = ("proof", "ticket", "automatic", "token")
SIGNAL = Signal("partner", early=True)

Situation = dict[str, Value]


def values(fact: str) -> tuple[Value, ...]:
    """All values of a fact or signal."""
    return VOCABULARY[fact].values if fact in VOCABULARY else (False, True)


def every(names: tuple[str, ...]) -> Iterator[Situation]:
    """All situations of some facts."""
    for chosen in product(*(values(name) for name in names)):
        yield dict(zip(names, chosen, strict=True))


def facts_of(situation: Situation) -> Facts:
    """Facts with the usual value where the situation says nothing."""
    return from_dict({str(k): v for k, v in situation.items()}, assume="usual")


@st.composite
def conditions_over(draw: st.DrawFn, names: tuple[str, ...]) -> Conditions:
    """Some of the facts, each with some of its values."""
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    return conditions(
        {
            fact: draw(st.lists(st.sampled_from(values(fact)), min_size=1, unique=True))
            for fact in chosen
        }
    )


@st.composite
def tables(
    draw: st.DrawFn,
    names: tuple[str, ...] = FEW,
    outcomes: tuple[Outcome, ...] = tuple(Outcome),
    signals: tuple[Signal, ...] = (),
) -> Table:
    """A rule file over these facts."""
    known = (*names, *(signal.id for signal in signals))
    rules = tuple(
        Rule(
            f"r{index}",
            draw(conditions_over(known)),
            draw(st.sampled_from(outcomes)),
            "because",
            reply=draw(st.booleans()),
        )
        for index in range(draw(st.integers(0, 5)))
    )
    notices = tuple(
        Notice(f"n{index}", draw(conditions_over(known)), draw(st.sampled_from(["one", "two"])))
        for index in range(draw(st.integers(0, 2)))
    )
    theorems = tuple(
        Theorem(
            f"t{index}",
            draw(conditions_over(known)),
            frozenset(draw(st.lists(st.sampled_from(outcomes), min_size=1, max_size=4))),
        )
        for index in range(draw(st.integers(0, 3)))
    )
    return Table(rules, notices, theorems, signals)
