"""Paragraphs of `format=flowed`, put together again with their quotes and signatures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_support import parsed

from gateway.core.read.flowed import unwrapped

HEADER = (
    "From: Anna <anna@cliente.example>\nSubject: s\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8; format={}\n\n"
)


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ("uno due \ntre \nquattro\ncinque", "uno due tre quattro\ncinque"),
        ("a \n\nb", "a \n\nb"),
        ("> uno \n> due\n> tre", "> uno due\n> tre"),
        (">> uno \n> due \nrisposta", ">> uno \n> due \nrisposta"),
        ("> uno \n>> due", "> uno \n>> due"),
        ("parole \n-- \nAnna", "parole \n-- \nAnna"),
        ("> parole \n> -- \n> Anna", "> parole \n> -- \n> Anna"),
        (" From me\n > no quote", "From me\n> no quote"),
        (">\n> \n", ">\n>\n"),
        ("senza fine ", "senza fine "),
    ],
)
def test_paragraphs(lines: str, whole: str) -> None:
    """A space at the end joins a line to the next of its depth; a signature's dashes never do."""
    assert unwrapped(lines, delsp=False) == whole


def test_delsp() -> None:
    """With DelSp the last space goes too, for scripts that have none between words."""
    assert unwrapped("これは \nです\n速い  \nです", delsp=True) == "これはです\n速い です"


def test_a_mail_that_says_so() -> None:
    """The words of such a mail come whole; one that does not say it keeps its lines."""
    body = "Il sito è giù \nda ieri.\n\n> la vostra \n> risposta\n"
    assert parsed(HEADER.format("flowed") + body).body_text == (
        "Il sito è giù da ieri.\n\n> la vostra risposta\n"
    )
    assert parsed(HEADER.format("fixed") + body).body_text == body
    delsp = HEADER.format("Flowed; delsp=yes") + "これは \nです\n"
    assert parsed(delsp).body_text == "これはです\n"


@given(st.text(alphabet=">- \nab\t\u00a0è", max_size=200), st.booleans())
def test_no_word_is_lost(text: str, delsp: bool) -> None:
    """Every letter stays, in its order; only marks, spaces and line breaks change."""

    def kept(words: str) -> str:
        return "".join(char for char in words if char.isalpha())

    assert kept(unwrapped(text, delsp)) == kept(text)


def test_what_lies_far_beyond_stays_as_it_came() -> None:
    """Nothing is lost where no more lines are put together."""
    source = "a \n" * 60_000
    read = unwrapped(source, False)
    assert read.startswith("a a a ")
    assert read.endswith("a \na \n")
    assert read.count("a") == 60_000
