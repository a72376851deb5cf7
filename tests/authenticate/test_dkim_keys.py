"""Which TXT records are keys, and which keys may prove anything."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dkim_signing import ed_key, record, rsa_key, spki

from gateway.authenticate import dkim_keys
from gateway.authenticate.dkim_keys import Key, NoKey, vet
from gateway.authenticate.lookup import NODATA, NXDOMAIN, SERVFAIL, TIMEOUT, Answer, Status
from gateway.core.model import DkimResult

GOOD = record(rsa_key())


def answer(*records: bytes) -> Answer:
    return Answer(Status.OK, records, 300)


def found(*records: bytes) -> Key:
    key = vet(answer(*records), 4096)
    assert isinstance(key, Key)
    return key


def problem(*records: bytes) -> str:
    key = vet(answer(*records), 4096)
    assert isinstance(key, NoKey)
    assert key.result is DkimResult.PERMERROR
    return key.problem


@pytest.mark.parametrize("failed", [SERVFAIL, TIMEOUT])
def test_a_failed_question_is_a_temporary_error(failed: Answer) -> None:
    """Nobody knows whether there is a key."""
    key = vet(failed, 4096)
    assert isinstance(key, NoKey)
    assert key.result is DkimResult.TEMPERROR


@pytest.mark.parametrize("nothing", [NXDOMAIN, NODATA])
def test_no_record_is_a_permanent_error(nothing: Answer) -> None:
    """RFC 6376 6.1.2: no key for the signature."""
    key = vet(nothing, 4096)
    assert isinstance(key, NoKey)
    assert key.result is DkimResult.PERMERROR


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace(b"v=DKIM1; k=rsa; ", b""),
        GOOD.replace(b"; ", b";\t \r\n "),
        GOOD + b";",
        GOOD.replace(b"k=rsa", b"k=rsa; h=sha1:sha256; s=email:x; t=s; n=a note; zz=1"),
    ],
)
def test_a_key_record_may_be_written_in_many_ways(text: bytes) -> None:
    """RFC 6376 3.6.1: defaults, white space, unknown tags."""
    key = found(text)
    assert (key.kind, key.bits, key.testing) == ("rsa", 2048, False)


def test_flags_are_read() -> None:
    """t=y and t=s, alone or together."""
    assert found(record(rsa_key(), t="y : s")).testing
    assert found(record(rsa_key(), t="y : s")).strict
    assert found(record(rsa_key(), t="x")).testing is False


def test_a_bare_public_key_is_a_key_too() -> None:
    """Some publish RSAPublicKey without the wrapping."""
    der = rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert found(b"p=" + b64encode(der)).bits == 2048


def test_a_key_of_another_kind_than_it_says_is_none() -> None:
    """k=rsa over an elliptic curve."""
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert "not the RSA key" in problem(b"k=rsa; p=" + b64encode(der))


def test_ed25519_is_32_bytes_on_the_curve() -> None:
    """RFC 8463 4.2; a point of small order would let every signature pass."""
    assert found(record(ed_key())).kind == "ed25519"
    for raw in (b"\0" * 32, b"\x01" + b"\0" * 31, b"x" * 31, b"\xff" * 32):
        assert problem(b"k=ed25519; p=" + b64encode(raw)) == "the key is not an Ed25519 key"


@pytest.mark.parametrize(
    "records, words",
    [
        ([b"v=DKIM1; p="], "revoked"),
        ([GOOD.replace(b"DKIM1", b"DKIM2")], "no record"),
        ([b"v=DKIM1; k=rsa"], "no record"),
        ([b"v=spf1 -all"], "no record"),
        ([b""], "no record"),
        ([b"\xff\xfe"], "no record"),
        ([GOOD, record(rsa_key(1024))], "several records"),
        ([GOOD, b"v=DKIM1; p="], "several records"),
        ([GOOD.replace(b"k=rsa", b"k=dsa")], "unknown kind"),
        ([GOOD.replace(b"k=rsa", b"k=rsa; h=sha1")], "not for SHA-256"),
        ([GOOD.replace(b"k=rsa", b"k=rsa; s=tlsrpt")], "not for e-mail"),
        ([GOOD.replace(b"p=", b"p=!")], "not base64"),
        ([b"p=AAAA"], "cannot be read"),
        ([GOOD.replace(b"k=rsa", b"k=rsa; k=rsa")], "no record"),
        ([GOOD + b"; n=" + b"x" * 4096], "no record"),
        ([GOOD] + [b"x" * 4000] * 2, "too long"),
        ([b"p=" + b64encode(spki((1 << 1022) | 1, 65537))], "has 1023 bits"),
        ([b"p=" + b64encode(spki((1 << 4096) | 1, 65537))], "has 4097 bits"),
        ([b"p=" + b64encode(spki((1 << 2047) | 1, 1))], ""),
        ([b"p=" + b64encode(spki((1 << 2047) | 1, 65536))], ""),
        ([b"p=" + b64encode(spki((1 << 2047) | 1, (1 << 32) + 1))], ""),
        ([b"p=" + b64encode(spki(1 << 2047, 65537))], ""),
    ],
)
def test_what_is_no_key_says_why(records: list[bytes], words: str) -> None:
    """Junk, revoked, doubled, too large and too small: permanent errors."""
    assert words in problem(*records)


def test_a_key_beside_other_texts_is_found() -> None:
    """Wildcards put other TXT records at a selector; exactly one that parses as a key is one."""
    assert found(b"v=spf1 -all", GOOD, b"some-site-verification=1").bits == 2048


def test_the_largest_key_allowed_is_a_setting() -> None:
    """4096 bits by default, fewer if operators say so."""
    key = vet(answer(GOOD), 1024)
    assert isinstance(key, NoKey)
    assert "2048 bits" in key.problem


def test_a_vetted_key_is_remembered_by_its_record() -> None:
    """Parsing happens once for the same bytes, whatever name they lie at; memory is bounded."""
    assert found(GOOD) is found(GOOD)
    assert dkim_keys._vet.cache_info().maxsize == dkim_keys.REMEMBERED
