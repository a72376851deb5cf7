"""A rule file compiled to one function from facts to a decision: a million and more a second.

The function is a tree of tests on the facts, generated as source. That source holds fact names of
our own vocabulary and indices alone: no word of a rule file ever becomes code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.core.decide.facts import VOCABULARY, Facts, Value
from gateway.core.decide.rules import DEFAULT, SPEAKS_OF_ACCOUNTS, Conditions, Notice, Rule, Table
from gateway.core.model import DECISIONS, Automatic, Decision, Refuse

Evaluator = Callable[[Facts], Decision]

# A tree with more tests than this would be slow to compile; rules are then tried in order.
MOST_NODES = 6_000

_NO_RULE = "no rule matches"
_Left = tuple[tuple[int, Conditions], ...]  # rules still possible, with conditions still open


def compiled(table: Table) -> Evaluator:
    """The function that decides by this table. It makes no objects but reads prepared ones."""
    writer = _Writer(table)
    root = _Grower(table).grow(tuple((i, rule.when) for i, rule in enumerate(table.rules)))
    writer.define("decide", writer.chain() if root is None else writer.branch(root, 0))
    code = compile(writer.source, "<policy>", "exec")
    exec(code, writer.names)  # noqa: S102  the source is made of our own names and numbers
    evaluator: Evaluator = writer.names["decide"]
    return evaluator


def decision(rule: Rule, notices: tuple[str, ...]) -> Decision:
    """What a rule decides, with the paragraphs to be added."""
    return DECISIONS[rule.then](
        rule=rule.id,
        because=rule.why,
        department=rule.department,
        priority=rule.priority,
        template=rule.template,
        reply=rule.reply,
        notices=notices,
    )


def default(automatic: object) -> Refuse:
    """What no rule decides is refused; and silently, unless a person wrote it."""
    return Refuse(DEFAULT, _NO_RULE, reply=automatic is Automatic.NO)


def notices_for(table: Table, rule: Rule) -> tuple[Notice, ...]:
    """The notices that may be added to what this rule decides: replies about an account alone.

    Public and constant texts carry none, so that they are the same for everybody.
    """
    return table.notices if rule.then in SPEAKS_OF_ACCOUNTS else ()


class _Variants(dict[int, Decision]):
    """What a rule decides, by the bits of the notices that hold; each is made once."""

    def __init__(self, rule: Rule, possible: tuple[Notice, ...]) -> None:
        super().__init__()
        self.rule, self.possible = rule, possible

    def __missing__(self, bits: int) -> Decision:
        added = tuple(notice.add for i, notice in enumerate(self.possible) if bits >> i & 1)
        return self.setdefault(bits, decision(self.rule, added))


# ---- from rules to a tree in which equal branches are one


@dataclass(eq=False)
class _Node:
    """A test on one fact, or where `fact` is empty the rule that decides (None: the default)."""

    fact: str = ""
    rule: int | None = None
    branches: tuple[tuple[tuple[Value, ...], "_Node"], ...] = ()
    uses: int = 0


@dataclass
class _Grower:
    """Grows the tree, each distinct branch once."""

    table: Table
    known: dict[_Left, _Node] = field(default_factory=dict)

    def grow(self, left: _Left) -> _Node | None:
        """The node for these rules; None as soon as the tree is too large."""
        left = _cut(left)
        node = self.known.get(left)
        if node is None:
            if len(self.known) >= MOST_NODES:
                return None
            node = self.known[left] = _Node()
            if not self._fill(node, left):
                return None
        node.uses += 1
        return node

    def _fill(self, node: _Node, left: _Left) -> bool:
        if not left or not left[0][1]:
            node.rule = left[0][0] if left else None
            return True
        node.fact = _most_telling(left)
        groups: dict[_Left, list[Value]] = {}
        for value in self.table.values(node.fact):
            groups.setdefault(_cut(_given(left, node.fact, value)), []).append(value)
        branches = []
        for rest, values in groups.items():
            below = self.grow(rest)
            if below is None:
                return False
            branches.append((tuple(values), below))
        node.branches = tuple(branches)
        return True


def _most_telling(left: _Left) -> str:
    """The fact that the most of the next rules name; earlier rules weigh more."""
    weights: dict[str, float] = {}
    for place, (_, when) in enumerate(left):
        for fact, _values in when:
            weights[fact] = weights.get(fact, 0.0) + 1 / (1 + place)
    return max(weights, key=lambda fact: (weights[fact], fact))


def _given(left: _Left, fact: str, value: Value) -> _Left:
    """The rules that are still possible once a fact is known, without their condition on it."""
    return tuple(
        (index, tuple(each for each in when if each[0] != fact))
        for index, when in left
        if all(name != fact or value in values for name, values in when)
    )


def _cut(left: _Left) -> _Left:
    """Without the rules behind the first that has no condition left."""
    for place, (_, when) in enumerate(left):
        if not when:
            return left[: place + 1]
    return left


# ---- from the tree to source


@dataclass
class _Writer:
    """Writes the source, and keeps the objects that it names."""

    table: Table
    names: dict[str, Any] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    _written: dict[int, str] = field(default_factory=dict)  # id of a shared node -> its function

    @property
    def source(self) -> str:
        """All functions; those that are called stand before those that call them."""
        return "\n".join(self.functions) + "\n"

    def define(self, name: str, body: list[str]) -> None:
        self.functions.append("\n".join([f"def {name}(f):", *body]))

    def branch(self, node: _Node, depth: int) -> list[str]:
        """A node in place, or a call where it stands in several places."""
        if not node.fact:
            return self.leaf(node.rule, max(depth, 1))
        if node.uses == 1 or depth == 0:
            return self.tests(node, max(depth, 1))
        name = self._written.get(id(node))
        if name is None:
            name = self._written[id(node)] = f"n{len(self._written)}"
            self.define(name, self.tests(node, 1))
        return [f"{_indent(depth)}return {name}(f)"]

    def tests(self, node: _Node, depth: int) -> list[str]:
        """One test a branch. What passes none falls into that of the fact's worse value."""
        worse = VOCABULARY[node.fact].worse if node.fact in VOCABULARY else False
        last = next(below for values, below in node.branches if worse in values)
        lines = []
        for values, below in node.branches:
            if below is not last:
                lines.append(f"{_indent(depth)}if {self.test(node.fact, values)}:")
                lines += self.branch(below, depth + 1)
        return lines + self.branch(last, depth)

    def chain(self) -> list[str]:
        """Every rule in order, as it stands in the file."""
        lines = []
        for index, rule in enumerate(self.table.rules):
            lines.append(f"{_indent(1)}if {self.holding(rule.when)}:")
            lines += self.leaf(index, 2)
        return lines + self.leaf(None, 1)

    def leaf(self, index: int | None, depth: int) -> list[str]:
        """The prepared decision; where notices may be added, one of its variants."""
        if index is None:
            self.names["no_rule"] = {one: default(one) for one in Automatic}
            return [f"{_indent(depth)}return no_rule[f.automatic]"]
        rule = self.table.rules[index]
        possible = notices_for(self.table, rule)
        if not possible:
            self.names[f"d{index}"] = decision(rule, ())
            return [f"{_indent(depth)}return d{index}"]
        self.names[f"d{index}"] = _Variants(rule, possible)
        bits = (f"({self.holding(n.when)}) << {i}" for i, n in enumerate(possible))
        return [f"{_indent(depth)}return d{index}[{' | '.join(bits)}]"]

    def holding(self, when: Conditions) -> str:
        """Source that is true where all conditions hold."""
        return " and ".join(self.test(fact, tuple(values)) for fact, values in when) or "True"

    def test(self, fact: str, values: tuple[Value, ...]) -> str:
        """Source that is true where the fact has one of the values."""
        known = self.table.values(fact)
        chosen = [i for i, value in enumerate(known) if value in values]
        if fact in VOCABULARY:
            subject, stem = f"f.{fact}", f"v_{fact}_"
        else:
            place = next(i for i, one in enumerate(self.table.signals) if one.id == fact)
            self.names[f"s{place}"] = (fact, True)
            subject, stem = f"(s{place} in f.signals)", "v_"
        for i in chosen:
            self.names[f"{stem}{i}"] = known[i]
        if len(chosen) == 1:
            return f"{subject} is {stem}{chosen[0]}"
        return f"{subject} in ({', '.join(f'{stem}{i}' for i in chosen)},)"


def _indent(depth: int) -> str:
    return "    " * depth
