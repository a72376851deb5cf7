"""The JSON forms of `portiere policy`: public, so changed only with a note in the changelog."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.core.decide import facts as vocabulary
from gateway.core.decide import policy as policies
from gateway.core.decide.diff import Change, Difference
from gateway.core.decide.facts import VOCABULARY, Facts, Value
from gateway.core.decide.never import NEVER
from gateway.core.decide.prove import Complaint
from gateway.core.decide.rules import Table, Theorem, word
from gateway.core.model import DISCLOSES, Decision, outcome_of
from gateway.load import Examined

if TYPE_CHECKING:
    from gateway.store.mails import MailFacts


def checked(found: Examined) -> dict[str, Any]:
    """What `policy check` found."""
    proved = found.proved
    table = found.disclosure.policy.table if found.disclosure else None
    return {
        "ok": not found.complaints,
        "complaints": [
            {"where": each.where, "message": each.message, "hint": each.hint}
            for each in found.complaints
        ],
        "situations": proved.situations if proved else None,
        "told_apart": proved.cells if proved else None,
        "left_out": list(proved.left_out) if proved else [],
        "milliseconds": round(found.seconds * 1000, 1),
        "rules": [
            {"id": rule.id, "outcome": rule.then, "situations": dict(proved.counts).get(rule.id)}
            for rule in table.rules
        ]
        if table and proved
        else [],
        "tests": proved.theorems if proved else 0,
    }


def explained(
    table: Table, facts: Facts, named: dict[str, Value], decided: Decision
) -> dict[str, Any]:
    """The steps to a decision, and what was assumed."""
    plain = vocabulary.as_dict(facts)
    return {
        "facts": plain,
        "assumed": {name: plain[name] for name in VOCABULARY if name not in named},
        "steps": [
            {
                "rule": step.rule,
                "outcome": step.then,
                "matched": step.matched,
                "fact": step.fact,
                "value": step.value,
                "wanted": step.wanted,
            }
            for step in policies.explain(table, facts)
        ],
        "decision": _decided(decided),
    }


def _decided(decision: Decision) -> dict[str, Any]:
    outcome = outcome_of(decision)
    return {
        "outcome": outcome,
        "rule": decision.rule,
        "because": decision.because,
        "discloses": DISCLOSES[outcome],
        "department": decision.department,
        "priority": decision.priority or "normal",
        "reply": decision.reply,
        "notices": list(decision.notices),
    }


def compared(difference: Difference) -> dict[str, Any]:
    """All changes of a difference."""
    return {
        "situations": difference.situations,
        "changed": difference.changed,
        "discloses_more": difference.disclosing_more,
        "changes": [_changed(change) for change in difference.changes],
    }


def _changed(change: Change) -> dict[str, Any]:
    return {
        "from": {"rule": change.old_rule, "outcome": change.old},
        "to": {"rule": change.new_rule, "outcome": change.new},
        "situations": change.situations,
        "discloses_more": change.discloses_more,
        "example": plain(change.example),
    }


def replayed(
    total: int, moved: list[tuple["MailFacts", Decision]], seconds: float
) -> dict[str, Any]:
    """Every mail that would end differently."""
    return {
        "mails": total,
        "changed": len(moved),
        "seconds": round(seconds, 3),
        "changes": [
            {
                "mail": mail.mail,
                "received_at": mail.received_at,
                "from": {"rule": mail.rule, "outcome": mail.outcome},
                "to": {"rule": decided.rule, "outcome": outcome_of(decided)},
            }
            for mail, decided in moved
        ],
    }


def plain(example: Iterable[tuple[str, Value]]) -> dict[str, Any]:
    """A situation, with words and booleans."""
    return {fact: _json(value) for fact, value in example}


def _json(value: Value) -> Value:
    return value if isinstance(value, bool) else str(value)


def _sorted(values: Iterable[Value]) -> list[Value]:
    return sorted(values, key=word)


def tests(theorems: Sequence[Theorem], failing: Mapping[Any, Complaint]) -> list[dict[str, Any]]:
    """Each test, and the situation that breaks it where one does."""
    return [
        {
            "name": theorem.name,
            "ok": index not in failing,
            "example": plain(failing[index].example) if index in failing else None,
        }
        for index, theorem in enumerate(theorems)
    ]


def walls() -> list[dict[str, Any]]:
    """The never-rules."""
    return [
        {
            "id": wall.id,
            "sentence": wall.sentence,
            "bars": sorted(wall.bars),
            "unless": [
                {fact: [_json(v) for v in _sorted(values)] for fact, values in cube}
                for cube in wall.unless
            ],
            "may_not_depend_on": list(wall.may_not_depend_on),
        }
        for wall in NEVER
    ]
