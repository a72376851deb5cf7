"""Signed data of the Cryptographic Message Syntax (RFC 5652), taken apart.

Nothing is verified here: who needs a proof asks `smime`. Strict and total: what is not whole and
well-formed is None (`core.read.cms` reads the words of what is not).
"""

from dataclasses import dataclass

from gateway.authenticate import ber
from gateway.authenticate.ber import Element

SIGNED_DATA = "1.2.840.113549.1.7.2"  # RFC 5652 5.1
DATA = "1.2.840.113549.1.7.1"
CONTENT_TYPE = "1.2.840.113549.1.9.3"  # RFC 5652 11.1
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"  # RFC 5652 11.2
_EXPLICIT_0, _IMPLICIT_SET_0 = 0xA0, 0xA0
_MOST_CERTIFICATES = 20
_MOST_SIGNERS = 4


@dataclass(frozen=True, slots=True)
class Signer:
    """One SignerInfo (RFC 5652 5.3); `issuer` is the encoded name, None with a key identifier."""

    issuer: bytes | None
    serial: int | None
    digest: str  # OID
    algorithm: str  # OID
    signature: bytes
    attributes: (
        bytes | None
    )  # what the signature covers, as a SET (5.4); None where there are none
    content_type: str | None
    message_digest: bytes | None


@dataclass(frozen=True, slots=True)
class SignedData:
    """`content` is None where the signature is detached."""

    content: bytes | None
    certificates: tuple[bytes, ...]  # encoded, in order
    signers: tuple[Signer, ...]


def signed_data(data: bytes) -> SignedData | None:
    """The parts of a SignedData; None for everything else, or what is broken."""
    info = _parts(ber.read(data), ber.SEQUENCE)
    if len(info) < 2 or _oid(info[0]) != SIGNED_DATA:
        return None
    inner = _parts(info[1], _EXPLICIT_0)
    parts = _parts(inner[0], ber.SEQUENCE) if inner else ()
    if len(parts) < 4:
        return None
    certificates: tuple[Element, ...] = ()
    for part in parts[3:-1]:
        if part.tag == _IMPLICIT_SET_0:
            certificates = part.children() or ()
    infos = _parts(parts[-1], ber.SET)
    signers = [_signer(one) for one in infos[:_MOST_SIGNERS]]
    if any(one is None for one in signers):
        return None
    return SignedData(
        content=_content(parts[2]),
        certificates=tuple(c.encoded for c in certificates[:_MOST_CERTIFICATES]),
        signers=tuple(one for one in signers if one is not None),
    )


def _content(encapsulated: Element) -> bytes | None:
    """eContent (RFC 5652 5.2), None where it lies outside."""
    parts = _parts(encapsulated, ber.SEQUENCE)
    inner = _parts(parts[1], _EXPLICIT_0) if len(parts) > 1 else ()
    return inner[0].octets() if inner else None


def _signer(info: Element) -> Signer | None:
    parts = _parts(info, ber.SEQUENCE)
    if len(parts) < 5:
        return None
    attributes = parts[3] if parts[3].tag == _IMPLICIT_SET_0 else None
    rest = parts[4:] if attributes else parts[3:]
    if len(rest) < 2:
        return None
    digest, algorithm, signature = _algorithm(parts[2]), _algorithm(rest[0]), rest[1].octets()
    if digest is None or algorithm is None or signature is None:
        return None
    named = _parts(parts[1], ber.SEQUENCE)
    values = _attributes(attributes) if attributes else {}
    kind, said = values.get(CONTENT_TYPE), values.get(MESSAGE_DIGEST)
    return Signer(
        issuer=named[0].encoded if len(named) == 2 else None,
        serial=int.from_bytes(named[1].contents, "big", signed=True) if len(named) == 2 else None,
        digest=digest,
        algorithm=algorithm,
        signature=signature,
        attributes=_as_set(attributes) if attributes else None,
        content_type=_oid(kind) if kind else None,
        message_digest=said.octets() if said else None,
    )


def _attributes(attributes: Element) -> dict[str, Element]:
    """The one value of each attribute; one that stands twice, or has two values, has none."""
    found: dict[str, Element] = {}
    seen: set[str] = set()
    for attribute in attributes.children() or ():
        parts = _parts(attribute, ber.SEQUENCE)
        name = _oid(parts[0]) if len(parts) == 2 else None
        if name is None:
            continue
        values = _parts(parts[1], ber.SET)
        if name in seen or len(values) != 1:
            found.pop(name, None)
        else:
            found[name] = values[0]
        seen.add(name)
    return found


def _as_set(attributes: Element) -> bytes | None:
    """RFC 5652 5.4: the signature covers the attributes under the tag of a SET, in DER."""
    return bytes([ber.SET]) + attributes.encoded[1:] if attributes.definite else None


def _algorithm(identifier: Element) -> str | None:
    parts = _parts(identifier, ber.SEQUENCE)
    return _oid(parts[0]) if parts else None


def _parts(element: Element | None, tag: int) -> tuple[Element, ...]:
    if element is None or element.tag != tag:
        return ()
    return element.children() or ()


def _oid(element: Element) -> str | None:
    """X.690 8.19; None for what is no OID, or a monstrous one."""
    if element.tag != ber.OID or not 1 <= element.end - element.body <= 40:
        return None
    arcs: list[int] = []
    value = 0
    for byte in element.contents:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    if not arcs or element.contents[-1] >= 0x80:
        return None
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
