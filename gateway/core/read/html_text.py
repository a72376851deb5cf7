"""HTML bodies as text, and what the markup says of quotes and signatures as hints beside it.

Lexbor reads the structure. Hostile markup (depth, floods of tags or attributes) is never given to
it: then the tags are cut out, which is linear whatever they are. Nothing is fetched or kept.
"""

import re
from dataclasses import dataclass
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.core.read.html_layout import (
    BREAK,
    CELL,
    CLOSINGS,
    HARD,
    LAYOUT_MARKS,
    LINE_END,
    OPENINGS,
    PARAGRAPH,
    REGIONS,
    SIGNATURE,
    lay_out,
)
from gateway.core.read.lines import Hint
from gateway.core.read.signature import titled

MAX_HTML = 2 * 1024 * 1024
_MAX_TAGS = 15_000
_MAX_DEPTH = 250
_MAX_UNCLOSED = 60
_MAX_ATTRIBUTES = 200
_MAX_MARKS = 25_000
_MAX_LINKS = 500
_MAX_LINK = 200
_MAX_LOOKED_AT = 100
_START = 1_000
_TAB = 4

_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*+)""")
_VALUE = re.compile(r""""[^"]*"|'[^']*'""")
_ANY_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_LINE_TAG = re.compile(
    r"<(?:[bB][rR] ?/?|/(?:[pP]|[dD][iI][vV]|[tT][rR]|[lL][iI]|[hH][1-6]|[tT][aA][bB][lL][eE]))>"
)
_FORMATTING_NAMES = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
_SELF_CLOSING_NAMES = """
    area base br col embed hr img input link meta param source track wbr p li td th tr dt dd option
    tbody thead tfoot html head body
"""
_CLOSES_ITSELF = frozenset(_SELF_CLOSING_NAMES.split())
_UNSHOWN = (
    ("<head>", "</head>"),
    ("<head ", "</head>"),
    ("<style", "</style>"),
    ("<script", "</script>"),
)
_FOREIGN = re.compile("[\0\ud800-\udfff\ufdd0-\ufdef]")
_INVISIBLE = "script,style,head,title,template,noscript,object,svg,[hidden]"
_UNDISPLAYED = '[style*="display:none" i],[style*="display: none" i]'
_BLOCKS = (
    "div,li,tr,ul,ol,table,blockquote,center,address,section,article,header,footer,main,aside,nav,dl,dt,dd,"
    "pre,form,fieldset,caption,figure,hr"
)
_PARAGRAPHS = "p,h1,h2,h3,h4,h5,h6"
# Outlook draws the rule above a quoted header as the border of a block.
_RULED = 'div[style*="border:none" i][style*="border-top:solid" i]'
_RULE = "_" * 32
_PRESERVED = 'pre,[style*="white-space:pre" i],[style*="white-space: pre" i],textarea'
_TIGHT = re.compile(r"mso|margin(?:-top)?:\s?0", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HtmlText:
    """The visible words, what the markup says of stretches of them, and what was wrong with it."""

    text: str
    hints: tuple[Hint, ...] = ()
    defects: tuple[str, ...] = ()


def to_text(html: str) -> HtmlText:
    """The words of an HTML body. Total: what cannot be read as markup is read without its tags."""
    source = _FOREIGN.sub("\ufffd", html[:MAX_HTML])
    defects = ("html-cut",) if len(html) > MAX_HTML else ()
    hostile = _hostile(source)
    if hostile:
        return HtmlText(_without_tags(source), (), (*defects, hostile))
    marked = _marked(source)
    if sum(marked.count(mark) for mark in LAYOUT_MARKS) > _MAX_MARKS:
        for mark in LAYOUT_MARKS:
            marked = marked.replace(mark, "\n")
        text = _squeezed(_FOREIGN.sub("", marked.replace(HARD, " ")))
        return HtmlText(text, (), (*defects, "html-many-lines"))
    text, hints = lay_out(marked)
    if not text.strip():
        text, hints = _without_tags(source), ()
    return HtmlText(text, hints, defects)


def _hostile(source: str) -> str | None:
    """Why this must not reach a parser, whose time grows with depth times length; else None."""
    if source.count("<") > _MAX_TAGS:
        return "html-many-tags"
    open_tags: dict[str, int] = {}
    depth = unclosed = 0
    for match in _TAG.finditer(source):
        closing, name, attributes = match.group(1), match.group(2).lower(), match.group(3)
        if len(attributes) > 800 and len(_VALUE.sub("", attributes).split()) > _MAX_ATTRIBUTES:
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
    for opening, closing in _UNSHOWN:
        source = _cut_element(source, opening, closing)
    source = _LINE_TAG.sub("\n", source)
    source = _ANY_TAG.sub("", source).replace("<", BREAK)
    root = LexborHTMLParser(f"<pre>\n{source}</pre>").root
    return _squeezed(root.text() if root else "").replace(BREAK, "<")


def _squeezed(text: str) -> str:
    """Runs of space and of empty lines folded."""
    if "\t" in text or "\xa0" in text or "  " in text:
        text = re.sub(r"[ \t\xa0]{2,}|[\t\xa0]", " ", text)
    if "\n\n" in text or " \n" in text or "\n " in text:
        text = re.sub(r" ?\n[ \n]+| \n", "\n", text)
    return text.strip()


def _cut_element(source: str, opening: str, closing: str) -> str:
    """Without what stands between two tags; what is never closed stays."""
    folded, kept, at = source.lower() if source.isascii() else source, [], 0
    while (start := folded.find(opening, at)) >= 0:
        end = folded.find(closing, start)
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
        node.insert_after(LINE_END)
    for node in root.css("td,th"):
        node.insert_after(CELL)
    for node in root.css("hr"):
        _mark_name(node)
        node.insert_after(_RULE + BREAK)
    for node in root.css(_RULED):
        node.insert_before(BREAK + _RULE)
    for node in root.css(_BLOCKS):
        node.insert_before(BREAK)
        node.insert_after(BREAK)
    for node in root.css(_PARAGRAPHS):
        mark = BREAK if _TIGHT.search(_attributes(node)) else PARAGRAPH
        node.insert_before(mark)
        node.insert_after(mark)
    _mark_items(root)
    return root.text(separator="")


def _mark_name(rule: LexborNode) -> None:
    """A name in the innermost block of the rule over a quoted header signs the words above."""
    before, block, after = rule.prev, rule.parent, rule.next
    if before is None or before.tag != "-text" or block is None or block.tag != "div":
        return
    name = before.text().strip()
    if not titled(name) or len(name.split()) > 3 or block.first_child != before:
        return
    if after is not None and not _start_of(after).strip():
        after = after.next
    label = _start_of(after) if after is not None else ""
    if ":" in label:
        before.insert_before(BREAK + chr(OPENINGS[SIGNATURE]))
        before.insert_after(chr(CLOSINGS[SIGNATURE]) + BREAK)


def _attributes(node: LexborNode) -> str:
    values = node.attributes
    return f"{values.get('class') or ''} {values.get('style') or ''}"


def _start_of(node: LexborNode) -> str:
    """The first words inside a node: all of them on each level of a nest would not be linear."""
    if node.tag == "-text":
        return (node.text_content or "")[:_START]
    words, length = [], 0
    for inner in islice(node.traverse(include_text=True), _MAX_LOOKED_AT):
        content = inner.text_content if inner.tag == "-text" else None
        if content:
            words.append(content[:_START])
            length += len(words[-1])
        if length >= _START:
            break
    return "".join(words)


def _keep_lines(root: LexborNode) -> None:
    """Preformatted text keeps its line ends, its indents and its columns."""
    for block in _outermost(root.css(_PRESERVED)):
        for node in list(block.traverse(include_text=True)):
            content = node.text_content if node.tag == "-text" else None
            if not content:
                continue
            kept = content.replace("\r\n", "\n").replace("\t", " " * _TAB)
            kept = kept.replace("  ", HARD * 2).replace("\n ", f"\n{HARD}")
            if kept != content or "\n" in content:
                node.replace_with(kept.replace("\n", LINE_END))


def _outermost(blocks: list[LexborNode]) -> list[LexborNode]:
    """Those that stand in no other: every node above them is looked at once."""
    inside = dict.fromkeys((block.mem_id for block in blocks), True)
    found = []
    for block in blocks:
        above: list[int] = []
        node = block.parent
        while node is not None and node.mem_id not in inside:
            above.append(node.mem_id)
            node = node.parent
        nested = node is not None and inside[node.mem_id]
        inside.update(dict.fromkeys(above, nested))
        if not nested:
            found.append(block)
    return found


def _mark_items(root: LexborNode) -> None:
    """Items of a list begin with a dash, or with their number."""
    numbers: dict[int, int] = {}
    for node in root.css("li"):
        first, parent, mark = node.first_child, node.parent, "- "
        if parent is not None and parent.tag == "ol":
            number = numbers.get(parent.mem_id) or _number(parent, "start")
            numbers[parent.mem_id] = number + 1
            mark = f"{number}. "
        if first is not None:
            first.insert_before(mark)


def _number(node: LexborNode, name: str) -> int:
    value = (node.attributes.get(name) or "").strip()[:6]
    return int(value) if value.isascii() and value.isdigit() and int(value) else 1


def _write_links(root: LexborNode) -> None:
    """`text <address>` where the address is not what is written anyway."""
    for node in root.css("a[href]")[:_MAX_LINKS]:
        target = (node.attributes.get("href") or "").strip()
        scheme, _, rest = target.partition(":")
        if scheme.lower() not in ("http", "https", "mailto") or len(target) > _MAX_LINK:
            continue
        shown = _start_of(node).strip()
        host = rest.strip("/").split("?")[0].split("/")[0].lower()
        if not shown or not host or host in shown.lower():
            continue
        if scheme.lower() == "mailto" and "@" in shown:
            continue
        node.insert_after(f" <{target if scheme.lower() != 'mailto' else rest.split('?')[0]}>")


def _mark_regions(root: LexborNode) -> None:
    for index, region in enumerate(REGIONS):
        for node in root.css(region.css):
            if region.onward:
                node.insert_before(chr(OPENINGS[index]))
            else:
                node.insert_before(BREAK + chr(OPENINGS[index]))
                node.insert_after(chr(CLOSINGS[index]) + BREAK)
