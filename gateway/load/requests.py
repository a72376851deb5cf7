"""Reads `requests.toml`: the phrases, per language, by which requests are told apart."""

from gateway.core.model import RequestKind, RequestRules
from gateway.errors import BadInput
from gateway.load.schema import Section, hint
from gateway.toml import Document

UNSOLVED = "unsolved"  # the phrases of a reply to an answer that did not help
SERVICES = "services"  # what services are called: mail that speaks of one should say which
BESIDE = ("order", UNSOLVED, SERVICES)  # keys that are no request
_LISTS = ("phrases", "strong", "against")
_MOST_PHRASES = 2_000
_LONGEST = 100

Phrases = dict[RequestKind, dict[str, tuple[str, ...]]]


def read_requests(document: Document, complaints: list[BadInput]) -> RequestRules:
    """The whole file; what is wrong with it is added to the complaints."""
    top = Section.top(document, complaints)
    order = _order(top)
    tables: dict[str, Phrases] = {name: {} for name in _LISTS}
    for kind in top.keys():  # noqa: SIM118  a method of ours that also marks the keys as known
        if kind in BESIDE:
            continue
        if kind not in tuple(RequestKind):
            words = (*tuple(RequestKind), *BESIDE)
            top.complain(kind, f"unknown request `{kind}`", hint(kind, words), part="key")
            continue
        _kind(top.section(kind), RequestKind(kind), tables)
    unsolved = _by_language(top.section(UNSOLVED))
    services = _by_language(top.section(SERVICES))
    return RequestRules(
        tables["phrases"], tables["strong"], tables["against"], order, unsolved, services
    )


def _order(top: Section) -> tuple[RequestKind, ...]:
    found = []
    for index, each in enumerate(top.texts("order")):
        if each in tuple(RequestKind):
            found.append(RequestKind(each))
        else:
            top.complain(
                ("order", index), f"unknown request `{each}`", hint(each, tuple(RequestKind))
            )
    return tuple(found)


def _kind(section: Section, kind: RequestKind, tables: dict[str, Phrases]) -> None:
    for name in _LISTS:
        if found := _by_language(section.section(name)):
            tables[name][kind] = found
    section.done()


def _by_language(section: Section) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language in section.keys():  # noqa: SIM118  the same method of ours
        if len(language) != 2 or not language.isascii() or not language.islower():
            section.complain(
                language, f"`{language}` is no language", "two letters: it, en", part="key"
            )
            continue
        found[language] = _phrases(section, language)
    return found


def _phrases(section: Section, language: str) -> tuple[str, ...]:
    phrases = section.texts(language)
    if len(phrases) > _MOST_PHRASES:
        section.complain(language, f"more than {_MOST_PHRASES} phrases")
    for index, phrase in enumerate(phrases):
        if len(phrase) > _LONGEST:
            section.complain((language, index), f"longer than {_LONGEST} characters")
        if "*" in phrase.replace("* ", " ").removesuffix("*") or phrase.startswith("*"):
            section.complain(
                (language, index), f"`{phrase}`: `*` stands at the end of a word alone"
            )
    return phrases
