"""Which of five languages a text is written in; None where that would be a guess.

Words that only one language has decide first, then py3langid restricted to the five. Its model is
read once a process, when the words do not decide.
"""

import re
from functools import cache
from typing import Protocol

from gateway.core.read.words import COMMON, LETTERS

LANGUAGES = ("it", "en", "de", "fr", "es")
SURE = 0.6
_MAX = 2_000
_NOISE = re.compile(r"[\d_/\\<>=|@#]")
_WORD = re.compile(r"[^\W\d_]+")


class _Classifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def guess(text: str) -> tuple[str | None, float]:
    """The language (ISO 639-1) and how sure it is, 0 to 1; None below 0.6."""
    tokens = text[:_MAX].split()
    bare = " ".join(token for token in tokens if not _NOISE.search(token))
    words = _WORD.findall(bare.casefold())
    if not words:
        return None, 0.0
    scores = _by_words(words)
    first, second = sorted(scores.values(), reverse=True)[:2]
    best = max(scores, key=lambda name: scores[name])
    if first >= 2 * second + 1 and first * 4 >= min(len(words), 12):
        return best, round(first / (first + second), 2)
    name, sureness = _model().classify(bare)
    if first > second and name != best:
        name, sureness = best, first / (first + second + 0.5)
    elif first > second:
        sureness = max(sureness, first / (first + second + 0.5))
    sureness = round(sureness, 2)
    return (name if sureness >= SURE else None), sureness


def _by_words(words: list[str]) -> dict[str, float]:
    """Points by language: a word that one language alone has counts one, a shared one its part."""
    scores = dict.fromkeys(LANGUAGES, 0.0)
    for word in words[:200]:
        owners = COMMON.get(word, "")
        for name in owners:
            scores[name] += 1 / len(owners) ** 2
        if not owners and not word.isascii():
            for letter, name in LETTERS.items():
                if letter in word:
                    scores[name] += 0.5
    return scores


@cache
def _model() -> _Classifier:
    """The model with the weights of the five languages alone."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    identifier._full_model = (identifier.nb_ptc, identifier.nb_pc, identifier.nb_classes)
    classifier: _Classifier = identifier
    return classifier


def warm() -> None:
    """Read the model now: about a second, once a process."""
    _model()
