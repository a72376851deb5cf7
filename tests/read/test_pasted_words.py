"""What somebody pastes, tells, or adds under his name is his word now; a mail below it is not."""

import pytest

from gateway.core.model import SpanKind
from gateway.core.read import text

BLOCK = "Da: Banca <info@banca.example>\nData: 21 novembre 2026 10:00\nA: io@x.example\nOggetto: y"
ARUBA = (
    'Da "Mario" mario@host.example\nA "Anna" anna@x.example\nCc\n'
    "Data Mon, 21 Nov 2026 10:00:00 +0100\nOggetto Re: ticket"
)


def new(body: str) -> str:
    """The new words, space folded."""
    tiles = [s for s in text.spans(body) if s.kind is SpanKind.NEW]
    return " ".join(" ".join(body[s.start : s.end] for s in tiles).split())


@pytest.mark.parametrize(
    "body",
    [
        f"Buongiorno, ricevo questo spam:\n\n{BLOCK}\n\nCome posso bloccarlo?\n",
        f"I get this:\n\n{BLOCK}\n\n2026-11-22 10:00 smtpd: reject\n",
        "I get this:\n\nFrom: b@e.example\nDate: 21 Nov 2026 10:00\nSubject: v\n\nBlock it\n",
        "Log:\n2026-11-22 10:00 user@x.example wrote:\n500 error\nthen crashed\n",
        "il giorno 21/11/2026 alle 10:00 il tecnico (m@h.example) mi ha scritto:\n\nche è su.\n",
        "On 21 Nov 2026 10:00 your colleague (m@host.example) wrote to me:\n\nthat it is up.\n",
    ],
)
def test_pasted_and_told(body: str) -> None:
    """All of it is new: nobody can say where what was pasted ends."""
    assert new(body) == " ".join(body.split())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"ok grazie\n\n{BLOCK}\n\nCome sta?\n", "ok grazie"),
        (f"ok grazie\n\n{ARUBA}\n\nCome sta?\n", "ok grazie"),
        ("I answer:\n\nOn 3 Mar 2025 10:15 A <a@b.example>\nwrote:\n\n> old\n", "I answer:"),
        (":+1:\n\nOn 3 Mar 2025 10:15 A <a@b.example> wrote:\n\nold\n", ":+1:"),
        ("Da Milano\nA Roma\nData 21/11/2026 10:00\nOggetto viaggio\n\nparto",
         "Da Milano A Roma Data 21/11/2026 10:00 Oggetto viaggio parto"),
    ],
)  # fmt: skip
def test_what_is_quoted_all_the_same(body: str, words: str) -> None:
    """A mail below the words is quoted, whatever form its head has."""
    assert new(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("È giù\n\n-- \nMario\nPS: anche la posta è ferma\n", "È giù PS: anche la posta è ferma"),
        ("È giù\n\n-- \nMario\nP.S. è urgente\n", "È giù P.S. è urgente"),
        ("È giù\n\n-- \nMario\nNB Consulting\nPS Systems\n", "È giù"),
        ("> old\n> more\n\n-- \nTom\n\nYes please restart it.\n", "Yes please restart it."),
        ("It is down\n\n-- \nTom\n\nSmall is beautiful.\n", "It is down"),
    ],
)
def test_words_below_a_signature(body: str, words: str) -> None:
    """A postscript right under the name, and the one sentence of a mail under its signature."""
    assert new(body) == words
