"""Words that a sender's program put where no standard has them."""

import base64

import pytest
from read_support import crlf, parsed

HEAD = b"From: a@b.example\nTo: s@h.example\nMIME-Version: 1.0\n"
MIXED = HEAD + b"Subject: s\nContent-Type: multipart/mixed; boundary=B\n\n"
WORDS = "Buongiorno, il sito non va. " * 12


@pytest.mark.parametrize("stray", [b"!!", b"  "])
def test_stray_bytes_in_base64(stray: bytes) -> None:
    """RFC 2045 6.8: they are ignored, in one line or in each."""
    lines = base64.encodebytes(WORDS.encode()).splitlines()
    for hurt in (lines[2:3], lines[:3]):
        body = b"\n".join(
            line[:9] + stray[:1] + line[9:40] + stray[1:] + line[40:] if line in hurt else line
            for line in lines
        )
        mail = HEAD + b"Content-Transfer-Encoding: base64\n\n" + body + b"\n"
        assert (parsed(mail).body_text or "").strip() == WORDS.strip()


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        (b'text/plain; charset=koi8-r; name="m.txt"', "Привет".encode("koi8-r"), "Привет"),
        (b'text/html; charset=koi8-r; name="m.html"', "<p>Да".encode("koi8-r"), "<p>Да"),
        (b"text/plain; name=m.txt; format=flowed", b"one \ntwo", "one two"),
    ],
)
def test_the_only_text_has_a_file_name(kind: bytes, content: bytes, words: str) -> None:
    """It is read by the charset and the form that it declares."""
    part = b"--B\nContent-Type: " + kind + b"\nContent-Disposition: inline\n\n" + content
    read = parsed(crlf(MIXED + part + b"\n--B--\n"))
    assert words == (read.body_text or read.body_html)
    assert len(read.attachments) == 1


@pytest.mark.parametrize("charset", ["UTF-8", "iso-8859-1", "unknown"])
def test_raw_letters_in_an_encoded_word(charset: str) -> None:
    """They stay what they are, beside what is encoded."""
    subject = f"Subject: =?{charset}?Q?perché =41?=\n\nx"
    assert parsed(HEAD + subject.encode()).subject == "perché A"


def test_a_byte_order_mark_is_no_word() -> None:
    """It begins many texts, and says nothing."""
    assert parsed(HEAD + b"\n\xef\xbb\xbfGrazie\n").body_text == "Grazie\n"


def test_a_comment_before_the_encoding() -> None:
    """RFC 2045 6.1: comments stand anywhere in a structured field."""
    mail = HEAD + b"Content-Transfer-Encoding: (c) quoted-printable (d)\n\n=41\n"
    assert parsed(mail).body_text == "A\n"


def test_viscii_is_not_windows_1258() -> None:
    """A charset without a codec is unknown, not another one."""
    read = parsed(HEAD + b"Content-Type: text/plain; charset=viscii\n\nxin ch\xe0o\n")
    assert "charset-unknown" in read.defects


@pytest.mark.parametrize(
    ("before", "after", "defects"),
    [
        (b"This is a multi-part message in MIME format.\n", b"", ()),
        (b"", b"\n \n", ()),
        (b"Il sito non va.\n", b"", ("preamble-text",)),
        (b"", b"--B\nContent-Type: image/png\n\nx\n--B--\n", ("epilogue-text",)),
    ],
)
def test_what_stands_around_the_parts(
    before: bytes, after: bytes, defects: tuple[str, ...]
) -> None:
    """Nobody is shown it; where it says something, the mail has a defect."""
    mail = MIXED + before + b"--B\n\nciao\n--B--\n" + after
    assert parsed(mail).defects == defects
