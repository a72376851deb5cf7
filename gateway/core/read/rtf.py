"""Rich text as Outlook sends it: LZFu decompression ([MS-OXRTFCP]) and the plain text of an RTF
file.

The text is for reading alone: pictures, fonts and styles are skipped. One pass, bounded output,
never raises.
"""

import re
import struct

from gateway.core.read.charset import decode

_LONGEST = 4 * 1024 * 1024
_COMPRESSED = 0x75465A4C
_STORED = 0x414C454D
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "
    b"\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    b"{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(
    rb"\\(?:'(?P<hex>[0-9a-fA-F]{2})|(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|(?P<symbol>[^a-zA-Z']))"
    rb"|(?P<open>\{)|(?P<close>\})|(?P<break>[\r\n]+)|(?P<text>[^\\{}\r\n]+)|(?P<stray>\\)"
)
_SKIPPED = frozenset(
    {
        "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "themedata", "datastore",
        "generator", "listtable", "listoverridetable", "xmlnstbl", "rsidtbl", "header", "footer",
        "fldinst", "filetbl", "latentstyles", "pntext", "mmathPr", "bkmkstart", "bkmkend",
    }
)  # fmt: skip
_SPOKEN = {
    "par": "\n", "line": "\n", "page": "\n", "sect": "\n", "row": "\n", "tab": "\t", "cell": "\t",
    "emdash": "\u2014", "endash": "\u2013", "bullet": "\u2022", "lquote": "\u2018",
    "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
    "emspace": " ", "enspace": " ",
}  # fmt: skip
_SYMBOLS = {
    b"~": "\u00a0",
    b"_": "-",
    b"-": "",
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
    b"\n": "\n",
    b"\r": "\n",
}


def decompress(data: bytes) -> bytes:
    """[MS-OXRTFCP] 3.1: the RTF inside PR_RTF_COMPRESSED; what could be read of it when it is
    cut.
    """
    if len(data) < 16:
        return b""
    _, raw_size, kind, _ = struct.unpack_from("<IIII", data)
    size = min(raw_size, _LONGEST)
    if kind == _STORED:
        return data[16 : 16 + size]
    return _expanded(data, size) if kind == _COMPRESSED else b""


def _expanded(data: bytes, size: int) -> bytes:
    window = bytearray(4096)
    window[: len(_DICTIONARY)] = _DICTIONARY
    write = len(_DICTIONARY)
    out = bytearray()
    at = 16
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 2 > len(data):
                    return bytes(out)
                token = data[at] << 8 | data[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write & 4095:  # the end of the data
                    return bytes(out[:size])
                for step in range(length):
                    byte = window[(offset + step) & 4095]
                    out.append(byte)
                    window[write & 4095] = byte
                    write = (write + 1) & 4095
            elif at < len(data):
                byte = data[at]
                at += 1
                out.append(byte)
                window[write & 4095] = byte
                write = (write + 1) & 4095
    return bytes(out[:size])


class _Text:
    """The state of a group, and what was said so far."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.bytes = bytearray()
        self.stack: list[tuple[bool, int]] = []
        self.skip = False
        self.fallback = 1  # characters that follow a \\u for readers without Unicode
        self.pending = 0
        self.code_page = "cp1252"

    def flush(self) -> None:
        if self.bytes:
            self.out.append(decode(bytes(self.bytes), self.code_page)[0])
            self.bytes.clear()

    def say(self, text: str) -> None:
        if not self.skip:
            self.flush()
            self.out.append(text)

    def byte(self, data: bytes) -> None:
        if self.pending:
            dropped = min(self.pending, len(data))
            self.pending -= dropped
            data = data[dropped:]
        if not self.skip:
            self.bytes += data


def to_text(data: bytes) -> str:
    """The words of an RTF file; paragraphs are lines."""
    if not data.lstrip()[:5].startswith(b"{\\rtf"):
        return ""
    text = _Text()
    starred = False
    for token in _TOKEN.finditer(data[:_LONGEST]):
        kind = token.lastgroup
        if kind == "open":
            text.stack.append((text.skip, text.fallback))
        elif kind == "close":
            text.flush()
            if text.stack:
                text.skip, text.fallback = text.stack.pop()
        elif kind == "hex":
            text.byte(bytes.fromhex(token["hex"].decode("ascii")))
        elif kind == "text":
            text.byte(token["text"])
        elif kind == "symbol" and token["symbol"] != b"*":
            text.say(_SYMBOLS.get(token["symbol"], ""))
        elif token["word"] is not None:
            _word(text, token["word"].decode("ascii"), token["number"], starred)
        starred = kind == "symbol" and token["symbol"] == b"*"
    text.flush()
    return "".join(text.out).strip()


def _word(text: _Text, word: str, number: bytes | None, starred: bool) -> None:
    if starred or word in _SKIPPED:
        text.skip = True
    elif word == "u" and number is not None:
        text.say(_character(int(number)))
        text.pending = text.fallback
    elif word == "uc" and number is not None:
        text.fallback = max(0, min(int(number), 8))
    elif word == "htmlrtf":  # [MS-OXRTFEX] 2.1.3.1: what is only for readers of RTF
        text.skip = number != b"0"
    elif word == "ansicpg" and number is not None:
        text.code_page = f"cp{number.decode('ascii')}"
    elif word in _SPOKEN:
        text.say(_SPOKEN[word])


def _character(number: int) -> str:
    code = number % 65536
    return "\ufffd" if code == 0 or 0xD800 <= code < 0xE000 else chr(code)
