"""Content-Transfer-Encoding: the bytes of a part, decoded whole and in C, never line by line.

RFC 2045 6, and uuencode as old programs mail it. What is broken is decoded as far as it goes and
said to be broken.
"""

import binascii
import re
from collections.abc import Iterator

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255}?)[ \t]*\r?\n", re.MULTILINE)
_UU_END = re.compile(rb"^end[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_ONE_WORD = re.compile(rb"(?:[A-Z]?[a-z]{1,20})?[ \t\r]*\n")
_FILLED = re.compile(rb"[^\r\n]+")
_DIGITS = re.compile(rb"[A-Za-z0-9+/]+")
_LONGEST_WORD, _MOST_STRAYS, _LONGEST_LINE = 24, 6, 1000
_LF = 0x0A
_STEP = 512 * 1024
_MOST_PADS = 100_000
_MOST_TRIMMED = 8 * 1024 * 1024
_MOST_LOOKED_AT = 20_000
_MOST_UU_LINES = 600_000
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
    if pad >= 0 and _holds_other(data, pad, b"=\r\n\t "):
        return _base64_in_pieces(data)
    try:
        decoded = b"".join(map(binascii.a2b_base64, _lines_of(data)))
    except binascii.Error:  # lines of a length that is no multiple of four, or stray bytes
        decoded, rest = _run(data)
        pads = data.count(b"=", pad) if pad >= 0 else 0
        return decoded, "base64-broken" if rest and (rest == 1 or pads < 4 - rest) else None
    return decoded, None


def _lines_of(data: bytes) -> Iterator[bytes]:
    """Stretches of whole lines: one step in C takes some milliseconds, however large the part."""
    at = 0
    while at < len(data):
        end = len(data) if len(data) - at <= _STEP else data.rfind(b"\n", at, at + _STEP) + 1
        end = end if end > at else min(at + _STEP, len(data))
        yield data[at:end]
        at = end


def _holds_other(data: bytes, start: int, allowed: bytes) -> bool:
    return any(
        data[at : at + _STEP].translate(None, allowed) for at in range(start, len(data), _STEP)
    )


def _base64_in_pieces(data: bytes) -> tuple[bytes, str | None]:
    """Each run up to its padding by itself; what follows the last padding counts only if it is
    Base64 alone.
    """
    last = data.rstrip(b"=\r\n\t ").rfind(b"=")
    broken = None
    if _holds_other(data, max(last, 0), _BASE64 + b"=\r\n\t "):
        data, broken = data[: last + 1], "base64-trailing-text"
    if data.count(b"=") > _MOST_PADS:  # nobody's lines: read as one run
        return base64_run(data), "base64-broken"
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
    """Words with spaces, a rule, a sentence: more than one stray byte in a line of Base64.

    A long run of digits with a few strays is Base64 still, which ignores them (RFC 2045 6.8).
    """
    words = line.strip()
    junk = words.translate(None, _BASE64 + b"=")
    if len(junk) > 1:
        return not _strayed(words, junk)
    return len(junk) == 1 and (words[:1] == junk or words[-1:] == junk)


def _strayed(words: bytes, junk: bytes) -> bool:
    if len(junk) > _MOST_STRAYS or b"://" in words or b"@" in words or b"www." in words:
        return False
    run = max(_DIGITS.findall(words[:_LONGEST_LINE]), key=len, default=b"")
    return len(run) >= _LONGEST_WORD and run.lower() != run and run.upper() != run


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
    return _run(data)[0]


def _run(data: bytes) -> tuple[bytes, int]:
    """The decoded bytes, and how many digits are left over after the last whole group."""
    out: list[bytes] = []
    rest = b""
    for at in range(0, len(data), _STEP):
        clean = rest + data[at : at + _STEP].translate(None, _NOT_BASE64)
        whole = len(clean) // 4 * 4
        out.append(binascii.a2b_base64(clean[:whole]))
        rest = clean[whole:]
    if len(rest) > 1:
        out.append(binascii.a2b_base64(rest + b"=" * (-len(rest) % 4)))
    return b"".join(out), len(rest)


def quoted_printable(data: bytes) -> bytes:
    """RFC 2045 6.7; white space at a line's end is the transport's, a lone CR after `=`
    swallows nothing.
    """
    if len(data) <= _STEP:
        return _quoted_printable(data)
    # Blanks at the ends of millions of lines are nobody's words.
    decoded = _quoted_printable if len(data) <= _MOST_TRIMMED else binascii.a2b_qp
    return b"".join(map(decoded, _lines_of_text(data)))


def _lines_of_text(data: bytes) -> Iterator[bytes]:
    """As `_lines_of`; a line longer than a step ends where no escape does."""
    rest = b""
    for piece in _lines_of(data):
        piece = rest + piece
        end = len(piece) if piece.endswith(b"\n") else len(piece.rstrip(b"= \t\r")) - 3
        end = max(end, 0)
        if piece[max(end - 2, 0) : end].find(b"=") >= 0:
            end = piece.rfind(b"=", 0, end)
        rest = piece[end:]
        if end:
            yield piece[:end]
    if rest:
        yield rest


def _quoted_printable(data: bytes) -> bytes:
    if (
        b" \n" in data
        or b" \r" in data
        or b"\t\r" in data
        or b"\t\n" in data
        or data[-1:] in b" \t"
    ):
        data = b"\n".join(map(_without_blanks, data.split(b"\n")))
    if data.count(b"=\r") != data.count(b"=\r\n"):
        data = data.replace(b"=\r\n", b"=\n").replace(b"=\r", b"=\n")
    return binascii.a2b_qp(data)


def _without_blanks(line: bytes) -> bytes:
    end = b"\r" if line.endswith(b"\r") else b""
    return line.removesuffix(b"\r").rstrip(b" \t") + end


def uuencoded(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every complete `begin … end` block with the name it gives."""
    return [(name, content) for _, _, name, content in uu_blocks(data)]


def uu_blocks(data: bytes, most: int = 100) -> list[tuple[int, int, bytes, bytes]]:
    """Where each uuencoded file stands in a text, its name and its content.

    A block that does not decode is text.
    """
    blocks: list[tuple[int, int, bytes, bytes]] = []
    position = 0
    while len(blocks) < most and (begin := _line_like(data, b"begin ", _UU_BEGIN, position)):
        end = _line_like(data, b"end", _UU_END, begin.end())
        if end is None:  # no block can end after this one: stop, so that the work stays linear
            break
        content = _uu_lines(data, begin.end(), end.start())
        if content is not None:
            blocks.append((begin.start(), end.end(), begin.group(1), content))
        position = end.end()
    return blocks


def _line_like(
    data: bytes, word: bytes, form: re.Pattern[bytes], position: int
) -> re.Match[bytes] | None:
    """The next line of a form that begins with a word: found by the word, which is quicker."""
    for _ in range(_MOST_LOOKED_AT):
        position = data.find(word, position)
        if position < 0:
            return None
        if position == 0 or data[position - 1] == _LF:
            found = form.match(data, position)
            if found:
                return found
        position += len(word)
    return None


def _uu_lines(data: bytes, start: int, end: int) -> bytes | None:
    out: list[bytes] = []
    for found in _FILLED.finditer(data, start, end):
        line = found.group()
        if not line.strip():
            continue
        if len(out) >= _MOST_UU_LINES:
            return None
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
