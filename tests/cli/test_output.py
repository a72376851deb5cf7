"""How values stand on the pages of commands."""

from datetime import UTC, datetime

from gateway.cli import output


def test_moments_are_shown_to_the_second_and_lists_with_commas() -> None:
    """No microseconds, no signs of a programming language; what is missing is empty."""
    at = datetime(2026, 11, 22, 14, 5, 1, 123456, tzinfo=UTC)
    assert output.cell(at) == "2026-11-22T14:05:01+00:00"
    assert output.cell([at.isoformat(), "x"]) == "2026-11-22T14:05:01+00:00, x"
    assert output.cell(["support", "billing"]) == "support, billing"
    assert output.cell({"spf": {"result": "pass"}, "dkim": []}) == "spf: result: pass, dkim: "
    assert (output.cell(None), output.cell(())) == ("", "")
    assert output.cell("192.0.2.10\x1b[1m") == r"192.0.2.10\x1b[1m"
