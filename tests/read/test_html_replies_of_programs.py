"""HTML replies of mail programs, in the markup that they write: the new words, and no others.

html_replies_of_programs.txt is written from knowledge of them: `=== ` and a name, a line with the
new words, then the page.
"""

from pathlib import Path

import pytest

from gateway.core.model import SpanKind
from gateway.core.read import html_text, text

SOURCE = Path(__file__).with_name("html_replies_of_programs.txt").read_text("utf-8")
CASES = [section.split("\n", 2) for section in SOURCE.split("=== ")[1:]]


@pytest.mark.parametrize(("name", "wanted", "page"), CASES, ids=[name for name, *_ in CASES])
def test_an_html_reply(name: str, wanted: str, page: str) -> None:
    """The new words are those of the customer, in their order."""
    read = html_text.to_text(page)
    spans = text.spans(read.text, read.hints)
    new = "".join(read.text[s.start : s.end] for s in spans if s.kind is SpanKind.NEW)
    assert " ".join(new.split()) == wanted, name
