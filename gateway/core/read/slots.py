"""The mail's words in stretches, each as text, as a page, or both, and how they become one.

Alternatives are one text in two forms (RFC 2046 5.1.4); texts that follow each other are one text.
"""

import html
import re
from dataclasses import dataclass

from gateway.core.read.alternatives import missing

_TAGS = re.compile(r"<[^<>]{0,200}>")
_LARGE, _PICTURE, _MOST_PICTURES = 64 * 1024, 1000, 2000


@dataclass(slots=True)
class Slot:
    """One stretch of the mail's words, as text, as a page, or both."""

    plain: str | None = None
    page: str | None = None


def merged(slots: list[Slot]) -> tuple[str | None, str | None]:
    """One text and one page that each say everything, or None for the form in which something
    would be lost.
    """
    if not slots:
        return None, None
    plain = None
    if all(slot.plain is not None for slot in slots):
        plain = (
            "\n".join((slot.plain or "").rstrip("\n") for slot in slots)
            if len(slots) > 1
            else slots[0].plain
        )
    page = None
    if any(slot.page is not None for slot in slots):
        page = "\n".join(_as_page(slot) for slot in slots)
    return plain, page


def alternative(branches: list[list[Slot]]) -> Slot | None:
    """One text in several forms (RFC 2046 5.1.4)."""
    forms = [merged(branch) for branch in branches]
    texts = [text for text, _ in forms if text is not None]
    pages = [page for _, page in forms if page is not None]
    if not texts and not pages:
        return None
    # Gateways append their notices as one more alternative: the longest is the mail's own. An
    # empty text beside a page is no alternative to it.
    text = max(texts, key=lambda text: len(text.strip()), default=None)
    if pages and not (text and text.strip()):
        text = None
    if text is not None and _says_more(branches, text):
        text = None
    return Slot(text, max(pages, key=len, default=None))


def _says_more(branches: list[list[Slot]], text: str) -> bool:
    """Apple Mail puts what was written under a file into a page of its own, beside one plain
    text; where that text is only the first page's, the rest stands in the pages alone.
    """
    later = [slot.page for branch in branches for slot in branch[1:] if slot.page]
    return any(missing(_TAGS.sub(" ", page), text) for page in later)


def _as_page(slot: Slot) -> str:
    if slot.page is not None:
        return slot.page
    return "<div>" + html.escape(slot.plain or "", quote=False).replace("\n", "<br>\n") + "</div>"


def whole_lines(data: bytes) -> bytes:
    """The start of a text, ended with a line, a word, or at least not inside a wide character."""
    end = max(data.rfind(b"\n"), data.rfind(b" "))
    return data[: end + 1] if end > len(data) // 2 else data[: len(data) & ~3]


def without_pictures(data: bytes | memoryview) -> bytes | memoryview:
    """A page without the pictures that are written into it (RFC 2397): they are no words."""
    if len(data) <= _LARGE:
        return data
    source = bytes(data)
    kept: list[bytes] = []
    at = position = 0
    for _ in range(_MOST_PICTURES):
        position = source.find(b"data:", position)
        if position < 0:
            break
        quote = source[position - 1 : position] if position else b""
        end = source.find(quote, position) if quote in (b'"', b"'") else position + 5
        if end < 0:
            break
        if end - position > _PICTURE:
            kept.append(source[at : position + 5])
            at = end
        position = end
    return b"".join([*kept, source[at:]]) if kept else data
