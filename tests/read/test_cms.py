"""Opaque S/MIME: the words inside a signature are read, and said to be unverified."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from read_support import parsed

from gateway.core.read import cms, mime

INNER = (
    b"Content-Type: multipart/mixed; boundary=i\r\n\r\n"
    b"--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIl sito \xc3\xa8 gi\xc3\xb9.\r\n"
    b"--i\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-1\r\n--i--\r\n"
)
SIGNED_OID = bytes.fromhex("06092a864886f70d010702")
DATA_OID = bytes.fromhex("06092a864886f70d010701")
ENVELOPED_OID = bytes.fromhex("06092a864886f70d010703")


def _signed(content: bytes) -> bytes:
    """A real signed message, by a key that is thrown away."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Anna")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=900))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    signer = builder.add_signer(certificate, key, hashes.SHA256())
    return signer.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + head + content


def _streamed(content: bytes) -> bytes:
    """The same in pieces and without lengths, as programs write it that do not wait for the end
    (X.690 8.1.3.6).
    """
    pieces = b"".join(_tlv(0x04, content[i : i + 10]) for i in range(0, len(content), 10))
    octets = b"\x24\x80" + pieces + b"\0\0"
    encapsulated = b"\x30\x80" + DATA_OID + b"\xa0\x80" + octets + b"\0\0\0\0"
    digests = b"\x31\x80" + _tlv(0x30, b"") + b"\0\0"
    body = b"\x30\x80" + _tlv(0x02, b"\1") + digests + encapsulated + b"\0\0"
    return b"\x30\x80" + SIGNED_OID + b"\xa0\x80" + body + b"\0\0\0\0"


def _mail(data: bytes, kind: str = "signed-data", name: str = "smime.p7m") -> mime.Parsed:
    return parsed(
        "From: Anna <anna@cliente.example>\nSubject: s\nMIME-Version: 1.0\n"
        f"Content-Type: application/pkcs7-mime; smime-type={kind}; name={name}\n"
        f"Content-Disposition: attachment; filename={name}\n"
        f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(data).decode()}\n"
    )


@pytest.mark.parametrize("made", [_signed(INNER), _streamed(INNER)])
def test_the_words_inside_are_read(made: bytes) -> None:
    """Text and files of the signed mail, the message itself beside them, and the warning."""
    mail = _mail(made)
    assert mail.body_text == "Il sito è giù."
    assert [a.filename for a in mail.attachments] == ["smime.p7m", "a.pdf"]
    assert mail.attachments[0].content == made
    assert mail.defects == ("smime-unverified",)


@pytest.mark.parametrize("armour", ["pem", "base64"])
def test_armour_is_taken_off(armour: str) -> None:
    """A message that was put into Base64 once more is found all the same."""
    text = base64.encodebytes(_signed(INNER))
    if armour == "pem":
        text = b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"
    message = cms.read(text)
    assert message is not None
    assert message.content == INNER


def test_an_encrypted_mail_is_kept_and_named() -> None:
    """Nothing in it can be read."""
    mail = _mail(_tlv(0x30, ENVELOPED_OID + _tlv(0xA0, _tlv(0x30, b"\2\1\0"))), "enveloped-data")
    assert (mail.body_text, mail.defects) == (None, ("smime-enveloped",))
    assert [a.filename for a in mail.attachments] == ["smime.p7m"]


def test_a_signed_document_is_a_file() -> None:
    """A contract that was signed is no mail, whatever it holds."""
    mail = _mail(_signed(INNER), name="contratto.pdf.p7m")
    assert (mail.body_text, mail.defects) == (None, ())
    assert [a.filename for a in mail.attachments] == ["contratto.pdf.p7m"]
    assert _mail(_signed(b"%PDF-1 no mail")).body_text is None


def test_signatures_in_signatures_end() -> None:
    """Three are opened; what lies deeper is kept."""
    data = INNER
    for _ in range(6):
        data = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + _streamed(data)
    mail = _mail(_streamed(data))
    assert mail.body_text is None
    assert len(mail.attachments) == 4


def test_what_is_no_message() -> None:
    """It stays a file, with its defect."""
    mail = _mail(b"nothing of the kind")
    assert mail.defects == ("smime-broken",)
    assert len(mail.attachments) == 1


@given(st.binary(max_size=200), st.integers(0, 300))
def test_total(noise: bytes, cut: int) -> None:
    """Cuts, lies about lengths and noise give a message or none."""
    whole = _streamed(INNER)
    for data in (noise, whole[:cut], whole[:cut] + noise, whole[:cut] + noise + whole[cut:]):
        message = cms.read(data)
        assert message is None or isinstance(message.kind, str)


def test_elements_without_end_are_bounded() -> None:
    """A million openings are given up, not followed."""
    digests = b"\x31\x80" + b"\x30\x80" * 1_000_000
    body = b"\x30\x80" + _tlv(0x02, b"\1") + digests
    assert cms.read(b"\x30\x80" + SIGNED_OID + b"\xa0\x80" + body) == cms.Message("signed", None)
