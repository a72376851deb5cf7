"""Content-Transfer-Encoding: the bytes of a part, decoded whole and in C, never line by line.

RFC 2045 6, and uuencode as old programs mail it. What is broken is decoded as far as it goes and
said to be broken.
"""

import binascii
import re

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_TRAILING = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n|\Z)")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255}?)[ \t]*\r?\n", re.MULTILINE)
_UU_END = re.compile(rb"^end[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_ONE_WORD = re.compile(rb"(?:[A-Z]?[a-z]{1,20})?[ \t\r]*\n")
_STEP = 64 * 1024
_MOST_WORDS = 10
IDENTITY = frozenset({"7bit", "8bit", "binary", ""})
ENCODED = frozenset({"base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue", "uue"})


def decode(data: bytes | memoryview, encoding: str) -> tuple[bytes | memoryview, str | None]:
    """The decoded bytes, and what was wrong with them or None.

    Unknown encodings are left as they are.
    """
    if encoding in IDENTITY:
        return data, None
    if encoding == "base64":
        return base64(bytes(data))
    if encoding == "quoted-printable":
        return quoted_printable(bytes(data)), None
    if encoding in ENCODED:
        files = uuencoded(bytes(data))
        return (files[0][1], None) if files else (data, "uuencode-broken")
    return data, "encoding-unknown"


def base64(data: bytes) -> tuple[bytes, str | None]:
    """RFC 2045 6.8, with line breaks anywhere, missing padding, padding in the middle, and text
    after the end.
    """
    pad = data.find(b"=")
    tail = data[pad:].translate(None, b"=\r\n\t ") if pad >= 0 else b""
    if tail:
        return _base64_in_pieces(data)
    try:
        decoded = binascii.a2b_base64(data)
    except binascii.Error:
        return base64_run(data), "base64-broken"
    return decoded, None


def _base64_in_pieces(data: bytes) -> tuple[bytes, str | None]:
    """Each run up to its padding by itself; what follows the last padding counts only if it is
    Base64 alone.
    """
    last = data.rstrip(b"=\r\n\t ").rfind(b"=")
    broken = None
    if data[last:].translate(None, _BASE64 + b"=\r\n\t "):
        data, broken = data[: last + 1], "base64-trailing-text"
    return b"".join(base64_run(piece) for piece in data.split(b"=") if piece), broken


def text_after(data: bytes) -> int:
    """Where Base64 ends and plain text begins that a list or a gateway put under it.

    The length of the data where there is none; 0 where all of it is plain text.
    """
    at = 0
    for start in range(0, len(data), _STEP):
        # Whole lines, so that none is judged in two halves.
        end = data.find(b"\n", start + _STEP)
        end = len(data) if end < 0 else end + 1
        if at >= end or not data[at:end].translate(None, _BASE64 + b"=\r\n"):
            at = max(at, end)
            continue
        for line in _LINE.finditer(data, at, end):
            if _is_text(line.group()):
                return _with_words_before(data, line.start())
        at = end
    return len(data)


def _is_text(line: bytes) -> bool:
    """Words with spaces, a rule, a sentence: more than one stray byte in a line of Base64."""
    words = line.strip()
    junk = words.translate(None, _BASE64 + b"=")
    return len(junk) > 1 or (len(junk) == 1 and (words[:1] == junk or words[-1:] == junk))


def _with_words_before(data: bytes, at: int) -> int:
    """Lines of one short word above the text, such as a greeting, belong to it."""
    for _ in range(_MOST_WORDS):
        above = data.rfind(b"\n", 0, at - 1) + 1 if at else 0
        if not above or not _ONE_WORD.match(data, above, at):
            return at
        at = above
    return at


def base64_run(data: bytes) -> bytes:
    """One run of Base64: junk skipped, padding made right."""
    clean = data.translate(None, _NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def quoted_printable(data: bytes) -> bytes:
    """RFC 2045 6.7; white space at a line's end is the transport's, a lone CR after `=`
    swallows nothing.
    """
    if (
        b" \n" in data
        or b" \r" in data
        or b"\t\r" in data
        or b"\t\n" in data
        or data[-1:] in b" \t"
    ):
        data = _TRAILING.sub(b"", data)
    if data.count(b"=\r") != data.count(b"=\r\n"):
        data = data.replace(b"=\r\n", b"=\n").replace(b"=\r", b"=\n")
    return binascii.a2b_qp(data)


def uuencoded(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every complete `begin … end` block with the name it gives."""
    return [(name, content) for _, _, name, content in uu_blocks(data)]


def uu_blocks(data: bytes, most: int = 100) -> list[tuple[int, int, bytes, bytes]]:
    """Where each uuencoded file stands in a text, its name and its content.

    A block that does not decode is text.
    """
    blocks: list[tuple[int, int, bytes, bytes]] = []
    position = 0
    while len(blocks) < most and (begin := _UU_BEGIN.search(data, position)):
        end = _UU_END.search(data, begin.end())
        if end is None:  # no block can end after this one: stop, so that the work stays linear
            break
        content = _uu_lines(data[begin.end() : end.start()])
        if content is not None:
            blocks.append((begin.start(), end.end(), begin.group(1), content))
        position = end.end()
    return blocks


def _uu_lines(data: bytes) -> bytes | None:
    out: list[bytes] = []
    for line in data.splitlines():
        if not line.strip():
            continue
        if not 32 <= line[0] <= 96:
            return None
        # The first character counts the bytes; what encoders put after their digits is padding.
        length = (line[0] - 32) & 63
        if len(line) > (length + 2) // 3 * 4 + 5:
            return None
        try:
            out.append(binascii.a2b_uu(line[: (length * 4 + 5) // 3]))
        except binascii.Error:
            return None
    return b"".join(out)
