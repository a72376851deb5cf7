"""Signals: booleans that ops name, computed outside of core, where lists and RE2 are.

Python's own `re` is never used on customers' text from a rule file: RE2 is linear in the text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import re2

from gateway.core.decide.facts import Signals
from gateway.core.model import Address, Envelope, Mail, Situation
from gateway.load.schema import Section

_LONGEST_PATTERN = 1_000
_ANALYSED = 20_000  # characters of new text that a pattern is held against
_RE2_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What a signal may look at. `situation` is None while no account has been read yet."""

    author: Address
    envelope: Envelope
    mail: Mail
    size: int
    situation: Situation | None = None


Test = Callable[[Seen], bool]


@dataclass(frozen=True, slots=True)
class Compiled:
    """One signal: true when all of its tests are. `early` ones need no account."""

    id: str
    tests: tuple[Test, ...]
    early: bool
    definition: str

    def holds(self, seen: Seen) -> bool:
        """An error counts as false."""
        try:
            return all(test(seen) for test in self.tests)
        except Exception:
            return False


def read_signal(section: Section, name: str) -> Compiled:
    """One `[[signal]]`; its keys are all tests, and all must hold."""
    tests: list[Test] = []
    early = True
    for key in _MAKERS:
        if section.has(key):
            made = _MAKERS[key](section, key)
            tests += [made] if made else []
    for key in _LATE_MAKERS:
        if section.has(key):
            tests.append(_LATE_MAKERS[key](section, key))
            early = False
    section.optional("why")
    section.done()
    if not tests:
        known = ", ".join(sorted((*_MAKERS, *_LATE_MAKERS)))
        section.complain((), f"signal `{name}` tests nothing", f"one or more of: {known}")
    definition = ";".join(
        f"{key}={section.data[key]!r}" for key in sorted(section.data) if key not in ("id", "why")
    )
    return Compiled(name, tuple(tests), early, definition)


def compute(signals: Iterable[Compiled], seen: Seen) -> Signals:
    """The values of all signals, or of the early ones while there is no situation."""
    return tuple(
        (signal.id, signal.holds(seen))
        for signal in signals
        if signal.early or seen.situation is not None
    )


def _domain_in(section: Section, key: str) -> Test | None:
    """The author's domain, or one above it when it is written with a leading dot."""
    domains = tuple(each.lower() for each in section.texts(key))
    exact = frozenset(each for each in domains if not each.startswith("."))
    below = tuple(each for each in domains if each.startswith("."))
    return lambda seen: seen.author.domain in exact or seen.author.domain.endswith(below)


def _recipient_in(section: Section, key: str) -> Test | None:
    recipients = frozenset(each.lower() for each in section.texts(key))
    return lambda seen: any(each.lower() in recipients for each in seen.envelope.recipients)


def _larger_than(section: Section, key: str) -> Test | None:
    size = section.number(key, 1, 1, 1 << 31)
    return lambda seen: seen.size > size


def _attachments_over(section: Section, key: str) -> Test | None:
    count = section.number(key, 0, 0, 10_000)
    return lambda seen: len(seen.mail.attachments) > count


def _subject_matches(section: Section, key: str) -> Test | None:
    pattern = _pattern(section, key)
    return (lambda seen: pattern(seen.mail.subject)) if pattern else None


def _text_matches(section: Section, key: str) -> Test | None:
    pattern = _pattern(section, key)
    return (lambda seen: pattern(seen.mail.new_text[:_ANALYSED])) if pattern else None


def _language_in(section: Section, key: str) -> Test | None:
    languages = frozenset(section.texts(key))
    return lambda seen: seen.mail.language in languages


def _account_in(section: Section, key: str) -> Test:
    accounts = frozenset(section.texts(key))

    def test(seen: Seen) -> bool:
        account = seen.situation.sender.account if seen.situation else None
        return account is not None and account.number in accounts

    return test


def _service_kind_in(section: Section, key: str) -> Test:
    """The author's account has a service of one of these kinds (a plan, say)."""
    kinds = frozenset(section.texts(key))

    def test(seen: Seen) -> bool:
        account = seen.situation.sender.account if seen.situation else None
        if account is None or seen.situation is None:
            return False
        services = seen.situation.candidates.services
        return any(s.account == account.number and s.kind in kinds for s in services)

    return test


def _department_in(section: Section, key: str) -> Test:
    departments = frozenset(section.texts(key))
    return lambda seen: seen.situation is not None and seen.situation.department in departments


def _pattern(section: Section, key: str) -> Callable[[str], bool] | None:
    text = section.text(key)
    if len(text) > _LONGEST_PATTERN:
        section.complain(key, f"the pattern is longer than {_LONGEST_PATTERN} characters")
        return None
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = _RE2_MEMORY
    options.log_errors = False
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        detail = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        section.complain(key, f"not an RE2 expression: {detail}", "no look-around, no references")
        return None
    return lambda subject: compiled.search(subject) is not None


_MAKERS: dict[str, Callable[[Section, str], Test | None]] = {
    "domain_in": _domain_in,
    "recipient_in": _recipient_in,
    "larger_than": _larger_than,
    "attachments_over": _attachments_over,
    "subject_matches": _subject_matches,
    "text_matches": _text_matches,
    "language_in": _language_in,
}
_LATE_MAKERS: dict[str, Callable[[Section, str], Test]] = {
    "account_in": _account_in,
    "service_kind_in": _service_kind_in,
    "department_in": _department_in,
}
