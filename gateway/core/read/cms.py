"""What a signed message carries inside its signature: the content of a CMS SignedData, unverified.

A walker over BER (X.690) that goes straight to the encapsulated content (RFC 5652 5.2), in one
pass and without recursion. It checks no signature, decrypts nothing and never raises; whoever
reads the words that it finds must say that nobody has verified them.
"""

import binascii
from dataclasses import dataclass

from gateway.core.read.transfer import base64_run

_SEQUENCE, _SET, _INTEGER, _OID = 0x30, 0x31, 0x02, 0x06
_CONTEXT_0, _OCTETS, _OCTETS_IN_PIECES = 0xA0, 0x04, 0x24
_MOST_STEPS = 100_000
# 1.2.840.113549.1.7.* and 1.2.840.113549.1.9.16.1.*, as they are encoded.
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SMIME = bytes.fromhex("2a864886f70d01091001")
_KINDS = {
    _PKCS7 + b"\x01": "data",
    _PKCS7 + b"\x02": "signed",
    _PKCS7 + b"\x03": "enveloped",
    _PKCS7 + b"\x04": "enveloped",  # signedAndEnveloped, of PKCS #7 1.5
    _PKCS7 + b"\x06": "enveloped",  # encryptedData
    _SMIME + b"\x09": "compressed",
    _SMIME + b"\x17": "enveloped",  # authEnvelopedData, RFC 5083
}


@dataclass(frozen=True, slots=True)
class Message:
    """The kind of a CMS message, and the content of a signed one, or None."""

    kind: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Element:
    """A tag, where its contents begin, and where they end; None where only a mark ends them."""

    tag: int
    start: int
    end: int | None


def read(data: bytes) -> Message | None:
    """The message, or None where the bytes are none; Base64 and PEM are taken off first."""
    data = _unarmoured(data)
    outer = _element(data, 0)
    kind = _element(data, outer.start) if outer and outer.tag == _SEQUENCE else None
    if kind is None or kind.tag != _OID or kind.end is None:
        return None
    named = _KINDS.get(data[kind.start : kind.end])
    if named is None:
        return None
    return Message(named, _encapsulated(data, kind.end) if named == "signed" else None)


def _encapsulated(data: bytes, at: int) -> bytes | None:
    """RFC 5652 5.1: `[0] SEQUENCE { version, digestAlgorithms, encapContentInfo, … }`."""
    for tag in (_CONTEXT_0, _SEQUENCE):
        element = _element(data, at)
        if element is None or element.tag != tag:
            return None
        at = element.start
    for tag in (_INTEGER, _SET):
        after = _after(data, at, tag)
        if after is None:
            return None
        at = after
    content = _element(data, at)
    if content is None or content.tag != _SEQUENCE:
        return None
    after = _after(data, content.start, _OID)
    inside = _element(data, after) if after is not None else None
    if inside is None or inside.tag != _CONTEXT_0 or inside.start == content.end:
        return None
    return _octets(data, inside.start)


def _octets(data: bytes, at: int) -> bytes | None:
    """An OCTET STRING, whole or in the pieces that programs write when they stream."""
    first = _element(data, at)
    if first is None:
        return None
    if first.tag == _OCTETS:
        return data[first.start : first.end]
    if first.tag != _OCTETS_IN_PIECES:
        return None
    pieces: list[bytes] = []
    at, limit = first.start, len(data) if first.end is None else first.end
    while at < limit and len(pieces) < _MOST_STEPS:
        piece = _element(data, at)
        if piece is None or piece.tag != _OCTETS or piece.end is None:
            break  # the mark of the end, or nothing that belongs here
        pieces.append(data[piece.start : piece.end])
        at = piece.end
    return b"".join(pieces)


def _after(data: bytes, at: int, tag: int) -> int | None:
    """Where the next element begins, if this one has the tag."""
    element = _element(data, at)
    if element is None or element.tag != tag:
        return None
    return element.end if element.end is not None else _past_mark(data, element.start)


def _past_mark(data: bytes, at: int) -> int | None:
    """Behind the end of an element whose length is not given (X.690 8.1.5)."""
    open_elements = 1
    for _ in range(_MOST_STEPS):
        element = _element(data, at)
        if element is None:
            return None
        if element.tag == 0 and element.end == element.start:
            open_elements -= 1
            at = element.start
            if not open_elements:
                return at
        elif element.end is None:
            open_elements += 1
            at = element.start
        else:
            at = element.end
    return None


def _element(data: bytes, at: int) -> _Element | None:
    """X.690 8.1: one-byte tags, lengths of up to four bytes; contents that are cut end with the
    data.
    """
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        return None
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:
        return _Element(tag, start, None)
    if length > 0x84:
        return None
    if length > 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count])
        start += count
    return _Element(tag, start, min(start + length, len(data)))


def _unarmoured(data: bytes) -> bytes:
    start = data[:4096].lstrip()
    if start.startswith(b"-----BEGIN"):
        data = data[data.find(b"\n") + 1 :].partition(b"-----END")[0]
    elif not start.startswith((b"MI", b"MC")):  # DER's first bytes in Base64
        return data
    try:
        return base64_run(data)
    except binascii.Error:
        return data
