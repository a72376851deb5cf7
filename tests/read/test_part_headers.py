"""The header of a part: the splitter of the mail, and bodies that begin without a blank line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read import wire


@pytest.mark.parametrize(
    ("raw", "names", "body"),
    [
        (b"A: b\r\n c\r\nD: e\r\n\r\nbody", ["a", "d"], b"body"),
        (b"A: b\n\nbody", ["a"], b"body"),
        (b"\r\nbody", [], b"body"),
        (b"no field\r\nA: b\r\n", [], b"no field\r\nA: b\r\n"),
        (b"A: b\r\nno field\r\n", ["a"], b"no field\r\n"),
        (b"Space : b\r\n\r\nx", ["space"], b"x"),
        (b"A: b", ["a"], b""),
        (b"", [], b""),
    ],
)
def test_split(raw: bytes, names: list[str], body: bytes) -> None:
    """Fields in order, and where the body of the part begins."""
    found = wire.split(raw)
    assert [field.name for field in found.fields] == names
    assert raw[found.body_start :] == body


def test_positions_count_from_the_start_of_the_mail() -> None:
    """A part is a range of the mail, and is never copied to be read."""
    raw = b"before A: b\r\n\r\nbody after"
    found = wire.split(raw, 7, 18)
    assert (found.first("a"), raw[found.body_start : 18]) == (b" b", b"bod")


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_total(raw: bytes, start: int, end: int) -> None:
    """Any range of any bytes; the body begins inside it."""
    start, end = min(start, len(raw)), min(end, len(raw))
    found = wire.split(raw, start, max(start, end))
    assert start <= found.body_start <= max(start, end)
