"""Posta certificata: the wrapper is opened for its words, described, and believed of nobody."""

import pytest
from read_support import classified, parsed

from gateway.core.model import Automatic

CERTIFICATE = (
    '<?xml version="1.0"?><postacert tipo="posta-certificata" errore="nessuno"><intestazione>'
    "<mittente>anna@pec.cliente.example</mittente>"
    '<destinatari tipo="certificato">support@support.host.example</destinatari>'
    "</intestazione><dati><identificativo>opec1.2026@pec.example</identificativo>"
    "<msgid>&lt;m1@cliente.example&gt;</msgid></dati></postacert>"
)
LETTER = (
    "From: Anna <anna@pec.cliente.example>\nTo: support@support.host.example\n"
    "Subject: =?utf-8?q?disdetta_perch=C3=A9?=\nMessage-ID: <m1@cliente.example>\n"
    "References: <ours@support.host.example>\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=in\n\n"
    "--in\nContent-Type: text/plain; charset=utf-8\n\nBuongiorno, disdico.\n"
    "--in\nContent-Type: application/pdf; name=modulo.pdf\n\n%PDF-1.4\n--in--\n"
)


def _wrapper(marks: str, letter: str = LETTER, name: str = "postacert.eml") -> str:
    return (
        'From: "Per conto di: anna@pec.cliente.example" <posta-certificata@pec.example>\n'
        "To: support@support.host.example\nSubject: POSTA CERTIFICATA: disdetta\n"
        f"{marks}\nMessage-ID: <opec1.2026@pec.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; boundary=s\n\n'
        "--s\nContent-Type: multipart/mixed; boundary=m\n\n"
        "--m\nContent-Type: text/plain\n\nIl messaggio e' stato inviato da anna\n"
        f"--m\nContent-Type: application/xml; name=daticert.xml\n\n{CERTIFICATE}\n"
        f"--m\nContent-Type: message/rfc822; name={name}\n\n{letter}"
        "--m--\n--s\nContent-Type: application/x-pkcs7-signature; name=smime.p7s\n"
        "Content-Transfer-Encoding: base64\n\nMIIB\n--s--\n"
    )


TRANSPORT = "X-Trasporto: posta-certificata\nX-Riferimento-Message-ID: <m1@cliente.example>"


def test_the_words_are_those_of_the_letter() -> None:
    """Subject, text, files and references are the inner mail's; the wrapper's text is gone."""
    mail = parsed(_wrapper(TRANSPORT))
    assert (mail.subject, mail.body_text) == ("disdetta perché", "Buongiorno, disdico.")
    assert [a.filename for a in mail.attachments] == ["modulo.pdf", "daticert.xml", "smime.p7s"]
    assert mail.references == ("<ours@support.host.example>",)
    assert mail.message_id == "<opec1.2026@pec.example>"


def test_the_wrapper_is_described_for_those_who_check_it() -> None:
    """Inner author, certified sender, reference; not whether the signature holds."""
    wrapped = parsed(_wrapper(TRANSPORT)).wrapped
    assert wrapped is not None
    assert (wrapped.kind, wrapped.signed) == ("transport", True)
    assert str(wrapped.inner_from) == "anna@pec.cliente.example"
    assert str(wrapped.certificate.sender) == "anna@pec.cliente.example"
    assert wrapped.certificate.message_id == "<m1@cliente.example>"
    assert wrapped.reference == "<m1@cliente.example>"


def test_a_letter_of_another_author_is_only_described() -> None:
    """The inner From and the certificate are two values; nothing makes them one."""
    forged = LETTER.replace("anna@pec.cliente.example", "capo@altro.example")
    wrapped = parsed(_wrapper(TRANSPORT, forged)).wrapped
    assert wrapped is not None
    assert str(wrapped.inner_from) == "capo@altro.example"
    assert str(wrapped.certificate.sender) == "anna@pec.cliente.example"


def test_an_anomaly_is_opened_too() -> None:
    """An ordinary mail that came to a PEC mailbox is wrapped in the same way."""
    mail = parsed(_wrapper("X-Trasporto: errore"))
    assert mail.wrapped is not None
    assert (mail.wrapped.kind, mail.body_text) == ("anomaly", "Buongiorno, disdico.")


def test_without_the_providers_marks_it_is_a_forwarded_mail() -> None:
    """A file named postacert.eml alone opens nothing."""
    mail = parsed(_wrapper("X-Other: x"))
    assert mail.wrapped is None
    assert mail.body_text == "Il messaggio e' stato inviato da anna"
    assert "postacert.eml" in [a.filename for a in mail.attachments]


@pytest.mark.parametrize(
    "receipt",
    [
        "accettazione",
        "avvenuta-consegna",
        "errore-consegna",
        "presa-in-carico",
        "Non-Accettazione",
    ],
)
def test_receipts_are_recorded_and_never_answered(receipt: str) -> None:
    """X-Ricevuta makes a mail automatic, whatever it carries."""
    text = _wrapper(f"X-Ricevuta: {receipt}\nX-Riferimento-Message-ID: <o@host.example>")
    mail = parsed(text)
    assert mail.wrapped is not None
    assert (mail.wrapped.kind, mail.wrapped.receipt) == ("receipt", receipt.lower())
    assert classified(text)[0] is Automatic.AUTO_REPLY


def test_a_certified_letter_is_a_persons() -> None:
    """The provider's address in From does not make the letter automatic."""
    assert classified(_wrapper(TRANSPORT))[0] is Automatic.NO


def test_an_unknown_receipt_is_no_receipt() -> None:
    """Only the values of the technical rules count."""
    assert parsed(_wrapper("X-Ricevuta: qualcosa")).wrapped is None


def test_a_broken_wrapper_loses_nothing() -> None:
    """Without the letter, what is there is shown."""
    mail = parsed(f"From: a@b.example\n{TRANSPORT}\nSubject: s\n\nsolo testo\n")
    assert mail.wrapped is not None
    assert mail.body_text == "solo testo\n"
