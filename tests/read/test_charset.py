"""Charsets: as declared and strict, else UTF-8, else Windows-1252, and no codec that does harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_support import parsed

from gateway.core.read.charset import codecs_of, decode

ITALIAN = "però è giù: città, €"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("utf-8", "utf-8", ITALIAN),
        ("UTF8", "utf-8", ITALIAN),
        ('"utf-8"', "utf-8", ITALIAN),
        ("windows-1252", "cp1252", ITALIAN),
        ("iso-8859-15", "iso8859_15", ITALIAN),
        ("iso-8859-1", "cp1252", ITALIAN),  # a superset: senders mean it
        ("latin1", "cp1252", "è"),
        ("iso8859_2", "iso8859_2", "łódź"),
        ("windows-1251", "cp1251", "привет"),
        ("koi8-r", "koi8_r", "привет"),
        ("gb2312", "gb18030", "代开发票"),
        ("ks_c_5601-1987", "cp949", "한국말"),
        ("euc-kr", "cp949", "한국말"),
        ("shift_jis", "cp932", "テスト①"),
        ("iso-2022-jp", "iso2022_jp", "まみむ"),
        ("utf-16", "utf-16", ITALIAN),
        ("utf-16le", "utf-16-le", ITALIAN),
        ("unicode-1-1-utf-7", "utf-7", "Frösche"),
        ("iso-8859-8-i", "iso8859_8", "שלום"),
        ("cp850", "cp850", "è"),
    ],
)
def test_declared_and_strict(label: str, codec: str, text: str) -> None:
    """A declared charset decodes what was encoded with it, and says which codec it was."""
    assert decode(text.encode(codec), label) == (text, codec)


@pytest.mark.parametrize(
    "label", [None, "us-ascii", "x-unknown", "invalid-charset", "", "\0", "a" * 5000]
)
@pytest.mark.parametrize(("encoded", "codec"), [("utf-8", "utf-8"), ("cp1252", "cp1252")])
def test_the_rule_without_a_usable_label(label: str | None, encoded: str, codec: str) -> None:
    """Not declared, unknown or wrong: UTF-8 when it is UTF-8, else Windows-1252."""
    assert decode(ITALIAN.encode(encoded), label) == (ITALIAN, codec)


@pytest.mark.parametrize(
    "label",
    ["idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "rot13", "hex",
     "base64",
     "zlib", "bz2", "uu", "quopri", "mbcs", "oem", "string_escape", "charmap"],
)  # fmt: skip
def test_codecs_that_are_no_charsets(label: str) -> None:
    """No name in a mail reaches a codec that is not a charset of mail."""
    assert codecs_of(label) == ()
    assert decode(b"plain", label) == ("plain", "utf-8")


def test_a_cut_character_does_not_spoil_the_mail() -> None:
    """UTF-8 that ends inside a character stays UTF-8 with one replacement."""
    text, codec = decode(("è" * 20).encode()[:-1], "utf-8")
    assert (text, codec) == ("è" * 19 + "\ufffd", "utf-8")


def test_wrongly_declared_utf8_is_windows_1252() -> None:
    """Nothing in it is UTF-8, so all of it is what old programs write."""
    assert decode("perché è giù".encode("cp1252"), "utf-8") == ("perché è giù", "cp1252")


def test_no_nul_and_no_lone_surrogate() -> None:
    """What comes out can be stored and encoded again."""
    assert "\0" not in decode(b"a\0b", "utf-8")[0]
    text, codec = decode(b"+2AA-", "utf-7")
    assert codec == "utf-7"
    assert text.encode("utf-8") == "\ufffd".encode()


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=30)))
def test_total(data: bytes, label: str | None) -> None:
    """Any bytes under any label give text that can be encoded."""
    text, _ = decode(data, label)
    text.encode("utf-8")
    assert "\0" not in text


@pytest.mark.parametrize(
    "label", ["iso-8859-1", "windows-1252", "us-ascii", "iso-8859-15", "windows-1251", "cp1254"]
)
def test_utf8_with_the_label_of_one_byte_a_character(label: str) -> None:
    """What is UTF-8 from end to end is UTF-8, since no such text is written by chance."""
    assert decode(ITALIAN.encode(), label) == (ITALIAN, "utf-8")


def test_a_label_holds_where_utf8_is_not_whole() -> None:
    """A customer who shows what mojibake looks like is read as he wrote."""
    shown = "vedo Ã¨ al posto di è"
    assert decode(shown.encode("cp1252"), "iso-8859-1") == (shown, "cp1252")
    assert decode(b"nothing beyond ASCII", "iso-8859-1") == ("nothing beyond ASCII", "cp1252")


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("perché \udce8 giù, città".encode("utf-8", "surrogateescape"), "utf-8",
         "perché \ufffd giù, città"),
        ("giù \udce8".encode("utf-8", "surrogateescape"), "utf-8", "giù \ufffd"),
        ("è é à ù \udce8".encode("utf-8", "surrogateescape"), None, "è é à ù \ufffd"),
        ("però".encode("utf-16-le") + b"x", "utf-16le", "però\ufffd"),
        ("però".encode("utf-16-be"), "utf-16", "però"),
        ("però".encode("utf-16-le"), "utf-16", "però"),
        (b"plain text in fact", "utf-16", "plain text in fact"),
        (b"plain", "utf-32", "plain"),
        ("日本".encode("cp932") + b"\x81", "shift_jis", "日本\ufffd"),
    ],
)  # fmt: skip
def test_a_bad_byte_spoils_one_character(data: bytes, label: str | None, text: str) -> None:
    """The rest of the mail stays in its charset."""
    assert decode(data, label)[0] == text


def test_mails_name_what_was_wrong_with_their_charset() -> None:
    """A wrong label, an unknown one and bytes that make no sense are defects; a right one is
    none.
    """
    head = b"Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=%s\n\n%s\n"

    def defects(label: bytes, body: bytes) -> tuple[str, ...]:
        return parsed(head % (label, body)).defects

    assert defects(b"iso-8859-1", "perché".encode()) == ("charset-mislabelled",)
    assert defects(b"utf-8", "perché".encode("cp1252")) == ("charset-mislabelled",)
    assert defects(b"x-none", "perché".encode()) == ("charset-unknown",)
    assert defects(b"utf-8", "però è".encode() + b"\xff") == ("charset-broken",)
    assert defects(b"iso-8859-1", "perché".encode("cp1252")) == ()
    assert defects(b"utf-16", "però".encode("utf-16-be")) == ()
