"""Canonical forms: equal to the standard's wording whatever the window, and linear."""

import hashlib
import re

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.authenticate import dkim_canon
from gateway.core.model import Field, Headers

PIECES = st.lists(
    st.sampled_from(
        [b" ", b"\t", b"  \t ", b"\r\n", b"\r\n\r\n", b"a", b"bc", b"\x0b", b"\xe9", b"."]
    ),
    max_size=30,
).map(b"".join)


def form(body: bytes, relaxed: bool, window: int = dkim_canon.WINDOW) -> bytes:
    raw = b"X: y\r\n\r\n" + body
    return b"".join(dkim_canon.body_pieces(raw, 8, relaxed, window))


@given(PIECES, st.integers(min_value=2, max_value=12))
@settings(max_examples=200, deadline=None)
def test_the_relaxed_body_does_not_depend_on_where_it_is_cut(body: bytes, window: int) -> None:
    """RFC 6376 3.4.4, said line by line, is the same as in pieces."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    assert form(body, True, window) == b"".join(line + b"\r\n" for line in lines)


@given(PIECES)
@settings(max_examples=100, deadline=None)
def test_both_bodies_are_those_of_dkimpy(body: bytes) -> None:
    """For whatever ends in CRLF, as every mail after DATA does."""
    body += b"\r\n"
    assert form(body, True) == Relaxed.canonicalize_body(body)
    assert form(body, False) == Simple.canonicalize_body(body)


@given(PIECES)
@settings(max_examples=100, deadline=None)
def test_relaxed_fields_are_those_of_dkimpy(value: bytes) -> None:
    """RFC 6376 3.4.2, for values without the controls that dkimpy strips beyond the standard."""
    value = re.sub(rb"\r\n(?![ \t])", b"\r\n ", value.replace(b"\x0b", b"")) + b"\r\n"
    ((name, expected),) = Relaxed.canonicalize_headers([(b"SubJect", value)])
    assert dkim_canon.relaxed_field(b"SubJect:" + value) == name + b":" + expected


@pytest.mark.parametrize(
    "body, simple, relaxed",
    [
        (b"", b"\r\n", b""),
        (b"\r\n\r\n", b"\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n", b" C\r\nD E\r\n"),  # RFC 6376 3.4.5
        (b"x", b"x\r\n", b"x\r\n"),
        (b"x \t", b"x \t\r\n", b"x\r\n"),
        (b"x\r", b"x\r\r\n", b"x\r\r\n"),
    ],
)
def test_examples_of_the_standard(body: bytes, simple: bytes, relaxed: bytes) -> None:
    """What the RFC shows, and bodies that end oddly."""
    assert form(body, False) == simple
    assert form(body, True) == relaxed


def test_the_standards_header_example() -> None:
    """RFC 6376 3.4.5."""
    assert dkim_canon.relaxed_field(b"A: X\r\n") == b"a:X\r\n"
    assert dkim_canon.relaxed_field(b"B : Y\t\r\n\tZ  \r\n") == b"b:Y Z\r\n"


def test_a_control_at_the_edge_of_a_value_is_part_of_it() -> None:
    """Only space and tab are white space (RFC 6376 2.8); dkimpy strips more."""
    assert dkim_canon.relaxed_field(b"A: \x0bX\x0c \r\n") == b"a:\x0bX\x0c\r\n"


def test_a_body_is_hashed_once_for_all_signatures() -> None:
    """The same canonical form gives the same object, computed once."""
    mail = dkim_canon.CanonicalMail(b"\r\nx  y\r\n", Headers((), 2))
    first = mail.body_hash(True)
    assert first == hashlib.sha256(b"x y\r\n").digest()
    assert mail.body_hash(True) is first
    assert mail.body_hash(False) == hashlib.sha256(b"x  y\r\n").digest()


def test_space_filled_lines_are_worked_through_in_one_pass_each() -> None:
    """D25: a megabyte of lines of spaces, where a backtracking pattern needs two seconds."""
    body = (b" " * 996 + b"x\r\n") * 1_000
    assert form(body, True) == b" x\r\n" * 1_000


def test_long_runs_and_endless_empty_lines_keep_their_meaning() -> None:
    """Runs longer than a window, and a body of line ends alone."""
    assert form(b"a" + b" \t" * 200_000 + b"b\r\n", True) == b"a b\r\n"
    assert form(b"a" + b" " * 200_000 + b"\r\n", True) == b"a\r\n"
    assert form(b"\r\n" * 200_000, True) == b""
    empty = b"\r\n" * 100_001
    assert form(b"a\r\n" + empty + b"b\r\n", True) == b"a\r\n" + empty + b"b\r\n"


def test_selection_takes_each_instance_once_from_the_bottom() -> None:
    """RFC 6376 5.4.2: names in order of h=, instances upwards, nothing for what is missing."""
    fields = [Field(name, b"", b"") for name in ("a", "b", "a", "dkim-signature")]
    assert dkim_canon.select(["a", "b", "c", "a", "a"], fields, own=3) == [2, 1, 0]
    assert dkim_canon.select(["dkim-signature", "a"], fields, own=3) == [2]
