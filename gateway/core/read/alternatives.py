"""Which form of a mail's words is read where it has two: its plain text or its page.

They should say the same (RFC 2046 5.1.4). Where they do not, the form that holds the customer's
words is read, and the mail says so; nothing is taken out of either.
"""

import re
from dataclasses import dataclass

from gateway.core.read.html_text import HtmlText

DIFFER = "text-parts-differ"

_FAR_SHORTER = 4
_NOTICE_WORDS = 60
_LOOKED_AT = 20_000  # characters of each form
_ALIKE = 0.7
_FEW_WORDS = 3
_WORD = re.compile(r"[^\W\d_]{2,40}")
# Addresses are written out in one form and hidden in the other.
_UNSPOKEN = re.compile(r"https?://[^\s<>]{1,2000}|\[(?:cid|image|http)[^\]\n]{0,200}\]")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The text to read, whether it is the page's, and what was wrong with the pair."""

    text: str
    from_html: bool
    defects: tuple[str, ...] = ()


def choose(plain: str | None, html: HtmlText | None) -> Chosen:
    """Plain text, unless it is empty, far shorter than the page, or another text than the
    page's.
    """
    if html is None or not html.text.strip():
        return Chosen(plain or "", False)
    if not plain or not plain.strip():
        return Chosen(html.text, True)
    ours, theirs = _vocabulary(plain), _vocabulary(html.text)
    shared = len(ours & theirs)
    defects = (DIFFER,) if _different(len(ours), len(theirs), shared) else ()
    return Chosen(*_better(plain, html, ours, shared), defects)


def _better(plain: str, html: HtmlText, ours: set[str], shared: int) -> tuple[str, bool]:
    said, shown = _count(plain), _count(html.text)
    if said * _FAR_SHORTER < shown:
        return html.text, True
    # `Your program does not show HTML` has that one word in every language.
    notice = said <= _NOTICE_WORDS and "html" in ours and shared * 2 < len(ours)
    if notice and shown:
        return html.text, True
    # Two texts: the page is what the sender saw when he wrote.
    if ours and shared * 3 < len(ours) and shown * _FAR_SHORTER >= said:
        return html.text, True
    return plain, False


def missing(page: str, plain: str) -> bool:
    """Whether a page has a word that the plain text has not."""
    return bool(_vocabulary(page) - _vocabulary(plain))


def _different(ours: int, theirs: int, shared: int) -> bool:
    """More than a few of the words of the form that has fewer stand in it alone."""
    fewer = min(ours, theirs)
    alone = fewer - shared
    return alone > (1 - _ALIKE) * fewer and alone >= min(_FEW_WORDS, fewer - 1)


def _vocabulary(text: str) -> set[str]:
    return set(_WORD.findall(_UNSPOKEN.sub(" ", text[:_LOOKED_AT]).casefold()))


def _count(text: str) -> int:
    """Words of the analysed start; a body beyond it is no stub."""
    return len(_UNSPOKEN.sub(" ", text[:_LOOKED_AT]).split())
