"""Reply fixtures of other projects: the share of mails whose new text is exactly what they say."""

from pathlib import Path

import pytest
from tests_support import SUITES, needs_suites

from gateway.core.model import SpanKind
from gateway.core.read import html_text, text

pytestmark = needs_suites

# suite, files counted, share that must be exact
SHARES = [
    ("crisp", "*", 0.92),
    ("github", "*", 0.90),
    ("talon_text", "*", 0.92),
    ("talon_html", "*", 1.0),
    ("quotequail", "*reply*", 1.0),
    ("zapier", "*", 0.8),
]


def visible(source: Path) -> str:
    """The new text of a fixture."""
    body = source.read_bytes().decode("utf-8", "replace")
    hints: tuple[html_text.Hint, ...] = ()
    if source.suffix == ".html":
        read = html_text.to_text(body)
        body, hints = read.text, read.hints
    spans = text.spans(body, hints)
    return "".join(body[s.start : s.end] for s in spans if s.kind is SpanKind.NEW)


def folded(words: str, html: bool) -> str:
    """Space does not count: of HTML none of it, of text its amount."""
    return ("" if html else " ").join(words.split())


@pytest.mark.parametrize("suite,pattern,share", SHARES)
def test_exact_share(suite: str, pattern: str, share: float) -> None:
    """The share of fixtures that are exact reaches the figure of this suite."""
    folder = SUITES / "replies" / suite
    wanted = sorted((folder / "expected").glob(pattern))
    exact = 0
    for expected in wanted:
        (source,) = (folder / "input").glob(f"{expected.stem}.*")
        html = source.suffix == ".html"
        exact += folded(visible(source), html) == folded(expected.read_text("utf-8"), html)
    assert wanted
    assert exact >= share * len(wanted)
