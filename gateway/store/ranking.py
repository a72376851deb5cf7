"""Ranks the articles of one language by the words of a question; no files, no database, and
nothing that changes, so any thread may ask.

BM25F (Robertson and Zaragoza 2009, 3.6) with one change: a word of the question counts once, by
its stem or by the concept that it speaks of, whichever fits an article better. So the share of the
question that an article covers is known too, and words that no article has lower it.
"""

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.store.concepts import shipped
from gateway.store.stems import stemmed, words
from gateway.store.stopwords import STOP_WORDS

MOST_UNITS = 64  # different words of a question that are looked for
SATURATION, BY_LENGTH = 1.2, 0.6  # k1 and b of BM25
BY_STEM, BY_CONCEPT, BY_BOTH = 0.7, 1.0, 0.1
REMEMBERED = 250_000  # articles of units, all together, that a ranking remembers: 25 MB
UNKNOWN = 0.6  # what a word that no article has weighs, beside a word that one has
OWN = 2.0  # what asks for somebody's own data weighs, where no article has it
OWN_CONCEPT, FIGURES = (
    "=own-data",
    4,
)  # the words for it, or digits: a ticket, an order, an account

FEWEST = 2  # different words that a question has at least
CAPITALS = frozenset({"de"})  # languages in which every noun has one
_NAME = re.compile(r"(?<=[a-zà-ÿ0-9,] )[A-ZÀ-Þ][\w.-]{2,40}")

Places = tuple[tuple[int, float], ...]
Unit = tuple[str, ...]  # sorted: stems, and concepts behind a `=`


@dataclass(frozen=True, slots=True)
class Ranked:
    """An article by its place in the list, with its score and the share of the question."""

    number: int
    score: float
    covered: float


class Ranking:
    """An inverted index over weighted fields."""

    def __init__(self, articles: Sequence[Sequence[tuple[str, float]]], language: str) -> None:
        """Each article is a list of texts with their weights."""
        self._language = language
        self._size = len(articles)
        self._places: dict[str, dict[int, float]] = {}  # how well an article has a key
        self._asked: dict[Unit, tuple[float, Places]] = {}
        self._remembered = 0
        counted = [self._counted(fields) for fields in articles]
        lengths = [sum(1 for text, _ in fields for _ in text.split()) for fields in articles]
        mean = max(sum(lengths) / max(self._size, 1), 1.0)
        for number, weights in enumerate(counted):
            norm = 1 - BY_LENGTH + BY_LENGTH * lengths[number] / mean
            for key, weight in weights.items():
                full = BY_CONCEPT if key.startswith("=") else BY_STEM
                match = full * (weight / norm) / (weight / norm + SATURATION)
                self._places.setdefault(key, {})[number] = match

    def _counted(self, fields: Iterable[tuple[str, float]]) -> dict[str, float]:
        weights: dict[str, float] = {}
        for text, weight in fields:
            for unit in units(text, self._language):
                for key in unit:
                    weights[key] = weights.get(key, 0.0) + weight
        return weights

    def search(
        self, text: str, spoken: str | None = None, most: int | None = None
    ) -> list[Ranked]:
        """The articles that have anything of a question, best first; `spoken` is its language."""
        asked = dict.fromkeys(units(text, self._language, spoken))
        named = _named(text, self._language) if spoken not in CAPITALS else frozenset[str]()
        # One word is no question: what it wants to know of its subject is not said.
        missing = max(FEWEST - len(asked), 0)
        total, scores = missing * self._weight((), {}), dict[int, float]()
        for unit in list(asked)[:MOST_UNITS]:
            weight, matches = self._weighed(unit, named)
            total += weight
            for number, match in matches:
                scores[number] = scores.get(number, 0.0) + weight * match
        pairs = ((-score, number) for number, score in scores.items())
        ordered = sorted(pairs) if most is None else heapq.nsmallest(most, pairs)
        return [Ranked(number, -score, -score / total) for score, number in ordered]

    def _weighed(self, unit: Unit, named: frozenset[str]) -> tuple[float, Places]:
        """What a unit weighs, and which articles have it: remembered, as people say the same."""
        known = self._asked.get(unit)
        if known is None:
            matches = self._matches(unit)
            known = self._weight(unit, matches, named), tuple(matches.items())
            if matches:  # what no article has weighs more where it is a name
                self._remember(unit, known)
        return known

    def _remember(self, unit: Unit, known: tuple[float, Places]) -> None:
        """Two threads that come at once count a little wrong, and no harm."""
        size = len(known[1])
        if self._remembered + size > REMEMBERED:
            self._asked.clear()
            self._remembered = 0
        if size <= REMEMBERED:
            self._asked[unit] = known
            self._remembered += size

    def _matches(self, unit: Unit) -> Mapping[int, float]:
        """How well each article has this word, 0 to about 1."""
        if len(unit) == 1:
            return self._places.get(unit[0], {})
        best: dict[int, float] = {}
        for key in unit:
            for number, match in self._places.get(key, {}).items():
                known = best.get(number, 0.0)
                both = BY_BOTH * min(known, match)
                best[number] = max(known, match) + both
        return best

    def _having(self, unit: Unit, matches: Mapping[int, float]) -> int:
        """In how many articles: those of its concepts, where any has them.

        Stems of the words beside them (`posta` in `posta certificata`) would make it common.
        """
        spoken = {at for key in unit if key.startswith("=") for at in self._places.get(key, ())}
        return len(spoken) or len(matches)

    def _weight(
        self, unit: Unit, matches: Mapping[int, float], named: frozenset[str] = frozenset()
    ) -> float:
        """The inverse document frequency, and less for what no article has.

        What is somebody's own, or has a name that no article knows, weighs more than that.
        """
        having = self._having(unit, matches)
        weight = math.log(1 + (self._size - having + 0.5) / (having + 0.5))
        if having:
            return weight
        own = any(
            key == OWN_CONCEPT or key in named or (key.isdigit() and len(key) >= FIGURES)
            for key in unit
        )
        return weight * (OWN if own else UNKNOWN)


def _named(text: str, language: str) -> frozenset[str]:
    """The stems of names in a text: words with a capital that begin no sentence."""
    found = (word for one in _NAME.findall(text) for word in words(one))
    return frozenset(stemmed(word, language) for word in found)


def units(text: str, language: str, spoken: str | None = None) -> list[Unit]:
    """What a text says, word by word: runs that speak of a concept, then the other words."""
    read = words(text)
    stems = [_stems(word, language, spoken or language) for word in read]
    said: list[Unit] = []
    for one in shipped().spoken(read):
        keys = {f"={concept}" for concept in one.concepts}
        if OWN_CONCEPT not in keys:  # the words of `which domains do I have` are not its subject
            keys = keys.union(*stems[one.start : one.end])
        said.append(tuple(sorted(keys)))
        stems[one.start : one.end] = [()] * (one.end - one.start)
    return said + [stem for stem in stems if stem]


@lru_cache(maxsize=20_000)
def _stems(word: str, language: str, spoken: str) -> Unit:
    """The stem of a word that says something, else nothing."""
    if len(word) < 2 or word in STOP_WORDS.get(spoken, frozenset()):
        return ()
    return (stemmed(word, language),)
