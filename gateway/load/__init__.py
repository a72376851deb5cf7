"""Policies, templates and articles as immutable values: all of them, or none with every complaint.

A reload reads everything again, proves it, and is then one swap; nothing here keeps state.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from gateway import toml
from gateway.core.decide import policy as policies
from gateway.core.decide.diff import compare
from gateway.core.decide.facts import Facts, Signals
from gateway.core.decide.guard import guarded
from gateway.core.decide.policy import Policy
from gateway.core.decide.prove import Proved, prove, told
from gateway.core.model import (
    Address,
    Decision,
    Envelope,
    Mail,
    PublicArticle,
    RequestRules,
    Routing,
    Situation,
)
from gateway.core.say.kinds import speaks_for
from gateway.core.say.templates import Templates
from gateway.errors import BadInput
from gateway.load.disclosure import read_table
from gateway.load.requests import read_requests
from gateway.load.routing import read_routing
from gateway.load.schema import Refused, hint
from gateway.load.signals import Compiled, Seen, compute
from gateway.load.texts import compile_templates, load_knowledge, load_templates, read_text

__all__ = [
    "Disclosure",
    "Loaded",
    "Policies",
    "Refused",
    "digest_of",
    "discloses_more",
    "load",
    "load_knowledge",
    "load_policies",
    "load_templates",
    "read_disclosure",
]

DISCLOSURE, ROUTING, REQUESTS = "disclosure.toml", "routing.toml", "requests.toml"
_NEXT = "next:"  # before a signal that `next/` defines anew; no id of ops has a colon


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure file whose words are right. Whether it may be used is said by its proof."""

    policy: Policy
    compiled: tuple[Compiled, ...]
    document: toml.Document

    def complaints(self, proved: Proved) -> list[BadInput]:
        """What the proof says against it, with the places in the file."""
        return [
            self.document.error(each.place, each.message, each.hint) for each in proved.complaints
        ]


@dataclass(frozen=True, slots=True)
class Policies:
    """The folder `policies/`; `next` is decided beside it, in the shadow."""

    disclosure: Disclosure
    proved: Proved
    routing: Routing
    requests: RequestRules
    next: Disclosure | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that ops own. One of these is in force at a time."""

    policy: Policy
    routing: Routing
    requests: RequestRules
    templates: Templates
    articles: tuple[PublicArticle, ...]
    proved: Proved
    next: Policy | None
    digest: str  # over all files
    compiled: tuple[Compiled, ...] = ()
    next_compiled: tuple[Compiled, ...] = ()

    def signals(self, situation: Situation) -> Signals:
        """The booleans that ops named, for this mail; those that only `next/` has follow."""
        seen = Seen(
            situation.author, situation.envelope, situation.mail, len(situation.raw), situation
        )
        return compute((*self.compiled, *self._beside()), seen)

    def early_signals(self, author: Address, envelope: Envelope, mail: Mail, size: int) -> Signals:
        """Those that need no account, for settling the SMTP reply."""
        return compute((*self.compiled, *self._beside()), Seen(author, envelope, mail, size))

    def shadow(self, facts: Facts, decided: Decision) -> Decision | None:
        """What `next/` would decide, where that is another outcome or rule; else None."""
        if self.next is None:
            return None
        other = guarded(facts, policies.decide(self.next, self._as_next(facts)))
        same = (type(other), other.rule) == (type(decided), decided.rule)
        return None if same else other

    def _beside(self) -> tuple[Compiled, ...]:
        """The signals that only `next/` has; one that it defines anew has a name of its own."""
        known = {each.id for each in self.compiled}
        anew = self._anew()
        return tuple(
            replace(each, id=_NEXT + each.id) if each.id in anew else each
            for each in self.next_compiled
            if each.id in anew or each.id not in known
        )

    def _anew(self) -> frozenset[str]:
        """Signals of both that `next/` defines in another way."""
        ours = {each.id: each.definition for each in self.compiled}
        return frozenset(
            each.id
            for each in self.next_compiled
            if ours.get(each.id, each.definition) != each.definition
        )

    def _as_next(self, facts: Facts) -> Facts:
        """The same facts, with the signals as `next/` defines them."""
        anew = self._anew()
        if not anew:
            return facts
        theirs = tuple(
            (name.removeprefix(_NEXT), holds) for name, holds in facts.signals if name not in anew
        )
        return replace(facts, signals=theirs)


def load(policies: Path, templates: Path, knowledge: Path) -> Loaded:
    """Everything, proved. Raises `Refused` with every complaint, and changes nothing."""
    complaints: list[BadInput] = []
    read = _gathered(complaints, lambda: load_policies(policies))
    compiled = _gathered(complaints, lambda: compile_templates(templates))
    articles = _gathered(complaints, lambda: load_knowledge(knowledge))
    if read is None or compiled is None or articles is None:
        raise Refused(complaints)
    complaints += _unknown_texts(read.disclosure, compiled)
    if complaints:
        raise Refused(complaints)
    return Loaded(
        policy=read.disclosure.policy,
        routing=read.routing,
        requests=read.requests,
        templates=compiled,
        articles=articles,
        proved=read.proved,
        next=read.next.policy if read.next else None,
        digest=digest_of(policies, templates, knowledge),
        compiled=read.disclosure.compiled,
        next_compiled=read.next.compiled if read.next else (),
    )


def discloses_more(old: Loaded, new: Loaded) -> str:
    """What the new policy would tell that the old one does not, in a few words; empty: nothing."""
    difference = compare(old.policy.table, new.policy.table)
    if difference.too_large:
        return "too much is told apart to compare the two"
    first = next((each for each in difference.changes if each.discloses_more), None)
    if first is None:
        return ""
    return (
        f"{difference.disclosing_more:,} situations, such as {told(dict(first.example))}: "
        f"`{first.old}` by `{first.old_rule}` becomes `{first.new}` by `{first.new_rule}`"
    )


def load_policies(folder: Path) -> Policies:
    """The three files of `policies/`, and `next/` where it has a file. Raises `Refused`."""
    found = examine(folder)
    disclosure, routing, requests = found.disclosure, found.routing, found.requests
    complaints = list(found.complaints)
    for name, value in ((ROUTING, routing), (REQUESTS, requests)):
        if value is None and not (folder / name).is_file():
            complaints.append(BadInput("no such file", str(folder / name)))
    if complaints or not (disclosure and found.proved and routing and requests):
        raise Refused(complaints)
    return Policies(disclosure, found.proved, routing, requests, found.next)


@dataclass(frozen=True, slots=True)
class Examined:
    """All that can be said of a folder of policies or of one disclosure file, right or wrong."""

    complaints: tuple[BadInput, ...]
    disclosure: Disclosure | None = None
    proved: Proved | None = None
    routing: Routing | None = None
    requests: RequestRules | None = None
    next: Disclosure | None = None
    seconds: float = 0.0  # that the proof took


def examine(path: Path, templates: Path | None = None) -> Examined:
    """Read, check and prove what is there; files beside the rules may be absent.

    With `templates`, the texts that the rules name must be there, too.
    """
    complaints: list[BadInput] = []
    routing = requests = shadow = proved = None
    seconds = 0.0
    disclosure = _gathered(complaints, lambda: read_disclosure(path))
    if (path / ROUTING).is_file():
        routing = _gathered(complaints, lambda: _read(path / ROUTING, read_routing))
    if (path / REQUESTS).is_file():
        requests = _gathered(complaints, lambda: _read(path / REQUESTS, read_requests))
    if disclosure is not None:
        begun = perf_counter()
        proved = prove(disclosure.policy.table)
        seconds = perf_counter() - begun
        complaints += disclosure.complaints(proved)
        complaints += _unknown_departments(disclosure, routing)
        compiled = (
            _gathered(complaints, lambda: compile_templates(templates)) if templates else None
        )
        complaints += _unknown_texts(disclosure, compiled) if compiled else ()
    if (path / "next" / DISCLOSURE).is_file():
        shadow = _gathered(complaints, lambda: _shadow(path / "next", routing))
    return Examined(tuple(complaints), disclosure, proved, routing, requests, shadow, seconds)


def read_disclosure(path: Path) -> Disclosure:
    """One file, or the one in a folder: its words checked, and not proved. Raises `Refused`."""
    file = path / DISCLOSURE if path.is_dir() else path
    document = toml.parse(read_text(file), str(file))
    complaints: list[BadInput] = []
    table, compiled = read_table(document, complaints)
    if complaints:
        raise Refused(complaints)
    return Disclosure(policies.compile(table), compiled, document)


def _shadow(folder: Path, routing: Routing | None) -> Disclosure:
    """The policy beside the one in force must be as sound as that one."""
    disclosure = read_disclosure(folder)
    complaints = disclosure.complaints(prove(disclosure.policy.table))
    complaints += _unknown_departments(disclosure, routing)
    if complaints:
        raise Refused(complaints)
    return disclosure


def _unknown_departments(disclosure: Disclosure, routing: Routing | None) -> Iterator[BadInput]:
    """Departments that rules name and `routing.toml`, where there is one, does not."""
    if routing is None:
        return
    known = [department.id for department in routing.departments]
    for index, rule in enumerate(disclosure.policy.rules):
        if rule.department is not None and rule.department not in known:
            message = f"unknown department `{rule.department}`"
            place = ("rule", index, "department")
            yield disclosure.document.error(place, message, hint(rule.department, known))


def _unknown_texts(disclosure: Disclosure, templates: Templates) -> Iterator[BadInput]:
    known = {kind for kind, _ in templates.compiled}
    for index, rule in enumerate(disclosure.policy.rules):
        if rule.template is not None and rule.template not in known:
            message = f"there is no template `{rule.template}`"
            place = ("rule", index, "template")
            yield disclosure.document.error(place, message, hint(rule.template, known))
        elif rule.template is not None and not speaks_for(rule.template, rule.then):
            message = f"template `{rule.template}` is not one of outcome `{rule.then}`"
            place = ("rule", index, "template")
            advice = f"its name must be `{rule.then}`, or begin with `{rule.then}-`"
            yield disclosure.document.error(place, message, advice)
    for index, notice in enumerate(disclosure.policy.notices):
        if notice.add not in templates.paragraphs:
            message = f"there is no paragraph `{notice.add}`"
            place = ("notice", index, "add")
            yield disclosure.document.error(place, message, hint(notice.add, templates.paragraphs))


_Read = TypeVar("_Read")


def _read(path: Path, reader: Callable[[toml.Document, list[BadInput]], _Read]) -> _Read:
    complaints: list[BadInput] = []
    value = reader(toml.parse(read_text(path), str(path)), complaints)
    if complaints:
        raise Refused(complaints)
    return value


def _gathered(complaints: list[BadInput], reading: Callable[[], _Read]) -> _Read | None:
    """What was read, or None with its complaints added to the others."""
    try:
        return reading()
    except Refused as refused:
        complaints += refused.complaints
    except BadInput as error:
        complaints.append(error)
    return None


def digest_of(*folders: Path) -> str:
    """SHA-256 over the names and bytes of every file that was read."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".toml", ".txt", ".html", ".md"):
                whole.update(f"{path.relative_to(folder)}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
