"""What the tests about articles share: the shipped ones, and our own questions about them."""

import json
from functools import cache
from pathlib import Path

from tests_support import ROOT

from gateway.cli.kbfigures import Question, questions
from gateway.core.model import PublicArticle
from gateway.load.texts import load_knowledge
from gateway.store.articles import ArticleIndex

SHIPPED = ROOT / "knowledge"
QUESTIONS = Path(__file__).parent / "questions.jsonl"


@cache
def articles() -> tuple[PublicArticle, ...]:
    """The shipped articles."""
    return load_knowledge(SHIPPED)


@cache
def index() -> ArticleIndex:
    """The shipped articles, ready to be asked."""
    return ArticleIndex(articles())


@cache
def asked() -> tuple[Question, ...]:
    """Our own questions, each with the article that answers it, or with none."""
    return tuple(questions(QUESTIONS))


def of_suite(suites: Path) -> tuple[ArticleIndex, list[Question]]:
    """The suite's articles and its questions."""
    folder = suites / "kb"
    rows = [json.loads(line) for line in (folder / "articles.jsonl").read_text().splitlines()]
    read = (PublicArticle(row["id"], row["lang"], row["title"], row["body"]) for row in rows)
    return ArticleIndex(read), list(questions(folder / "dev.jsonl"))
