"""Bytes to text by a declared charset, never by a guess that a sender could steer.

As declared and strict; else UTF-8, strict; else Windows-1252. What is UTF-8 from end to end is
never read as a charset of one byte a character, whatever its label says: such text cannot be
written by chance. Only codecs of the list are ever
looked up, so that no name in a mail reaches `idna`, `punycode`, `undefined`, a compressing codec,
or one that costs more than linear time.
"""

import codecs
import re

# The WHATWG Encoding Standard's view of old labels: a superset where senders use the subset's name
# wrongly.
_CODECS: dict[str, tuple[str, ...]] = {
    "ascii": ("ascii",),
    "utf8": ("utf-8",),
    "utf7": ("utf-7",),
    "utf16": ("utf-16",),
    "utf16le": ("utf-16-le",),
    "utf16be": ("utf-16-be",),
    "utf32": ("utf-32",),
    "utf32le": ("utf-32-le",),
    "utf32be": ("utf-32-be",),
    "gb": ("gb18030",),
    "big5": ("big5hkscs", "cp950"),
    "shiftjis": ("cp932", "shift_jis_2004"),
    "eucjp": ("euc_jp", "eucjp_ms", "euc_jis_2004"),
    "iso2022jp": ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"),
    "iso2022kr": ("iso2022_kr",),
    "euckr": ("cp949",),
    "johab": ("johab",),
    "hz": ("hz",),
    "koi8r": ("koi8_r",),
    "koi8u": ("koi8_u",),
    "koi8t": ("koi8_t",),
    "tis620": ("cp874",),
    "mac": ("mac_roman",),
    "maccyrillic": ("mac_cyrillic",),
    "ptcp154": ("ptcp154",),
}
_ALIASES: dict[str, str] = {
    "usascii": "ascii", "ansix341968": "ascii", "iso646us": "ascii", "us": "ascii",
    "cp367": "ascii",
    "unicode11utf8": "utf8", "unicode20utf8": "utf8", "xunicode20utf8": "utf8", "utf8mb4": "utf8",
    "unicode11utf7": "utf7", "ucs2": "utf16", "unicode": "utf16", "iso10646ucs2": "utf16be",
    "gb2312": "gb", "gbk": "gb", "gb18030": "gb", "cp936": "gb", "ms936": "gb", "xgbk": "gb",
    "csgb2312": "gb", "gb231280": "gb", "euccn": "gb", "windows936": "gb", "chinese": "gb",
    "hzgb2312": "hz", "big5hkscs": "big5", "cp950": "big5", "csbig5": "big5", "xxbig5": "big5",
    "sjis": "shiftjis", "xsjis": "shiftjis", "cp932": "shiftjis", "windows31j": "shiftjis",
    "mskanji": "shiftjis", "csshiftjis": "shiftjis", "xeucjp": "eucjp", "ujis": "eucjp",
    "csiso2022jp": "iso2022jp", "iso2022jp1": "iso2022jp", "iso2022jp2": "iso2022jp",
    "iso2022jp3": "iso2022jp", "iso2022jp2004": "iso2022jp", "cp50220": "iso2022jp",
    "cp50221": "iso2022jp", "csiso2022kr": "iso2022kr", "ksc56011987": "euckr", "ksc5601": "euckr",
    "ksc56011989": "euckr", "cp949": "euckr", "uhc": "euckr", "korean": "euckr", "ms949": "euckr",
    "xwindows949": "euckr", "windows949": "euckr", "cseuckr": "euckr", "koi8": "koi8r",
    "koi8ru": "koi8u", "cskoi8r": "koi8r", "iso885911": "tis620", "windows874": "tis620",
    "cp874": "tis620", "macintosh": "mac", "xmacroman": "mac", "macroman": "mac",
    "xmaccyrillic": "maccyrillic", "cp154": "ptcp154",
}  # fmt: skip
# Latin numbers whose subset and superset differ: ISO 8859-1 is read as Windows-1252, -9 as -1254.
_ISO_8859 = {"1": "cp1252", "9": "cp1254", "11": "cp874"}
_OEM = frozenset(
    "437 737 775 850 852 855 857 858 860 861 862 863 864 865 866".split()  # noqa: SIM905  one line reads better
)
_LATIN = {
    "1": "1",
    "2": "2",
    "3": "3",
    "4": "4",
    "5": "9",
    "6": "10",
    "7": "13",
    "8": "14",
    "9": "15",
}
_NUMBERED = re.compile(r"(?:x)?(iso8859|windows|cp|ibm|latin|l)(\d{1,4})[ei]?\Z")
# Codecs of one byte a character.
_SINGLE = re.compile(r"cp(?:125\d|4\d\d|7\d\d|8\d\d)\Z|iso8859_|koi8|mac_|ptcp")

_SURROGATES = re.compile("[\ud800-\udfff]")
_FALLBACK = "cp1252"
_STEP = 64 * 1024


def codecs_of(label: str) -> tuple[str, ...]:
    """The codecs to try, in order, for a label out of a mail; none for an unknown or unwanted
    one.
    """
    name = _normal(label)
    name = _ALIASES.get(name, name)
    return _CODECS.get(name) or _numbered(name)


def decode(data: bytes | memoryview, label: str | None) -> tuple[str, str]:
    """The text and the codec that gave it. Total; the text holds no NUL and no lone surrogate."""
    text, codec = _decode(data, label)
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if codec.startswith("utf-7"):  # the one codec here that lets lone surrogates through
        text = _SURROGATES.sub("\ufffd", text)
    return text, codec


def _decode(data: bytes | memoryview, label: str | None) -> tuple[str, str]:
    declared = codecs_of(label) if label else ()
    for codec in _order(data, declared):
        try:
            text = str(data, codec)
        except (UnicodeError, LookupError, ValueError):
            continue
        return text, declared[0] if codec == "utf-8" and declared and text.isascii() else codec
    # A mail cut in the middle of a character, or with one bad byte, is still in its charset.
    for codec in (*(d for d in declared[:1] if not _SINGLE.match(d)), "utf-8"):
        lossy = _replaced(data, codec)
        if _mostly_right(lossy, codec, codec in declared):
            return lossy, codec
    return _replaced(data, _FALLBACK), _FALLBACK


def _replaced(data: bytes | memoryview, codec: str) -> str:
    """With U+FFFD for what makes no sense; in steps, since each replacement is slow."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    pieces = [
        decoder.decode(bytes(data[at : at + _STEP]), at + _STEP >= len(data))
        for at in range(0, len(data), _STEP)
    ]
    return "".join(pieces)


def _order(data: bytes | memoryview, declared: tuple[str, ...]) -> tuple[str, ...]:
    """The codecs to try; UTF-8 comes first where the label names one byte a character."""
    if not declared:
        return ("utf-8",)
    if _SINGLE.match(declared[0]):
        return ("utf-8", *declared)
    if declared[0].startswith(("utf-16", "utf-32")):
        return (*_wide(bytes(data[:4096]), declared[0]), "utf-8")
    return (*declared, "utf-8")


def _wide(start: bytes, codec: str) -> tuple[str, ...]:
    """UTF-16 without a mark is what its zeros say (RFC 2781 4.3); ASCII without zeros is neither
    it nor UTF-32.
    """
    if start.isascii() and b"\0" not in start:
        return ()
    if codec == "utf-16" and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        large = start[0::2].count(0) > start[1::2].count(0)
        return ("utf-16-be",) if large else ("utf-16-le",)
    return (codec,)


def _mostly_right(text: str, codec: str, declared: bool) -> bool:
    """Whether the replaced characters are few; one in another charset is wrong everywhere."""
    broken = text.count("\ufffd")
    if codec.startswith(("utf-16", "utf-32")):
        return broken <= 1 + len(text) // 100
    right = len(text) - len(text.encode("ascii", "ignore")) - broken
    if codec == "utf-8":
        return right >= broken if declared else right > 2 * broken
    return right > broken


def _normal(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label[:40].lower())


def _numbered(name: str) -> tuple[str, ...]:
    match = _NUMBERED.match(name)
    if not match:
        return ()
    family, number = match.groups()
    if family in ("latin", "l"):
        family, number = "iso8859", _LATIN.get(number, "")
    if family == "iso8859":
        return _iso_8859(number)
    if number in ("1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258"):
        return (f"cp{number}",)
    return (f"cp{number}",) if family in ("cp", "ibm") and number in _OEM else ()


def _iso_8859(number: str) -> tuple[str, ...]:
    if number in _ISO_8859:
        # Bytes that the superset leaves undefined are controls in the subset: never an error,
        # never a letter.
        return (_ISO_8859[number],)
    known = number in ("2", "3", "4", "5", "6", "7", "8", "10", "13", "14", "15", "16")
    return (f"iso8859_{number}",) if known else ()
