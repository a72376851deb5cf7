"""The canonical forms of RFC 6376 3.4 in linear time, each computed once for all signatures.

Header fields are those of the wire gate; there is no second splitter here.
"""

import hashlib
from collections.abc import Iterator, Sequence

from gateway.core.model import Field, Headers

WINDOW = 65_536  # bytes of body at a time: fits the cache, holds the lock briefly
_EMPTY_LINES = tuple((step, b"\r\n" * step) for step in (32_768, 1_024, 32, 1))


def relaxed_field(raw: bytes) -> bytes:
    """RFC 6376 3.4.2, with its CRLF."""
    name, _, value = raw.partition(b":")
    folded = _single_spaces(value.replace(b"\r\n", b""))
    return name.rstrip(b" \t").lower() + b":" + folded.strip(b" ") + b"\r\n"


def simple_field(raw: bytes) -> bytes:
    """RFC 6376 3.4.1: as it came; at the end of a mail without a body the CRLF may lack."""
    return raw if raw.endswith(b"\n") else raw + b"\r\n"


def body_pieces(
    raw: bytes, start: int, relaxed: bool, window: int = WINDOW
) -> Iterator[bytes | memoryview]:
    """The canonical body of the mail, whose body begins at `start`, in pieces."""
    return _relaxed_pieces(raw, start, window) if relaxed else _simple_pieces(raw, start)


def select(names: Sequence[str], fields: Sequence[Field], own: int) -> list[int]:
    """Positions of the fields that h= covers: each name takes the lowest one not yet taken.

    RFC 6376 5.4.2. A name without a field left covers nothing; nor does a signature cover itself.
    """
    left: dict[str, list[int]] = {name: [] for name in names}
    for position, field in enumerate(fields):
        if field.name in left and position != own:
            left[field.name].append(position)
    return [left[name].pop() for name in names if left[name]]


class CanonicalMail:
    """One mail's canonical fields and body hashes, kept for all of its signatures."""

    def __init__(self, raw: bytes, headers: Headers) -> None:
        self.raw = raw
        self.headers = headers
        self._fields: dict[tuple[int, bool], bytes] = {}
        self._hashes: dict[bool, bytes] = {}

    def body_hash(self, relaxed: bool) -> bytes:
        """SHA-256 of the canonical body."""
        known = self._hashes.get(relaxed)
        if known is None:
            digest = hashlib.sha256()
            for piece in body_pieces(self.raw, self.headers.body_start, relaxed):
                digest.update(piece)
            known = self._hashes[relaxed] = digest.digest()
        return known

    def signed_bytes(self, positions: Sequence[int], emptied: bytes, relaxed: bool) -> bytes:
        """What b= signs (RFC 6376 3.7): the fields covered, then the signature without b=."""
        form = relaxed_field if relaxed else simple_field
        parts = [self._field(position, relaxed) for position in positions]
        parts.append(form(emptied).removesuffix(b"\r\n"))
        return b"".join(parts)

    def _field(self, position: int, relaxed: bool) -> bytes:
        known = self._fields.get((position, relaxed))
        if known is None:
            form = relaxed_field if relaxed else simple_field
            known = self._fields[position, relaxed] = form(self.headers.fields[position].raw)
        return known


def _single_spaces(text: bytes) -> bytes:
    """Each run of white space as one space; every pass at least halves the longest run."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _without_empty_lines(text: bytes, start: int = 0) -> int:
    """Where the text ends when the CRLFs at its end are left off."""
    end = len(text)
    for step, lines in _EMPTY_LINES:
        while text.endswith(lines, start, end):
            end -= 2 * step
    return end


def _simple_pieces(raw: bytes, start: int) -> Iterator[bytes | memoryview]:
    end = _without_empty_lines(raw, start)
    if end > start:
        yield memoryview(raw)[start:end]
    yield b"\r\n"


def _relaxed_pieces(raw: bytes, start: int, window: int) -> Iterator[bytes | memoryview]:
    """RFC 6376 3.4.4. Space and empty lines at the end of a piece wait until something follows."""
    space, lines, written = b"", 0, False
    while start < len(raw):
        stop = _cut(raw, start, window)
        text = _single_spaces(space + raw[start:stop]).replace(b" \r\n", b"\r\n")
        space = b" " if text.endswith(b" ") else b""
        text = text.removesuffix(b" ")
        end = _without_empty_lines(text)
        if end > 0:
            yield from _crlfs(lines)
            yield text[:end]
            written, lines = True, 0
        lines += (len(text) - end) // 2
        start = stop
    if written:
        yield b"\r\n"


def _cut(raw: bytes, start: int, window: int) -> int:
    """The end of the next piece: after a line where one ends in the window, never inside CRLF."""
    stop = start + window
    if stop >= len(raw):
        return len(raw)
    line = raw.rfind(b"\r\n", start, stop)
    if line >= 0:
        return line + 2
    return stop - 1 if raw[stop - 1 : stop + 1] == b"\r\n" else stop


def _crlfs(count: int) -> Iterator[bytes]:
    for step, lines in _EMPTY_LINES:
        while count >= step:
            yield lines
            count -= step
