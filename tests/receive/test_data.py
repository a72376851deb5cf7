"""The DATA reader: one end, whatever the chunks; dots undone; bad lines noticed; limits kept."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.receive.data import DataReader, Flaw

LIMIT = 1_000_000


def read(
    stream: bytes, cuts: list[int] | None = None, **options: bool
) -> tuple[DataReader, bytes | None]:
    """Feed the stream in pieces cut at these places; the reader, and what came after the mail."""
    reader = DataReader(LIMIT, **options)
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts or ())})
    for start, stop in itertools.pairwise(places):
        rest = reader.feed(stream[start:stop])
        if rest is not None:
            return reader, rest + stream[stop:]
    return reader, None


def reference(stream: bytes) -> tuple[bytes | None, bytes]:
    """RFC 5321 4.5.2, line by line: the content (None where its lines are bad), the rest."""
    lines, at = [], 0
    while True:
        end = stream.index(b"\r\n", at)
        line, at = stream[at:end], end + 2
        if line == b".":
            break
        lines.append(line)
    if any(re.search(rb"[\r\n\0]", line) for line in lines):
        return None, stream[at:]
    undone = (line[1:] if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in undone), stream[at:]


PIECE = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b".", b"..", b"\r\n.", b"a", b" ", b"\0", b"\r\n.\r"]
)
STREAM = st.lists(PIECE, max_size=30).map(b"".join).map(lambda body: body + b"\r\n.\r\n")
GOOD = (
    st.lists(st.sampled_from([b"", b".", b"..", b".x", b"text", b" .", b"\xe8"]), max_size=20)
    .map(
        lambda lines: b"".join(
            b"." + line if line.startswith(b".") else line
            for line in [each + b"\r\n" for each in lines]
        )
    )
    .map(lambda body: body + b".\r\n")
)


@settings(max_examples=200, deadline=None)
@given(STREAM, st.lists(st.integers(0, 1000), max_size=8), st.sampled_from([b"", b"MAIL FROM"]))
def test_every_split_of_the_stream_gives_the_same_mail(
    stream: bytes, cuts: list[int], after: bytes
) -> None:
    """Hostile bytes in any chunks read as they do line by line."""
    content, rest = reference(stream + after)
    reader, left = read(stream + after, cuts)
    assert left == rest
    assert reader.content() == (content or b"")
    assert reader.flaw is (Flaw.BAD_LINES if content is None else None)


@settings(max_examples=200, deadline=None)
@given(GOOD, st.lists(st.integers(0, 1000), max_size=8))
def test_well_formed_mail_survives_any_split(stream: bytes, cuts: list[int]) -> None:
    """Stuffed content comes out as it was before it was stuffed."""
    content, rest = reference(stream)
    reader, left = read(stream, cuts)
    assert (reader.flaw, reader.content(), left) == (None, content, rest)


@settings(max_examples=200, deadline=None)
@given(STREAM, st.lists(st.integers(0, 1000), max_size=8))
def test_normalising_does_not_depend_on_chunks(stream: bytes, cuts: list[int]) -> None:
    """A lenient reader gives the same for every split, and never a bare LF."""
    whole, whole_rest = read(stream, normalise_lf=True)
    split, split_rest = read(stream, cuts, normalise_lf=True)
    content = split.content()
    assert (whole.content(), whole_rest, whole.flaw) == (content, split_rest, split.flaw)
    assert content.count(b"\n") == content.count(b"\r\n")


@settings(max_examples=100, deadline=None)
@given(STREAM, st.lists(st.integers(0, 1000), max_size=8))
def test_kept_bad_lines_are_kept_for_every_split(stream: bytes, cuts: list[int]) -> None:
    """Content for a gate that records comes out whole."""
    whole, _ = read(stream, keep_bad_lines=True)
    split, _ = read(stream, cuts, keep_bad_lines=True)
    assert whole.flaw is split.flaw is None
    assert whole.content() == split.content()


@pytest.mark.parametrize(
    "stream, content",
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..\r\n...\r\n.\r\n", b"a\r\n.\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
    ],
)
def test_dots(stream: bytes, content: bytes) -> None:
    """RFC 5321 4.5.2, the first line included."""
    reader, rest = read(stream)
    assert (reader.content(), rest) == (content, b"")


@pytest.mark.parametrize("size, flaw", [(LIMIT, None), (LIMIT + 1, Flaw.TOO_BIG)])
def test_the_limit_is_exact(size: int, flaw: Flaw | None) -> None:
    """It counts content after dots were undone, with line ends."""
    reader, rest = read(b".." + b"x" * (size - 3) + b"\r\n.\r\n")
    assert rest == b""
    assert (reader.flaw, len(reader.content())) == ((None, size) if flaw is None else (flaw, 0))


def test_a_flawed_mail_is_not_kept_in_memory() -> None:
    """After the first bad line nothing is gathered any more."""
    reader = DataReader(LIMIT)
    reader.feed(b"x" * 1000 + b"\n" + b"x" * 1000)
    reader.feed(b"y" * 1000)
    assert (reader.flaw, reader.content()) == (Flaw.BAD_LINES, b"")
    assert reader.received == 3001
