"""Words cut to their stems, so that `domini` finds `dominio`; safe in any thread."""

import re
import threading
from functools import lru_cache
from typing import Any

import snowballstemmer

from gateway.core.know.phrases import folded

LANGUAGES = {
    "it": "italian",
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
}
LONGEST = 40  # letters of a word that are looked at
_ELISION = re.compile(
    r"\b(?:[cdlmnst]|un|all|dell|nell|sull|dall|quell|qu|jusqu)['’]", re.IGNORECASE
)
_STEMMERS = threading.local()  # a stemmer keeps the word that it works on


def words(text: str) -> list[str]:
    """Lower case, without accents (people write `perche`) and without articles that elide."""
    whole = _ELISION.sub(" ", text) if "'" in text or "’" in text else text
    return [word[:LONGEST] for word in folded(whole).split()]


@lru_cache(maxsize=20_000)
def stemmed(word: str, language: str) -> str:
    """The stem by the rules of the language, where there are any."""
    algorithm = None if word.isdecimal() else LANGUAGES.get(language)
    return _stem(algorithm, word) if algorithm else word


def _stem(algorithm: str, word: str) -> str:
    stemmers: dict[str, Any] = _STEMMERS.__dict__
    if algorithm not in stemmers:
        stemmers[algorithm] = snowballstemmer.stemmer(algorithm)
    stem: str = stemmers[algorithm].stemWord(word)
    return stem
