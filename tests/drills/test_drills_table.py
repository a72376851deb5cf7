"""What drills are made of, where it can be seen without a gateway."""

from pathlib import Path

from drills import loops, table
from drills.ledger import Ledger
from drills.senders import compose
from drills.soak import Life


def row(drill: str, *, long: bool, result: str) -> table.Row:
    """A row of the page."""
    return table.Row(drill, long, "promise", result, "control", 1, 0.5)


def test_the_page_keeps_the_last_row_of_each_form(tmp_path: Path) -> None:
    """A long form stands beside the short one, and a new run takes the place of the old."""
    page = tmp_path / "drills.md"
    for one in (
        row("crash", long=False, result="first"),
        row("crash", long=True, result="long"),
        row("crash", long=False, result="second | with a bar"),
    ):
        table.write(one, page)
    rows = page.read_text().partition(table.FIRST_LINE)[2]
    lines = [line for line in rows.splitlines() if line.startswith("| crash")]
    assert [line.split(" | ")[2] for line in lines] == ["second / with a bar", "long"]


def test_a_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    """What an earlier run heard, sent and killed is known to the next."""
    first = Ledger(tmp_path / "ledger.txt")
    assert first.run() == 1
    posts = [compose("1", "thread", 3), compose("2", "large", 4)]
    for post in posts:
        first.heard.tried[post.ident] = post
    first.heard.accepted[posts[1].ident] = posts[1]
    first.came("<out@x.example>")
    first.killed("decided")
    first.close()

    second = Ledger(tmp_path / "ledger.txt")
    assert second.run() == 2
    assert list(second.heard.tried) == [post.ident for post in posts]
    assert second.heard.tried[posts[0].ident].ticket == posts[0].ticket
    assert second.heard.accepted[posts[1].ident].digest == posts[1].digest
    assert (second.arrived["<out@x.example>"], second.kills["decided"]) == (1, 1)
    second.close()


def test_the_slope_is_of_what_comes_after_the_warming() -> None:
    """A steep beginning does not count; a steady growth does."""
    level = Life([(n * 100, 100.0 if n > 2 else 50.0) for n in range(1, 13)])
    grows = Life([(n * 100, 100.0 + n) for n in range(1, 13)])
    assert abs(level.slope) < 1e-6
    assert round(grows.slope) == 1000


def test_a_relay_of_the_loops_leaves_one_marker_alone() -> None:
    """Fields are taken with their folded lines."""
    raw = (
        b"From: <a@x>\r\nAuto-Submitted: auto-replied;\r\n more\r\nX-Portiere-Instance: 1\r\n"
        b"Subject: s\r\n\r\nbody"
    )
    assert loops.stripped(raw, "none", None) == b"From: <a@x>\r\nSubject: s\r\n\r\nbody"
    assert b"X-Portiere-Instance: 1" in loops.stripped(raw, "x-portiere-instance", None)
    assert loops.stripped(raw, "x-autoreply", "yes").startswith(
        b"From: <a@x>\r\nSubject: s\r\nx-autoreply: yes\r\n\r\n"
    )
