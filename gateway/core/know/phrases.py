"""Looking for phrases in a text, in time that grows with its length alone.

The text is folded and cut into words once; a phrase is tried only at the places of its first word,
and never reaches over the end of a sentence. Nothing here knows what a phrase means.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice

PLACES = 200  # places of one word at which a phrase is tried
GAP, GAP_WORDS = "...", 4
NUMBERS = 16  # words of numbers in a gap, which do not count as words of it
LABELS = frozenset({"ip", "ordine", "order", "bestellung", "commande", "pedido"}) | {
    "vps",
    "srv",
    "server",
    "web",
}
STOP = "|"  # stands between two sentences; no word of a text is that
BEGUN = 20_000  # words of which a book remembers the phrases that they begin

_SPACES = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"[0-9]")
_WORDS = re.compile(r"[^\W_]+|\|")
_SENTENCE = re.compile(r"[.!?;:](?=\s|$)|\n\s*\n")
_BREAK = "\0"  # what no fold makes of anything else; `｜` becomes a STOP
# Marks behind letters of Latin script, and where other marks may be: most texts have none there.
_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]")
_OTHER_MARKS = re.compile("[^\0-\u0482\u2000-\u20cf\u2100-\u2bff]")

Piece = tuple[str, bool, bool]  # word, whether any ending will do, whether words may lie before it


class Book:
    """Phrases, to be found in a text by the words that begin them."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Those of the rules, in any order."""
        self._exact: dict[str, list[str]] = {}
        self._prefixes: dict[str, list[str]] = {}
        self._begun: dict[str, tuple[str, ...]] = {}
        self.needed: dict[str, frozenset[str]] = {}  # words without which a phrase cannot stand
        for phrase in dict.fromkeys(phrases):
            head, *rest = pieces(phrase)
            (self._prefixes if head[1] else self._exact).setdefault(head[0], []).append(phrase)
            self.needed[phrase] = frozenset(word for word, ending, _gap in rest if not ending)
        self._lengths = sorted({len(word) for word in self._prefixes})

    def begun(self, word: str) -> tuple[str, ...]:
        """The phrases whose first word this may be."""
        found = self._begun.get(word)
        if found is None:
            begun = list(self._exact.get(word, ()))
            for length in self._lengths:
                begun += self._prefixes.get(word[:length], ()) if length <= len(word) else ()
            if len(self._begun) >= BEGUN:
                self._begun.clear()
            found = self._begun[word] = tuple(begun)
        return found


class Words:
    """Sentences as words in order, with the places of each word."""

    def __init__(self, *texts: str) -> None:
        """Each text begins a sentence of its own."""
        self.words: list[str] = []
        for text in texts:
            self.words += _cut(text)
        self._places: dict[str, list[int]] = {}
        for at, word in enumerate(self.words):
            self._places.setdefault(word, []).append(at)
        self._known = sorted(self._places)
        self._numbers = frozenset(word for word in self._known if _DIGIT.search(word))
        self._stops = self._places.get(STOP, [])

    def found(self, book: Book) -> Mapping[str, frozenset[int]]:
        """The phrases of a book that stand here, with the places behind their ends."""
        begun = dict.fromkeys(phrase for word in self._places for phrase in book.begun(word))
        present, needed = self._places.keys(), book.needed
        likely = [phrase for phrase in begun if needed[phrase] <= present]
        return {phrase: ends for phrase in likely if (ends := self.ends(phrase))}

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
            left = gap
            for at in range(start, min(start + gap + 1 + NUMBERS * (gap > 0), len(self.words))):
                here = self.words[at]
                if here == STOP or left < 0:
                    break
                if here == word or (any_ending and here.startswith(word)):
                    ends.add(at + 1)
                left -= not self._light(at)
        return frozenset(ends)

    def _light(self, at: int) -> bool:
        """Whether the word is a number (an address, an order, a time), or its label or name."""
        if not self._numbers:
            return False
        words, following = self.words, self.words[at + 1 : at + 2]
        return words[at] in self._numbers or (
            words[at] in LABELS and not self._numbers.isdisjoint(following)
        )

    def covered(self, phrases: Iterable[str]) -> frozenset[int]:
        """The places of all words that stand in one of these phrases, which have no gaps."""
        return frozenset(
            at
            for phrase in phrases
            for end in self.ends(phrase)
            for at in range(end - len(pieces(phrase)), end)
        )


def folded(text: str) -> str:
    """Words in lower case without accents or marks, one space around each."""
    return f" {_SPACES.sub(' ', _bare(text)).strip()} "


def _bare(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    if _OTHER_MARKS.search(plain):
        return "".join(char for char in plain if not unicodedata.combining(char))
    return _MARKS.sub("", plain)


def _cut(text: str) -> list[str]:
    """The words of each sentence, and a STOP behind it."""
    marked = _SENTENCE.sub(f" {_BREAK} ", text.replace(_BREAK, " "))
    return [*_WORDS.findall(_bare(marked).replace(STOP, " ").replace(_BREAK, STOP)), STOP]


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
