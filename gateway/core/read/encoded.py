"""Header text for people: RFC 2047 encoded words, raw 8-bit text, folding. Never used for
identity.

What comes out holds no line break, no control character and no character that reorders its
neighbours, whatever the charset inside an encoded word decodes to.
"""

import binascii
import re

from gateway.core.read.charset import codecs_of, decode
from gateway.core.read.transfer import base64_run

_LIMIT = 16384  # bytes of one field that are read (docs/limits.md)
# White space around a fold is the folding program's; a look-behind keeps long runs of blanks
# linear.
_FOLD = re.compile(rb"(?<![ \t])[ \t]*\r?\n[ \t]*")
_START = re.compile(r"=\?([A-Za-z0-9_.:()+/-]{1,60})(?:\*[A-Za-z0-9-]{0,40})?\?([bBqQ])\?")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")


def unfold(value: bytes) -> bytes:
    """RFC 5322 2.2.3: a folded line is joined at its line break; the white space after it
    stays.
    """
    if b"\n" not in value and b"\r" not in value:
        return value
    return value.replace(b"\r", b"").replace(b"\n", b"")


def text(value: bytes | None, charset: str | None = None) -> str:
    """An unstructured field, decoded and made safe to show on one line.

    `charset` is what the mail says of its body: a hint for raw bytes that are not UTF-8.
    """
    if not value:
        return ""
    line = _FOLD.sub(b" ", value[:_LIMIT])
    # Raw bytes are UTF-8 (RFC 6532) or what an old program left.
    return one_line(words(decode(line, None if _is_utf8(line) else charset)[0]))


def words(value: str) -> str:
    """RFC 2047: every encoded word replaced; those that are neighbours and alike are decoded as
    one.
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    run: list[
        bytes
    ] = []  # neighbouring words of one charset: a character may be split over two of them
    charset, position = "", 0
    for begin, end, label, payload in _encoded_words(value):
        between = value[position:begin]
        joined = not between.strip(" \t") and position > 0
        if run and not (joined and label.lower() == charset):
            out.append(_decode(run, charset))
            run = []
        if not joined:
            out.append(between)
        run.append(payload)
        charset, position = label.lower(), end
    if run:
        out.append(_decode(run, charset))
    out.append(value[position:])
    return "".join(out)


def one_line(value: str) -> str:
    """Each run of controls, line breaks and direction overrides becomes one space; ends are
    trimmed.
    """
    return _UNSAFE.sub(" ", value).strip()


def _encoded_words(value: str) -> list[tuple[int, int, str, bytes]]:
    found = []
    position = 0
    while match := _START.search(value, position):
        close = value.find("?=", match.end())
        if close < 0:  # and then there is none for any later start either: linear
            break
        kind, label = match.group(2), match.group(1)
        payload = _bytes_of(value[match.end() : close], label)
        decoded = base64_run(payload) if kind in "bB" else binascii.a2b_qp(payload, header=True)
        found.append((match.start(), close + 2, label, decoded))
        position = close + 2
    return found


def _bytes_of(inside: str, label: str) -> bytes:
    """What stands in an encoded word; raw characters there, against RFC 2047 2, become bytes of
    the charset that it names, so that they are themselves again.
    """
    if inside.isascii():
        return inside.encode("ascii")
    for codec in (*codecs_of(label), "utf-8"):
        try:
            return inside.encode(codec)
        except (UnicodeError, LookupError):
            continue
    return inside.encode("utf-8", "replace")


def _decode(run: list[bytes], label: str) -> str:
    return decode(b"".join(run), label)[0]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
