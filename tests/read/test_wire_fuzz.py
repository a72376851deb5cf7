"""Hostile bytes for the wire gate and for addresses: total, and never two readings."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import Address, WireDefect
from gateway.core.read import addresses, wire

PIECES = st.sampled_from(
    [
        *(b"From", b"from", b"Subject", b"To", b":", b" ", b"\t", b"\r\n", b"\r\n ", b"\r", b"\n"),
        *(b"\0", b"\r\n\r\n", b"a@b.example", b"<", b">", b",", b'"', b"(", b")", b"\\", b"@"),
        *(b"[", b"]", b";", b".", b"x", b"=?utf-8?q?a=40b?=", b"\xc3\xa9", b"\xff", b"From "),
        *(b"From: a@b.example\r\n", "．".encode(), "＠".encode(), "\u200d".encode()),
    ]
)
HOSTILE = st.one_of(st.lists(PIECES, max_size=40).map(b"".join), st.binary(max_size=200))


@given(HOSTILE)
@settings(max_examples=200, deadline=None)
def test_the_gate_is_total_and_decides(raw: bytes) -> None:
    """Any bytes give either an author or a listed defect, and fields that stand in the mail."""
    found = wire.read(raw)
    assert (found.author is None) == (found.defect is not None)
    assert 0 <= found.headers.body_start <= len(raw)
    at = 0
    for field in found.headers.fields:
        at = raw.index(field.raw, at) + len(field.raw)
        assert field.name == field.name.lower().strip()
        assert field.raw.endswith((field.value, field.value + b"\n", field.value + b"\r\n"))
    if found.defect is not None:
        assert found.defect.kind in wire.DEFECTS
        assert found.defect.enhanced == wire.DEFECTS[found.defect.kind][0]


@given(HOSTILE)
@settings(max_examples=200, deadline=None)
def test_an_accepted_mail_has_one_reading(raw: bytes) -> None:
    """What is accepted has CRLF alone, no NUL, one From, and fields that join to the header."""
    raw = b"From: a@b.example\r\n" + raw
    found = wire.read(raw)
    if found.defect is None:
        assert b"\0" not in raw
        assert raw.replace(b"\r\n", b"").strip(b"\r\n") == raw.replace(b"\r\n", b"")
        assert [field.name for field in found.headers.fields].count("from") == 1
        header = b"".join(field.raw for field in found.headers.fields)
        assert raw[: len(header)] == header
        assert raw[len(header) : found.headers.body_start] in (b"", b"\r\n")


@given(HOSTILE, st.booleans())
@settings(max_examples=200, deadline=None)
def test_from_field_is_total_and_stable(value: bytes, smtputf8: bool) -> None:
    """An author written out plainly is read as the same author, or the field says why not."""
    found = addresses.from_field(value, smtputf8)
    if isinstance(found, WireDefect):
        assert found.kind in addresses.DEFECTS
    else:
        assert isinstance(found, Address)
        assert addresses.from_field(str(found).encode(), smtputf8=True) == found
        assert found.domain.isascii()
        assert "@" not in found.local


@given(HOSTILE)
@settings(max_examples=200, deadline=None)
def test_lists_and_names_are_total(value: bytes) -> None:
    """Every address of a list can be read again; a name is text without line ends."""
    for address in addresses.mailboxes(value):
        assert addresses.from_field(str(address).encode(), smtputf8=True) == address
    assert "\r\n" not in addresses.display_name(value)


@given(st.text(max_size=80), st.booleans())
@settings(max_examples=200, deadline=None)
def test_paths_and_typed_addresses_are_total(text: str, smtputf8: bool) -> None:
    """What is found holds no line end, no NUL and no second at sign."""
    for found in (addresses.path(text, smtputf8), addresses.parse(text)):
        if found is not None:
            assert not set(str(found)) & set("\r\n\0<>")
            assert str(found).count("@") == 1


@given(st.from_regex(r"[A-Za-z0-9+_-]{1,20}@[a-z]{1,10}\.example", fullmatch=True))
@settings(max_examples=50, deadline=None)
def test_every_reader_agrees_on_a_plain_address(text: str) -> None:
    """Author, path, typed address and recipient are one reading."""
    found = addresses.from_field(text.encode())
    assert str(found) == text
    assert addresses.path(text) == addresses.parse(text) == found
    assert addresses.mailboxes(text.encode()) == (found,)
