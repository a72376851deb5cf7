"""The tree of a mail's parts, over byte ranges of the raw mail: nothing is copied or decoded here.

RFC 2046 as real mail has it: boundaries that do not close, that are missing, that begin alike. One
`find` over the range a level, so the work is linear in the size times the depth, and the depth is
bounded.
"""

import re
from dataclasses import dataclass, field

from gateway.core.model import Headers
from gateway.core.read import wire
from gateway.core.read.parameters import Valued, parse

_VALID_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+*-]{1,120}\Z")
_GUESS = re.compile(rb"^--([^\s-][^\r\n]{0,198}?|-[^\r\n]{1,198}?)[ \t]{0,80}\r?$", re.MULTILINE)
_FIELD_AFTER = re.compile(rb"\r?\nContent-[A-Za-z-]{1,40}:", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
_MOST_LOOKALIKES = 50_000
_MOST_OUTSIDE = 2_000
_MOST_PADDING = 1_000  # bytes after a delimiter in its line that are looked at
_STEP = 4 * 1024 * 1024
_MISSPELT = {
    "quoted_printable": "quoted-printable",
    "quotedprintable": "quoted-printable",
    "base-64": "base64",
    "7bits": "7bit",
    "7-bit": "7bit",
    "8-bit": "8bit",
    "8bits": "8bit",
    "utf-8": "8bit",
}


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of one mail is looked into (reliability.md, Limits); what lies beyond is kept
    whole, unopened.
    """

    depth: int = 20
    parts: int = 500
    decoded: int = 64 * 1024 * 1024  # bytes over all parts
    report: int = 64 * 1024  # bytes of one delivery report, or of a returned header


@dataclass(frozen=True, slots=True)
class Part:
    """One node: its header, its body `raw[start:end]`, and its children when it is a multipart
    that was opened.
    """

    raw: bytes = field(repr=False)
    headers: Headers = field(repr=False)
    start: int
    end: int
    type: str
    content_type: Valued
    disposition: Valued
    encoding: str
    children: tuple["Part", ...] = ()
    opaque: bool = False  # beyond the budget

    @property
    def body(self) -> memoryview:
        """The encoded body, without a copy."""
        return memoryview(self.raw)[self.start : self.end]

    @property
    def name(self) -> str | None:
        """The file name that the part gives itself; `""` when it gives an empty one."""
        name = self.disposition.get("filename")
        return self.content_type.get("name") if name is None else name

    @property
    def attached(self) -> bool:
        """RFC 2183 2.2: anything that is not `inline` is treated as an attachment."""
        return self.disposition.word not in ("", "inline", "form-data")


class _Tree:
    def __init__(self, raw: bytes, budget: Budget) -> None:
        self.raw = raw
        self.budget = budget
        self.parts = 0
        self.lookalikes = 0  # lines that only begin like a delimiter
        self.defects: list[str] = []

    def defect(self, kind: str) -> None:
        if kind not in self.defects:
            self.defects.append(kind)

    def part(self, headers: Headers, start: int, end: int, default: str, depth: int) -> Part:
        self.parts += 1
        content_type = parse(headers.first("content-type"))
        disposition = parse(headers.first("content-disposition"))
        kind = self._type(content_type, disposition, default)
        children: tuple[Part, ...] = ()
        opaque = False
        if kind.startswith("multipart/"):
            if depth >= self.budget.depth:
                self.defect("mime-depth")
                opaque = True
            else:
                children = self._children(content_type.get("boundary"), kind, start, end, depth)
                if not children:
                    kind = "text/plain"  # RFC 2046 5.1 cannot be applied: what is there is text
        encoding = _encoding(headers.first("content-transfer-encoding"))
        return Part(
            self.raw,
            headers,
            start,
            end,
            kind,
            content_type,
            disposition,
            encoding,
            children,
            opaque,
        )

    def _type(self, content_type: Valued, disposition: Valued, default: str) -> str:
        named = content_type.word
        if _VALID_TYPE.match(named):
            return "text/plain" if named == "text/text" else named
        if named:
            self.defect("content-type-broken")
        if named in ("text", "multipart"):
            return {"text": "text/plain", "multipart": "multipart/mixed"}[named]
        # RFC 2045 5.2: no type is plain text, unless the part says that it is a file.
        if (
            default == "text/plain"
            and disposition.get("filename")
            and disposition.word == "attachment"
        ):
            return "application/octet-stream"
        return default

    def _children(
        self, boundary: str | None, kind: str, start: int, end: int, depth: int
    ) -> tuple[Part, ...]:
        ranges = self._ranges(boundary, start, end)
        default = (
            "message/rfc822" if kind == "multipart/digest" else "text/plain"
        )  # RFC 2046 5.1.5
        children = []
        for begin, stop in ranges:
            if self.parts >= self.budget.parts:
                self.defect("mime-parts")
                children.append(self._rest(begin, ranges[-1][1]))
                break
            headers = wire.split(self.raw, begin, stop)
            children.append(self.part(headers, headers.body_start, stop, default, depth + 1))
        return tuple(children)

    def _rest(self, start: int, end: int) -> Part:
        """Everything from here on as one unopened part."""
        headers = Headers((), start)
        return Part(
            self.raw,
            headers,
            start,
            end,
            "application/octet-stream",
            Valued(""),
            Valued(""),
            "",
            (),
            True,
        )

    def _ranges(self, boundary: str | None, start: int, end: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        if boundary:
            found = self._between(boundary.rstrip().encode("utf-8", "replace"), start, end)
        if not found:
            guessed = _guess(self.raw, start, end)
            if guessed:
                found = self._between(guessed, start, end)
            self.defect("boundary-guessed" if found else "boundary-missing")
        return found

    def _between(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges between the delimiter lines; without a last one the last part runs to the
        end.
        """
        raw, marker = self.raw, b"--" + boundary
        ranges: list[tuple[int, int]] = []
        begin = line_end = -1
        at = _find(raw, marker, start, end)
        while at >= 0:
            after = at + len(marker)
            tail = b"?"
            if at == start or raw[at - 1] in b"\r\n":
                if line_end < after:  # else many of them stand in one line, ended by CR alone
                    line_end = raw.find(b"\n", after, end)
                    line_end = end if line_end < 0 else line_end + 1
                tail = raw[after : min(line_end, after + _MOST_PADDING)].strip()
            if tail not in (b"", b"--"):
                self.lookalikes += 1
                if self.lookalikes > _MOST_LOOKALIKES:
                    self.defect("boundary-lookalikes")
                    break
            else:
                if begin >= 0:
                    ranges.append((begin, max(begin, _before(raw, at))))
                else:
                    self._outside(start, at, "preamble-text")
                begin = line_end
                # One more range than the budget: enough to know that there is a rest.
                if tail == b"--":
                    self._outside(line_end, end, "epilogue-text")
                if tail == b"--" or len(ranges) > self.budget.parts:
                    return self._with_rest(ranges, end) if tail == b"" else ranges
                after = line_end
            at = _find(raw, marker, max(after - 1, at + 1), end)
        if begin >= 0:
            self.defect("boundary-open")
            ranges.append((begin, end))
        return ranges

    def _outside(self, start: int, end: int, defect: str) -> None:
        """RFC 2046 5.1.1: what stands around the parts is shown to nobody; said where it says
        more than that the mail is one of MIME.
        """
        words = self.raw[start : min(end, start + _MOST_OUTSIDE)].strip()
        if words and b"mime" not in words.lower():
            self.defect(defect)

    def _with_rest(self, ranges: list[tuple[int, int]], end: int) -> list[tuple[int, int]]:
        return [*ranges[:-1], (ranges[-1][0], end)]


def tree(raw: bytes, headers: Headers, budget: Budget) -> tuple[Part, list[str]]:
    """The parts of a mail whose header is already split, and what was wrong with their
    structure.
    """
    reader = _Tree(raw, budget)
    start = min(headers.body_start, len(raw))
    if start == len(
        raw
    ):  # no empty line anywhere: the first line that is no field begins the body
        start = wire.split(raw).body_start
    return reader.part(headers, start, len(raw), "text/plain", 0), reader.defects


def _find(raw: bytes, marker: bytes, start: int, end: int) -> int:
    """As `bytes.find`, in steps: one over a whole mail holds the interpreter too long."""
    while start < end:
        found = raw.find(marker, start, min(start + _STEP + len(marker), end))
        if found >= 0:
            return found
        start += _STEP
    return -1


def _before(raw: bytes, at: int) -> int:
    """The line break before a delimiter belongs to the delimiter (RFC 2046 5.1.1)."""
    if raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1


def _guess(raw: bytes, start: int, end: int) -> bytes | None:
    """The first line that looks like a delimiter, when its closing line or a header follows."""
    match = _GUESS.search(raw, start, min(end, start + 65536))
    if match is None:
        return None
    boundary = match.group(1)
    closed = raw.find(b"--" + boundary + b"--", match.end(), end) >= 0
    return boundary if closed or _FIELD_AFTER.match(raw, match.end(), end) else None


def _encoding(value: bytes | None) -> str:
    if value is None:
        return ""
    words = _COMMENT.sub(
        " ", value[:200].decode("ascii", "replace")
    )  # RFC 2045 6.1, RFC 822 3.1.4
    token = words.partition("(")[0].strip(" \t\r\n;\"'").lower()
    return _MISSPELT.get(token, token)
