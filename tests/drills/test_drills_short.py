"""The drills in their shortest forms, for every run of the tests: each in seconds, and none of
them asserts a time.
"""

import asyncio
from pathlib import Path

import pytest
from drills import clock, crash, loops, power_cut, sync_order

pytestmark = pytest.mark.slow
compiler = pytest.mark.skipif(sync_order.COMPILER is None, reason="there is no C compiler")


def test_some_kills_lose_nothing(tmp_path: Path) -> None:
    """kill -9 at five moments, some of them named: all that heard 250 is there, once."""
    done = asyncio.run(crash.drill(tmp_path / "world", crash.Plan(kills=5, each=10, senders=6)))
    assert sum(done.kills.values()) == 5
    assert done.accepted > 5
    assert done.clean, done.words


@compiler
def test_a_hundred_mails_are_flushed_before_they_are_accepted(tmp_path: Path) -> None:
    """Seen from under the process."""
    done = asyncio.run(sync_order.drill(tmp_path / "world", 100))
    assert done.accepted == 100
    assert done.clean, done.words


@compiler
def test_power_cuts_lose_nothing(tmp_path: Path) -> None:
    """Ten disks as a power cut leaves them, with what was not flushed dropped, torn or whole."""
    done = asyncio.run(power_cut.drill(tmp_path / "world", 10))
    assert done.points == 10
    assert done.clean, done.words


@compiler
def test_a_clock_that_is_put_forward_and_back_breaks_nothing(tmp_path: Path) -> None:
    """An hour, a day, ten years, both ends of summer time."""
    done = asyncio.run(clock.drill(tmp_path / "world"))
    assert done.clean, done.words


def test_two_gateways_that_face_each_other_send_one_mail_each(tmp_path: Path) -> None:
    """Whichever single marker of automatic mail survives between them."""
    done = asyncio.run(loops.drill(tmp_path / "world", few=2))
    assert done.clean, done.words
