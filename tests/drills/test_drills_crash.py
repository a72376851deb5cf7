"""Killed again and again, and looked at from under the process: what was accepted
is there, once."""

import asyncio
from pathlib import Path

import pytest
from drills import crash, sync_order
from drills.crash import Plan

compiler = pytest.mark.skipif(sync_order.COMPILER is None, reason="there is no C compiler")


@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """kill -9 at random moments and at named points, under senders that insist until 250."""
    done = asyncio.run(crash.drill(tmp_path / "world", Plan(kills=10, minutes=0.6)))
    assert sum(done.kills.values()) >= 3
    assert done.accepted > 20
    assert done.clean, done.words


@pytest.mark.slow
@pytest.mark.parametrize("unsafe", ["250-before-commit", "no-duplicate-check"])
def test_the_crash_drill_sees_what_is_lost_or_doubled(tmp_path: Path, unsafe: str) -> None:
    """With a safeguard off it turns red."""
    plan = Plan(kills=4, minutes=0.5, unsafe=unsafe)
    done = asyncio.run(crash.drill(tmp_path / "world", plan))
    wrong = done.audit.lost if unsafe == "250-before-commit" else done.audit.doubled_mails
    assert wrong, done.words
    assert not done.clean


@pytest.mark.slow
@compiler
def test_each_250_has_a_flush_of_its_mail_before_it(tmp_path: Path) -> None:
    """No mail is accepted before its bytes in the write-ahead log were flushed to disk."""
    done = asyncio.run(sync_order.drill(tmp_path / "world", 200))
    assert done.accepted == 200
    assert done.clean, done.words


@pytest.mark.slow
@compiler
@pytest.mark.parametrize("unsafe", ["normal-sync", "250-before-commit"])
def test_the_recorder_sees_a_250_without_a_flush(tmp_path: Path, unsafe: str) -> None:
    """With `synchronous=NORMAL`, or a 250 before the commit, it turns red."""
    done = asyncio.run(sync_order.drill(tmp_path / "world", 60, unsafe=unsafe))
    assert done.accepted == 60
    assert not done.clean, done.words


def test_the_judge_of_flushes_knows_one_that_began_too_early() -> None:
    """A flush that was under way when the bytes were written does not count for them."""
    safe = ["R 9 000001", "W 000001", "B", "S", "A 9"]
    early = ["R 9 000001", "B", "W 000001", "S", "A 9"]
    never = ["R 9 000001", "B", "S", "A 9"]
    assert sync_order.judged(safe).clean
    assert sync_order.judged(early).unflushed == 1
    assert sync_order.judged(never).unseen == 1
