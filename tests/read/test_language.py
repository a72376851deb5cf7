"""The language of short texts; a guess is no answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import SUITES, needs_suites

from gateway.core.read import language


@pytest.mark.parametrize(
    "expected,words",
    [
        ("it", "Buongiorno, la webmail non si apre da stamattina, potete controllare?"),
        ("en", "My server has been unreachable since eight this morning, please check."),
        ("de", "Seit heute Morgen bekomme ich keine Nachrichten mehr, bitte prüfen Sie das."),
        ("fr", "Depuis ce matin je ne reçois plus rien, pouvez-vous vérifier ?"),
        ("es", "Desde esta mañana no recibo nada, ¿pueden revisarlo por favor?"),
    ],
)
def test_plain_cases(expected: str, words: str) -> None:
    """A sentence of each language is recognised, and surely."""
    found, sureness = language.guess(words)
    assert found == expected
    assert sureness >= language.SURE


@pytest.mark.parametrize(
    "words", ["", "   ", "#123456", "192.0.2.7", "https://a.example/der/die", ":-)"]
)
def test_nothing_to_go_by(words: str) -> None:
    """Numbers, links and signs have no language."""
    assert language.guess(words) == (None, 0.0)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_an_answer(words: str) -> None:
    """Whatever the text, the answer is one of the five or None, with a number from 0 to 1."""
    found, sureness = language.guess(words)
    assert found in (None, *language.LANGUAGES)
    assert 0.0 <= sureness <= 1.0
    assert (found is None) == (sureness < language.SURE)


@needs_suites
def test_short_texts_of_the_suite() -> None:
    """Of the suite's short texts at least 97 in 100 are right, and of those decided 98 in 100."""
    rows = (SUITES / "langid" / "short.tsv").read_text("utf-8").splitlines()
    cases = [row.split("\t", 1) for row in rows if row]
    answers = [(expected, language.guess(words)[0]) for expected, words in cases]
    right = sum(expected == found for expected, found in answers)
    decided = sum(found is not None for _, found in answers)
    assert right >= 0.97 * len(cases)
    assert right >= 0.98 * decided
