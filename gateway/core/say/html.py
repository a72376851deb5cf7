"""The HTML of a mail, made from its plain text: one frame, a phone's width, styles inline.

It is derived, never written beside the text, so that the two cannot say different things.
"""

import html
import re

_URL = re.compile(r"https?://[^\s<>\"'&;]+(?:&amp;[^\s<>\"'&;]+)*")
_BULLET = re.compile(r"[-•*] ")
_ITEM = re.compile(r"[-•*] |[0-9]{1,2}\. ")
_HEADING = re.compile(r"#{1,4} ")
P = '<p style="margin:0 0 16px">'
_FRAME = (
    '<!doctype html>\r\n<html lang="{lang}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    '<meta name="supported-color-schemes" content="light dark">'
    "<title>{title}</title>\r\n"
    "<style>:root{{color-scheme:light dark}}@media (prefers-color-scheme:dark)"
    "{{body{{background:#14181d!important}}.said{{color:#e6e9ec!important}}"
    ".said a{{color:#8ab8f5!important}}.said hr{{border-color:#3a424b!important}}}}"
    "</style></head>\r\n"
    '<body style="margin:0;padding:0;background:#ffffff">\r\n'
    '<div class="said" style="max-width:600px;margin:0 auto;padding:24px 16px;'
    "overflow-wrap:anywhere;"
    "font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c2733\">"
    "\r\n{body}\r\n</div></body></html>\r\n"
)
RULE = "-" * 30
LINE_BREAK = "\u2028"  # inside a value: a line that ends there on purpose
SUBSTITUTE = "\x1a"  # around a number: Markdown stands here, in a form of its own in text and HTML
_SLOT = re.compile(f"{SUBSTITUTE}[0-9]+{SUBSTITUTE}")


def slot(number: int) -> str:
    """What holds the place of a piece of Markdown. No text of others has this character."""
    return f"{SUBSTITUTE}{number}{SUBSTITUTE}"


def framed(body: str, language: str, title: str) -> str:
    """A whole page around paragraphs."""
    return _FRAME.format(lang=html.escape(language), title=html.escape(title), body=body)


def paragraphs(text: str) -> str:
    """Plain text as paragraphs and lists, escaped, with our links made live."""
    return "\r\n".join(_block(block) for block in text.split("\n\n") if block.strip())


def _block(block: str) -> str:
    lines = block.strip("\n").split("\n")
    if lines == [RULE]:
        return '<hr style="border:0;border-top:1px solid #d5dbe1;margin:24px 0">'
    if len(lines) == 1 and _SLOT.fullmatch(lines[0]):
        return lines[0]
    heading = _HEADING.match(lines[0])
    if heading and len(lines) == 1:
        return f"{P}<strong>{live(lines[0][heading.end() :])}</strong></p>"
    first = next((n for n, line in enumerate(lines) if _ITEM.match(line)), len(lines))
    said = f"{P}{live(' '.join(lines[:first]))}</p>" if first else ""
    return said + (_list(lines[first:]) if lines[first:] else "")


def _list(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        mark = _ITEM.match(line)
        if mark:
            items.append(line[mark.end() :])
        else:
            items[-1] += f" {line.strip()}"
    tag = "ul" if _BULLET.match(lines[0]) else "ol"
    return listed(tag, [live(item) for item in items])


def listed(tag: str, items: list[str], start: str = "") -> str:
    """A list of items that are HTML already."""
    inside = "".join(f"<li>{item}</li>" for item in items)
    return f'<{tag}{start} style="margin:0 0 16px;padding-left:24px">{inside}</{tag}>'


def live(text: str) -> str:
    """Text escaped, with its URLs as links."""
    escaped = html.escape(text, quote=False)
    linked = _URL.sub(_link, escaped) if "://" in escaped else escaped
    return linked.replace(LINE_BREAK, "<br>\r\n")


def _link(match: re.Match[str]) -> str:
    url = match[0].rstrip(".,;:!?)")
    after = match[0][len(url) :]
    return f'<a href="{url}" style="color:#0b5cad">{url}</a>{after}'
