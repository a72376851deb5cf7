"""Header text: encoded words, raw bytes, folding, and nothing that could make a second line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read import encoded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" plain subject", "plain subject"),
        (b" =?utf-8?q?per=C3=B2_gi=C3=B9?=", "però giù"),
        (b" =?UTF-8?B?cGVyw7I=?=", "però"),
        (b" =?UTF-8?B?cGVyw7I?=", "però"),  # padding forgotten
        (b" =?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b" =?utf-8?q?a?=\r\n =?iso-8859-1?q?=E8?=", "aè"),
        (b" =?utf-8?q?=C3?= =?utf-8?q?=B2?=", "ò"),  # one character over two words
        (b" =?utf-8*it?q?ciao?=", "ciao"),  # RFC 2231 5
        (b" Re: =?utf-8?q?a?= b =?utf-8?q?c?= d", "Re: a b c d"),
        (b" =?utf-8?q?not closed", "=?utf-8?q?not closed"),
        (b" =?x-none?q?=E8?=", "è"),
        (b" per\xc3\xb2", "però"),
        (b" per\xf2", "però"),
        (b" a\r\n  b\r\n\tc", "a b c"),
        (b" two  spaces", "two  spaces"),
        (b" =?utf-8?q?a=0D=0ABcc:_x@y.example?=", "a Bcc: x@y.example"),
        (b" =?utf-16le?b?DQAKAEIA?=", "B"),
        (b" =?utf-7?q?+AA0ACg-Bcc?=", "Bcc"),
        (b" a\x0bb\x00c\xc2\x85d", "a b c d"),
        (b" a\xe2\x80\xaeb", "a b"),  # a direction override
        (b"", ""),
    ],
)
def test_decoding(value: bytes, text: str) -> None:
    """The text that a person is meant to read, on one line."""
    assert encoded.text(value).replace("\ufffd", " ") == text


def test_the_bodys_charset_is_a_hint_for_raw_bytes() -> None:
    """A subject in raw bytes is read in the charset that the mail declares, unless it is UTF-8."""
    assert encoded.text("邮件".encode("gbk"), "gb2312") == "邮件"
    assert encoded.text("邮件".encode(), "gb2312") == "邮件"


@given(st.binary(max_size=400))
def test_one_line_whatever_comes(value: bytes) -> None:
    """No control character, line separator or override survives, and nothing raises."""
    for text in (encoded.text(value), encoded.text(b"=?utf-7?b?" + value + b"?=")):
        assert len((text + "x").splitlines()) == 1
        assert not any(ord(char) < 32 or 0x202A <= ord(char) <= 0x202E for char in text)
        text.encode("utf-8")


def test_many_opened_words_cost_no_more_than_their_length() -> None:
    """16 KiB of words that never close are looked at once."""
    value = b"=?a?q? " * 2300
    assert encoded.text(value) == value.decode().strip()
