"""How well a set of articles answers a set of questions: figures for `portiere kb eval`.

Reads files and counts; it decides nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.know.knowledge import evidence, judge
from gateway.core.know.told import tells
from gateway.core.model import ArticleHit, Confidence, PublicArticle
from gateway.errors import BadInput
from gateway.load.texts import load_knowledge

SHARES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)  # per cent of the questions, surest first
RIGHT = 0.9  # what sure answers must be
LISTED = 5  # articles that one question is given

Search = Callable[[str, str | None], tuple[ArticleHit, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `article` is the slug that answers it, or None where none does."""

    id: str
    text: str
    language: str | None
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was found."""

    question: Question
    hits: tuple[ArticleHit, ...]

    @property
    def rank(self) -> int:
        """The place of the right article from 1, or 0 where it was not found."""
        slugs = [hit.slug for hit in self.hits]
        wanted = self.question.article
        return slugs.index(wanted) + 1 if wanted in slugs else 0

    @property
    def sure(self) -> bool:
        """Whether it would be answered by itself."""
        found = judge(self.hits, withheld=tells(self.question.text))
        return found.confidence is Confidence.SURE


def questions(path: Path) -> Iterator[Question]:
    """JSONL: `{"id", "text", "lang", "article"}`; `article` null or absent means none answers."""
    for number, row in _rows(path):
        text, language = row.get("text", row.get("question")), row.get("lang", row.get("language"))
        if not isinstance(text, str) or not isinstance(language, str | None):
            raise BadInput(
                "a question needs `text`, and `lang` as two letters", f"{path}:{number}"
            )
        article = row.get("article")
        wanted = article if isinstance(article, str) else None
        yield Question(str(row.get("id", number)), text, language, wanted)


def articles(path: Path) -> tuple[PublicArticle, ...]:
    """A folder of articles, or JSONL with `{"id", "lang", "title", "body"}` a line."""
    if path.is_dir():
        return load_knowledge(path)
    return tuple(_article(path, number, row) for number, row in _rows(path))


def _article(path: Path, number: int, row: dict[str, Any]) -> PublicArticle:
    slug, language = row.get("id", row.get("slug")), row.get("lang", row.get("language"))
    title, body = row.get("title"), row.get("body")
    if not all(isinstance(value, str) and value for value in (slug, language, title, body)):
        raise BadInput("an article needs `id`, `lang`, `title` and `body`", f"{path}:{number}")
    tags, synonyms = (tuple(map(str, row.get(key) or ())) for key in ("tags", "synonyms"))
    return PublicArticle(str(slug), str(language), str(title), str(body), tags, synonyms)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", str(path)) from None
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 at byte {error.start}", str(path)) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"not JSON: {error}", f"{path}:{number}") from None
        if not isinstance(row, dict):
            raise BadInput("a line is a JSON object", f"{path}:{number}")
        yield number, row


def figures(search: Search, asked: Iterable[Question]) -> dict[str, Any]:
    """Top-1, top-3, what `sure` answers are worth, precision at coverage, and by language."""
    found = [Asked(one, search(one.text, one.language)[:LISTED]) for one in asked]
    answerable = [one for one in found if one.question.article is not None]
    sure = [one for one in found if one.sure]
    without = len(found) - len(answerable)
    wrongly = [one for one in sure if one.question.article is None]
    return {
        "questions": len(found),
        "answerable": len(answerable),
        "top1": _share(answerable, lambda one: one.rank == 1),
        "top3": _share(answerable, lambda one: 1 <= one.rank <= 3),
        "sure": len(sure),
        "sure_right": _share(sure, lambda one: one.rank == 1),
        "unanswerable": without,
        "unanswerable_answered": len(wrongly),
        "precision_at_coverage": _precision(found),
        "languages": _by_language(answerable),
        "bound_for_sure": bound(found),
        "missed": [_missed(one) for one in answerable if one.rank != 1],
        "answered_wrongly": [_missed(one) for one in sure if one.rank != 1],
    }


def _share(asked: Sequence[Asked], right: Callable[[Asked], bool]) -> float | None:
    return round(sum(map(right, asked)) / len(asked), 3) if asked else None


def _surest_first(found: Iterable[Asked]) -> list[Asked]:
    return sorted(found, key=lambda one: -evidence(one.hits))


def _precision(found: Sequence[Asked]) -> dict[str, float | None]:
    """Of the surest 10 %, 20 %, … of all questions: how many have the right article first."""
    ordered = _surest_first(found)
    taken = {share: ordered[: len(ordered) * share // 100] for share in SHARES}
    return {f"{share}%": _share(some, lambda one: one.rank == 1) for share, some in taken.items()}


def bound(found: Sequence[Asked]) -> float | None:
    """The lowest evidence at which nine answers in ten are right and one unanswerable in thirty
    is answered at most."""
    allowed = sum(one.question.article is None for one in found) // 30
    best, right, wrongly = None, 0, 0
    for count, one in enumerate(_surest_first(found), 1):
        right += one.rank == 1
        wrongly += one.question.article is None
        if wrongly > allowed:
            break
        if right >= RIGHT * count:
            best = round(evidence(one.hits), 2)
    return best


def _by_language(asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
    known = sorted({one.question.language or "?" for one in asked})
    groups = {name: [o for o in asked if (o.question.language or "?") == name] for name in known}
    return {
        name: {
            "questions": len(group),
            "top1": _share(group, lambda one: one.rank == 1),
            "top3": _share(group, lambda one: 1 <= one.rank <= 3),
        }
        for name, group in groups.items()
    }


def _missed(one: Asked) -> dict[str, Any]:
    return {
        "id": one.question.id,
        "text": one.question.text,
        "wanted": one.question.article,
        "found": [hit.slug for hit in one.hits[:3]],
        "evidence": round(evidence(one.hits), 2),
    }
