"""Signed data taken apart: what it covers, who signed, and that broken bytes are nothing."""

import smime_signing as signing
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.authenticate import ber, signeddata

AUTHORITY = signing.authority()
MAILBOX = signing.mailbox("anna@pec.example", AUTHORITY)


def test_an_opaque_signature_gives_its_content_and_its_certificates() -> None:
    """eContent and the certificates come out as they went in."""
    found = signeddata.signed_data(
        signing.signature(b"ciao\r\n", MAILBOX, AUTHORITY, detached=False)
    )
    assert found is not None
    assert found.content == b"ciao\r\n"
    assert len(found.certificates) == 2


def test_a_detached_signature_has_no_content_and_says_what_it_covers() -> None:
    """Issuer, serial, digest and the attributes are those of the one signer."""
    found = signeddata.signed_data(signing.signature(b"ciao\r\n", MAILBOX))
    assert found is not None
    assert found.content is None
    (signer,) = found.signers
    assert signer.serial == MAILBOX.certificate.serial_number
    assert signer.issuer == AUTHORITY.certificate.subject.public_bytes()
    assert signer.content_type == signeddata.DATA
    assert signer.message_digest is not None
    assert len(signer.message_digest) == 32


def test_a_stream_with_indefinite_lengths_is_read_whole() -> None:
    """What a streaming writer sends in pieces is one content (X.690 8.1.3.6, 8.7.3)."""
    pieces = b"".join(b"\x04\x02" + bytes([65 + n] * 2) for n in range(3))
    octets = b"\x24\x80" + pieces + b"\0\0"
    data = bytes.fromhex("06092a864886f70d010701")
    encapsulated = b"\x30\x80" + data + b"\xa0\x80" + octets + b"\0\0" + b"\0\0"
    inner = b"\x30\x80" + b"\x02\x01\x01" + b"\x31\0" + encapsulated + b"\x31\0" + b"\0\0"
    kind = bytes.fromhex("06092a864886f70d010702")
    found = signeddata.signed_data(b"\x30\x80" + kind + b"\xa0\x80" + inner + b"\0\0" + b"\0\0")
    assert found == signeddata.SignedData(b"AABBCC", (), ())


def test_enveloped_data_is_no_signed_data() -> None:
    """What is encrypted proves nothing."""
    enveloped = bytes.fromhex("300f06092a864886f70d010703a0023000")
    assert signeddata.signed_data(enveloped) is None


def test_an_attribute_that_stands_twice_says_nothing() -> None:
    """Of two message digests neither is believed."""
    whole = signing.signature(b"ciao\r\n", MAILBOX)
    attribute = bytes.fromhex("06092a864886f70d010904")  # messageDigest
    other = bytes.fromhex("06092a864886f70d01090f")  # smimeCapabilities
    doubled = whole.replace(other, attribute)
    assert doubled != whole
    found = signeddata.signed_data(doubled)
    assert found is not None
    assert found.signers[0].message_digest is None


@given(st.binary(max_size=300))
@example(b"\x30\x80" * 5000)
@example(b"\x30\x80" + b"\x04\x00" * 200_000)
@example(b"\x30\x84\xff\xff\xff\xff")
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    """Hostile bytes are no signed data, whatever their nesting says."""
    assert signeddata.signed_data(data) is None or ber.read(data) is not None


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=4))
def test_a_damaged_signature_is_read_without_an_exception(at: int, what: bytes) -> None:
    """Any damage leaves signed data with fewer facts, or none."""
    whole = signing.signature(b"ciao\r\n", MAILBOX, AUTHORITY, detached=False)
    at %= len(whole)
    found = signeddata.signed_data(whole[:at] + what + whole[at + len(what) :])
    assert found is None or isinstance(found, signeddata.SignedData)
