"""HTML bodies as text, with what the markup says of quotes, attributions and signatures as hints beside it.

Lexbor reads the structure. Hostile markup (depth, floods of tags or attributes) is never given to it: then the
tags are cut out, which is linear whatever they are. No markup is interpreted, fetched or kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.core.model import SpanKind
from gateway.core.read.lines import Hint

MAX_HTML = 2 * 1024 * 1024
_MAX_TAGS = 20_000
_MAX_DEPTH = 250
_MAX_UNCLOSED = 60
_MAX_ATTRIBUTES = 200
_MAX_LINKS = 500
_MAX_LINK = 200

# Noncharacters stand for the layout while it is text; they are cut out of what came in.
_BREAK, _LINE_END, _PARAGRAPH, _CELL = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_OPENINGS, _CLOSINGS = range(0xFDD4, 0xFDE2), range(0xFDE2, 0xFDF0)
_MARKS = re.compile("([\ufdd0-\ufdef])")
_NO_MARKS = dict.fromkeys([*range(0xFDD0, 0xFDF0), 0])

_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*+)""")
_FORMATTING = frozenset(
    [
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "strike",
        "strong",
        "tt",
        "u",
    ]
)
_CLOSES_ITSELF = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dt",
        "dd",
        "option",
        "tbody",
        "thead",
        "tfoot",
        "html",
        "head",
        "body",
    ]
)
_INVISIBLE = "script,style,head,title,template,noscript,object,svg,[hidden]"
_UNDISPLAYED = '[style*="display:none" i],[style*="display: none" i]'
_BLOCKS = (
    "div,li,tr,ul,ol,table,blockquote,center,address,section,article,header,footer,main,aside,nav,dl,dt,dd,"
    "pre,form,fieldset,caption,figure,hr"
)
_PARAGRAPHS = "p,h1,h2,h3,h4,h5,h6"
_PRESERVED = 'pre,[style*="white-space:pre" i],[style*="white-space: pre" i],textarea'
_TIGHT = re.compile(r"mso|margin(?:-top)?:\s?0", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")


@dataclass(frozen=True, slots=True)
class HtmlText:
    """The visible words, what the markup says of stretches of them, and what was wrong with it."""

    text: str
    hints: tuple[Hint, ...] = ()
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Region:
    """Markup by which a client shows what a stretch is; `onward`: it goes on to the end of the mail."""

    css: str
    kind: SpanKind | None
    rule: str
    onward: bool = False


_REGIONS = (
    _Region("blockquote", None, "html:blockquote"),
    _Region(
        'blockquote[type="cite" i],blockquote.gmail_quote,blockquote.protonmail_quote,'
        "blockquote.tutanota_quote,blockquote[cite],#OLK_SRC_BODY_SECTION,.yahoo_quoted,"
        '#mail-editor-reference-message-container,.protonmail_quote,div[name="quote"],.zmail_extra,'
        "#isReplyContent,.ms-outlook-mobile-reference-message",
        SpanKind.QUOTE,
        "html:quote",
    ),
    _Region(".moz-forward-container,#isForwardContent", SpanKind.FORWARD, "html:forward"),
    _Region(
        ".moz-cite-prefix,.gmail_attr,#reply-intro,#divRplyFwdMsg,.yahoo-quoted-begin",
        SpanKind.ATTRIBUTION,
        "html:attribution",
    ),
    _Region(
        '#divRplyFwdMsg,hr#stopSpelling,hr#zwchr,hr[data-marker="__DIVIDER__"]',
        SpanKind.QUOTE,
        "html:from-here",
        onward=True,
    ),
    _Region(
        ".gmail_signature,.moz-signature,#Signature,[data-signatureblock],#ms-outlook-mobile-signature,"
        '.protonmail_signature_block,[id^="DAB4FAD8-2DD7"]',
        SpanKind.SIGNATURE,
        "html:signature",
    ),
)


def to_text(html: str) -> HtmlText:
    """The words of an HTML body. Total: whatever cannot be read as markup is read without its tags."""
    source = (
        html[:MAX_HTML].translate(_NO_MARKS)
        if _MARKS.search(html) or "\0" in html
        else html[:MAX_HTML]
    )
    defects = ("html-cut",) if len(html) > MAX_HTML else ()
    hostile = _hostile(source)
    if hostile:
        return HtmlText(_without_tags(source), (), (*defects, hostile))
    marked = _marked(source)
    text, hints = _lay_out(marked)
    if not text.strip():
        text, hints = _without_tags(source), ()
    return HtmlText(text, hints, defects)


def _hostile(source: str) -> str | None:
    """Why this markup must not reach a parser, whose time grows with depth times length; else None."""
    if source.count("<") > _MAX_TAGS:
        return "html-many-tags"
    open_tags: dict[str, int] = {}
    depth = unclosed = 0
    for match in _TAG.finditer(source):
        closing, name, attributes = match.group(1), match.group(2).lower(), match.group(3)
        if len(attributes) > 800 and len(attributes.split()) > _MAX_ATTRIBUTES:
            return "html-many-attributes"
        if name in _CLOSES_ITSELF:
            continue
        change = -1 if closing else 1
        if open_tags.get(name, 0) + change < 0:
            continue
        open_tags[name] = open_tags.get(name, 0) + change
        depth += change
        unclosed += change if name in _FORMATTING else 0
        if depth > _MAX_DEPTH or unclosed > _MAX_UNCLOSED:
            return "html-deep"
    return None


def _without_tags(source: str) -> str:
    """The words between tags: linear, without any structure but line ends."""
    for name in ("head", "style", "script"):
        source = _cut_element(source, name)
    source = re.sub(
        r"</?(?:p|div|br|tr|li|h[1-6]|table|blockquote|hr)\b[^<>]*>", "\n", source, flags=re.I
    )
    source = re.sub(r"<[a-zA-Z/!?][^<>]*>", "", source).replace("<", "&lt;")
    root = LexborHTMLParser(f"<pre>\n{source}</pre>").root
    text = root.text() if root else ""
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t\xa0]+", " ", text)).strip()


def _cut_element(source: str, name: str) -> str:
    """Without `<name …>…</name>`; one that is never closed stays."""
    folded, kept, at = source.lower() if source.isascii() else source, [], 0
    while (start := folded.find(f"<{name}", at)) >= 0:
        end = folded.find(f"</{name}", start)
        if end < 0:
            break
        kept.append(source[at:start])
        at = end
    return "".join(kept) + source[at:] if kept else source


def _marked(source: str) -> str:
    """The text of the document with a noncharacter wherever its layout says something."""
    parser = LexborHTMLParser(source)
    root = parser.body or parser.root
    if root is None:
        return ""
    for node in parser.css(f"{_INVISIBLE},{_UNDISPLAYED}"):
        if node.tag not in ("body", "html"):
            node.decompose()
    _keep_lines(root)
    _write_links(root)
    _mark_regions(root)
    for node in root.css("br"):
        node.insert_after(_LINE_END)
    for node in root.css("td,th"):
        node.insert_after(_CELL)
    for node in root.css("hr"):
        node.insert_after("_" * 32 + _BREAK)
    for node in root.css(_BLOCKS):
        node.insert_before(_BREAK)
        node.insert_after(_BREAK)
    for node in root.css(_PARAGRAPHS):
        mark = _BREAK if _TIGHT.search(_attributes(node)) else _PARAGRAPH
        node.insert_before(mark)
        node.insert_after(mark)
    for node in root.css("li"):
        node.insert_child("- ") if node.first_child is None else node.first_child.insert_before(
            "- "
        )
    return root.text(separator="")


def _attributes(node: LexborNode) -> str:
    values = node.attributes
    return f"{values.get('class') or ''} {values.get('style') or ''}"


def _keep_lines(root: LexborNode) -> None:
    """Preformatted text keeps its line ends."""
    for block in root.css(_PRESERVED)[:200]:
        for node in list(block.traverse(include_text=True)):
            content = node.text_content if node.tag == "-text" else None
            if content and "\n" in content:
                node.replace_with(content.replace("\r\n", "\n").replace("\n", _LINE_END))


def _write_links(root: LexborNode) -> None:
    """`text <address>` where the address is not what is written anyway."""
    for node in root.css("a[href]")[:_MAX_LINKS]:
        target = (node.attributes.get("href") or "").strip()
        scheme, _, rest = target.partition(":")
        if scheme.lower() not in ("http", "https", "mailto") or len(target) > _MAX_LINK:
            continue
        shown = node.text().strip()
        host = rest.strip("/").split("?")[0].split("/")[0].lower()
        if not shown or not host or host in shown.lower():
            continue
        if scheme.lower() == "mailto" and "@" in shown:
            continue
        node.insert_after(f" <{target if scheme.lower() != 'mailto' else rest.split('?')[0]}>")


def _mark_regions(root: LexborNode) -> None:
    for index, region in enumerate(_REGIONS):
        for node in root.css(region.css):
            if region.onward:
                node.insert_before(chr(_OPENINGS[index]))
            else:
                node.insert_before(_BREAK + chr(_OPENINGS[index]))
                node.insert_after(chr(_CLOSINGS[index]) + _BREAK)


@dataclass(slots=True)
class _Page:
    """The text as it is laid out, and the regions that are open in it."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    breaks: int = 0
    blank: bool = True  # nothing stands in this line yet
    open: list[tuple[int, int | None]] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)

    def write(self, words: str) -> None:
        """Words, with space folded; breaks that are due come before them."""
        text = _SPACE.sub(" ", words)
        spaced = bool(self.pieces) and self.pieces[-1].endswith(" ")
        text = text.lstrip(" ") if self.blank or spaced else text
        if not text:
            return
        if self.length and self.breaks:
            self._append("\n" * self.breaks)
        self.breaks, self.blank = 0, False
        start = self.length
        self.open = [(i, start if at is None else at) for i, at in self.open]
        self._append(text)

    def _append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def line_end(self, mark: str) -> None:
        """One line end for a block, one more for every `<br>` in an empty line, a blank line for a paragraph."""
        if mark == _PARAGRAPH:
            self.breaks = max(self.breaks, 2)
        elif mark == _LINE_END:
            self.breaks = min(self.breaks + 1, 3) if self.blank else max(self.breaks, 1)
        else:
            self.breaks = max(self.breaks, 1)
        self.blank = True

    def close(self, index: int) -> None:
        """The innermost open region of this kind ends here."""
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at][0] == index:
                self._hint(*self.open.pop(at))
                return

    def _hint(self, index: int, start: int | None) -> None:
        region = _REGIONS[index]
        if start is not None and start < self.length:
            self.hints.append(Hint(start, self.length, region.kind, region.rule))

    def finish(self) -> tuple[str, tuple[Hint, ...]]:
        """The text, and the hints in the order in which they begin."""
        for index, start in self.open:
            if _REGIONS[index].onward:
                self._hint(index, start)
        return "".join(self.pieces), tuple(sorted(self.hints, key=lambda hint: hint.start))


def _lay_out(marked: str) -> tuple[str, tuple[Hint, ...]]:
    page = _Page()
    for token in _tokens(marked):
        code = ord(token[0])
        if not 0xFDD0 <= code <= 0xFDEF:
            page.write(token)
        elif token == _CELL:
            page.write(" ")
        elif code in _OPENINGS:
            index = code - _OPENINGS[0]
            if index < len(_REGIONS) and len(page.open) < 100:
                page.open.append((index, None))
        elif code in _CLOSINGS:
            page.close(code - _CLOSINGS[0])
        else:
            page.line_end(token)
    return page.finish()


def _tokens(marked: str) -> Iterator[str]:
    return (token for token in _MARKS.split(marked) if token)
