"""Reads `disclosure.toml` into rules, notices, theorems and signals, every word of them checked.

What the rules prove is not judged here; this knows words and places alone.
"""

import re
from typing import Any

from gateway.core.decide.facts import VOCABULARY, Value
from gateway.core.decide.facts import same as alike
from gateway.core.decide.rules import (
    DEFAULT,
    Conditions,
    Notice,
    Rule,
    Signal,
    Table,
    Theorem,
    word,
)
from gateway.core.model import Discloses, Outcome
from gateway.errors import BadInput
from gateway.load.schema import Section, hint
from gateway.load.signals import Compiled, read_signal
from gateway.toml import Document, Path

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_RESERVED = frozenset({DEFAULT, "guard"})
_MOST_SIGNALS = 8
_PRIORITIES = ("normal", "high")

Words = dict[str, tuple[Value, ...]]


def read_table(
    document: Document, complaints: list[BadInput]
) -> tuple[Table, tuple[Compiled, ...]]:
    """The whole file, and its signals ready to be computed; complaints are added to the list."""
    top = Section.top(document, complaints)
    compiled = _signals(top)
    signals = tuple(Signal(each.id, each.early, each.definition) for each in compiled)
    words: Words = {fact.name: fact.values for fact in VOCABULARY.values()}
    words |= {signal.id: (False, True) for signal in signals}
    rules = tuple(_rule(section, words) for section in _named(top, "rule"))
    notices = tuple(_notice(section, words) for section in _named(top, "notice"))
    theorems = tuple(_theorem(section, words, rules) for section in _named(top, "test", "name"))
    top.done()
    if not rules:
        top.complain((), "there is no [[rule]]", "without one every mail would be refused")
    return Table(rules, notices, theorems, signals), compiled


def _named(top: Section, key: str, name: str = "id") -> list[Section]:
    """The tables of one array, with a complaint about each name that stands twice."""
    sections = top.sections(key)
    seen: dict[str, int] = {}
    for section in sections:
        given = section.data.get(name)
        if not isinstance(given, str):
            continue
        if given in seen:
            line = section.document.where((key, seen[given], name))[0]
            section.complain(name, f"{key} `{given}` stands in line {line} already")
        seen.setdefault(given, int(section.path[-1]))
    return sections


def _signals(top: Section) -> tuple[Compiled, ...]:
    sections = _named(top, "signal")
    for section in sections[_MOST_SIGNALS:]:
        section.complain((), f"at most {_MOST_SIGNALS} signals; each doubles what is proved")
    signals = []
    for section in sections[:_MOST_SIGNALS]:
        name = _id(section)
        if name in VOCABULARY:
            section.complain("id", f"`{name}` is a fact already")
            continue
        signals.append(read_signal(section, name))
    return tuple(signals)


def _id(section: Section) -> str:
    name = section.text("id")
    if name and not _ID.fullmatch(name):
        section.complain("id", f"`{name}` is no id", "lower-case letters, digits and hyphens")
    if name in _RESERVED:
        section.complain("id", f"the id `{name}` has a meaning of its own", "choose another")
    return name


def _rule(section: Section, words: Words) -> Rule:
    rule = Rule(
        id=_id(section),
        when=_conditions(section, "when", words),
        then=Outcome(section.choice("then", tuple(Outcome), noun="outcome")),
        why=section.text("why"),
        department=section.optional("department"),
        priority=section.choice("priority", _PRIORITIES) if section.has("priority") else None,
        template=section.optional("template"),
        reply=section.flag("reply", True),
        where=section.at("id"),
    )
    section.done()
    return rule


def _notice(section: Section, words: Words) -> Notice:
    notice = Notice(
        id=_id(section),
        when=_conditions(section, "when", words),
        add=section.text("add"),
        where=section.at("id"),
    )
    section.done()
    return notice


def _theorem(section: Section, words: Words, rules: tuple[Rule, ...]) -> Theorem:
    name = section.text("name")
    given = _conditions(section, "given", words)
    expect = section.section("expect")
    theorem = Theorem(
        name,
        given,
        outcomes=frozenset(Outcome(each) for each in _some(expect, "outcome", tuple(Outcome))),
        rules=frozenset(_some(expect, "rule", (*(rule.id for rule in rules), DEFAULT))),
        discloses=frozenset(
            Discloses(each) for each in _some(expect, "discloses", tuple(Discloses))
        ),
        where=section.at("name"),
    )
    expect.done()
    section.done()
    if not expect.data:
        section.complain((), "the test expects nothing", "write expect = { outcome = … }")
    return theorem


def _some(section: Section, key: str, known: tuple[str, ...]) -> list[str]:
    """One word or a list of them, each known."""
    if not section.has(key):
        return []
    value = section.data[key]
    found = []
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        place = (key, index) if isinstance(value, list) else (key,)
        if isinstance(each, str) and each in known:
            if each in found:
                section.complain(place, f"`{each}` stands here already")
            found.append(each)
        else:
            section.complain(place, f"unknown {key} `{each}`", hint(str(each), known))
    if not found and value == []:
        section.complain(key, f"`{key}` names nothing", "a test that expects nothing cannot hold")
    return found


def _conditions(section: Section, key: str, words: Words) -> Conditions:
    """`when` or `given`: facts with one value, several, or `{ not = … }`."""
    table = section.section(key)
    found = []
    for fact in table.keys():  # noqa: SIM118  a method of ours that also marks the keys as known
        if fact not in words:
            table.complain(fact, f"unknown fact `{fact}`", hint(fact, words), part="key")
            continue
        values = _values(table, fact, table.data[fact], words[fact])
        if values:
            found.append((fact, values))
    return tuple(found)


def _values(table: Section, fact: str, given: Any, known: tuple[Value, ...]) -> frozenset[Value]:
    if isinstance(given, dict) and set(given) == {"not"}:
        barred = _listed(table, (fact, "not"), fact, given["not"], known)
        left = frozenset(known) - barred
        if barred and not left:
            table.complain(fact, f"no value of `{fact}` is left; it can never match")
        return left if barred else frozenset()
    return _listed(table, (fact,), fact, given, known)


def _listed(
    table: Section, place: Path, fact: str, given: Any, known: tuple[Value, ...]
) -> frozenset[Value]:
    listed = given if isinstance(given, list) else [given]
    if not listed:
        table.complain(place, f"`{fact}` names no value; it can never match")
    found = set()
    for index, value in enumerate(listed):
        same = [each for each in known if alike(each, value)]
        where: Path = (*place, index) if isinstance(given, list) else place
        if same:
            if same[0] in found:
                table.complain(where, f"`{word(same[0])}` stands here already")
            found.add(same[0])
            continue
        table.complain(where, *_unknown(fact, value, known))
    return frozenset(found)


def _unknown(fact: str, value: Any, known: tuple[Value, ...]) -> tuple[str, str]:
    if isinstance(known[0], bool):
        return f"`{fact}` is true or false", "without quotes"
    if not isinstance(value, str):
        return f"`{fact}` must be a word or a list of words", hint("", map(word, known))
    return f"unknown value `{value}` of `{fact}`", hint(value, map(word, known))
