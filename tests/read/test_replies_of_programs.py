"""Replies of some forty mail programs: nothing of the customer is lost, quotes are cut.

replies_of_programs.txt is written from knowledge of them: `=== ` and a name, then lines that are
new (`+|`) or not (`-|`); blank lines count for neither.
"""

from pathlib import Path

import pytest

from gateway.core.model import SpanKind
from gateway.core.read import text

SECTIONS = Path(__file__).with_name("replies_of_programs.txt").read_text("utf-8").split("=== ")[1:]
CASES = [section.rstrip("\n").split("\n") for section in SECTIONS]


@pytest.mark.parametrize(("name", "rows"), [(case[0], case[1:]) for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_a_reply(name: str, rows: list[str]) -> None:
    """Every line is what its label says."""
    body = "".join(f"{row[2:]}\n" for row in rows)
    new = [span for span in text.spans(body) if span.kind is SpanKind.NEW]
    at, wrong = 0, []
    for row in rows:
        if row[2:].strip() and any(s.start <= at < s.end for s in new) != (row[0] == "+"):
            wrong.append(row)
        at += len(row) - 1
    assert wrong == [], name
