"""Keys out of DNS: which record is one, and what it may prove (RFC 6376 3.6.1, 8301, 8463).

What is vetted is remembered by the records themselves; how long they hold, the resolver knows.
"""

import binascii
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from nacl.bindings import crypto_core_ed25519_is_valid_point

from gateway.authenticate.dkim_tags import Refused, Tag, tag_list
from gateway.authenticate.lookup import Answer
from gateway.core.model import DkimResult

LONGEST_RECORD = 4_096  # bytes; a 4096-bit key takes about 750
LONGEST_ANSWER = 8_192  # bytes of all TXT records at one name
LEAST_BITS = 1_024  # RFC 8301 3.2: shorter keys are no keys
LARGEST_EXPONENT = 1 << 32
REMEMBERED = 1_024  # sets of records

_SPACES = re.compile(rb"[ \t\r\n]+")


@dataclass(frozen=True, slots=True)
class Key:
    """A vetted key. `record` says the same to dkimpy, written anew."""

    kind: str  # rsa | ed25519
    public: RSAPublicKey | Ed25519PublicKey
    bits: int
    modulus: int  # 0 for ed25519
    testing: bool  # t=y
    strict: bool  # t=s
    record: bytes

    @property
    def signature_bytes(self) -> int:
        """How long a signature by this key is."""
        return 64 if self.kind == "ed25519" else (self.bits + 7) // 8


@dataclass(frozen=True, slots=True)
class NoKey:
    """Why there is no key."""

    result: DkimResult
    problem: str


def vet(answer: Answer, most_bits: int) -> Key | NoKey:
    """The one key among the records, or the reason why there is none."""
    if answer.failed:
        return NoKey(DkimResult.TEMPERROR, f"the key cannot be fetched ({answer.status})")
    records = answer.texts()
    if not records:
        return NoKey(DkimResult.PERMERROR, "there is no key in DNS")
    if sum(map(len, records)) > LONGEST_ANSWER:
        return NoKey(DkimResult.PERMERROR, "the key record is too long")
    return _vet(records, most_bits)


@lru_cache(maxsize=REMEMBERED)
def _vet(records: tuple[bytes, ...], most_bits: int) -> Key | NoKey:
    try:
        candidates = [tags for tags in map(_key_tags, records) if tags is not None]
        if not candidates:
            raise Refused("no record at the selector is a key")
        if len(candidates) > 1:
            raise Refused("several records at the selector are keys")
        return _key(candidates[0], most_bits)
    except Refused as refusal:
        return NoKey(DkimResult.PERMERROR, str(refusal))


def _key_tags(record: bytes) -> dict[str, Tag] | None:
    """The tags of a record that says it is a key; None for whatever else may stand at the name."""
    if len(record) > LONGEST_RECORD:
        return None
    try:
        tags = tag_list(record)
    except Refused:
        return None
    version = tags.get("v")
    if (version is not None and version.value != b"DKIM1") or "p" not in tags:
        return None
    return tags


def _key(tags: dict[str, Tag], most_bits: int) -> Key:
    """RFC 6376 3.6.1, tag by tag."""
    if not tags["p"].value:
        raise Refused("the key is revoked")
    if b"sha256" not in _words(tags, "h", b"sha256"):
        raise Refused("the key is not for SHA-256")
    if not {b"*", b"email"} & _words(tags, "s", b"*"):
        raise Refused("the key is not for e-mail")
    flags = _words(tags, "t", b"")
    kind = tags["k"].value if "k" in tags else b"rsa"
    data = _decoded(tags["p"].value)
    if kind == b"rsa":
        public, modulus, record = _rsa(data, most_bits)
        bits = modulus.bit_length()
        return Key("rsa", public, bits, modulus, b"y" in flags, b"s" in flags, record)
    if kind == b"ed25519":
        point, record = _ed25519(data)
        return Key("ed25519", point, 256, 0, b"y" in flags, b"s" in flags, record)
    raise Refused("the key is of an unknown kind")


def _words(tags: dict[str, Tag], name: str, default: bytes) -> set[bytes]:
    text = tags[name].value if name in tags else default
    return {word.strip(b" \t\r\n") for word in text.split(b":")}


def _decoded(value: bytes) -> bytes:
    try:
        return binascii.a2b_base64(_SPACES.sub(b"", value), strict_mode=True)
    except binascii.Error:
        raise Refused("the key is not base64") from None


def _rsa(data: bytes, most_bits: int) -> tuple[RSAPublicKey, int, bytes]:
    """SubjectPublicKeyInfo, or a bare RSAPublicKey as some publish; the sizes bound the work."""
    try:
        public = load_der_public_key(data)
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        raise Refused("the key cannot be read") from None
    if not isinstance(public, RSAPublicKey):
        raise Refused("the key is not the RSA key that it says it is")
    numbers = public.public_numbers()
    if not LEAST_BITS <= numbers.n.bit_length() <= most_bits:
        raise Refused(f"the key has {numbers.n.bit_length()} bits")
    if not 3 <= numbers.e < LARGEST_EXPONENT or not numbers.e & numbers.n & 1:
        raise Refused("the key's exponent or modulus is not allowed")
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public, numbers.n, b"v=DKIM1; k=rsa; p=" + b64encode(der)


def _ed25519(data: bytes) -> tuple[Ed25519PublicKey, bytes]:
    """RFC 8463 4.2: 32 bytes. A point of small order would accept any signature."""
    if len(data) != 32 or not crypto_core_ed25519_is_valid_point(data):
        raise Refused("the key is not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(data), b"v=DKIM1; k=ed25519; p=" + b64encode(data)
