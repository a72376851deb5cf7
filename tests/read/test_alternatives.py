"""Which form of the words is read, where a mail has a text and a page that do not say the same."""

import pytest
from read_support import INSTANCE, crlf, parsed

from gateway.core.model import Envelope, Listener, Mail
from gateway.core.read import read, wire
from gateway.core.read.alternatives import DIFFER, choose
from gateway.core.read.html_text import HtmlText
from gateway.core.read.identifiers import date

RECEIVED = date(b"Mon, 02 Mar 2026 10:00:00 +0100")


def _mail(body: str, boundary: str = "multipart/alternative; boundary=b") -> str:
    return (
        "From: Anna <anna@cliente.example>\nSubject: s\nMIME-Version: 1.0\n"
        f"Content-Type: {boundary}\n\n{body}"
    )


def _read(text: str) -> Mail:
    assert RECEIVED is not None
    raw = crlf(text)
    envelope = Envelope("192.0.2.1", "h", "a@b.example", (), Listener.EDGE, RECEIVED)
    return read(raw, wire.read(raw).headers, envelope, INSTANCE)


def _pair(plain: str, page: str) -> str:
    return _mail(
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n"
        f"--b\nContent-Type: text/html; charset=utf-8\n\n<html><body>{page}</body></html>\n--b--\n"
    )


PAGE = "<p>Buongiorno, il dominio rossi.example non risolve.</p><p>Grazie, Anna</p>"


@pytest.mark.parametrize(
    "stub",
    [
        "This message requires an HTML viewer.",
        "Your email client does not support HTML messages.",
        "Questo messaggio è in formato HTML: il suo programma di posta non lo visualizza.",
        "Ihr E-Mail-Programm unterstützt keine HTML-Nachrichten.",
        "Votre logiciel de messagerie ne prend pas en charge le format HTML.",
        "Su programa de correo no admite mensajes en formato HTML.",
        "Vaše pošta HTML neumí.",
        "[image: logo]",
        "-",
    ],
)
def test_a_stub_loses_to_the_page(stub: str) -> None:
    """A notice in any language, or hardly a word, is not what the customer wrote."""
    mail = _read(_pair(stub, PAGE))
    assert mail.html
    assert "rossi.example" in mail.text


@pytest.mark.parametrize(
    ("plain", "page"),
    [
        ("Buongiorno, il dominio rossi.example non risolve.\n\nGrazie, Anna", PAGE),
        ("La mia pagina HTML non si vede più sul server", "La mia pagina HTML non si vede più"),
        ("Ok", "Ok"),
        ("Ok <https://a.example/x>", '<a href="https://a.example/x">Ok</a>'),
        ("parole " * 25, "parole " * 30),
    ],
)
def test_the_text_is_read_where_both_say_the_same(plain: str, page: str) -> None:
    """Plain text comes first, also when it speaks of HTML, and nothing is said to differ."""
    mail = _read(_pair(plain, page))
    assert not mail.html
    assert DIFFER not in mail.defects


def test_two_texts_are_named() -> None:
    """Where text and page are two letters, the mail says so and the page is read."""
    mail = _read(_pair("Vi prego di rinnovare questo contratto entro domani sera", PAGE))
    assert DIFFER in mail.defects
    assert mail.html
    longer = "Vi prego di rinnovare il contratto entro domani sera, prima della scadenza " * 2
    mail = _read(_pair(longer, "<p>Newsletter di marzo</p>"))
    assert DIFFER in mail.defects
    assert not mail.html


def test_without_a_choice() -> None:
    """One form alone is read; an empty text is none."""
    html = HtmlText("parole")
    assert (choose("mio", None).text, choose("mio", None).from_html) == ("mio", False)
    assert (choose("  ", html).text, choose("  ", html).from_html) == ("parole", True)
    assert (choose(None, None).text, choose("mio", HtmlText(" ")).text) == ("", "mio")


FILES = (
    "--b\nContent-Type: text/plain\n\n{}\n"
    "--b\nContent-Type: multipart/mixed; boundary=c\n\n"
    "--c\nContent-Type: text/html\n\n<p>prima</p>\n"
    "--c\nContent-Type: application/pdf; name=a.pdf\n\n%PDF-1\n"
    "--c\nContent-Type: text/html\n\n<p>coda</p>\n--c--\n--b--\n"
)


@pytest.mark.parametrize("plain", ["prima", "prima coda"])
def test_words_under_a_file_are_kept(plain: str) -> None:
    """What stands behind a file in the page is read, whether the plain text has it or not."""
    mail = _read(_mail(FILES.format(plain)))
    assert "prima" in mail.text
    assert "coda" in mail.text
    assert mail.html == (plain == "prima")
    assert [file.filename for file in parsed(_mail(FILES.format(plain))).attachments] == ["a.pdf"]
