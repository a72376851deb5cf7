"""A rule file as values: rules in order, paragraphs to add, theorems, and signals that ops named.

Words were checked before they came here; nothing of a rule file is text that could be executed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.decide.facts import EARLY, VOCABULARY, Value
from gateway.core.model import DISCLOSES, Discloses, Outcome

# A fact not named may have any value. In the order in which they are written.
Conditions = tuple[tuple[str, frozenset[Value]], ...]

DEFAULT = "default"  # the rule of a mail that no rule matches, and of any error while deciding
SPEAKS_OF_ACCOUNTS = frozenset(
    outcome for outcome, level in DISCLOSES.items() if level is Discloses.ACCOUNT
)
SMTP = frozenset({Outcome.DEFER, Outcome.REJECT})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the first that matches decides."""

    id: str
    when: Conditions
    then: Outcome
    why: str
    department: str | None = None
    priority: str | None = None
    template: str | None = None
    reply: bool = True
    where: str = ""  # file:line:column

    @property
    def effect(self) -> tuple[object, ...]:
        """What it does, whatever it is called."""
        return (self.then, self.department, self.priority, self.template, self.reply)


@dataclass(frozen=True, slots=True)
class Notice:
    """A paragraph that is added to replies about an account; it decides nothing."""

    id: str
    when: Conditions
    add: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Theorem:
    """A test: what must hold in every situation of `given`. An empty set expects nothing."""

    name: str
    given: Conditions
    outcomes: frozenset[Outcome] = frozenset()
    rules: frozenset[str] = frozenset()
    discloses: frozenset[Discloses] = frozenset()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A boolean that ops named. `definition` tells two of the same name apart."""

    id: str
    early: bool
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A whole rule file."""

    rules: tuple[Rule, ...]
    notices: tuple[Notice, ...] = ()
    theorems: tuple[Theorem, ...] = ()
    signals: tuple[Signal, ...] = ()

    def values(self, fact: str) -> tuple[Value, ...]:
        """All values of a fact or signal."""
        return VOCABULARY[fact].values if fact in VOCABULARY else (False, True)

    def is_early(self, fact: str) -> bool:
        """Whether it is known before any account is read."""
        return fact in EARLY or any(s.id == fact and s.early for s in self.signals)


def conditions(named: Mapping[str, Iterable[Value]]) -> Conditions:
    """Conditions out of a mapping from facts to the values that they may have."""
    return tuple((fact, frozenset(values)) for fact, values in named.items())


def holds(when: Conditions, plain: Mapping[str, Value]) -> bool:
    """Whether a situation, in plain words, fulfils all conditions. A missing fact fails."""
    return first_failing(when, plain) is None


def first_failing(
    when: Conditions, plain: Mapping[str, Value]
) -> tuple[str, frozenset[Value]] | None:
    """The first fact that keeps the conditions from holding, with the values that it wants."""
    for fact, values in when:
        given = plain.get(fact)
        if given not in values:
            return fact, values
    return None


def matching(table: Table, plain: Mapping[str, Value]) -> Rule | None:
    """The rule that decides, by plain reading: what the compiled evaluator is held against."""
    return next((rule for rule in table.rules if holds(rule.when, plain)), None)


def words(values: Iterable[Value]) -> str:
    """Values as they are written in a rule file."""
    return " or ".join(sorted(word(value) for value in values))


def word(value: Value) -> str:
    """One value as it is written in a rule file, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
