"""The text of an HTML body, with noncharacters for its layout, as lines; its regions as hints.

U+FDD0 to U+FDEF never come in from outside: whoever puts them in cuts them out first.
"""

import re
from dataclasses import dataclass, field

from gateway.core.model import SpanKind
from gateway.core.read.lines import Hint

BREAK, LINE_END, PARAGRAPH, CELL = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
HARD = "\ufdd4"  # a space of preserved text: it is not folded
OPENINGS, CLOSINGS = range(0xFDD5, 0xFDE2), range(0xFDE2, 0xFDF0)
LAYOUT_MARKS = (BREAK, LINE_END, PARAGRAPH, CELL)
_MARKS = re.compile("([\ufdd0-\ufdd3\ufdd5-\ufdef])")
_LONGEST_SIGNATURE = 1_000
_MAX_OPEN = 100


@dataclass(frozen=True, slots=True)
class Region:
    """Markup by which a client shows what a stretch is; `onward`: up to the end of the mail."""

    css: str
    kind: SpanKind | None
    rule: str
    onward: bool = False


REGIONS = (
    Region("blockquote", None, "html:blockquote"),
    Region(
        'blockquote[type="cite" i],blockquote.gmail_quote,blockquote.protonmail_quote,'
        "blockquote.tutanota_quote,blockquote[cite],#OLK_SRC_BODY_SECTION,.yahoo_quoted,"
        '#mail-editor-reference-message-container,.protonmail_quote,div[name="quote"],.zmail_extra,'
        "#isReplyContent,.ms-outlook-mobile-reference-message",
        SpanKind.QUOTE,
        "html:quote",
    ),
    Region(".moz-forward-container,#isForwardContent", SpanKind.FORWARD, "html:forward"),
    Region(
        ".moz-cite-prefix,#reply-intro,#divRplyFwdMsg,.yahoo-quoted-begin",
        SpanKind.ATTRIBUTION,
        "html:attribution",
    ),
    Region(
        '#divRplyFwdMsg,hr#stopSpelling,hr#zwchr,hr[data-marker="__DIVIDER__"]',
        SpanKind.QUOTE,
        "html:from-here",
        onward=True,
    ),
    Region(
        ".gmail_signature,.moz-signature,#Signature,[data-signatureblock],#ms-outlook-mobile-signature,"
        '.protonmail_signature_block,[id^="DAB4FAD8-2DD7"]',
        SpanKind.SIGNATURE,
        "html:signature",
    ),
)
SIGNATURE = len(REGIONS) - 1


@dataclass(slots=True)
class _Page:
    """The text as it is laid out, and the regions that are open in it."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    breaks: int = 0
    blank: bool = True  # nothing stands in this line yet
    spaced: bool = False  # but a no-break space does, which makes it an empty line
    open: list[tuple[int, int | None]] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)

    def write(self, words: str) -> None:
        """Words, with space folded; breaks that are due come before them."""
        if HARD in words and not words.strip(f"{HARD} "):
            words = " "
        text = " ".join(words.split())
        if not text:
            text = " " if words else ""
        else:
            text = f"{' ' * words[0].isspace()}{text}{' ' * words[-1].isspace()}"
        spaced = bool(self.pieces) and self.pieces[-1].endswith(" ")
        text = text.lstrip(" ") if self.blank or spaced else text
        if not text:
            self.spaced = self.spaced or (self.blank and "\xa0" in words)
            return
        if self.length and self.breaks:
            self._append("\n" * self.breaks)
        self.breaks, self.blank, self.spaced = 0, False, False
        start = self.length
        self.open = [(i, start if at is None else at) for i, at in self.open]
        self._append(text)

    def _append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def line_end(self, mark: str) -> None:
        """One for a block, one more for every `<br>` in an empty line, two for a paragraph."""
        if self.spaced:
            self.breaks, self.spaced = min(self.breaks + 1, 3), False
        if mark == PARAGRAPH:
            self.breaks = max(self.breaks, 2)
        elif mark == LINE_END:
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
        region = REGIONS[index]
        long = start is not None and self.length - start > _LONGEST_SIGNATURE
        if region.kind == SpanKind.SIGNATURE and long:
            return  # somebody wrote his mail inside the block of his signature
        if start is not None and start < self.length:
            self.hints.append(Hint(start, self.length, region.kind, region.rule))

    def finish(self) -> tuple[str, tuple[Hint, ...]]:
        """The text, and the hints in the order in which they begin."""
        for index, start in self.open:
            if REGIONS[index].onward:
                self._hint(index, start)
        return "".join(self.pieces).replace(HARD, " "), tuple(
            sorted(self.hints, key=lambda hint: hint.start)
        )


def lay_out(marked: str) -> tuple[str, tuple[Hint, ...]]:
    """The text in lines, and the hints in the order in which they begin."""
    page = _Page()
    for token in filter(None, _MARKS.split(marked)):
        code = ord(token[0])
        if not 0xFDD0 <= code <= 0xFDEF or token[0] == HARD:
            page.write(token)
        elif token == CELL:
            page.write(" ")
        elif code in OPENINGS:
            index = code - OPENINGS[0]
            if index < len(REGIONS) and len(page.open) < _MAX_OPEN:
                page.open.append((index, None))
        elif code in CLOSINGS:
            page.close(code - CLOSINGS[0])
        else:
            page.line_end(token)
    return page.finish()
