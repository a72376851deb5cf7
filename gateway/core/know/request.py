"""What the mail wants, by phrases that ops own. A wrong answer must be harmless: nothing rests on
it alone.

Case and accents do not count. A strong phrase decides; else the kind with the greatest weight; else a
mail that refers to a ticket is a reply, and any other a general question.
"""

import re
import unicodedata
from functools import lru_cache

from gateway.core.model import Mail, Reference, Request, RequestKind, TicketMatch
from gateway.core.model.routing import RequestRules

ANALYSED = 20_000  # characters of new text that phrases are looked for in
THANKS_WORDS = 12
CONFIRMATIONS = frozenset({"confermo", "confirm"})

_SPACES = re.compile(r"[\W_]+")
_DIGIT_OR_LINK = re.compile(r"[0-9?]|https?:|www\.")


def classify(mail: Mail, reference: Reference, rules: RequestRules) -> Request:
    """The kind of request with the phrases that spoke for it."""
    words = folded(f"{mail.subject}\n{mail.new_text[:ANALYSED]}")
    first = folded(mail.new_text[:200]).split(" ", 2)
    if len(first) > 1 and first[1] in CONFIRMATIONS:
        return Request(RequestKind.CONFIRM, (first[1],))
    if thanks := thanks_only(mail, rules):
        return Request(RequestKind.THANKS, (thanks,))
    strong = _found(words, rules.strong, rules)
    if strong:
        return strong
    weighed = _found(words, rules.phrases, rules)
    if weighed:
        return weighed
    if reference.match is not TicketMatch.NONE or reference.answers_automatic:
        return Request(RequestKind.REPLY, (reference.because,))
    return Request(RequestKind.GENERAL, ())


def thanks_only(mail: Mail, rules: RequestRules) -> str | None:
    """The phrase by which a short mail only says thanks: no question, digit, link or attachment."""
    new = mail.new_text
    if mail.attachments or len(new) > 400 or _DIGIT_OR_LINK.search(new):
        return None
    words = folded(new)
    if not 0 < len(words.split()) <= THANKS_WORDS:
        return None
    for phrases in rules.phrases.get(RequestKind.THANKS, {}).values():
        for phrase in phrases:
            if pattern(phrase).search(words):
                return phrase
    return None


def _found(
    words: str, table: dict[RequestKind, dict[str, tuple[str, ...]]], rules: RequestRules
) -> Request | None:
    best: tuple[int, int, RequestKind, tuple[str, ...]] | None = None
    for kind, languages in table.items():
        if kind in (RequestKind.THANKS, RequestKind.CONFIRM, RequestKind.REPLY):
            continue
        found = _phrases(words, languages)
        weight = len(found) - len(_phrases(words, rules.against.get(kind, {})))
        if weight <= 0:
            continue
        rank = rules.order.index(kind) if kind in rules.order else len(rules.order)
        if best is None or (-weight, rank) < (best[0], best[1]):
            best = (-weight, rank, kind, found)
    return Request(best[2], best[3]) if best else None


def _phrases(words: str, languages: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    every = (phrase for phrases in languages.values() for phrase in phrases)
    return tuple(dict.fromkeys(phrase for phrase in every if pattern(phrase).search(words)))


def folded(text: str) -> str:
    """Words in lower case without accents or marks, one space around each."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return f" {_SPACES.sub(' ', bare).strip()} "


@lru_cache(maxsize=8_192)
def pattern(phrase: str) -> re.Pattern[str]:
    """A phrase of the rules as an anchored pattern over folded text; `*` ends a word in any way."""
    words = [
        folded(word.rstrip("*")).strip() + (r"\w*" if word.endswith("*") else "")
        for word in phrase.split()
    ]
    return re.compile(f" {' '.join(words)} ")
