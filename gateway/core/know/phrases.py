"""Looking for phrases in a text, in time that grows with its length alone.

The text is folded and cut into words once; a phrase is tried only at the places of its first word,
and never reaches over the end of a sentence. Nothing here knows what a phrase means.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

PLACES = 200  # places of one word at which a phrase is tried
GAP, GAP_WORDS = "...", 4
STOP = "|"  # stands between two sentences; no word of a text is that

_SPACES = re.compile(r"[\W_]+")
_SENTENCE = re.compile(r"[.!?;:](?=\s|$)|\n\s*\n")

Piece = tuple[str, bool, bool]  # word, whether any ending will do, whether words may lie before it


class Words:
    """Sentences as words in order, with the places of each word."""

    def __init__(self, *texts: str) -> None:
        """Each text begins a sentence of its own."""
        self.words: list[str] = []
        for sentence in (one for text in texts for one in _SENTENCE.split(text)):
            self.words += [*folded(sentence).split(), STOP]
        self._places: dict[str, list[int]] = {}
        for at, word in enumerate(self.words):
            self._places.setdefault(word, []).append(at)
        self._known = sorted(self._places)
        self._stops = self._places.get(STOP, [])

    def sentence(self, end: int) -> int:
        """The number of the sentence in which a phrase with this end stands."""
        return bisect_right(self._stops, end - 1)

    def ends(self, phrase: str) -> frozenset[int]:
        """The places behind the ends of a phrase; empty where it does not stand."""
        head, *rest = pieces(phrase)
        reached = frozenset(at + 1 for at in self._starts(head[0], head[1]))
        for word, any_ending, gap in rest:
            if not reached:
                break
            reached = self._further(reached, word, any_ending, GAP_WORDS if gap else 0)
        return reached

    def _starts(self, word: str, any_ending: bool) -> Iterable[int]:
        if not any_ending:
            return islice(self._places.get(word, ()), PLACES)
        first = bisect_left(self._known, word)
        within: list[int] = []
        for known in islice(self._known, first, first + PLACES):
            if not known.startswith(word):
                break
            within.extend(self._places[known][:PLACES])
        return islice(within, PLACES)

    def _further(
        self, reached: frozenset[int], word: str, any_ending: bool, gap: int
    ) -> frozenset[int]:
        ends = set()
        for start in reached:
            for at in range(start, min(start + gap + 1, len(self.words))):
                here = self.words[at]
                if here == STOP:
                    break
                if here == word or (any_ending and here.startswith(word)):
                    ends.add(at + 1)
        return frozenset(ends)

    def covered(self, phrases: Iterable[str]) -> frozenset[int]:
        """The places of all words that stand in one of these phrases, which have no gaps."""
        return frozenset(
            at
            for phrase in phrases
            for end in self.ends(phrase)
            for at in range(end - len(pieces(phrase)), end)
        )

    def possible(self, phrases: tuple[str, ...]) -> frozenset[str]:
        """Those of the phrases whose first word stands here: most of a rule file does not."""
        exact, prefixes, lengths = _heads(phrases)
        found: list[str] = []
        for word in self._places:
            found += exact.get(word, ())
            for length in lengths:
                found += prefixes.get(word[:length], ())
        return frozenset(found)


def folded(text: str) -> str:
    """Words in lower case without accents or marks, one space around each."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return f" {_SPACES.sub(' ', bare).strip()} "


@lru_cache(maxsize=8)
def _heads(
    phrases: tuple[str, ...],
) -> tuple[dict[str, list[str]], dict[str, list[str]], tuple[int, ...]]:
    """Phrases by their first word, by the prefix that it may be, and the lengths of those."""
    exact: dict[str, list[str]] = {}
    prefixes: dict[str, list[str]] = {}
    for phrase in phrases:
        word, any_ending, _gap = pieces(phrase)[0]
        (prefixes if any_ending else exact).setdefault(word, []).append(phrase)
    return exact, prefixes, tuple(sorted({len(word) for word in prefixes}))


@lru_cache(maxsize=8_192)
def pieces(phrase: str) -> tuple[Piece, ...]:
    """A phrase of the rules, word by word."""
    read: list[Piece] = []
    gap = False
    for written in phrase.split():
        if written == GAP:
            gap = bool(read)
            continue
        *before, last = folded(written.rstrip("*")).split() or [""]
        for word in before:
            read.append((word, False, gap))
            gap = False
        read.append((last, written.endswith("*"), gap))
        gap = False
    return tuple(read) or (("", False, False),)
