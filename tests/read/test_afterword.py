"""Words below a signature: what a customer writes there is read, and a signature stays one."""

import pytest

from gateway.core.model import SpanKind
from gateway.core.read import html_text, text


def new(body: str) -> str:
    """The new words, space folded."""
    spans = text.spans(body)
    return " ".join(
        "".join(body[s.start : s.end] for s in spans if s.kind is SpanKind.NEW).split()
    )


CARD = "-- \nMario Rossi\nRossi S.r.l. - Via Roma 1\nTel. 02 1234567\n"
WORDS = [
    "Potete anche verificare il certificato?",
    "Buongiorno, il sito non risponde da ieri.",
    "Hello, the site is down since yesterday.",
    "Il sito della ditta non risponde da ieri sera e i clienti chiamano.",
    "Könnten Sie bitte das Zertifikat prüfen?",
    "Pourriez-vous vérifier le certificat ?",
    "¿Podrían revisar el certificado?",
]


@pytest.mark.parametrize("words", WORDS)
def test_words_under_a_signature_with_words_above(words: str) -> None:
    """A paragraph that asks, greets or says something is new, the signature is not."""
    assert new(f"Grazie mille.\n\n{CARD}\n{words}\n") == f"Grazie mille. {words}"


@pytest.mark.parametrize("words", WORDS)
def test_words_under_a_signature_alone(words: str) -> None:
    """Who types below the signature that his phone put there has said it."""
    assert new(f"{CARD}\n{words}\n") == words
    assert words in new(f"-- \n{words}\n")


def test_short_words_above_the_question_come_with_it() -> None:
    """A paragraph of prose between the card and the question is not lost."""
    assert new(f"Grazie.\n\n{CARD}\nun'altra cosa\n\nIl DNS è a posto?\n") == (
        "Grazie. un'altra cosa Il DNS è a posto?"
    )


@pytest.mark.parametrize(
    "block",
    [
        CARD,
        f"{CARD}\nSeguiteci su https://social.example/rossi?ref=mail\n",
        f"{CARD}\nPartita IVA 01234567890 - iscritta al registro delle imprese di Milano\n",
        "-- \nMario Rossi\n\nRossi S.r.l.\n\nVia Roma 1\n20100 Milano\n",
        "-- \nMario Rossi\nHai bisogno di aiuto? Apri un ticket su https://a.example\n",
        f"{CARD}\nLe informazioni contenute in questo messaggio sono riservate e destinate al "
        "solo destinatario.\n\nChi lo riceve non può copiarlo o darlo a terzi in nessun caso.\n",
    ],
)
def test_a_signature_stays_one(block: str) -> None:
    """Cards, trades, links, advertisements under a name, and legal footers are not new text."""
    assert new(f"Il sito va di nuovo.\n\n{block}") == "Il sito va di nuovo."


def test_words_inside_the_signature_of_a_page() -> None:
    """Some phones put what is typed into the block of the signature."""
    read = html_text.to_text(
        '<div>Grazie</div><div class="gmail_signature">Mario Rossi<br>Rossi S.r.l.<br><br>'
        "Potete anche verificare il DNS?</div>"
    )
    spans = text.spans(read.text, read.hints)
    words = "".join(read.text[s.start : s.end] for s in spans if s.kind is SpanKind.NEW)
    assert words.split() == ["Grazie", "Potete", "anche", "verificare", "il", "DNS?"]


ARMOUR = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}\n"
    "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v2\n\niQEzBAEBCAAdFiEE\n=abcd\n"
    "-----END PGP SIGNATURE-----\n"
)


def test_the_frame_of_a_signed_text_is_no_word() -> None:
    """The lines that OpenPGP puts around a text are marked; the text between them is new."""
    assert new(ARMOUR.format("Il sito non va.\n\nMi aiutate?")) == "Il sito non va. Mi aiutate?"
    assert new(ARMOUR.format("Il sito non va.\n\n- -- \nMario Rossi\n")) == "Il sito non va."
    open_ended = "Il sito non va.\n-----BEGIN PGP SIGNATURE-----\nabc\n"
    assert "Il sito non va." in new(open_ended)
