"""Letters that came by certified mail, as a provider wraps and signs them."""

import base64

import smime_signing as signing

from gateway.core.model import Address

PROVIDER = Address("posta-certificata", "pec.example")
ROOT = signing.authority()
BOX = signing.mailbox(str(PROVIDER), ROOT)
LETTER = (
    "From: Anna <anna@cliente.example>\r\nTo: support@host.example\r\nSubject: disdetta\r\n"
    "Message-ID: <m1@cliente.example>\r\nDate: Sun, 22 Nov 2026 13:50:00 +0100\r\n\r\n"
    "Buongiorno, disdico.\r\n"
)
CERTIFICATE = (
    '<?xml version="1.0"?>\r\n<postacert tipo="posta-certificata" errore="nessuno">'
    "<intestazione><mittente>anna@cliente.example</mittente>"
    '<destinatari tipo="esterno">support@host.example</destinatari>'
    '<destinatari tipo="certificato">altro@pec.example</destinatari></intestazione><dati>'
    '<data zona="+0100"><giorno>22/11/2026</giorno><ora>13:50:00</ora></data>'
    "<identificativo>opec1@pec.example</identificativo></dati></postacert>\r\n"
)


def part(kind: str, name: str, content: str) -> str:
    """One part of the signed body."""
    return f"--m\r\nContent-Type: {kind}; name={name}\r\n\r\n{content}\r\n"


def signed_part(letter: str = LETTER, certificate: str = CERTIFICATE, more: str = "") -> str:
    """What a provider signs."""
    return (
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n"
        "--m\r\nContent-Type: text/plain\r\n\r\nMessaggio di posta certificata\r\n"
        + part("application/xml", "daticert.xml", certificate)
        + part("message/rfc822", "postacert.eml", letter)
        + more
        + "--m--\r\n"
    )


def wrapper(
    content: str | None = None,
    holder: signing.Holder = BOX,
    marks: str = "X-Trasporto: posta-certificata",
    signature: bytes | None = None,
    after: str = "",
) -> bytes:
    """The provider's mail, as it comes over the wire."""
    content = signed_part() if content is None else content
    made = signing.signature(content.encode(), holder) if signature is None else signature
    encoded = base64.encodebytes(made).decode().replace("\n", "\r\n")
    return (
        f'From: "Per conto di: anna@cliente.example" <{PROVIDER}>\r\n'
        f"To: support@host.example\r\nSubject: POSTA CERTIFICATA: disdetta\r\n{marks}\r\n"
        "Message-ID: <opec1@pec.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; '
        "micalg=sha-256; boundary=s\r\n\r\nS/MIME\r\n"
        f"--s\r\n{content}\r\n--s\r\nContent-Type: application/x-pkcs7-signature; "
        "name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{encoded}\r\n{after}--s--\r\n"
    ).encode()
