"""How long hostile bodies take to be read: milliseconds at 1 MiB, and against a fifth of it.

A ratio above six means that something is not linear. Run: `python benchmarks/text_hostile.py`.
"""

import time
from collections.abc import Callable

from gateway.core.read import html_text, text

MIB = 1024 * 1024
LIMIT_MS, LIMIT_RATIO = 100.0, 6.0


def _fill(piece: str) -> Callable[[int], str]:
    return lambda size: (piece * (size // len(piece) + 1))[:size]


PLAIN: dict[str, Callable[[int], str]] = {
    "one run of >": _fill(">"),
    "lines of > runs": _fill(">" * 1500 + "\n"),
    "> and space": _fill("> " * 400 + "x\n"),
    "On ... wrote": _fill("On Mon, Mar 3, 2025 at 10:15 AM Someone wrote something\n"),
    "On ... wrote:": _fill("On Mon, Mar 3, 2025 at 10:15 AM Someone <a@b.example> wrote:\n"),
    "header-like lines": _fill("From: a@b.example\nDate: 3 Mar 2025 10:15\nnothing\n"),
    "labels without end": _fill("A: b\n"),
    "unbroken line": _fill("a"),
    "unbroken digits": _fill("1"),
    "unbroken at signs": _fill("a@"),
    "open angles": _fill("<"),
    "colons": _fill("a:\n\n"),
    "dashes": _fill("--\n"),
    "underscores": _fill("_" * 30 + "\n"),
    "legal openings": _fill("Ai sensi del questo messaggio riservato\n"),
    "blank lines": _fill("\n"),
    "carriage returns": _fill("\r"),
    "mobile signatures": _fill("Sent from my iPhone\n"),
    "closings": _fill("Grazie\nMario Rossi\n"),
    "signatures": _fill(("-- \nMario Rossi\n\n" + "parole di un messaggio\n" * 2) * 15 + "> a\n"),
    "half headers": _fill("Mario Rossi\n" + "_" * 32 + "\nDa: x\n"),
    "alternating quotes": _fill("> a\nb\n"),
    "random unicode": _fill("\u202e\u0301\ufdd0\u200b\U0001f600\x85\u2028"),
    "dates": _fill("3 mar 2025 10:15 11/11/2011 "),
    "verb ends": _fill("x ha scritto\n3/3/2025 ha scritto\n"),
    "dates and prose": _fill("3 mar 2025 10:15 " + "a b " * 90 + " a@b.c wrote:\n"),
    "long lines of words": _fill("parola " * 280 + "\n"),
}
HTML: dict[str, Callable[[int], str]] = {
    "nested div": lambda size: "<div>" * (size // 11) + "x" + "</div>" * (size // 11),
    "open paragraphs": lambda size: "<p>x" * min(size // 8, 14_900) + "y" * (size // 2),
    "ruled names": _fill("<div>Mario Rossi<hr>Da: x</div>"),
    "client quotes": _fill("<div class=gmail_quote><blockquote type=cite>x</blockquote></div>"),
    "signature blocks": _fill("<div class=gmail_signature>x</div>"),
    "hidden blocks": _fill("<div style='display:none'>x</div>"),
    "style attributes": lambda size: "<p style='" + "a:b;" * (size // 5) + "'>x</p>",
    "nested blockquote": _fill("<blockquote>"),
    "formatting bomb": lambda size: (
        "<p>" + "".join(f"<b id={i}>" for i in range(size // 24)) + "<p>x" * (size // 8)
    ),
    "entities": _fill("&amp;&#x10FFFF;"),
    "comments": _fill("<!-- x -->"),
    "open comments": _fill("<!--"),
    "attributes": lambda size: "<div " + " ".join(f"a{i}=1" for i in range(size // 9)) + ">x",
    "line breaks": _fill("<br>x"),
    "open angles": _fill("<"),
    "open tags": _fill("<a "),
    "paragraphs": _fill("<p>some words of a paragraph</p>\n"),
    "links": _fill('<a href="https://a.example/x">there</a> '),
    "tables": _fill("<table><tr><td>x</td></tr></table>"),
    "pre": lambda size: "<pre>" + "line\n" * (size // 5) + "</pre>",
    "nested pre": lambda size: "<pre>" * 200 + "<br>\n" * min(size // 5, 14_700),
    "nested white-space": lambda size: (
        '<div style="white-space:pre">' * 200 + "<br>\n" * min(size // 5, 14_700)
    ),
    "lines in nested pre": lambda size: "<pre>" * 240 + "x\n" * (size // 2),
    "spaces in pre": lambda size: "<pre>" + "a  b   " * (size // 7),
    "nested rules": lambda size: "<div>Mario<hr>" * 240 + "x " * (size // 2),
    "links around tables": lambda size: (
        "<a href=http://q.r/s><table><tr><td>" * 60 + "x " * (size // 2)
    ),
    "quotes in tags": _fill("<a b='\"'c=\"'"),
    "words": _fill("parola e ancora "),
    "outlook": _fill(
        "<p class=MsoNormal><span style='font-size:11.0pt'>testo<o:p></o:p></span></p>"
    ),
}


def _best(function: Callable[[str], object], value: str) -> float:
    best = 1e9
    for _ in range(3):
        start = time.process_time()
        function(value)
        best = min(best, time.process_time() - start)
    return best * 1000


def _html(source: str) -> object:
    read = html_text.to_text(source)
    return text.spans(read.text, read.hints)


def main() -> None:
    """Print one row a body; mark the rows that are out of bounds."""
    for name, bodies, function in (("text", PLAIN, text.spans), ("html", HTML, _html)):
        for title, make in bodies.items():
            small, large = _best(function, make(MIB // 5)), _best(function, make(MIB))
            ratio = large / small if small > 2 else 0.0
            bad = large > LIMIT_MS or ratio > LIMIT_RATIO
            print(f"{name} {title:24} {large:8.1f} ms  ratio {ratio:4.1f} {'OUT' if bad else ''}")


if __name__ == "__main__":
    main()
