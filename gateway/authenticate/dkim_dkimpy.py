"""The other DKIM engine: dkimpy behind the same gate, with our fields and our canonical body.

It shows that the native engine is right. Its asynchronous part cuts names at NUL: never used.
"""

import binascii
from collections.abc import Sequence

import dkim

from gateway.authenticate.dkim_canon import CanonicalMail, body_pieces
from gateway.authenticate.dkim_keys import Key
from gateway.authenticate.dkim_tags import Claim


def check(claim: Claim, key: Key, mail: CanonicalMail, positions: Sequence[int]) -> str | None:
    """None where body and header are what was signed; else what differs.

    dkimpy selects the fields itself. Where it would strip more than the standard, it is not asked.
    """
    if _strips_too_much(claim, mail, positions):
        return "dkimpy reads the white space of this header otherwise"
    verifier = dkim.DKIM()
    verifier.headers = [
        _pair(field.raw)
        for position, field in enumerate(mail.headers.fields)
        if position != claim.position
    ]
    verifier.body = b"".join(body_pieces(mail.raw, mail.headers.body_start, claim.relaxed_body))
    names = [name.encode() for name in claim.names]
    try:
        if verifier.verify_sig(
            _tags(claim), names, _pair(claim.emptied), lambda *_, **__: key.record
        ):
            return None
    except (dkim.DKIMException, binascii.Error, ValueError) as error:
        return f"dkimpy: {error}"
    return "the header is not what was signed"


def _strips_too_much(claim: Claim, mail: CanonicalMail, positions: Sequence[int]) -> bool:
    """Controls at the edges of relaxed values, and the end of a simple signature field."""
    if not claim.relaxed_header:
        return claim.emptied.removesuffix(b"\r\n") != claim.emptied.rstrip()
    values = (mail.headers.fields[position].raw.partition(b":")[2] for position in positions)
    return any(value.strip() != value.strip(b" \t\r\n") for value in values)


def _pair(raw: bytes) -> tuple[bytes, bytes]:
    name, _, value = raw.partition(b":")
    return name, value if value.endswith(b"\r\n") else value + b"\r\n"


def _tags(claim: Claim) -> dict[bytes, bytes]:
    forms = (b"simple", b"relaxed")
    return {
        b"a": (claim.algorithm or "").encode(),
        b"b": binascii.b2a_base64(claim.signature, newline=False),
        b"bh": binascii.b2a_base64(claim.body_hash, newline=False),
        b"c": forms[claim.relaxed_header] + b"/" + forms[claim.relaxed_body],
        b"d": (claim.domain or "").encode(),
        b"s": (claim.selector or "").encode(),
    }
