"""The log never decides the fate of a mail: a line that cannot be written is lost, and that is
all."""

import io

from gateway.log import Lines


class FullDisk(io.StringIO):
    """A stream on a disk without space."""

    def flush(self) -> None:
        """As the system says it."""
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_raises_nothing() -> None:
    """On a full disk, and on a stream that is closed."""
    Lines(FullDisk()).error("a line")
    closed = io.StringIO()
    closed.close()
    Lines(closed).info("a line")


def test_a_line_is_written_whole() -> None:
    """With its end, at once."""
    stream = io.StringIO()
    Lines(stream).info("one")
    Lines(stream).exception("two")
    assert stream.getvalue() == "one\ntwo\n"
