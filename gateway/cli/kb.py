"""`portiere kb`: the knowledge base alone. It asks it, checks it, and measures it.

Articles are files; `feedback` alone reads the database: what people said of answers.
"""

import json as jsonlib
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway import config as configuration
from gateway.cli import kbfigures, output
from gateway.cli.config import ConfigOption
from gateway.core.know.knowledge import evidence, judge
from gateway.core.know.told import tells
from gateway.core.model import ArticleHit, PublicArticle
from gateway.core.read import language as languages
from gateway.errors import BadInput

if TYPE_CHECKING:
    from gateway.store.articles import ArticleIndex

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
ArticlesOption = Annotated[
    Path | None,
    typer.Option("--articles", help="Other articles: a folder, or JSONL.", show_default=False),
]
_PRIVATE = (
    (
        re.compile(r"(?i)\b[\w.+-]+@(?!example\.|[\w.-]*\.example\b)[\w-]+\.[a-z]{2,}\b"),
        "an address",
    ),
    (re.compile(r"\[#\d+\]"), "the number of a ticket"),
    (
        re.compile(r"\b(?!192\.0\.2\.|198\.51\.100\.|203\.0\.113\.)(?:\d{1,3}\.){3}\d{1,3}\b"),
        "an IP address",
    ),
)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    lang: Annotated[str | None, typer.Option(help="Its language; guessed without it.")] = None,
    batch: Annotated[Path | None, typer.Option(help="JSONL: one question a line.")] = None,
    articles: ArticlesOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show which public articles would answer a question, and how surely."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give either a question or --batch FILE.jsonl")
    if lang is not None and lang not in languages.LANGUAGES:
        known = ", ".join(languages.LANGUAGES)
        raise typer.BadParameter(f"`{lang}` is not one of {known}", param_hint="--lang")
    index = _index(config, articles)
    if question is None:
        assert batch is not None
        for line in _answers(index, batch):
            sys.stdout.write(jsonlib.dumps(line, ensure_ascii=False) + "\n")
        return
    found = _answer(index, question, lang)
    output.as_json(found) if json else _page(found)


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="A folder of articles.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read every article; exit 1 where one is missing in a language, private, or not found."""
    from gateway.store.articles import ArticleIndex

    path = folder or _folder(configuration.load(config))
    read = kbfigures.articles(path)
    wanted = configuration.load(config).support.languages if folder is None else ()
    complaints = [*_missing(read, wanted), *_private(read), *_unfindable(ArticleIndex(read), read)]
    counted = {lang: sum(a.language == lang for a in read) for lang in _languages(read)}
    if json:
        output.as_json({"articles": counted, "complaints": complaints})
    else:
        for complaint in complaints:
            sys.stderr.write(f"{path}: {complaint}\n")
        output.say(", ".join(f"{count} articles in {lang}" for lang, count in counted.items()))
    if complaints:
        raise typer.Exit(1)


@app.command()
def feedback(
    days: Annotated[
        int | None, typer.Option(min=1, help="Answers of so many days; without it, all.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show by article how often it was sent as an answer, and how often that did not help."""
    from gateway.store import feedback as answers
    from gateway.store.engine import Store

    read = configuration.load(config)
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    store = Store.open(read.database.url, read.paths.blobs, read_only=True)
    try:
        with store.reading() as connection:
            found = answers.helped(connection, since)
    finally:
        store.close()
    if json:
        output.as_json([one._asdict() | {"share": one.share} for one in found])
        return
    columns = ("article", "sent", "not solved", "ticket within 72 h", "either", "share")
    output.table("answers", columns, ((*one, f"{one.share:.0%}") for one in found))


@app.command("eval")
def evaluate(
    questions: Annotated[Path, typer.Argument(help='JSONL: {"text", "lang", "article"}.')],
    articles: ArticlesOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the articles by questions whose answer is known, and calibrate the bounds."""
    found = kbfigures.figures(_index(config, articles).search, kbfigures.questions(questions))
    if json:
        output.as_json(found)
        return
    names = ("questions", "answerable", "top1", "top3", "sure", "sure_right", "unanswerable")
    rows: list[tuple[object, object]] = [(name, found[name]) for name in names]
    rows.append(("unanswerable answered", found["unanswerable_answered"]))
    rows.append(("bound for sure", found["bound_for_sure"]))
    rows += [
        (f"top1, top3 in {name}", f"{each['top1']}, {each['top3']} of {each['questions']}")
        for name, each in found["languages"].items()
    ]
    output.table("figures", ("", ""), rows)
    output.table("coverage", ("surest", "right"), found["precision_at_coverage"].items())
    keys = ("id", "wanted", "found", "evidence", "text")
    missed = ([one[key] for key in keys] for one in found["missed"])
    output.table("not found first", keys, missed)


def _folder(config: configuration.Config) -> Path:
    if config.paths.knowledge is None:
        raise BadInput("`paths.knowledge` is not resolved")
    return config.paths.knowledge


def _index(config: Path | None, articles: Path | None) -> "ArticleIndex":
    from gateway.store.articles import ArticleIndex

    read = configuration.load(config)
    return ArticleIndex(kbfigures.articles(articles or _folder(read)), read.support.articles_url)


def _answers(index: "ArticleIndex", batch: Path) -> Iterator[dict[str, Any]]:
    """One line out for one line in, in order; an unreadable line is an error of its own."""
    try:
        lines = batch.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise BadInput(f"cannot read the questions: {error.strerror}", str(batch)) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = jsonlib.loads(line)
        except ValueError as error:
            yield {"id": number, "error": f"not JSON: {error}"}
            continue
        yield _answered(index, number, row)


def _answered(index: "ArticleIndex", number: int, row: object) -> dict[str, Any]:
    if not isinstance(row, dict):
        return {"id": number, "error": "a question is a JSON object"}
    identifier = row.get("id", number)
    text = row.get("text", row.get("question"))
    lang = row.get("lang", row.get("language"))
    if not isinstance(text, str) or not isinstance(lang, str | None):
        return {"id": identifier, "error": "a question needs `text`, and `lang` as two letters"}
    return {"id": identifier, **_answer(index, text, lang)}


def _answer(index: "ArticleIndex", text: str, lang: str | None) -> dict[str, Any]:
    spoken = lang or languages.guess(text)[0]
    hits = index.search(text, spoken)
    best = hits[0] if hits else None
    return {
        "question": text,
        "language": spoken,
        "article": best.slug if best else None,
        "confidence": str(judge(hits, withheld=tells(text)).confidence),
        "score": round(best.score, 2) if best else None,
        "evidence": round(evidence(hits), 2),
        "articles": [_listed(hit) for hit in hits],
    }


def _listed(hit: ArticleHit) -> dict[str, Any]:
    return {
        "article": hit.slug,
        "language": hit.language,
        "title": hit.title,
        "url": hit.url,
        "score": round(hit.score, 2),
        "covered": round(hit.covered, 2),
    }


def _page(found: dict[str, Any]) -> None:
    output.say(f"{found['confidence']} (evidence {found['evidence']}, {found['language']})")
    keys = ("article", "language", "title", "score", "covered")
    output.table("articles", keys, ([one[key] for key in keys] for one in found["articles"]))


def _languages(read: tuple[PublicArticle, ...]) -> list[str]:
    return sorted({article.language for article in read})


def _missing(read: tuple[PublicArticle, ...], wanted: tuple[str, ...]) -> Iterator[str]:
    """An article that stands in one language of the desk stands in all of them."""
    has = {(article.slug, article.language) for article in read}
    for slug in sorted({article.slug for article in read}):
        for language in wanted or _languages(read):
            if (slug, language) not in has:
                yield f"{slug}.{language}.md is missing"


def _private(read: tuple[PublicArticle, ...]) -> Iterator[str]:
    """Nothing private may live here: addresses of people, numbers of tickets, addresses of
    servers; example domains and documentation networks may."""
    for article in read:
        for pattern, what in _PRIVATE:
            if found := pattern.search(f"{article.title}\n{article.body}"):
                yield f"{article.slug}.{article.language}.md holds {what}: `{found[0]}`"


def _unfindable(index: "ArticleIndex", read: tuple[PublicArticle, ...]) -> Iterator[str]:
    """Who asks for an article by its own title finds it among the first three."""
    for article in read:
        hits = index.search(article.title, article.language)[:3]
        if article.slug not in [hit.slug for hit in hits]:
            yield f"{article.slug}.{article.language}.md is not found by its own title"
