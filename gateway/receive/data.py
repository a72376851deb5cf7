"""The body of DATA, read in chunks: finds the one true end, undoes dot-stuffing, and notices bad
lines.

No I/O. Every chunk is looked at once by C functions, so that cost is linear and small whatever
the lines look like. The end is CR LF . CR LF and nothing else (RFC 5321 4.1.1.4): after a bare
LF or CR a dot ends nothing.
"""

from enum import StrEnum
from io import BytesIO

END = b"\r\n.\r\n"
_HELD = tuple(END[:length] for length in range(len(END) - 1, 0, -1))  # longest first


class Flaw(StrEnum):
    """Why the content is not kept."""

    BAD_LINES = "bare CR, bare LF or NUL"
    TOO_BIG = "over the size limit"
    NO_MEMORY = "too many large mails at once"


class DataReader:
    """Feed it bytes until `feed` says how many of them belong to what follows the mail.

    `normalise_lf`: a bare LF becomes CR LF, but still ends nothing. `keep_bad_lines`: content
    with bad lines is kept as it is, for a caller that judges it.
    """

    def __init__(
        self, limit: int, normalise_lf: bool = False, keep_bad_lines: bool = False
    ) -> None:
        """`limit` is in bytes of content, after dots were undone."""
        self.flaw: Flaw | None = None
        self.received = 0  # bytes as they came, for rates and for cutting off
        self._limit = limit
        self._normalise_lf = normalise_lf
        self._keep_bad_lines = keep_bad_lines
        self._kept = BytesIO()  # gives its buffer away: joining pieces would stall the loop
        self._size = 0
        # The first line is treated like every other one: as if CR LF stood before it.
        self._held = b"\r\n"
        self._virtual = True
        self._line_start = False

    def feed(self, chunk: bytes) -> bytes | None:
        """Take a chunk. None: more is needed. Else the mail is complete, and this is what came
        after it.
        """
        self.received += len(chunk)
        block = self._held + chunk
        end = block.find(END)
        if end < 0:
            keep = next((len(held) for held in _HELD if block.endswith(held)), 0)
            self._held = block[len(block) - keep :]
            self._take(block[: len(block) - keep])
            return None
        self._held = b""
        self._take(block[: end + 2])
        return block[end + len(END) :]

    @property
    def kept(self) -> int:
        """Bytes of content that are held; none of a mail that has a flaw."""
        return 0 if self.flaw else self._size

    def content(self) -> bytes:
        """The mail; empty where it has a flaw."""
        kept, self._kept = self._kept, BytesIO()
        return kept.getvalue()

    def spoil(self, flaw: Flaw) -> None:
        """Forget the content and remember why; the end is still looked for."""
        self.flaw = self.flaw or flaw
        self._kept = BytesIO()

    def _take(self, stretch: bytes) -> None:
        """A stretch that splits no CR LF and no CR LF dot."""
        if not stretch or self.flaw is not None:
            return
        if not _lines_are_good(stretch):
            stretch = self._mended(stretch)
        if self._line_start and stretch.startswith(b"."):  # after a mended LF
            stretch = stretch[1:]
        self._line_start = self._normalise_lf and stretch.endswith(b"\n")
        stretch = stretch.replace(b"\r\n.", b"\r\n")  # RFC 5321 4.5.2
        if self._virtual:
            self._virtual = False
            stretch = stretch[2:]
        self._size += len(stretch)
        if self._size > self._limit:
            self.spoil(Flaw.TOO_BIG)
        elif self.flaw is None:
            self._kept.write(stretch)

    def _mended(self, stretch: bytes) -> bytes:
        if self._normalise_lf:
            stretch = stretch.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            if _lines_are_good(stretch):
                return stretch
        if not self._keep_bad_lines:
            self.spoil(Flaw.BAD_LINES)
        return stretch


def _lines_are_good(stretch: bytes) -> bool:
    """No NUL, and every CR stands before an LF and every LF behind a CR."""
    pairs = stretch.count(b"\r\n")
    return stretch.count(b"\n") == pairs == stretch.count(b"\r") and b"\0" not in stretch
