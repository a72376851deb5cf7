"""Labelled mails: every `+` line must stay new, and `-` lines must not."""

from collections.abc import Iterator

from tests_support import SUITES, needs_suites

from gateway.core.model import SpanKind
from gateway.core.read import text

pytestmark = needs_suites


def cases() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each case's id with its labelled lines."""
    name, lines = "", []
    for row in (SUITES / "own_mail" / "cases_dev.txt").read_text("utf-8").split("\n"):
        if row.startswith("=== "):
            if lines:
                yield name, lines
            name, lines = row[4:].split()[0], []
        elif row[1:2] == "|":
            lines.append((row[0], row[2:]))
    yield name, lines


def judge(lines: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The customer's lines that were lost, and others that were kept as new."""
    body = "".join(f"{words}\n" for _, words in lines)
    new = [s for s in text.spans(body) if s.kind is SpanKind.NEW]
    lost, kept, at = [], [], 0
    for label, words in lines:
        is_new = any(span.start <= at < span.end for span in new)
        if words.strip() and label == "+" and not is_new:
            lost.append(words)
        if words.strip() and label == "-" and is_new:
            kept.append(words)
        at += len(words) + 1
    return lost, kept


def test_no_line_of_the_customer_is_lost() -> None:
    """Not one `+` line of any case is marked as something else."""
    assert {name: lost for name, lines in cases() if (lost := judge(lines)[0])} == {}


def test_nearly_all_are_exact() -> None:
    """At least 97 in 100 cases are exact."""
    results = [judge(lines) for _, lines in cases()]
    assert sum(result == ([], []) for result in results) >= 0.97 * len(results)
