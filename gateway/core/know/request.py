"""What the mail wants, by phrases that ops own. A wrong answer must be harmless: nothing rests on
it alone, and no kind opens anything that identity has not opened.

The kind with the most strong phrases wins, else the one with the most others. A sentence that has
the form of a question orders nothing: phrases of `change`, `billing` and `account` in it do not
count. A mail without any phrase is a reply where it refers to a ticket, else a general question.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from gateway.core.know.feedback import unsolved
from gateway.core.know.phrases import STOP, Book, Words, folded
from gateway.core.model import Mail, Reference, Request, RequestKind, TicketMatch
from gateway.core.model.routing import RequestRules
from gateway.core.read.clues import ips, orders

ANALYSED = 20_000  # characters of new text that phrases are looked for in
THANKS_WORDS = 12
CONFIRMING = 400  # characters of a mail that confirms
NAMES = 4  # words of a name that thanks may end with
CONFIRMATIONS = frozenset({"confermo", "confirm"})
# Kinds that are read in another way than by weighing phrases.
APART = frozenset(
    {RequestKind.THANKS, RequestKind.CONFIRM, RequestKind.REPLY, RequestKind.GENERAL}
)
ORDERED = frozenset({RequestKind.CHANGE, RequestKind.BILLING})

_WORD = re.compile(r"[^\W_]+")
# What the author has done himself: `ho cambiato i nameserver` orders nothing.
_DEED = re.compile(
    r"\b(ho|abbiamo|i(?:['’]ve| have)?|we(?:['’]ve| have)?) (?:gi[àa] |already )?"
    r"(?:cambiat|attivat|disattivat|modificat|impostat|aggiornat|aggiunt|rinnovat|trasferit|"
    r"changed|activated|disabled|enabled|updated|added|renewed|transferred|replaced)[oaie]?\b",
    re.IGNORECASE,
)
_NOT_THANKS = re.compile(r"[0-9?]|https?:|www\.")
_SERVICE = re.compile(
    r"\b(?:vps|srv|server|web|host|hosting|cloud|node|vm|ded|dedi|dedicato|mail|db)-?\d{1,6}\b",
    re.IGNORECASE,
)

Languages = dict[str, tuple[str, ...]]
Table = dict[RequestKind, Languages]


@dataclass(frozen=True, slots=True)
class _Text:
    """Subject and new text as words, and the sentences of it that ask."""

    words: Words
    asking: frozenset[int]
    forms: tuple[str, ...]  # of a question
    found: Mapping[str, frozenset[int]]  # phrases of the rules that stand in the text
    listed: Mapping[int, tuple[str, ...]]  # the same by the list that they come from

    def phrases(self, languages: Languages, ordering: bool) -> tuple[tuple[str, ...], int]:
        """What stands in the text, and how often in the language that has the most.

        `ordering`: what stands in a question, or in the subject above one, does not count.
        """
        found: dict[str, None] = {}
        most = 0
        for phrases in languages.values():
            places: set[int] = set()
            for phrase in self.listed.get(id(phrases), ()):
                ends = self.found[phrase]
                counting = self._outside_questions(ends) if ordering and self.asking else ends
                places |= counting
                found |= dict.fromkeys((phrase,) if counting else ())
            most = max(most, len(places))
        return tuple(found), most

    def _outside_questions(self, ends: frozenset[int]) -> frozenset[int]:
        body = frozenset(end for end in ends if self.words.sentence(end) > 0)
        return frozenset(end for end in body if self.words.sentence(end) not in self.asking)


def classify(mail: Mail, reference: Reference, rules: RequestRules) -> Request:
    """The kind of request with the phrases that spoke for it."""
    text = _read(mail, rules)
    found = _kind(mail, text, reference, rules)
    alarm = found.kind is RequestKind.GENERAL and _alarms(text, rules)
    service = text.phrases(rules.services, ordering=False)[1] > 0
    return replace(found, unsolved=unsolved(mail, rules), alarm=alarm, service=service)


def _alarms(text: _Text, rules: RequestRules) -> bool:
    """Whether more words speak of an incident than against one, though they decided nothing."""
    kind = RequestKind.INCIDENT
    said = (text.phrases(table.get(kind, {}), False)[1] for table in (rules.strong, rules.phrases))
    weight = sum(said)
    return weight > 0 and weight > text.phrases(rules.against.get(kind, {}), False)[1]


def _kind(mail: Mail, text: _Text, reference: Reference, rules: RequestRules) -> Request:
    if confirms := _confirms(mail, reference, rules):
        return Request(RequestKind.CONFIRM, (confirms,))
    strong = _best(text, rules.strong, rules, ORDERED)
    thanks = None if strong else _thanks(mail, rules)
    if thanks:
        return Request(RequestKind.THANKS, (thanks,))
    return strong or _without_strong(mail, text, reference, rules)


def _confirms(mail: Mail, reference: Reference, rules: RequestRules) -> str | None:
    """The first new word of a reply to a notice, where only courtesy and a name follow it.

    The same word in any other mail, or before anything else, is a word like others: a person
    reads what `Confermo, ma non ho chiesto io questa cosa` says.
    """
    new = mail.new_text
    if not reference.notice or len(new) > CONFIRMING:
        return None
    first, *following = folded(new).split() or [""]
    if first not in CONFIRMATIONS:
        return None
    words = Words(new.replace("\n", " "))
    denied = _every(rules.against.get(RequestKind.CONFIRM, {}))
    if any(words.ends(phrase) for phrase in denied):
        return None
    covered = words.covered((first, *_every(rules.phrases.get(RequestKind.CONFIRM, {}))))
    every = enumerate(words.words)
    rest = [word for at, word in every if at not in covered and word != STOP]
    return first if not following or _is_signed(mail, rest) else None


def _is_signed(mail: Mail, rest: list[str]) -> bool:
    """Whether these words are the author's own name, or the last line, in capitals: a name."""
    own = folded(mail.from_name).split()
    strange = [word for word in rest if word not in own]
    last = _WORD.findall(mail.new_text.rstrip().rpartition("\n")[2])
    below = folded(" ".join(last)).split()
    capitals = len(last) <= NAMES and all(word[0].isupper() for word in last)
    return not strange or (strange == below and capitals)


def _without_strong(mail: Mail, text: _Text, reference: Reference, rules: RequestRules) -> Request:
    if reference.match is not TicketMatch.NONE or reference.answers_automatic:
        return Request(RequestKind.REPLY, (reference.because,))
    table = _undone(mail, rules.phrases)
    alarm = None if text.forms else _best(text, table, rules, ORDERED)
    if alarm is not None and alarm.kind is RequestKind.INCIDENT:
        return alarm  # what it names makes it no less of one
    if named := _named(mail):
        return Request(RequestKind.ACCOUNT, (f"it names {named}",))
    if text.forms:
        return Request(RequestKind.GENERAL, text.forms)
    general = text.phrases(rules.phrases.get(RequestKind.GENERAL, {}), ordering=False)
    weighed = _best(text, table, rules, ORDERED, floor=general[1])
    return weighed or Request(RequestKind.GENERAL, general[0])


def _undone(mail: Mail, table: Table) -> Table:
    """Weak words of a change say what the author did himself, where he says that he did."""
    if not _DEED.search(mail.new_text[:ANALYSED]):
        return table
    return {kind: found for kind, found in table.items() if kind is not RequestKind.CHANGE}


class _Phrases:
    """The phrases of one `requests.toml`: to be found, and where each is listed.

    A list is known by its identity, which the rules keep alive.
    """

    def __init__(self, rules: RequestRules) -> None:
        self.rules = rules
        self.places: dict[str, list[tuple[int, int]]] = {}  # list, and place in it
        tables = (rules.strong, rules.phrases, rules.against)
        by_language = [languages for table in tables for languages in table.values()]
        for phrases in (one for each in (*by_language, rules.services) for one in each.values()):
            for place, phrase in enumerate(phrases):
                self.places.setdefault(phrase, []).append((id(phrases), place))
        self.book = Book(self.places)

    def listed(self, found: Iterable[str]) -> dict[int, tuple[str, ...]]:
        """These phrases by their list, in its order."""
        ordered = sorted((*where, one) for one in found for where in self.places[one])
        by_list = groupby(ordered, key=itemgetter(0))
        return {which: tuple(one for _, _, one in those) for which, those in by_list}


class _Same:
    """Rules by identity, as a key: they are not changed, and have no hash."""

    def __init__(self, rules: RequestRules) -> None:
        self.rules = rules

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.rules is other.rules

    def __hash__(self) -> int:
        return id(self.rules)


@lru_cache(maxsize=4)
def _phrases(which: _Same) -> _Phrases:
    return _Phrases(which.rules)


def _read(mail: Mail, rules: RequestRules) -> _Text:
    new = _DEED.sub(r"\1 ", mail.new_text[:ANALYSED])
    words = Words(mail.subject[:1_000].replace("\n", " "), new)
    known = _phrases(_Same(rules))
    found = words.found(known.book)
    listed = known.listed(found)
    general = rules.strong.get(RequestKind.GENERAL, {}).values()
    forms = tuple(dict.fromkeys(one for phrases in general for one in listed.get(id(phrases), ())))
    asking = frozenset(words.sentence(end) for one in forms for end in found[one])
    return _Text(words, asking, forms, found, listed)


def _best(
    text: _Text,
    table: Table,
    rules: RequestRules,
    ordered: frozenset[RequestKind],
    floor: int = 0,
) -> Request | None:
    """The kind with the most phrases; `against` takes away, `order` settles ties.

    Words for a general question are worth as much as others: they win where `order` says so.
    """
    best: tuple[int, int, RequestKind, tuple[str, ...]] | None = None
    for kind, languages in table.items():
        if kind in APART:
            continue
        found, weight = text.phrases(languages, kind in ordered)
        if weight:
            weight -= text.phrases(rules.against.get(kind, {}), ordering=False)[1]
        rank = rules.order.index(kind) if kind in rules.order else len(rules.order)
        if weight > 0 and (best is None or (-weight, rank) < best[:2]):
            best = (-weight, rank, kind, found)
    if best is None or _outweighed(best[0], best[1], floor, rules):
        return None
    return Request(best[2], best[3])


def _outweighed(minus_weight: int, rank: int, floor: int, rules: RequestRules) -> bool:
    general = RequestKind.GENERAL
    of_general = rules.order.index(general) if general in rules.order else len(rules.order)
    return floor > 0 and (-floor, of_general) < (minus_weight, rank)


def _named(mail: Mail) -> str | None:
    """A service that the mail names by address, order or name: it is about that one."""
    text = f"{mail.subject}\n{mail.new_text[:ANALYSED]}"
    if orders(text):
        return "an order"
    if ips(text):
        return "an address of a server"
    return "a service" if _SERVICE.search(text) else None


def _thanks(mail: Mail, rules: RequestRules) -> str | None:
    """The phrase by which a short mail only says thanks, or None where it says anything else.

    Nothing but thanks, greetings and a name: no question, digit, link or attachment.
    """
    new = mail.new_text
    if len(new) > 400 or mail.attachments or _NOT_THANKS.search(new):
        return None
    words = Words(new.replace("\n", " "))
    if not 0 < len(folded(new).split()) <= THANKS_WORDS:
        return None
    saying = tuple(p for p in _every(rules.strong.get(RequestKind.THANKS, {})) if words.ends(p))
    denied = _every(rules.against.get(RequestKind.THANKS, {}))
    if not saying or any(words.ends(phrase) for phrase in denied):
        return None
    beside = (*saying, "|", *_every(rules.phrases.get(RequestKind.THANKS, {})))
    covered = words.covered(beside)
    rest = [word for at, word in enumerate(words.words) if at not in covered and word != "|"]
    return saying[0] if _is_name(mail, rest) else None


def _is_name(mail: Mail, rest: list[str]) -> bool:
    """Whether the words that say nothing of thanks are the author's name below his mail."""
    own = frozenset(folded(mail.from_name).split())
    strange = [word for word in rest if word not in own]
    if not strange:
        return True
    written = _WORD.findall(mail.new_text)
    last = written[-NAMES:]
    named = [word for word in last if folded(word).strip() in strange]
    if len(named) < len(strange) or not all(word[0].isupper() for word in named):
        return False
    before = mail.new_text.rpartition(named[0])[0].rstrip(" \t")
    return before.endswith((",", ".", "!", ";", "\n", "-", "–"))


def _every(languages: Languages) -> Iterable[str]:
    return (phrase for phrases in languages.values() for phrase in phrases)
