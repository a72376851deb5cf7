"""Which S/MIME signatures are believed, and which are not, each for one reason."""

from datetime import timedelta

import pytest
import smime_signing as signing
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.authenticate import smime
from gateway.errors import BadInput

CONTENT = b"Content-Type: text/plain\r\n\r\nciao\r\n"
NAME = "posta-certificata@pec.example"
ROOT = signing.authority()
BOX = signing.mailbox(NAME, ROOT)
TRUST = smime.Trust((ROOT.certificate,))


def problem(made: bytes, trust: smime.Trust = TRUST, content: bytes = CONTENT) -> str | None:
    """What is wrong with a signature for our mailbox, now."""
    return smime.problem(content, made, NAME, trust, signing.NOW)


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_signature_under_a_listed_authority_is_believed(digest: hashes.SHA256) -> None:
    """Each digest of the SHA-2 family."""
    assert problem(signing.signature(CONTENT, BOX, digest=digest)) is None


def test_a_key_on_a_curve_is_believed() -> None:
    """ECDSA with SHA-256 (RFC 5754 3.3)."""
    box = signing.mailbox(NAME, ROOT, signing.key(7, bits=0))
    assert problem(signing.signature(CONTENT, box)) is None


def test_the_signers_own_certificate_may_be_the_listed_one() -> None:
    """A list of providers' certificates needs no authority."""
    alone = signing.mailbox(NAME, None)
    assert problem(signing.signature(CONTENT, alone), smime.Trust((alone.certificate,))) is None


def test_an_authority_between_comes_with_the_signature() -> None:
    """The chain runs through what came along, up to the list."""
    between = signing.authority("between", 2, ROOT)
    box = signing.mailbox(NAME, between)
    assert problem(signing.signature(CONTENT, box, between)) is None
    assert "no certificate of the list" in str(problem(signing.signature(CONTENT, box)))


def test_another_authority_is_not_believed_under_the_same_name() -> None:
    """The name of an issuer is written by whoever makes the certificate."""
    other = signing.mailbox(NAME, signing.authority(number=3))
    assert "no certificate of the list" in str(problem(signing.signature(CONTENT, other)))


def test_a_mailbox_is_no_authority() -> None:
    """Who has a certificate of the list's authority cannot issue one for another mailbox."""
    holder = signing.mailbox("mallory@pec.example", ROOT, signing.key(4))
    forged = signing.mailbox(NAME, holder)
    assert "no certificate of the list" in str(problem(signing.signature(CONTENT, forged, holder)))


@pytest.mark.parametrize("address", ["mallory@pec.example", None])
def test_the_certificate_must_name_the_mailbox(address: str | None) -> None:
    """A provider's customer signs as himself, and not as his provider."""
    box = signing.mailbox(address, ROOT)
    assert problem(signing.signature(CONTENT, box)) == f"the certificate does not name {NAME}"


def test_content_that_was_changed_is_not_believed() -> None:
    """One byte is enough."""
    made = signing.signature(CONTENT, BOX)
    assert "was changed" in str(problem(made, content=CONTENT.replace(b"ciao", b"ciaO")))


def test_a_signature_that_was_changed_is_not_believed() -> None:
    """The last byte of the encoding belongs to the signature."""
    made = signing.signature(CONTENT, BOX)
    changed = made[:-1] + bytes([made[-1] ^ 1])
    assert problem(changed) == "the signature does not verify"


@pytest.mark.parametrize("days", [-400, 10])
def test_a_certificate_out_of_its_time_is_not_believed(days: int) -> None:
    """Neither one that ended nor one that has not begun."""
    box = signing.mailbox(NAME, ROOT, begins=signing.NOW + timedelta(days=days))
    assert "not valid at this time" in str(problem(signing.signature(CONTENT, box)))


def test_a_certificate_for_web_servers_is_not_believed() -> None:
    """Its extended key usage must allow mail (RFC 8550 4.4.4)."""
    box = signing.mailbox(NAME, ROOT, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    assert "not made for mail" in str(problem(signing.signature(CONTENT, box)))


def test_a_short_key_is_not_believed() -> None:
    """1,024 bits are within reach of others."""
    box = signing.mailbox(NAME, ROOT, signing.key(9, bits=1024))
    assert "1024 bits" in str(problem(signing.signature(CONTENT, box)))


def test_content_that_the_signature_brings_itself_is_not_believed() -> None:
    """What was signed must be what the mail holds."""
    opaque = signing.signature(CONTENT, BOX, detached=False)
    assert "its own content" in str(problem(opaque))


def test_a_signature_without_attributes_is_not_believed() -> None:
    """Without them nothing says what kind of thing was signed."""
    bare = signing.signature(CONTENT, BOX, attributes=False)
    assert "under the signature" in str(problem(bare))


@pytest.mark.parametrize("made", [b"", b"0\x80", b"\x30\x03\x02\x01\x01", b"x" * 1000])
def test_what_is_no_signature_is_not_believed(made: bytes) -> None:
    """Any bytes have an answer."""
    assert "no signed data" in str(problem(made))


def test_a_list_without_certificates_is_refused_by_name() -> None:
    """Ops see which file is meant."""
    with pytest.raises(BadInput, match=r"providers\.pem"):
        smime.trust(b"nothing", "providers.pem")
    assert len(smime.trust(ROOT.pem + BOX.pem, "providers.pem").certificates) == 2
