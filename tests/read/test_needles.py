"""Words looked for before an expression is: never missed where the expression finds any."""

import re

import pytest

from gateway.core.know import incident
from gateway.core.read import clues
from gateway.core.read.needles import has_any, lowered
from gateway.core.say import secrets

LETTERS = [chr(code) for code in range(0x80, 0x3000)] + ["\u212a", "\u212b"]


def test_every_letter_that_matches_a_plain_one_without_case_is_lowered_to_it() -> None:
    """An expression without case finds no word that is not found in the lowered text."""
    for plain in "abcdefghijklmnopqrstuvwxyz":
        blind = re.compile(plain, re.IGNORECASE)
        assert all(plain in lowered(letter) for letter in LETTERS if blind.match(letter))


@pytest.mark.parametrize(
    "text",
    ["Paſſword: Tr0ub4dor", "codice di trasferimento: XK4-9", "la parola d'ordine è Tr0ub4dor",
     "mot de passe : Xy7zz", "PİN: 4711", "contraseña es Tr0ub4dor", "api key = abc123"],
)  # fmt: skip
def test_secrets_are_masked_whatever_the_case_of_their_word(text: str) -> None:
    """No label of a secret is passed over."""
    assert secrets.mask(text)[1]


def test_words_of_every_label_and_sign_have_a_needle() -> None:
    """A line of each kind is still found."""
    lines = ("no route to host", "Kernel Panic", "[WARN] x", "err_name_not_resolved", "stacktrace",
             "destination host unreachable", "Connectıon refused")  # fmt: skip
    assert all(has_any(lowered(line), incident._NEEDLES) for line in lines)
    assert clues.orders("BESTELLUNG Nr. 55-A; ordıne 77712") == ("55-A", "77712")
