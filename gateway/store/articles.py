"""Full-text search over the public articles: SQLite FTS5 in memory, over words that were stemmed
before.

Built anew whenever the articles are loaded, and never changed: a reload makes another index. Safe
in any thread.
"""

import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import snowballstemmer

from gateway.core.model import ArticleHit, PublicArticle
from gateway.store.stopwords import STOP_WORDS

LANGUAGES = {
    "it": "italian",
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
}
TITLE_WEIGHT, TAGS_WEIGHT, BODY_WEIGHT = 3.0, 2.0, 1.0
MOST_WORDS = 64  # different words of a question that are looked for
_WORD = re.compile(r"[^\W_]+(?:\.\d+)*")
_ELISION = re.compile(
    r"\b(?:[cdlmnst]|un|all|dell|nell|sull|dall|quell|qu|jusqu)['’]", re.IGNORECASE
)


class ArticleIndex:
    """Articles of several languages; a question finds those of its own, or of all if unknown."""

    def __init__(self, articles: Iterable[PublicArticle], url: str | None = None) -> None:
        """`url` is where articles can be read; the slug is appended."""
        self._articles = tuple(articles)
        self._url = url
        self._lock = threading.Lock()
        self._connection = self._built()
        self.languages = frozenset(article.language for article in self._articles)

    def _built(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        connection.execute(
            "CREATE VIRTUAL TABLE articles USING fts5"
            "(title, tags, body, language UNINDEXED, tokenize = 'ascii')"
        )
        connection.executemany(
            "INSERT INTO articles (rowid, title, tags, body, language) VALUES (?, ?, ?, ?, ?)",
            (self._row(number, one) for number, one in enumerate(self._articles)),
        )
        connection.execute("INSERT INTO articles (articles) VALUES ('optimize')")
        return connection

    def _row(self, number: int, one: PublicArticle) -> tuple[int, str, str, str, str]:
        language = one.language
        tags = " ".join((*one.tags, *one.synonyms))
        title, marks, body = (" ".join(terms(t, language)) for t in (one.title, tags, one.body))
        return number, title, marks, body, language

    def search(self, text: str, language: str | None, limit: int = 5) -> tuple[ArticleHit, ...]:
        """The articles that have words of `text`, best first; a higher score is a better match."""
        if language in self.languages:
            return self._found(text, (language,), limit) if language else ()
        return self._found(text, sorted(self.languages), limit)

    def _found(self, text: str, languages: Sequence[str], limit: int) -> tuple[ArticleHit, ...]:
        """One query a language, because a question is stemmed by the rules of one."""
        hits: dict[str, ArticleHit] = {}
        for language in languages:
            for hit in self._query(terms(text, language), language, limit):
                if hit.slug not in hits or hit.score > hits[hit.slug].score:
                    hits[hit.slug] = hit
        return tuple(sorted(hits.values(), key=lambda hit: -hit.score)[:limit])

    def _query(self, words: Sequence[str], language: str, limit: int) -> list[ArticleHit]:
        chosen = list(dict.fromkeys(words))[:MOST_WORDS]
        if not chosen:
            return []
        match = " OR ".join(f'"{word}"' for word in chosen)
        values = (match, TITLE_WEIGHT, TAGS_WEIGHT, BODY_WEIGHT, language, limit)
        with self._lock:
            rows = self._connection.execute(_SEARCH, values).fetchall()
        return [self._hit(number, -rank) for number, rank in rows]

    def _hit(self, number: int, score: float) -> ArticleHit:
        one = self._articles[number]
        url = f"{self._url}{one.slug}" if self._url else None
        return ArticleHit(one.slug, one.language, one.title, url, one.body, score)


_SEARCH = (
    "SELECT rowid, bm25(articles, ?2, ?3, ?4) AS rank FROM articles"
    " WHERE articles MATCH ?1 AND language = ?5 ORDER BY rank, rowid LIMIT ?6"
)


def terms(text: str, language: str) -> list[str]:
    """The words that count: no elisions, no stop words, stemmed, in ASCII where possible."""
    stop = STOP_WORDS.get(language, frozenset())
    bare = _ELISION.sub(" ", text.lower())
    return [_stemmed(word, language) for word in _WORD.findall(bare) if folded(word) not in stop]


@lru_cache(maxsize=20_000)
def _stemmed(word: str, language: str) -> str:
    """Stemmed with its accents, which the rules know, and folded afterwards."""
    algorithm = LANGUAGES.get(language)
    return folded(_stem(algorithm, word) if algorithm else word)


@lru_cache(maxsize=20_000)
def folded(word: str) -> str:
    """Without diacritics: people write `perche` and `uber`."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFKD", word.replace("ß", "ss"))
    return "".join(c for c in apart if not unicodedata.combining(c))


_STEMMERS = threading.local()  # a stemmer keeps the word that it works on


def _stem(algorithm: str, word: str) -> str:
    stemmers: dict[str, Any] = _STEMMERS.__dict__
    if algorithm not in stemmers:
        stemmers[algorithm] = snowballstemmer.stemmer(algorithm)
    stem: str = stemmers[algorithm].stemWord(word)
    return stem
