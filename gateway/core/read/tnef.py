"""winmail.dat: the files and the words inside Microsoft's Transport Neutral Encapsulation Format
([MS-OXTNEF]).

A reader of attributes and of the MAPI properties that name, hold and describe. Total: a file that
is cut or lies about a length gives what came before. It writes nothing and opens nothing that it
finds inside.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gateway.core.read import rtf
from gateway.core.read.charset import decode

_SIGNATURE = 0x223E9F78
_MOST_FILES = 100
_MOST_PROPERTIES = 4096
_MOST_ATTRIBUTES = 20_000

_BODY = 0x0002800C
_MESSAGE_PROPERTIES = 0x00069003
_CODE_PAGE = 0x00069007
_MESSAGE_CLASS = 0x00078008
_SUBJECT = 0x00018004
_NEW_FILE = 0x00069002
_FILE_TITLE = 0x00018010
_FILE_DATA = 0x0006800F
_FILE_PROPERTIES = 0x00069005

_PR_MESSAGE_CLASS = 0x001A
_PR_SUBJECT = 0x0037
_PR_BODY = 0x1000
_PR_RTF = 0x1009
_PR_HTML = 0x1013
_PR_CODE_PAGE = 0x3FDE
_PR_FILE_DATA = 0x3701
_PR_FILE_NAME = 0x3704
_PR_LONG_NAME = 0x3707
_PR_MIME_TYPE = 0x370E
_PR_CONTENT_ID = 0x3712
_PR_DISPLAY_NAME = 0x3001

# [MS-OXCDATA] 2.11.1, bytes as TNEF stores them (padded to four).
_FIXED = {
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x0A: 4,
    0x0B: 4,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_UNICODE = 0x1F
_OBJECT = 0x0D
_CODE_PAGES = {
    65001: "utf-8",
    20127: "ascii",
    28591: "iso-8859-1",
    28605: "iso-8859-15",
    932: "shift_jis",
    936: "gbk",
    949: "euc-kr",
    950: "big5",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of the container, by its own words."""

    name: str = ""
    content_type: str = "application/octet-stream"
    content: bytes = b""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """What was found. Texts are None where the container has none; `broken`: it is cut, or does
    not say what it should.
    """

    files: tuple[File, ...] = ()
    text: str | None = None
    html: str | None = None
    message_class: str = ""
    subject: str = ""
    broken: bool = False


@dataclass(slots=True)
class _Reading:
    files: list[File] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    code_page: str = "cp1252"
    open: bool = False


def is_container(data: bytes) -> bool:
    """Whether the bytes begin as TNEF does."""
    return len(data) >= 4 and struct.unpack_from("<I", data)[0] == _SIGNATURE


def read(data: bytes) -> Container | None:
    """The container, or None when the bytes are no TNEF at all."""
    if not is_container(data):
        return None
    reading = _Reading()
    broken = False
    end = 6
    for attribute, value, after in _attributes(data):
        end = after
        try:
            _take(reading, attribute, value)
        except (struct.error, IndexError, ValueError):
            broken = True
    # Cut inside an attribute, or before it; only the last checksum may be missing.
    cut = end == 6 or end - 2 > len(data) or bool(data[end:].strip(b"\0\r\n "))
    return Container(
        files=tuple(file for file in reading.files if file.content or file.name),
        text=reading.texts.get("body") or reading.texts.get("rtf"),
        html=reading.texts.get("html"),
        message_class=reading.texts.get("class", ""),
        subject=reading.texts.get("subject", ""),
        broken=broken or cut,
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """[MS-OXTNEF] 2.1.3: level, tag, length, data, checksum; tag, data and where the next begins.

    Checksums are wrong too often to matter.
    """
    at = 6
    for _ in range(_MOST_ATTRIBUTES):
        if at + 9 > len(data):
            return
        tag, length = struct.unpack_from("<II", data, at + 1)
        start = at + 9
        at = start + length + 2
        yield tag, data[start : start + length], at  # shorter when the file is cut


def _take(reading: _Reading, tag: int, value: bytes) -> None:
    if tag == _CODE_PAGE and len(value) >= 4:
        reading.code_page = _code_page(struct.unpack_from("<I", value)[0])
    elif tag == _MESSAGE_CLASS:
        reading.texts["class"] = _string(value, reading.code_page)
    elif tag == _SUBJECT:
        reading.texts["subject"] = _string(value, reading.code_page)
    elif tag == _BODY:
        reading.texts.setdefault("body", _string(value, reading.code_page))
    elif tag == _MESSAGE_PROPERTIES:
        _message(reading, value)
    else:
        _file(reading, tag, value)


def _file(reading: _Reading, tag: int, value: bytes) -> None:
    if tag == _NEW_FILE:
        reading.open = len(reading.files) < _MOST_FILES
        if reading.open:
            reading.files.append(File())
        return
    if not reading.open:
        return
    file = reading.files[-1]
    if tag == _FILE_TITLE and not file.name:
        file = replace(file, name=_string(value, reading.code_page))
    elif tag == _FILE_DATA:
        file = replace(file, content=value)
    elif tag == _FILE_PROPERTIES:
        file = _described(file, value, reading.code_page)
    reading.files[-1] = file


def _described(file: File, value: bytes, code_page: str) -> File:
    for kind, number, data in _properties(value):
        if number == _PR_LONG_NAME or (
            number in (_PR_FILE_NAME, _PR_DISPLAY_NAME) and not file.name
        ):
            file = replace(file, name=_text(kind, data, code_page) or file.name)
        elif number == _PR_MIME_TYPE:
            file = replace(
                file, content_type=_text(kind, data, code_page).lower() or file.content_type
            )
        elif number == _PR_CONTENT_ID:
            file = replace(file, inline=True)
        elif number == _PR_FILE_DATA and not file.content:
            # An object begins with the 16 bytes of its interface's identifier: an embedded mail is
            # TNEF again.
            content = data[16:] if kind == _OBJECT else data
            file = replace(file, content=content)
            if is_container(content):
                file = replace(file, content_type="application/ms-tnef")
    return file


def _message(reading: _Reading, value: bytes) -> None:
    for kind, number, data in _properties(value):
        if number == _PR_MESSAGE_CLASS:
            reading.texts["class"] = _text(kind, data, reading.code_page)
        elif number == _PR_SUBJECT:
            reading.texts["subject"] = _text(kind, data, reading.code_page)
        elif number == _PR_CODE_PAGE and len(data) >= 4:
            reading.texts["charset"] = _code_page(struct.unpack_from("<I", data)[0])
        elif number == _PR_BODY:
            reading.texts["body"] = _text(kind, data, reading.code_page)
        elif number == _PR_HTML:
            charset = reading.texts.get("charset", reading.code_page)
            reading.texts["html"] = _text(kind, data, charset)
        elif number == _PR_RTF:
            reading.texts["rtf"] = rtf.to_text(rtf.decompress(data))


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """[MS-OXTNEF] 2.1.3.4: type, number and value of each property; the first value of one that
    has many.
    """
    count = min(struct.unpack_from("<I", data)[0], _MOST_PROPERTIES)
    at = 4
    for _ in range(count):
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:
            at = _past_name(data, at)
        many, kind = kind & 0x1000, kind & 0x0FFF
        value, at = _property(data, at, kind, bool(many))
        yield kind, number, value


def _past_name(data: bytes, at: int) -> int:
    """A named property: its set's GUID, then a number or a Unicode name."""
    at += 16
    by_name = struct.unpack_from("<I", data, at)[0]
    at += 4
    if by_name == 0:
        return at + 4
    length = struct.unpack_from("<I", data, at)[0]
    return at + 4 + _padded(length)


def _property(data: bytes, at: int, kind: int, many: bool) -> tuple[bytes, int]:
    count = 1
    if many or kind in _VARIABLE:
        count = struct.unpack_from("<I", data, at)[0]
        at += 4
    first = b""
    for number in range(min(count, _MOST_PROPERTIES)):
        if kind in _VARIABLE:
            length = struct.unpack_from("<I", data, at)[0]
            at += 4
            step = _padded(length)
        elif kind in _FIXED:
            length = step = _FIXED[kind]
        else:
            raise ValueError("unknown type")
        if number == 0:
            first = data[at : at + length]
        at += step
        if at > len(data) + 3:
            raise ValueError("cut")
    return first, at


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _text(kind: int, data: bytes, code_page: str) -> str:
    if kind == _UNICODE:
        return data.decode("utf-16-le", "replace").rstrip("\0").replace("\0", "\ufffd")
    return _string(data, code_page)


def _string(data: bytes, code_page: str) -> str:
    return decode(data.rstrip(b"\0"), code_page)[0]


def _code_page(number: int) -> str:
    return _CODE_PAGES.get(number, f"cp{number}")
