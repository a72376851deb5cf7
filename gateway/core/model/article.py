"""A public article of the knowledge base, as its file says it. Nothing private stands in one."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PublicArticle:
    """`knowledge/<slug>.<language>.md`: front matter, then the body in Markdown."""

    slug: str
    language: str
    title: str
    body: str
    tags: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()  # words that people use for it and that it does not use itself
    updated: date | None = None
