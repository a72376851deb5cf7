"""`portiere kb`: ask, check and eval, as people and programs use them."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from knowledge_support import QUESTIONS
from typer.testing import CliRunner

from gateway.cli import kb
from gateway.errors import BadInput


def portiere_kb(*said: str | Path) -> Result:
    """The command's result."""
    return CliRunner().invoke(kb.app, [str(word) for word in said])


ARTICLES = [
    {"id": "slow", "lang": "it", "title": "Sito lento", "body": "Attivare la cache."},
    {"id": "full", "lang": "it", "title": "Casella piena", "body": "Svuotare il cestino."},
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two articles, three questions."""
    rows = "\n".join(json.dumps(row) for row in ARTICLES)
    (tmp_path / "articles.jsonl").write_text(rows + "\n\n")
    asked = [
        {"id": "a", "lang": "it", "text": "il sito è una lumaca", "article": "slow"},
        {"id": "b", "lang": "it", "text": "avete posti di lavoro?", "article": None},
    ]
    (tmp_path / "asked.jsonl").write_text("\n".join(json.dumps(row) for row in asked))
    return tmp_path


def test_a_question_is_answered_for_programs() -> None:
    """Slug, confidence, score, and the articles in order."""
    found = json.loads(portiere_kb("ask", "Come si cambiano i nameserver?", "--json").stdout)
    assert (found["article"], found["confidence"]) == ("change-nameservers", "sure")
    assert found["language"] == "it"
    assert found["articles"][0]["article"] == "change-nameservers"
    assert found["score"] == found["articles"][0]["score"] > 0


def test_a_question_is_answered_for_people() -> None:
    """A table."""
    done = portiere_kb("ask", "How do I change the nameservers?", "--lang", "en")
    assert done.exit_code == 0
    assert "sure" in done.stdout
    assert "change-nameservers" in done.stdout


def test_a_language_that_is_none_is_refused() -> None:
    """Exit status 2, with those that there are."""
    done = portiere_kb("ask", "Come va?", "--lang", "italian")
    assert done.exit_code == 2
    assert "it, en, de, fr, es" in done.stderr


def test_what_no_article_answers_is_said(files: Path) -> None:
    """No article, no score, no confidence."""
    done = portiere_kb("ask", "xyzzy", "--json", "--articles", files / "articles.jsonl")
    found = json.loads(done.stdout)
    assert (found["article"], found["score"], found["confidence"]) == (None, None, "none")


def test_a_batch_keeps_the_order_and_goes_on_after_a_bad_line(tmp_path: Path) -> None:
    """One line out for one in."""
    batch = tmp_path / "batch.jsonl"
    lines = ['{"id": "x", "text": "aprire un ticket", "lang": "it"}', "{", "[]", '{"id": 4}']
    lines += ["", '{"question": "mailbox full", "language": "en"}']
    batch.write_text("\n".join(lines))
    said = [json.loads(line) for line in portiere_kb("ask", "--batch", batch).stdout.splitlines()]
    assert [one["id"] for one in said] == ["x", 2, 3, 4, 6]
    assert ["error" in one for one in said] == [False, True, True, True, False]
    assert (said[0]["article"], said[-1]["article"]) == ("open-ticket", "mailbox-quota")


def test_the_words_of_ask_are_a_question_or_a_batch() -> None:
    """Not both, and not neither: exit status 2."""
    assert portiere_kb("ask").exit_code == 2
    assert portiere_kb("ask", "x", "--batch", "y").exit_code == 2


def test_the_shipped_articles_pass_their_check() -> None:
    """And are counted."""
    done = portiere_kb("check", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["complaints"] == []
    assert set(found["articles"]) == {"en", "it"}


def test_a_check_names_what_is_wrong(tmp_path: Path) -> None:
    """A missing language, and something private; exit status 1."""
    head = "---\ntitle: Posta\n---\n"
    (tmp_path / "mail.it.md").write_text(head + "Scrivete ad anna@cliente.it")
    (tmp_path / "web.it.md").write_text(head.replace("Posta", "Sito") + "Il sito.")
    (tmp_path / "web.en.md").write_text(head.replace("Posta", "Site") + "The site.")
    done = portiere_kb("check", tmp_path)
    assert done.exit_code == 1
    assert "mail.en.md is missing" in done.stderr
    assert "mail.it.md holds an address: `anna@cliente.it`" in done.stderr


def test_the_figures_of_a_set_of_questions(files: Path) -> None:
    """For programs: shares, and what was missed."""
    where = ("--articles", files / "articles.jsonl", "--json")
    found = json.loads(portiere_kb("eval", files / "asked.jsonl", *where).stdout)
    assert (found["questions"], found["answerable"], found["unanswerable"]) == (2, 1, 1)
    assert (found["top1"], found["top3"], found["unanswerable_answered"]) == (1.0, 1.0, 0)
    assert found["missed"] == []


def test_the_figures_are_a_page_for_people() -> None:
    """Over the shipped articles."""
    done = portiere_kb("eval", QUESTIONS)
    assert done.exit_code == 0
    assert "coverage" in done.stdout
    assert "sure_right" in done.stdout


@pytest.mark.parametrize(
    ("name", "line", "complaint"),
    [
        ("articles.jsonl", '{"id": "x"}', "an article needs"),
        ("articles.jsonl", "{", "not JSON"),
        ("articles.jsonl", "[]", "a line is a JSON object"),
        ("asked.jsonl", '{"lang": "it"}', "a question needs `text`"),
    ],
)
def test_a_bad_line_is_named_by_its_place(
    files: Path, name: str, line: str, complaint: str
) -> None:
    """File and line."""
    (files / name).write_text(line)
    done = portiere_kb("eval", files / "asked.jsonl", "--articles", files / "articles.jsonl")
    assert isinstance(done.exception, BadInput)
    assert f"{name}:1: {complaint}" in str(done.exception)


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    """Questions and batches alike."""
    for words in (("eval", tmp_path / "no.jsonl"), ("ask", "--batch", tmp_path / "no.jsonl")):
        done = portiere_kb(*words)
        assert isinstance(done.exception, BadInput)
        assert "no.jsonl" in str(done.exception)
