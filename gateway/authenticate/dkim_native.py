"""The native DKIM engine: is a claim that passed the gate true? By `cryptography`, no I/O."""

from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.authenticate.dkim_canon import CanonicalMail
from gateway.authenticate.dkim_keys import Key
from gateway.authenticate.dkim_tags import Claim

_PADDING = PKCS1v15()
_SHA256 = SHA256()


def check(claim: Claim, key: Key, mail: CanonicalMail, positions: Sequence[int]) -> str | None:
    """None where body and header are what was signed; else what differs."""
    if mail.body_hash(claim.relaxed_body) != claim.body_hash:
        return "the body is not what was signed"
    signed = mail.signed_bytes(positions, claim.emptied, claim.relaxed_header)
    try:
        if isinstance(key.public, Ed25519PublicKey):
            key.public.verify(claim.signature, sha256(signed).digest())  # RFC 8463 3
        else:
            key.public.verify(claim.signature, signed, _PADDING, _SHA256)
    except InvalidSignature:
        return "the header is not what was signed"
    return None
