"""Search over the public articles, in memory.

Built anew whenever the articles are loaded: a reload makes another index. What it answers never
changes. Safe in any thread.
"""

from collections.abc import Iterable

from gateway.core.know.asking import question
from gateway.core.model import ArticleHit, PublicArticle
from gateway.store.ranking import Ranking

TITLE_WEIGHT, TAGS_WEIGHT, BODY_WEIGHT = 3.0, 2.0, 1.0
ELSEWHERE = "en"  # what people read whose own language has no articles


class ArticleIndex:
    """Articles of several languages; a question finds those of its own, or of all if unknown."""

    def __init__(self, articles: Iterable[PublicArticle], url: str | None = None) -> None:
        """`url` is where articles can be read; the slug is appended."""
        self._url = url
        self._articles: dict[str, list[PublicArticle]] = {}
        for article in articles:
            self._articles.setdefault(article.language, []).append(article)
        self._rankings: dict[str, Ranking] = {}
        self.languages = frozenset(self._articles)

    def warm(self) -> None:
        """Rank every language now; else each is ranked at its first question."""
        for language in self.languages:
            self._ranking(language)

    def _ranking(self, language: str) -> Ranking:
        """Two threads that come at once make the same one twice, and no harm."""
        if language not in self._rankings:
            those = [_fields(one) for one in self._articles[language]]
            self._rankings[language] = Ranking(those, language)
        return self._rankings[language]

    def search(self, text: str, language: str | None, limit: int = 5) -> tuple[ArticleHit, ...]:
        """The articles that have words of `text`, best first; a higher score is a better match.

        Greetings, thanks and names around a question do not count.
        """
        text = question(text)
        if language in self.languages:
            return tuple(self._found(text, str(language), language, limit))
        hits: dict[str, ArticleHit] = {}
        for known in sorted(self.languages, key=lambda one: one != ELSEWHERE):
            for hit in self._found(text, known, language):
                earlier = hits.get(hit.slug)
                hits[hit.slug] = hit if earlier is None else _better(earlier, hit, language)
        return tuple(sorted(hits.values(), key=lambda hit: -hit.score)[:limit])

    def _found(
        self, text: str, language: str, spoken: str | None, most: int | None = None
    ) -> list[ArticleHit]:
        """Articles of one language, for a question that is written in that one or another."""
        ranked = self._ranking(language).search(text, spoken, most)
        return [self._hit(language, one.number, one.score, one.covered) for one in ranked]

    def _hit(self, language: str, number: int, score: float, covered: float) -> ArticleHit:
        one = self._articles[language][number]
        url = f"{self._url}{one.slug}" if self._url else None
        return ArticleHit(one.slug, language, one.title, url, one.body, score, covered)


def _fields(one: PublicArticle) -> list[tuple[str, float]]:
    # A line each: no run of words begins in one synonym and ends in the next.
    tags = [(tag, TAGS_WEIGHT) for tag in (*one.tags, *one.synonyms)]
    return [(one.title, TITLE_WEIGHT), *tags, (one.body, BODY_WEIGHT)]


def _better(earlier: ArticleHit, hit: ArticleHit, language: str | None) -> ArticleHit:
    """One article in two languages: the one that fits best, or the one that is read elsewhere."""
    if language is not None and earlier.language == ELSEWHERE:
        return earlier if earlier.score >= hit.score else _scored(earlier, hit)
    return earlier if earlier.score >= hit.score else hit


def _scored(article: ArticleHit, like: ArticleHit) -> ArticleHit:
    return ArticleHit(
        article.slug,
        article.language,
        article.title,
        article.url,
        article.body,
        like.score,
        like.covered,
    )
