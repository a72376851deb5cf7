"""The shipped articles: enough of them, in both languages of the desk, public in every word."""

import pytest
from knowledge_support import SHIPPED, articles, asked, index

from gateway.cli import kb
from gateway.cli.kbfigures import Question, figures
from gateway.core.know.knowledge import judge
from gateway.core.model import Confidence, PublicArticle

LANGUAGES = ("it", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_articles_enough(language: str) -> None:
    """Forty at least, each with a title, tags, other words for it, and its day."""
    here = [one for one in articles() if one.language == language]
    assert len(here) >= 40
    assert all(one.title and one.tags and one.synonyms and one.updated for one in here)
    assert all(150 <= len(one.body) <= 2_000 for one in here)


def test_every_article_stands_in_both_languages() -> None:
    """A reply in two languages needs both."""
    assert not list(kb._missing(articles(), LANGUAGES))


def test_nothing_private_stands_in_an_article() -> None:
    """No address of a person, no number of a ticket, no address of a server."""
    assert not list(kb._private(articles()))
    leaked = PublicArticle("x", "it", "t", "scrivete a mario.rossi@libero.it, 8.8.8.8, [#482913]")
    assert len(list(kb._private((leaked,)))) == 3


def test_every_article_is_found_by_its_own_title() -> None:
    """Among the first three; first for nine in ten."""
    assert not list(kb._unfindable(index(), articles()))
    first = [index().search(one.title, one.language)[0].slug == one.slug for one in articles()]
    assert sum(first) >= 0.9 * len(first)


PANEL = [
    ("en", "How do I change my e-mail address?", "change-address"),
    ("it", "Come cambio l'indirizzo e-mail dell'account?", "change-address"),
    ("en", "Please reset my control panel password", "panel-login"),
    ("it", "Ho dimenticato la password del pannello", "panel-login"),
    ("en", "Send me the auth code", "auth-code"),
    ("it", "Mandatemi il codice auth", "auth-code"),
    ("en", "How do I transfer my domain to another registrar?", "transfer-out"),
    ("it", "Come trasferisco il dominio a un altro fornitore?", "transfer-out"),
    ("en", "Change the owner of a domain", "registrant-change"),
    ("it", "Cambio di intestatario del dominio", "registrant-change"),
    ("en", "How do I cancel a service?", "cancel"),
    ("it", "Come disdico un servizio?", "cancel"),
    ("en", "Where do I change the VAT number on my invoices?", "invoice-data"),
    ("it", "Dove cambio la partita IVA per le fatture?", "invoice-data"),
    ("en", "When does my domain expire?", "domain-expiry"),
    ("it", "Quando scade il mio dominio?", "domain-expiry"),
    ("en", "Turn off two-factor authentication", "two-factor"),
    ("it", "Disattivare l'autenticazione a due fattori", "two-factor"),
    ("en", "How do I change the nameservers?", "change-nameservers"),
    ("it", "Come si cambiano i nameserver?", "change-nameservers"),
]


@pytest.mark.parametrize(("language", "question", "slug"), PANEL)
def test_what_goes_through_the_panel_has_its_article(
    language: str, question: str, slug: str
) -> None:
    """Whatever the policy sends to the panel is explained in public (text.md)."""
    assert index().search(question, language)[0].slug == slug


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "slug", ["auth-code", "change-address", "panel-login", "two-factor", "cancel", "invoice-data"]
)
def test_an_article_about_a_change_says_that_mail_is_not_the_way(slug: str, language: str) -> None:
    """From the panel, never by mail."""
    (one,) = (one for one in articles() if (one.slug, one.language) == (slug, language))
    body = " ".join(one.body.split())
    assert "pannello" in body or "panel" in body or "pagina di accesso" in body or "login" in body
    assert "e-mail" in body
    assert any(word in body for word in ("mai", "never", "non ", "not "))


@pytest.mark.parametrize(
    ("language", "question"),
    [("it", "Buongiorno,\ncome si cambiano i nameserver di un dominio?\n"),
     ("en", "Hello,\nhow do I change the nameservers of a domain?\n")],
)  # fmt: skip
def test_the_question_of_the_demo_is_answered_surely(language: str, question: str) -> None:
    """With its subject, as it is asked for in a mail."""
    subject = {"it": "Cambiare i nameserver", "en": "Changing nameservers"}[language]
    found = judge(index().search(f"{subject}\n{question}", language))
    assert found.confidence is Confidence.SURE
    assert found.best is not None
    assert (found.best.slug, found.best.language) == ("change-nameservers", language)


def test_our_own_questions_are_answered() -> None:
    """Top-1 and top-3, what is sure, and what no article answers."""
    found = figures(index().search, asked())
    assert found["top1"] >= 0.85
    assert found["top3"] >= 0.95
    assert found["sure_right"] >= 0.95
    assert found["sure"] >= 0.4 * found["questions"]
    assert found["unanswerable_answered"] <= 1


def test_the_questions_name_articles_that_there_are() -> None:
    """A question for an article that was renamed would be lost in the figures."""
    slugs = {one.slug for one in articles()}
    assert {one.article for one in asked() if one.article} <= slugs
    assert sum(one.article is None for one in asked()) >= 25


@pytest.mark.parametrize(
    ("language", "question", "slug"),
    [
        ("de", "Wo finde ich meine Rechnungen?", "invoices"),
        ("fr", "Ma boîte mail est pleine", "mailbox-quota"),
        ("es", "¿Cómo cambio la versión de PHP?", "php-version"),
    ],
)
def test_a_question_in_another_language_finds_the_english_article(
    language: str, question: str, slug: str
) -> None:
    """By what its words are about."""
    best = index().search(question, language)[0]
    assert (best.slug, best.language) == (slug, "en")


def test_a_question_that_was_asked_twice_is_the_same_question() -> None:
    """The figures count each line of a file once."""
    one = Question("1", "Come apro un ticket?", "it", "open-ticket")
    assert figures(index().search, [one])["top1"] == 1.0
    assert figures(index().search, [])["top1"] is None


def test_the_folder_holds_nothing_but_articles() -> None:
    """Private notes have no place here."""
    assert {path.suffix for path in SHIPPED.iterdir()} == {".md"}
