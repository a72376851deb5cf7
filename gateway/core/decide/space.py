"""Every situation that can exist, as bits of big integers: a policy is proved, not sampled.

A set of situations is an integer with one bit a cell. A cell is all situations that no condition
tells apart: facts that nothing names are left out, and values that nothing separates share a cell.
So the sets are exact, and `count` gives situations, not cells.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import prod

from gateway.core.decide.facts import Value
from gateway.core.decide.rules import Conditions


@dataclass(frozen=True, slots=True)
class Dimension:
    """One fact with its classes of values; `stride` is the number of cells below it."""

    fact: str
    classes: tuple[tuple[Value, ...], ...]
    stride: int

    @property
    def span(self) -> int:
        """Cells from one repetition of the pattern to the next."""
        return self.stride * len(self.classes)

    @property
    def even(self) -> bool:
        """All classes hold equally many values, so that cells need no weights."""
        return len({len(one) for one in self.classes}) == 1


class Space:
    """The situations that a number of conditions tell apart."""

    def __init__(
        self,
        named: Iterable[Conditions],
        values: Mapping[str, tuple[Value, ...]],
        counted: Iterable[str] = (),
    ) -> None:
        """`values` gives all values of each fact that may be named.

        Facts to be `counted` belong to a situation though nothing tells their values apart.
        """
        self.dimensions = _dimensions(named, values, counted)
        self.cells = prod(len(one.classes) for one in self.dimensions)
        self.situations = prod(len(values[one.fact]) for one in self.dimensions)
        self.full = (1 << self.cells) - 1
        self._by_fact = {one.fact: one for one in self.dimensions}
        self._known: dict[tuple[str, frozenset[Value]], int] = {}

    def where(self, when: Conditions) -> int:
        """The situations that fulfil all conditions."""
        masks = (self._mask(fact, values) for fact, values in when if fact in self._by_fact)
        return reduce(int.__and__, masks, self.full)

    def count(self, bits: int) -> int:
        """How many situations a set holds."""
        return self._count(bits, self.cells, len(self.dimensions) - 1)

    def example(self, bits: int) -> dict[str, Value]:
        """One situation of a set that is not empty: the first value of each class, by fact."""
        cell = (bits & -bits).bit_length() - 1
        return {
            one.fact: one.classes[cell // one.stride % len(one.classes)][0]
            for one in reversed(self.dimensions)
        }

    def sensitive(self, bits: int, fact: str) -> int:
        """The situations of which another value of this fact alone leads in or out of the set.

        One of each such group is given: the one with the fact's first class.
        """
        dimension = self._by_fact.get(fact)
        if dimension is None:
            return 0
        first = self._pattern(dimension, {0})
        slices = [
            (bits >> dimension.stride * index) & first for index in range(len(dimension.classes))
        ]
        return reduce(int.__or__, (slices[0] ^ other for other in slices[1:]), 0)

    def _mask(self, fact: str, values: frozenset[Value]) -> int:
        known = self._known.get((fact, values))
        if known is None:
            dimension = self._by_fact[fact]
            chosen = {i for i, one in enumerate(dimension.classes) if one[0] in values}
            known = self._known[fact, values] = self._pattern(dimension, chosen)
        return known

    def _pattern(self, dimension: Dimension, chosen: set[int]) -> int:
        """The cells of the chosen classes: one stretch each, repeated by doubling."""
        stretch = (1 << dimension.stride) - 1
        bits = reduce(int.__or__, (stretch << dimension.stride * index for index in chosen), 0)
        width = dimension.span
        while width < self.cells:
            bits |= bits << width
            width *= 2
        return bits & self.full

    def _count(self, bits: int, cells: int, level: int) -> int:
        """Weights come from the outer dimensions, which are the uneven ones."""
        if not bits:
            return 0
        if level < 0 or self.dimensions[level].even:
            below = self.dimensions[: level + 1]
            return bits.bit_count() * prod(len(one.classes[0]) for one in below)
        dimension = self.dimensions[level]
        stretch = (1 << dimension.stride) - 1
        total = 0
        for index, values in enumerate(dimension.classes):
            part = (bits >> dimension.stride * index) & stretch
            total += len(values) * self._count(part, dimension.stride, level - 1)
        return total


def _dimensions(
    named: Iterable[Conditions],
    values: Mapping[str, tuple[Value, ...]],
    counted: Iterable[str],
) -> tuple[Dimension, ...]:
    """One dimension a fact that tells anything apart; the even ones first, as the inner ones."""
    kept = frozenset(counted)
    sets: dict[str, set[frozenset[Value]]] = {fact: set() for fact in sorted(kept)}
    for when in named:
        for fact, chosen in when:
            sets.setdefault(fact, set()).add(chosen)
    classes = {fact: _classes(values[fact], chosen) for fact, chosen in sets.items()}
    told = [(fact, found) for fact, found in classes.items() if len(found) > 1 or fact in kept]
    told.sort(key=lambda each: (len({len(one) for one in each[1]}) > 1, each[0]))
    dimensions: list[Dimension] = []
    stride = 1
    for fact, found in told:
        dimensions.append(Dimension(fact, found, stride))
        stride *= len(found)
    return tuple(dimensions)


def _classes(
    values: tuple[Value, ...], sets: set[frozenset[Value]]
) -> tuple[tuple[Value, ...], ...]:
    """The values that lie in the same sets, together, in the order of the vocabulary."""
    ordered = sorted(sets, key=lambda one: sorted(map(str, one)))
    found: dict[tuple[bool, ...], list[Value]] = {}
    for value in values:
        found.setdefault(tuple(value in one for one in ordered), []).append(value)
    return tuple(tuple(one) for one in found.values())
