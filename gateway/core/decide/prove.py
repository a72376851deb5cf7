"""The proof of a rule file at load: never-rules, theorems, rules that never decide, gaps in tests.

Over every situation that can exist, exactly; a complaint says the rule, the number of situations
and one of them. Nothing here decides a mail.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from math import prod

from gateway.core.decide.facts import VOCABULARY, Value
from gateway.core.decide.never import NEVER, Never
from gateway.core.decide.rules import (
    DEFAULT,
    Conditions,
    Rule,
    Table,
    Theorem,
    word,
    words,
)
from gateway.core.decide.space import Space
from gateway.core.model import DISCLOSES, Outcome

Place = tuple[str | int, ...]  # the path of a table or key in the rule file

# Above this the sets would need gigabytes; a policy that gets there names facts without need.
MOST_CELLS = 40_000_000


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a rule file, and where; `example` is one situation that shows it."""

    place: Place
    message: str
    hint: str = ""
    example: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """The outcome of a proof: sound exactly when there are no complaints."""

    complaints: tuple[Complaint, ...]
    situations: int  # that were told apart
    cells: int  # the bits that stand for them
    told_apart: tuple[str, ...]  # facts with something that names them
    left_out: tuple[str, ...]
    counts: tuple[tuple[str, int], ...] = ()  # how many situations each rule decides
    theorems: int = 0

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return not self.complaints


@dataclass(frozen=True, slots=True)
class Partition:
    """Who decides what: the set of each rule, in order, and of no rule at all."""

    table: Table
    space: Space
    decided: tuple[int, ...]
    rest: int

    def each(self) -> Iterator[tuple[Rule | None, int]]:
        """Every rule with its set; None stands for the default."""
        yield from zip(self.table.rules, self.decided, strict=True)
        yield None, self.rest

    def of_outcome(self, outcomes: Iterable[Outcome]) -> int:
        """The situations that end in one of these outcomes."""
        chosen = frozenset(outcomes)
        bits = self.rest if Outcome.REFUSE in chosen else 0
        for rule, decided in zip(self.table.rules, self.decided, strict=True):
            if rule.then in chosen:
                bits |= decided
        return bits

    @property
    def sole(self) -> int | None:
        """The one rule that decides every situation of the space, if there is one."""
        deciders = [index for index, bits in enumerate(self.decided) if bits]
        return deciders[0] if len(deciders) == 1 and not self.rest else None


def deciding(table: Table, situation: Mapping[str, Value]) -> int | None:
    """The index of the rule that decides; None is the default. Facts not given do not matter."""
    for index, rule in enumerate(table.rules):
        if all(fact not in situation or situation[fact] in v for fact, v in rule.when):
            return index
    return None


def partition(table: Table, space: Space) -> Partition:
    """First match decides, for all situations at once."""
    return _partition(table, space, [rule.when for rule in table.rules])


def _partition(table: Table, space: Space, whens: Iterable[Conditions | None]) -> Partition:
    """With each rule's conditions as they stand in this space; None: it cannot match."""
    rest, decided = space.full, []
    for when in whens:
        bits = space.where(when) & rest if when is not None and rest else 0
        decided.append(bits)
        rest ^= bits
    return Partition(table, space, tuple(decided), rest)


def within(table: Table, given: Conditions, counted: Iterable[str]) -> Partition:
    """Who decides what inside of `given` alone: a far smaller space."""
    values = all_values(table) | {fact: _ordered(table, fact, v) for fact, v in given}
    whens = [_inside(rule.when, values) for rule in table.rules]
    space = Space((when for when in whens if when is not None), values, counted)
    return _partition(table, space, whens)


def _ordered(table: Table, fact: str, chosen: frozenset[Value]) -> tuple[Value, ...]:
    return tuple(value for value in table.values(fact) if value in chosen)


def _inside(when: Conditions, values: Mapping[str, tuple[Value, ...]]) -> Conditions | None:
    """Conditions without those that always hold among these values; None where one never does."""
    left = []
    for fact, wanted in when:
        possible = [value in wanted for value in values[fact]]
        if not any(possible):
            return None
        if not all(possible):
            left.append((fact, wanted))
    return tuple(left)


def all_values(*tables: Table) -> dict[str, tuple[Value, ...]]:
    """The values of each fact, and of each signal of the tables."""
    values = {fact.name: fact.values for fact in VOCABULARY.values()}
    signals = {signal.id: (False, True) for table in tables for signal in table.signals}
    return values | signals


def space_of(table: Table, never: tuple[Never, ...] = NEVER) -> Space:
    """What the rules and the never-rules tell apart; what tests name as well is counted."""
    named = [rule.when for rule in table.rules]
    named += [cube for wall in never for cube in wall.unless]
    counted = [fact for theorem in table.theorems for fact, _ in theorem.given]
    return Space(named, all_values(table), counted)


def prove(table: Table, never: tuple[Never, ...] = NEVER) -> Proved:
    """Everything that can be said of a rule file without a single mail."""
    space = space_of(table, never)
    told = tuple(one.fact for one in space.dimensions)
    left_out = tuple(name for name in all_values(table) if name not in told)
    if space.cells > MOST_CELLS:
        message = f"tells {space.cells:,} situations apart, more than can be proved"
        complaint = Complaint((), message, "let the rules name fewer facts")
        return Proved((complaint,), space.situations, space.cells, told, left_out)
    parts = partition(table, space)
    theorems = [within(table, theorem.given, told) for theorem in table.theorems]
    complaints = (
        *_broken_walls(parts, never),
        *_dead_rules(parts),
        *_failing_theorems(table, theorems),
        *_untested(parts, theorems),
    )
    counts = tuple(
        (rule.id if rule else DEFAULT, space.count(bits)) for rule, bits in parts.each()
    )
    return Proved(
        complaints, space.situations, space.cells, told, left_out, counts, len(table.theorems)
    )


def vocabulary_size(table: Table) -> int:
    """All situations that the vocabulary and the signals of this table make."""
    return prod(len(values) for values in all_values(table).values())


def told(situation: Mapping[str, Value]) -> str:
    """A situation as it would be written in a rule file, facts in the order of the vocabulary."""
    order = [name for name in VOCABULARY if name in situation]
    order += [name for name in situation if name not in VOCABULARY]
    return ", ".join(f"{name} = {word(situation[name])}" for name in order)


# ---- the walls


def _broken_walls(parts: Partition, never: tuple[Never, ...]) -> Iterator[Complaint]:
    for wall in never:
        allowed = 0
        for cube in wall.unless:
            allowed |= parts.space.where(cube)
        for index, (rule, bits) in enumerate(parts.each()):
            # What no rule matches is refused, and silently so where nothing may be answered.
            if rule is None or rule.then not in wall.bars:
                continue
            bad = bits & ~allowed
            if bad:
                yield _broken(parts, wall, index, rule, bad)
        yield from _dependent(parts, wall)


def _broken(parts: Partition, wall: Never, index: int, rule: Rule, bad: int) -> Complaint:
    example = parts.space.example(bad)
    message = (
        f"rule `{rule.id}` breaks the never-rule `{wall.id}` "
        f"in {parts.space.count(bad):,} situations"
    )
    hint = f"{wall.sentence}\nfor one: {told(example)}"
    return Complaint(("rule", index, "then"), message, hint, tuple(example.items()))


def _dependent(parts: Partition, wall: Never) -> Iterator[Complaint]:
    """Rules that reach a barred outcome by a fact on which it may not depend."""
    late = [*wall.may_not_depend_on]
    if late:
        late += [signal.id for signal in parts.table.signals if not signal.early]
    for outcome in sorted(wall.bars) if late else ():
        bits = parts.of_outcome((outcome,))
        for fact in late:
            bad = parts.space.sensitive(bits, fact)
            if bad:
                yield _hangs_on(parts, wall, outcome, fact, bad)


def _hangs_on(parts: Partition, wall: Never, outcome: Outcome, fact: str, bad: int) -> Complaint:
    example = parts.space.example(bad)
    index = _nearest(parts, outcome, example, fact)
    message = f"whether a mail gets `{outcome}` depends on `{fact}`, which is not known yet"
    hint = f"{wall.sentence}\nfor one, with another {fact}: {told(example)}"
    return Complaint(("rule", index, "then"), message, hint, tuple(example.items()))


def _nearest(parts: Partition, outcome: Outcome, example: dict[str, Value], fact: str) -> int:
    """The first rule with this outcome that decides the example for some value of the fact."""
    for value in parts.table.values(fact):
        index = deciding(parts.table, {**example, fact: value})
        if index is not None and parts.table.rules[index].then is outcome:
            return index
    return next(i for i, rule in enumerate(parts.table.rules) if rule.then is outcome)


# ---- rules that never decide


def _dead_rules(parts: Partition) -> Iterator[Complaint]:
    for index, (rule, bits) in enumerate(zip(parts.table.rules, parts.decided, strict=True)):
        if bits:
            continue
        wanted = parts.space.where(rule.when)
        takers = [
            earlier.id
            for earlier, taken in zip(parts.table.rules[:index], parts.decided, strict=False)
            if taken & wanted
        ]
        by = ", ".join(f"`{each}`" for each in takers)
        yield Complaint(
            ("rule", index), f"rule `{rule.id}` never decides", f"all its situations go to {by}"
        )


# ---- theorems


def _failing_theorems(table: Table, inside: list[Partition]) -> Iterator[Complaint]:
    for index, (theorem, parts) in enumerate(zip(table.theorems, inside, strict=True)):
        bad = parts.space.full & ~_expected(parts, theorem)
        if bad:
            yield _failing(parts, index, theorem, bad)


def _expected(parts: Partition, theorem: Theorem) -> int:
    bits = parts.space.full
    if theorem.outcomes:
        bits &= parts.of_outcome(theorem.outcomes)
    if theorem.discloses:
        bits &= parts.of_outcome(o for o in Outcome if DISCLOSES[o] in theorem.discloses)
    if theorem.rules:
        chosen = [b for r, b in parts.each() if (r.id if r else DEFAULT) in theorem.rules]
        bits &= reduce(int.__or__, chosen, 0)
    return bits


def _failing(parts: Partition, index: int, theorem: Theorem, bad: int) -> Complaint:
    given = {fact: _ordered(parts.table, fact, v)[0] for fact, v in theorem.given}
    example = given | parts.space.example(bad)
    decided = deciding(parts.table, example)
    rule = parts.table.rules[decided] if decided is not None else None
    got = f"`{rule.then}` by rule `{rule.id}`" if rule else "`refuse`, as no rule matches"
    wanted = words([*theorem.outcomes, *theorem.discloses, *theorem.rules])
    message = (
        f"test `{theorem.name}` fails in {parts.space.count(bad):,} "
        f"of {parts.space.situations:,} situations"
    )
    hint = f"expected {wanted}, got {got}\nfor one: {told(example)}"
    return Complaint(("test", index), message, hint, tuple(example.items()))


# ---- gaps in tests


def _untested(parts: Partition, inside: list[Partition]) -> Iterator[Complaint]:
    deciders = [theorem.sole for theorem in inside]
    for index, rule in enumerate(parts.table.rules):
        if not parts.decided[index]:
            continue
        place = ("rule", index, "id")
        if index not in deciders:
            hint = "add a [[test]] of which every situation is decided by it"
            yield Complaint(place, f"rule `{rule.id}` has no test in which it decides", hint)
        near = (
            near_miss(rule, theorem, parts.table)
            for theorem, decider in zip(parts.table.theorems, deciders, strict=True)
            if decider != index
        )
        # A rule without conditions cannot be missed.
        if rule.when and not any(near):
            hint = "add a [[test]] in which all of its conditions hold but one"
            yield Complaint(place, f"rule `{rule.id}` has no near miss among the tests", hint)


def near_miss(rule: Rule, theorem: Theorem, table: Table) -> bool:
    """Whether all conditions of the rule hold in every situation of the test, but one in none."""
    given = dict(theorem.given)
    failing = 0
    for fact, values in rule.when:
        possible = given.get(fact, frozenset(table.values(fact)))
        if possible <= values:
            continue
        if possible & values:
            return False
        failing += 1
    return failing == 1
