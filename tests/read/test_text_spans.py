"""Spans of plain bodies: what the customer wrote now, told apart by structure before language."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.model import SpanKind
from gateway.core.read import text


def kinds(body: str) -> list[tuple[str, str]]:
    """Each span's kind with the words in it, space folded."""
    return [(s.kind.value, " ".join(body[s.start : s.end].split())) for s in text.spans(body)]


def new(body: str) -> str:
    """The new words, space folded."""
    return " ".join(words for kind, words in kinds(body) if kind == "new").strip()


DESK = "Desk <d@d.example>"
OUTLOOK = {
    "Italian": f"Da: {DESK}\nInviato: lunedì 3 marzo 2025 10:15\nA: Io\nOggetto: R: x",
    "German": f"Von: {DESK}\nGesendet: Montag, 3. März 2025 10:15\nAn: Ich\nBetreff: AW: x",
    "Spanish": f"De: {DESK}\nEnviado: lunes, 3 de marzo de 2025 10:15\nPara: Yo\nAsunto: x",
    "Romanian": f"De la: {DESK}\nTrimis: luni, 3 martie 2025 10:15\nCătre: Eu\nSubiect: x",
    "Greek": f"Από: {DESK}\nΣτάλθηκε: 3 Μαρτίου 2025 10:15\nΠρος: Εγώ\nΘέμα: x",
    "no listed one": f"Vex: {DESK}\nQuon: 3/3/2025 10:15\nZur: Mi <m@d.example>\nTemo: x",
}


@pytest.mark.parametrize("language", OUTLOOK)
def test_header_block_ends_the_words(language: str) -> None:
    """A block of header-like lines opens a quote in any language, and takes the rest with it."""
    body = f"Non funziona ancora.\n\n{OUTLOOK[language]}\n\nVecchio testo.\nFirma\n"
    assert new(body) == "Non funziona ancora."


ATTRIBUTIONS = [
    "Il giorno lun 3 mar 2025 alle ore 10:15 Desk <desk@d.example> ha scritto:",
    "On Mon, Mar 3, 2025 at 10:15 AM Desk <desk@d.example> wrote:",
    "Am 03.03.2025 um 10:15 schrieb Desk:",
    "Le lun. 3 mars 2025 à 10:15, Desk <desk@d.example> a écrit :",
    "El lun, 3 mar 2025 a las 10:15, Desk (<desk@d.example>) escribió:",
    "2025. márc. 3. 10:15 Desk <desk@d.example> ezt írta:",
    "Vib 2025-03-03 10:15 Desk <desk@d.example> zwonk:",
    "Il giorno lun 3 mar 2025 alle ore 10:15 Assistenza Tecnica <\ndesk@d.example> ha scritto:",
]


@pytest.mark.parametrize("said", ATTRIBUTIONS)
def test_attribution_before_a_quote(said: str) -> None:
    """A date or an address and a colon right before a quote announce it, whatever they say."""
    body = f"Va bene.\n\n{said}\n\n> prima riga\n> seconda riga\n"
    assert [kind for kind, _ in kinds(body)] == ["new", "attribution", "quote"]


def test_words_between_quotes_stay_new() -> None:
    """Answers between quoted lines are new, even of one word, and the quotes stay beside them."""
    body = "Il 03/03/2025 10:15, Desk ha scritto:\n> Client?\nThunderbird\n> Versione?\n128\n"
    assert new(body) == "Thunderbird 128"
    assert ("quote", "> Client?") in kinds(body)


PROSE = [
    'Il giorno 3 marzo il sito era giù e il vostro collega ha scritto:\n"risolto"\nNon è vero.',
    "Ecco il log:\n\n> 250 ok\n> 454 TLS not available\n\nCosa faccio?",
    "Da ieri 3/3/2025 alle 10:15 ricevo da mario@rossi.example:\n> 550 5.1.1 user unknown\nAiuto",
    "Server: vps-12\nIP: 192.0.2.7\nOrdine: #123456\nInizio: 03/03/2025 14:05\n\nLog allegato.",
    "Nome: Mario\nData: 03/03/2025 10:00\nA: info@rossi.example\nOggetto: prova\n\nNon arriva.",
    "Return-Path: <a@b.example>\nReceived: from x\nFrom: A <a@b.example>\nTo: c@d.example\n"
    "Date: Mon, 3 Mar 2025 10:15:00 +0100\nSubject: x\n\nPerché finisce in spam?",
    "Ai sensi del Regolamento UE 2016/679 chiedo la cancellazione dei miei dati e di ogni "
    "informazione riservata contenuta nel presente contratto.",
    "Primo problema\n\n---\n\nSecondo problema\n\n---\n\nTerzo problema",
    "Posta ferma.\n--\nSecondo problema: il sito non va da ieri sera e mi serve che torni presto, "
    "perché perdo clienti ogni ora che passa.",
    "Ho cambiato:\n\n--- a/file\n+++ b/file\n-x\n+y",
    "Inviato da ieri il bonifico, quando attivate?",
    "Grazie\nMario\nil dominio è rossi.example",
    'On Monday your colleague wrote:\n"we will refund you". Where is it?',
    "Confermo",
]


@pytest.mark.parametrize("body", PROSE)
def test_no_word_of_the_customer_is_lost(body: str) -> None:
    """Logs, forms, pasted headers, dividers and rights requests are the customer's own words."""
    assert new(body) == " ".join(body.split())


FOOTERS = [
    ("signature", "-- \nMario Rossi\nRossi S.r.l."),
    ("signature", "Inviato da iPhone"),
    ("signature", "Get Outlook for Android<https://aka.example/x>"),
    ("signature", "Von meinem iPhone gesendet"),
    ("signature", "Cordiali saluti\nMario Rossi\nRossi S.r.l.\nTel. 02 1234567"),
    (
        "legal",
        "Le informazioni contenute in questo messaggio sono riservate e destinate al solo "
        "destinatario; se ricevuto per errore, vi invitiamo a distruggerlo.",
    ),
    (
        "legal",
        "This e-mail and any attachments are confidential and intended solely for the addressee. "
        "If received in error, delete it.",
    ),
    ("legal", "Please consider the environment before printing this email."),
    ("legal", "Questa email è stata esaminata alla ricerca di virus da Avast."),
]


@pytest.mark.parametrize("kind,footer", FOOTERS)
def test_footers_are_not_new(kind: str, footer: str) -> None:
    """Signatures, mobile signatures and legal footers are marked as what they are."""
    body = f"Il sito non risponde.\n\n{footer}\n"
    assert kinds(body)[0] == ("new", "Il sito non risponde.")
    assert {k for k, _ in kinds(body)[1:]} == {kind}


def test_postscript_under_a_mobile_signature_is_new() -> None:
    """A signature ends where somebody writes on."""
    assert new("Ok\n\nInviato da iPhone\n\nP.S. cambiata anche la password") == (
        "Ok P.S. cambiata anche la password"
    )


def test_forward_is_not_new() -> None:
    """A forwarded mail is kept as a forward, the words above it are new."""
    body = (
        "È vostra?\n\n---------- Messaggio inoltrato ---------\nDa: X <x@y.example>\n"
        "Date: lun 3 mar 2025 alle ore 08:00\nSubject: Scade\nTo: <a@b.example>\n\nPaghi subito.\n"
    )
    assert kinds(body)[0] == ("new", "È vostra?")
    assert {kind for kind, _ in kinds(body)[1:]} == {"forward"}


def test_certified_mail_envelope_is_not_new() -> None:
    """The text that a PEC provider puts around a mail is nobody's words."""
    body = (
        "Messaggio di posta certificata\n\nIl giorno 03/03/2025 alle ore 10:15:22 (+0100) il "
        'messaggio\n"Disdetta" è stato inviato da "a@pec.example"\nindirizzato a:\n'
        "b@pec.example\nIdentificativo messaggio: opec1@pec.example\n"
    )
    assert new(body) == ""


def test_every_span_names_its_rule() -> None:
    """The rule that marked a span is never empty."""
    body = "Ciao\n\n-- \nMario\n\nIl 03/03/2025 10:15, Desk ha scritto:\n> x\n"
    assert all(span.rule for span in text.spans(body))


def test_an_open_quote_reaches_beyond_what_is_analysed() -> None:
    """A quote that runs to the end of the mail does so also past the lines that are looked at."""
    block = OUTLOOK["Italian"]
    body = f"Ciao\n\n{block}\n\n" + "vecchia riga\n" * 5_000
    assert new(body) == "Ciao"


def test_lines_beyond_the_limit_stay_new() -> None:
    """What is not analysed is kept as it is."""
    body = "riga\n" * 5_000
    assert new(body) == " ".join(["riga"] * 5_000)


BODIES = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(
            [
                *ATTRIBUTIONS,
                *OUTLOOK["Italian"].split("\n"),
                "> quoted",
                ">> deeper",
                "",
                "-- ",
                "--",
                "____",
                "Inviato da iPhone",
                "Grazie",
                "Mario Rossi",
                "parole del cliente",
                "-----Original Message-----",
                "Begin forwarded message:",
                "Questo messaggio è riservato al destinatario",
                "a" * 3_000,
                "\u202e\u200b\ud800\x00\x85\u2028",
            ]
        ),
        max_size=40,
    ).map("\n".join),
)


@settings(max_examples=200, deadline=None)
@given(BODIES)
@example("")
@example("\r\r\n\n\r")
def test_spans_tile_the_body(body: str) -> None:
    """Spans follow each other without a gap, from the first character to the last."""
    spans = text.spans(body)
    assert "".join(body[span.start : span.end] for span in spans) == body
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])][: len(spans)]
    assert all(span.start < span.end for span in spans)


@settings(max_examples=100, deadline=None)
@given(BODIES.filter(lambda body: "\r" not in body))
def test_line_ends_do_not_matter(body: str) -> None:
    """A body with CRLF is tiled as the same body with LF."""
    folded = [(kind, words) for kind, words in kinds(body)]
    assert [(kind, words) for kind, words in kinds(body.replace("\n", "\r\n"))] == folded


def test_new_kind_is_the_default() -> None:
    """A body without any structure is one new span."""
    (span,) = text.spans("Il sito non va.\nPotete guardare?")
    assert span.kind is SpanKind.NEW
