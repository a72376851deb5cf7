"""The disclosure policy in force: facts in, decision out, and why. Pure, total, without a clock.

The first rule that matches decides; what none matches is refused, and so is every error.
"""

import hashlib
from dataclasses import dataclass

from gateway.core.decide.evaluator import Evaluator, compiled, decision, default, notices_for
from gateway.core.decide.facts import Early, Facts, Value, as_dict, completed
from gateway.core.decide.rules import (
    DEFAULT,
    Conditions,
    Notice,
    Rule,
    Table,
    Theorem,
    first_failing,
    holds,
    matching,
    word,
    words,
)
from gateway.core.model import Decision, Defer, Refuse, Reject


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule file with the function that it was compiled to. `digest` names it in the store."""

    table: Table
    digest: str
    evaluator: Evaluator

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in order."""
        return self.table.rules

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The paragraphs that may be added."""
        return self.table.notices

    @property
    def tests(self) -> tuple[Theorem, ...]:
        """The theorems."""
        return self.table.theorems


@dataclass(frozen=True, slots=True)
class Step:
    """One rule on the way to a decision: the first fact that kept it from matching, or none."""

    rule: str
    then: str
    matched: bool
    fact: str | None = None
    value: str | None = None
    wanted: str | None = None


def compile(table: Table) -> Policy:
    """A policy out of a checked table. Whether it may be used is said by `prove`."""
    return Policy(table, digest(table), compiled(table))


def digest(table: Table) -> str:
    """SHA-256 over what decides: rules, notices and signals in order, without tests and places."""
    parts = [_line("signal", each.id, each.definition) for each in table.signals]
    for rule in table.rules:
        effect = (rule.then, rule.department, rule.priority, rule.template, rule.reply)
        parts.append(_line("rule", rule.id, _written(rule.when), *effect, rule.why))
    for notice in table.notices:
        parts.append(_line("notice", notice.id, _written(notice.when), notice.add))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def decide(policy: Policy, facts: Facts) -> Decision:
    """The decision for these facts. Never raises: an error refuses, silently."""
    try:
        return policy.evaluator(facts)
    except Exception as error:
        return Refuse(DEFAULT, f"deciding failed: {type(error).__name__}", reply=False)


def settle(policy: Policy, early: Early) -> Defer | Reject | None:
    """What is answered inside the SMTP dialogue, before any account is read; None goes on.

    The never-rule `smtp-tells-nothing` makes the facts that are not known yet irrelevant.
    """
    decided = decide(policy, completed(early))
    return decided if isinstance(decided, Defer | Reject) else None


def explain(table: Table, facts: Facts) -> tuple[Step, ...]:
    """Each rule in order up to the one that decides, with what kept it from matching."""
    plain = as_dict(facts)
    steps = []
    for rule in table.rules:
        failing = first_failing(rule.when, plain)
        steps.append(_step(rule, plain, failing))
        if failing is None:
            return tuple(steps)
    return (*steps, Step(DEFAULT, "refuse", matched=True))


def read_plainly(table: Table, facts: Facts) -> Decision:
    """The same decision by reading the rules one by one: what the compiled function must equal."""
    plain = as_dict(facts)
    rule = matching(table, plain)
    if rule is None:
        return default(facts.automatic)
    possible = notices_for(table, rule)
    return decision(rule, tuple(n.add for n in possible if holds(n.when, plain)))


def _step(
    rule: Rule, plain: dict[str, Value], failing: tuple[str, frozenset[Value]] | None
) -> Step:
    if failing is None:
        return Step(rule.id, rule.then, matched=True)
    fact, wanted = failing
    value = word(plain[fact]) if fact in plain else "unknown"
    return Step(rule.id, rule.then, False, fact, value, words(wanted))


def _written(when: Conditions) -> str:
    return ";".join(f"{fact}={words(values)}" for fact, values in sorted(when))


def _line(*parts: object) -> str:
    return "\x1f".join("" if part is None else str(part) for part in parts)
