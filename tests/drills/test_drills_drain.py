"""SIGTERM, a second one, and SIGHUP, with mail under way."""

import asyncio
from pathlib import Path

import pytest
from drills import drain

pytestmark = pytest.mark.slow


def test_sigterm_finishes_the_mails_in_data(tmp_path: Path) -> None:
    """Every door closes at once; what is in DATA is taken, and then it ends with status 0."""
    done = asyncio.run(drain.sigterm(tmp_path / "world"))
    assert done.codes == (250, 250)
    assert done.clean, done.words


def test_the_drain_drill_sees_a_mail_that_is_dropped(tmp_path: Path) -> None:
    """Where SIGTERM ends it at once, the mails in DATA hear nothing."""
    done = asyncio.run(drain.sigterm(tmp_path / "world", "no-drain"))
    assert done.codes == (0, 0)
    assert not done.clean


def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    """A sender who never ends his mail does not hold it up then."""
    assert asyncio.run(drain.twice(tmp_path / "world")) < drain.PATIENCE


def test_reloads_disturb_nobody(tmp_path: Path) -> None:
    """SIGHUP under senders: each mail is taken at its first try."""
    heard, done = asyncio.run(drain.reloads(tmp_path / "world"))
    assert done == 3
    assert set(heard.codes) == {250}
    assert not heard.cut
