"""The Markdown of articles and announcements as a mail shows it, as HTML and as plain text.

Paragraphs, headings, lists, bold, emphasis, code and links; all else is the text that it is.
"""

import html
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.core.say.html import P, listed, live

WIDTH = 72

# Every repetition is bounded, so that open marks cost no more than the text is long.
_INLINE = re.compile(
    r"`(?P<code>[^`]{1,300})`"
    r"|\*\*(?P<strong>[^*\s](?:[^*]{0,300}[^*\s])?)\*\*"
    r"|(?<![\w*])\*(?P<em>[^*\s](?:[^*]{0,300}[^*\s])?)\*(?![\w*])"
    r"|\[(?P<name>[^\[\]]{1,200})\]\((?P<url>(?:https?://|mailto:)[^)\s]{1,500})\)"
)
_ITEM = re.compile(r" {0,3}(?:(?P<bullet>[-*+])|(?P<number>[0-9]{1,3})[.)]) +(?=\S)")
_HEADING = re.compile(r"#{1,6} +")
_HELD = "\0"  # a space inside code, where no line may end


@dataclass(frozen=True, slots=True)
class _Block:
    """`mark` is that of a list's item (`-`, `1.`), `#` of a heading, empty of a paragraph."""

    mark: str
    text: str


def as_html(body: str) -> str:
    """Escaped, with our tags alone."""
    made: list[str] = []
    items: list[_Block] = []
    for block in (*_blocks(body), _Block("", "")):
        if items and _kind(block) != _kind(items[0]):
            made.append(_list(items))
            items = []
        if _kind(block):
            items.append(block)
        elif block.text:
            said = _marked(block.text)
            made.append(f"{P}<strong>{said}</strong></p>" if block.mark else f"{P}{said}</p>")
    return "\r\n".join(made)


def as_text(body: str) -> str:
    """Without the marks, wrapped; an item's later lines hang below its first word."""
    said, before = "", ""
    for block in _blocks(body):
        apart = "\n" if _kind(block) and _kind(block) == before else "\n\n"
        said += (apart if said else "") + _wrapped(block)
        before = _kind(block)
    return said


def as_line(text: str) -> str:
    """A title: one line without marks."""
    return " ".join(_spans(text, str, _plain).replace(_HELD, " ").split())


def _blocks(body: str) -> Iterator[_Block]:
    """Lines joined to paragraphs, headings and items."""
    mark, words = "", list[str]()
    for line in (*body.split("\n"), ""):
        item, heading = _ITEM.match(line), _HEADING.match(line)
        if words and (item or heading or mark == "#" or not line.strip()):
            yield _Block(mark, " ".join(words))
            mark, words = "", []
        start = item or heading
        if item:
            mark = f"{item['number']}." if item["number"] else "-"
        elif heading:
            mark = "#"
        if line.strip():
            words.append(line[start.end() if start else 0 :].strip())


def _kind(block: _Block) -> str:
    """The list that it is an item of."""
    return "" if block.mark in ("", "#") else "ul" if block.mark == "-" else "ol"


def _list(items: list[_Block]) -> str:
    tag, first = _kind(items[0]), items[0].mark.rstrip(".")
    start = f' start="{int(first)}"' if tag == "ol" and int(first) != 1 else ""
    return listed(tag, [_marked(one.text) for one in items], start)


def _wrapped(block: _Block) -> str:
    first = f"{block.mark} " if _kind(block) else ""
    lines = textwrap.wrap(
        _spans(block.text, str, _plain),
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_HELD, " ")


def _spans(text: str, bare: Callable[[str], str], marked: Callable[[re.Match[str]], str]) -> str:
    """The text with what stands between marks, and what does not, each in its own form."""
    made, at = [], 0
    for found in _INLINE.finditer(text):
        made += [bare(text[at : found.start()]), marked(found)]
        at = found.end()
    return "".join((*made, bare(text[at:])))


def _plain(found: re.Match[str]) -> str:
    if found["code"]:
        return found["code"].replace(" ", _HELD)
    if found["url"]:
        name, target = found["name"], found["url"].removeprefix("mailto:")
        return target if name == target else f"{name} ({target})"
    return _spans(found["strong"] or found["em"], str, _plain)


def _marked(text: str) -> str:
    return _spans(text, live, _tagged)


def _tagged(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["url"]:
        target, name = html.escape(found["url"]), html.escape(found["name"], quote=False)
        return f'<a href="{target}" style="color:#0b5cad">{name}</a>'
    tag = "strong" if found["strong"] else "em"
    return f"<{tag}>{_marked(found[tag])}</{tag}>"
