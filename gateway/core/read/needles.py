"""Whether a text can have any of some words at all, before an expression looks for them.

An expression tries every place of a text; most texts have none of its words, and `in` says so
within microseconds.
"""

from collections.abc import Iterable

# What a case-blind expression takes for an ASCII letter, and `lower` leaves as it is.
_ALIKE = (("ſ", "s"), ("ı", "i"), ("i̇", "i"))


def lowered(text: str) -> str:
    """Lower case, where every letter that matches an ASCII one without case is that one."""
    low = text.lower()
    if not low.isascii():
        for letter, plain in _ALIKE:
            low = low.replace(letter, plain)
    return low


def has_any(low: str, needles: Iterable[str]) -> bool:
    """Whether one of the needles stands in a `lowered` text."""
    return any(needle in low for needle in needles)
