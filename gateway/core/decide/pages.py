"""The pages of docs/ that are made from the vocabulary and the never-rules, as Markdown."""

from collections.abc import Iterable

from gateway.core.decide.facts import VOCABULARY, Value
from gateway.core.decide.never import NEVER, Never
from gateway.core.decide.rules import Conditions, word

_MADE = "<!-- made from the code; `make docs` makes it again -->\n"


def facts_page() -> str:
    """docs/facts.md"""
    rows = [
        f"| `{fact.name}` | {_words(fact.values)} | `{word(fact.worse)}` "
        f"| {'yes' if fact.early else ''} | {fact.sentence} |"
        for fact in VOCABULARY.values()
    ]
    return "\n".join(
        [
            "# Facts",
            "",
            _MADE,
            "All that a rule may ask about a mail. The names and values are public: more may be",
            "added, none is renamed. They are computed once a mail and stored with it.",
            "",
            "*Unknown counts as*: what a fact that cannot be established is taken for. *At the",
            "door*: known before any account is read, so `defer` and `reject` may depend on it.",
            "",
            "| fact | values | unknown counts as | at the door | meaning |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def never_page() -> str:
    """docs/never.md"""
    return "\n".join(
        [
            "# Never",
            "",
            _MADE,
            "Walls around every rule file. They are proved for each file over every situation",
            "when it is loaded, and checked again for each mail by a guard that was written",
            "without them. `portiere policy invariants` prints them.",
            "",
            *(line for wall in NEVER for line in _wall(wall)),
        ]
    )


def _wall(wall: Never) -> list[str]:
    bars = ", ".join(f"`{outcome}`" for outcome in sorted(wall.bars))
    lines = [f"## {wall.id}", "", wall.sentence, "", f"Bars: {bars}.", ""]
    if wall.may_not_depend_on:
        facts = ", ".join(f"`{fact}`" for fact in wall.may_not_depend_on)
        return [*lines, f"They may not depend on: {facts}; nor on a signal that needs one.", ""]
    cubes = [f"- {_conditions(cube)}" for cube in wall.unless]
    any_of = "any of these holds" if len(cubes) > 1 else "this holds"
    return [*lines, f"Allowed all the same where {any_of}:", "", *cubes, ""]


def _conditions(cube: Conditions) -> str:
    return "; ".join(f"`{fact}` is {_words(sorted(values, key=word))}" for fact, values in cube)


def _words(values: Iterable[Value]) -> str:
    return " ".join(f"`{word(value)}`" for value in values)
