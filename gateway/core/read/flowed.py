"""`format=flowed`: paragraphs that a mail program broke into lines, put together again (RFC 3676).

The depth of quotes stays, and so do the line of a signature and every line end that the writer
made. Nothing but the line breaks that the program added is taken out.
"""

from gateway.core.read.lines import SIGNATURE_DASHES

_DEEPEST = 100
_MOST_LINES = 50_000  # what lies beyond stays as it came: nobody reads so far


def is_flowed(parameters: dict[str, str]) -> bool:
    """Whether the Content-Type says so (RFC 3676 4)."""
    return parameters.get("format", "").strip().lower() == "flowed"


def unwrapped(text: str, delsp: bool) -> str:
    """The text with its paragraphs whole; lines end with LF.

    `delsp`: the space before an added line break was added too (RFC 3676 4, DelSp).
    """
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    lines = text.split("\n", _MOST_LINES)
    beyond = lines[_MOST_LINES:]
    for line in lines[:_MOST_LINES]:
        level, words = _taken_apart(line)
        if paragraph and (level != depth or words in ("", SIGNATURE_DASHES)):
            _end(out, paragraph, depth)  # RFC 3676 4.5: a paragraph that was not ended
        depth = level
        if words.endswith(" ") and words != SIGNATURE_DASHES:
            paragraph.append(words[:-1] if delsp else words)
            continue
        paragraph.append(words)
        _end(out, paragraph, depth)
    if paragraph:
        _end(out, paragraph, depth)
    return "\n".join([*out, *beyond])


def _taken_apart(line: str) -> tuple[int, str]:
    """RFC 3676 4.1: quote marks, then one space of stuffing, then the words."""
    words = line.lstrip(">")
    level = len(line) - len(words)
    return min(level, _DEEPEST), words[1:] if words.startswith(" ") else words


def _end(out: list[str], paragraph: list[str], depth: int) -> None:
    words = "".join(paragraph)
    paragraph.clear()
    mark = ">" * depth + " " if depth else ""
    out.append(f"{mark}{words}" if words else mark.rstrip())
