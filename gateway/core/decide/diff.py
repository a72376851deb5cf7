"""How two rule files differ, exactly: how many situations change, from which rule to which.

Over every situation that either file tells apart; a signal that the two define differently is two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.core.decide.facts import Value
from gateway.core.decide.prove import MOST_CELLS, Partition, all_values, partition
from gateway.core.decide.rules import (
    DEFAULT,
    SPEAKS_OF_ACCOUNTS,
    Conditions,
    Notice,
    Rule,
    Table,
)
from gateway.core.decide.space import Space
from gateway.core.model import DISCLOSES, Discloses, Outcome

_LEVELS = list(Discloses)  # least first
_NO_RULE = Rule(DEFAULT, (), Outcome.REFUSE, "no rule matches")


@dataclass(frozen=True, slots=True)
class Change:
    """The situations that went from one rule to another with another effect."""

    old_rule: str
    new_rule: str
    old: Outcome
    new: Outcome
    situations: int
    example: tuple[tuple[str, Value], ...]

    @property
    def discloses_more(self) -> bool:
        """More may be told than before."""
        return _level(self.new) > _level(self.old)


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, the widest first, among so many situations."""

    changes: tuple[Change, ...]
    situations: int
    too_large: bool = False  # more is told apart than can be compared; nothing was

    @property
    def changed(self) -> int:
        """How many situations change."""
        return sum(change.situations for change in self.changes)

    @property
    def disclosing_more(self) -> int:
        """How many of them may tell more than before."""
        return sum(change.situations for change in self.changes if change.discloses_more)


def compare(old: Table, new: Table) -> Difference:
    """From the old file to the new one."""
    old, new = _own_signals(old, new)
    named = [rule.when for table in (old, new) for rule in table.rules]
    named += [notice.when for table in (old, new) for notice in table.notices]
    space = Space(named, all_values(old, new))
    if space.cells > MOST_CELLS:
        return Difference((), space.situations, too_large=True)
    before, after = partition(old, space), partition(new, space)
    changes = sorted(_changes(before, after), key=lambda c: (-c.situations, c.old_rule))
    return Difference(tuple(changes), space.situations)


def _changes(before: Partition, after: Partition) -> Iterator[Change]:
    moved = _moved_notices(before, after)
    for old, was in before.each():
        for new, becomes in after.each():
            bits = was & becomes
            if bits:
                yield from _change(before.space, old or _NO_RULE, new or _NO_RULE, bits, moved)


def _change(space: Space, old: Rule, new: Rule, bits: int, moved: int) -> Iterator[Change]:
    if old.effect == new.effect:
        bits = bits & moved if new.then in SPEAKS_OF_ACCOUNTS else 0
    if bits:
        example = tuple(space.example(bits).items())
        yield Change(old.id, new.id, old.then, new.then, space.count(bits), example)


def _moved_notices(before: Partition, after: Partition) -> int:
    """The situations in which another set of paragraphs would be added."""
    space, moved = before.space, 0
    for name in {notice.add for table in (before.table, after.table) for notice in table.notices}:
        moved |= _added(space, before.table, name) ^ _added(space, after.table, name)
    return moved


def _added(space: Space, table: Table, name: str) -> int:
    bits = 0
    for notice in table.notices:
        if notice.add == name:
            bits |= space.where(notice.when)
    return bits


def _own_signals(old: Table, new: Table) -> tuple[Table, Table]:
    """Signals of one name and two definitions, told apart by name."""
    ours = {signal.id: signal.definition for signal in old.signals}
    theirs = {signal.id: signal.definition for signal in new.signals}
    differ = {name for name in ours if name in theirs and ours[name] != theirs[name]}
    return _renamed(old, differ, " (old)"), _renamed(new, differ, " (new)")


def _renamed(table: Table, names: set[str], suffix: str) -> Table:
    if not names:
        return table

    def renamed(when: Conditions) -> Conditions:
        return tuple((f + suffix if f in names else f, values) for f, values in when)

    def moved(one: Notice) -> Notice:
        return replace(one, when=renamed(one.when))

    return replace(
        table,
        rules=tuple(replace(rule, when=renamed(rule.when)) for rule in table.rules),
        notices=tuple(moved(notice) for notice in table.notices),
        signals=tuple(
            replace(each, id=each.id + suffix if each.id in names else each.id)
            for each in table.signals
        ),
    )


def _level(outcome: Outcome) -> int:
    return _LEVELS.index(DISCLOSES[outcome])
