"""The elements of a BER encoding (ITU-T X.690), as ranges over its bytes.

Only what signed mail needs: definite and indefinite lengths, tags of one byte. Total and linear:
whatever the bytes are, a broken encoding is None, and nesting and the number of elements are
bounded.
"""

from dataclasses import dataclass

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
_CONSTRUCTED = 0x20
_DEEPEST = 16
_MOST = 65_536  # elements that one step looks at; a stream of 25 MB has 25,000


@dataclass(frozen=True, slots=True)
class Element:
    """One element `data[start:stop]`, with its contents `data[body:end]`."""

    data: bytes
    tag: int  # the identifier byte, class and constructed bit included
    start: int
    body: int
    end: int
    stop: int
    definite: bool

    @property
    def contents(self) -> bytes:
        """The bytes of the contents."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """The whole element, identifier and length included."""
        return self.data[self.start : self.stop]

    def children(self) -> tuple["Element", ...] | None:
        """What a constructed element holds; None where it is broken, or holds too much."""
        found: list[Element] = []
        at, left = self.body, [_MOST]
        while at < self.end:
            one = _element(self.data, at, self.end, 0, left)
            if one is None:
                return None
            found.append(one)
            at = one.stop
        return tuple(found)

    def octets(self) -> bytes | None:
        """The value of an OCTET STRING, which a stream may have sent in pieces (8.7.3)."""
        pieces: list[bytes] = []
        return b"".join(pieces) if _gather(self, pieces, 0) else None


def read(data: bytes) -> Element | None:
    """The first element of these bytes; what follows it is padding to nobody."""
    return _element(data, 0, len(data), 0, [_MOST])


def _element(data: bytes, start: int, limit: int, depth: int, left: list[int]) -> Element | None:
    left[0] -= 1
    if left[0] < 0 or start + 2 > limit or depth > _DEEPEST or data[start] & 0x1F == 0x1F:
        return None  # tags of several bytes are not used here
    tag, first = data[start], data[start + 1]
    body = start + 2
    if first == 0x80:  # 8.1.3.6: up to the end-of-contents octets
        stop = _end(data, body, limit, depth, left) if tag & _CONSTRUCTED else None
        if stop is None:
            return None
        return Element(data, tag, start, body, stop, stop + 2, definite=False)
    length = first
    if first > 0x80:
        count = first - 0x80
        if count > 8 or body + count > limit:
            return None
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    end = body + length
    return Element(data, tag, start, body, end, end, definite=True) if end <= limit else None


def _end(data: bytes, at: int, limit: int, depth: int, left: list[int]) -> int | None:
    while data[at : at + 2] != b"\0\0":
        one = _element(data, at, limit, depth + 1, left)
        if one is None:
            return None
        at = one.stop
    return at if at + 2 <= limit else None


def _gather(one: Element, pieces: list[bytes], depth: int) -> bool:
    if not one.tag & _CONSTRUCTED:
        pieces.append(one.contents)
        return True
    parts = one.children() if depth <= _DEEPEST else None
    return parts is not None and all(_gather(part, pieces, depth + 1) for part in parts)
