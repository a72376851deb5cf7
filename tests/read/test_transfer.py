"""Transfer encodings: decoded whole, and as far as they go when they are broken."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read import transfer


@given(st.binary(max_size=500), st.integers(1, 80))
def test_base64_of_any_line_length(data: bytes, width: int) -> None:
    """What was encoded comes back, wherever the lines end."""
    text = base64.b64encode(data)
    folded = b"\r\n".join(text[i : i + width] for i in range(0, len(text), width))
    assert transfer.decode(folded, "base64") == (data, None)


@pytest.mark.parametrize(
    ("data", "decoded", "defect"),
    [
        (b"aGVsbG8", b"hello", "base64-broken"),
        (b"aGVs!bG8=", b"hello", None),
        (b"YQ==YmM=", b"abc", None),  # every line padded by itself
        (b"aGVsbG8=\r\n--\r\nLa lista\r\n", b"hello", "base64-trailing-text"),
        (b"aGVsbG8=\r\n\r\n", b"hello", None),
        (b"a", b"", "base64-broken"),
        (b"", b"", None),
        (b"====", b"", None),
    ],
)
def test_broken_base64(data: bytes, decoded: bytes, defect: str | None) -> None:
    """Missing padding, padding in the middle, and a footer after the end."""
    assert transfer.decode(data, "base64") == (decoded, defect)


@given(st.binary(max_size=300))
def test_quoted_printable_comes_back(data: bytes) -> None:
    """What the standard library encodes is decoded."""
    data = data.replace(b"\r", b"")
    text = binascii.b2a_qp(data, istext=False)
    assert transfer.decode(text, "quoted-printable") == (data, None)


@pytest.mark.parametrize(
    ("data", "decoded"),
    [
        (b"per=C3=B2=\r\n si", "però si".encode()),
        (b"soft= \t\r\nbreak", b"softbreak"),
        (b"trailing  \r\nblank \t", b"trailing\r\nblank"),
        (b"=ZZ and = alone", b"=ZZ and = alone"),
        (b"a=\rb\r\nc", b"ab\r\nc"),  # a lone CR swallows nothing
        (b"lower=c3=b2", "lowerò".encode()),
    ],
)
def test_quoted_printable_as_it_comes(data: bytes, decoded: bytes) -> None:
    """Blanks at line ends are the transport's; broken escapes stay as they are."""
    assert transfer.decode(data, "quoted-printable")[0] == decoded


def _uu(data: bytes, name: bytes = b"a.bin") -> bytes:
    lines = [binascii.b2a_uu(data[i : i + 45]) for i in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + b"`\nend\n"


@given(st.binary(min_size=1, max_size=300))
def test_uuencode_comes_back(data: bytes) -> None:
    """A block in a text is found with its name, content and place."""
    text = b"before\n" + _uu(data) + b"after\n"
    ((start, end, name, content),) = transfer.uu_blocks(text)
    assert (text[:start], text[end:], name, content) == (b"before\n", b"after\n", b"a.bin", data)
    assert transfer.decode(_uu(data), "x-uuencode") == (data, None)


def test_text_that_only_begins_like_uuencode() -> None:
    """`begin 644 of something` and lines that do not decode are words."""
    assert transfer.uu_blocks(b"begin 644 of the chapter\nno data here at all, sorry\nend\n") == []
    assert transfer.uu_blocks(b"begin 644 a\n" * 500) == []
    assert transfer.uu_blocks(b"begin 644 a\n#0V%T and words after it\nend\n") == []
    assert transfer.uu_blocks(b"begin 644 a\n#0v%T\nend\n") == []
    assert transfer.uu_blocks(b"begin 644 a\n\n#0V%T\n\nend\n")[0][3] == b"Cat"
    assert transfer.decode(b"nothing", "x-uuencode") == (b"nothing", "uuencode-broken")


def test_unknown_encodings_are_left_alone() -> None:
    """RFC 2045 6.4: nobody knows what they mean."""
    assert transfer.decode(b"data", "x-gzip64") == (b"data", "encoding-unknown")


def test_a_long_run_of_blanks_is_linear() -> None:
    """A megabyte of blanks with no line end is looked at once."""
    data = b" " * 1_000_000 + b"x \r\n"
    assert transfer.quoted_printable(data) == b" " * 1_000_000 + b"x\r\n"


@pytest.mark.parametrize(
    ("data", "head"),
    [
        (b"aGVsbG8\r\n-- \r\nLa lista\r\n", b"aGVsbG8\r\n"),
        (b"aGVsbG8=\r\n\r\nSaluti\r\n_______\r\nlista\r\n", b"aGVsbG8=\r\n"),
        (b"aGVsbG8=\r\nYWJj\r\nSent by the list server\r\n", b"aGVsbG8=\r\nYWJj\r\n"),
        (b"This is no Base64, whatever the header says.\r\n", b""),
        (b"aGVs!bG8=\r\n", None),
        (b"aGVsbG8=\r\n\r\n", None),
        (b"aGVsbG8", None),
        (b"", None),
    ],
)
def test_text_under_base64(data: bytes, head: bytes | None) -> None:
    """Base64 ends where words begin; one stray byte inside a line ends nothing."""
    assert data[: transfer.text_after(data)] == (data if head is None else head)


@given(st.binary(min_size=60, max_size=400), st.integers(40, 80))
def test_no_text_where_there_is_base64_alone(data: bytes, width: int) -> None:
    """Base64 of any line length has no text after it."""
    text = base64.b64encode(data)
    folded = b"\r\n".join(text[i : i + width] for i in range(0, len(text), width))
    assert transfer.text_after(folded) == len(folded)


@given(st.binary(max_size=300))
def test_text_is_looked_for_in_anything(data: bytes) -> None:
    """Any bytes have a place where Base64 ends."""
    assert 0 <= transfer.text_after(data) <= len(data)
