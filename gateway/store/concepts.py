"""The concepts that a text speaks of, whatever the words and the language.

A question in one language finds an article in another, and `lumaca` finds the slow site. Where
runs of words overlap the longest counts: `on leave` is an absence, and nobody who leaves. The time
grows with the number of words alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

_SHORTEST, _LONGEST = 2, 24  # letters of a beginning such as `pec*`
_REMEMBERED = 20_000  # words of which it is known what they may begin

Pattern = tuple[tuple[str, bool], ...]  # words, and whether any ending will do
Said = tuple[Pattern, str, str]  # the words that follow, one that must stand, the concept
Table = dict[str, list[Said]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words `[start:end]` of a text and the concepts that they speak of."""

    start: int
    end: int
    concepts: frozenset[str]


class Thesaurus:
    """Words and runs of words, by the first of them."""

    def __init__(self, text: str) -> None:
        """`concept: word word* word_word`; an indented line goes on, `#` begins a remark."""
        self._whole: Table = {}
        self._begun: Table = {}
        self._known: dict[str, list[Said]] = {}
        concept = ""
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].strip():
                concept, _, line = line.partition(":")
            for written in line.split():
                self._add(concept, written)

    def _add(self, concept: str, written: str) -> None:
        pieces = [(word.rstrip("*"), word.endswith("*")) for word in written.split("_") if word]
        (first, begun), *rest = pieces
        table = self._begun if begun else self._whole
        needed = max((word for word, begun in rest if not begun), key=len, default="")
        table.setdefault(first, []).append((tuple(rest), needed, concept))

    def spoken(self, words: Sequence[str]) -> list[Spoken]:
        """What folded words speak of, in order, no word twice."""
        found: dict[tuple[int, int], set[str]] = {}
        present = {"", *words}
        for at, word in enumerate(words):
            for rest, needed, concept in self._tried(word):
                if needed in present and (not rest or _follows(words, at + 1, rest)):
                    found.setdefault((at, at + 1 + len(rest)), set()).add(concept)
        kept: list[Spoken] = []
        taken: set[int] = set()
        for start, end in sorted(found, key=lambda span: (span[0] - span[1], span[0])):
            if taken.isdisjoint(range(start, end)):
                taken.update(range(start, end))
                kept.append(Spoken(start, end, frozenset(found[start, end])))
        return sorted(kept, key=lambda one: one.start)

    def _tried(self, word: str) -> list[Said]:
        """What a word may begin: remembered, as people say the same words."""
        tried = self._known.get(word)
        if tried is None:
            tried = list(self._whole.get(word, ()))
            for length in range(_SHORTEST, min(len(word), _LONGEST) + 1):
                tried += self._begun.get(word[:length], ())
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[word] = tried
        return tried


def _follows(words: Sequence[str], at: int, rest: Pattern) -> bool:
    if at + len(rest) > len(words):
        return False
    return all(
        words[at + offset].startswith(word) if begun else words[at + offset] == word
        for offset, (word, begun) in enumerate(rest)
    )


@cache
def shipped() -> Thesaurus:
    """The one of `thesaurus.txt`, read once a process."""
    file = resources.files("gateway.store").joinpath("thesaurus.txt")
    return Thesaurus(file.read_text(encoding="utf-8"))
