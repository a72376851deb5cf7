"""A full disk and a locked database: 4xx, nothing lost, and well again without a restart."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from drills import trouble
from drills.trouble import Trouble

pytestmark = pytest.mark.slow

TROUBLES = {
    "no-file-grows": trouble.no_file_grows,
    "nothing-can-be-logged": trouble.nothing_can_be_logged,
    "locked": trouble.locked,
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own; skipped where none can be mounted."""
    folder = tmp_path / "small"
    if not trouble.small_disk(folder):
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    trouble.unmount(folder)


@pytest.mark.parametrize("what", TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_later_and_then_over(tmp_path: Path, what: Trouble) -> None:
    """Senders hear 4xx alone meanwhile; all that was accepted is stored; no restart is needed."""
    seconds = 7.0 if what is trouble.locked else 3.0
    done = asyncio.run(trouble.drill(tmp_path / "world", what, seconds))
    assert done.during[451] + done.during[452] > 0, done.words
    assert not done.during[250], done.words
    assert done.clean, done.words


def test_a_disk_without_space_is_later_and_then_over(small: Path) -> None:
    """The same where the file system itself is full."""
    done = asyncio.run(trouble.drill(small / "world", trouble.no_space, 3.0))
    assert done.during[452] > 0, done.words
    assert done.clean, done.words


@pytest.mark.parametrize(
    "what, unsafe",
    [
        (trouble.no_file_grows, "250-to-failure"),
        (trouble.no_file_grows, "5xx-to-failure"),
        (trouble.locked, "5xx-to-failure"),
    ],
)
def test_the_drill_sees_a_wrong_answer(tmp_path: Path, what: Trouble, unsafe: str) -> None:
    """250 to what cannot be stored, or 5xx to it, turns it red."""
    seconds = 6.5 if what is trouble.locked else 2.0
    done = asyncio.run(trouble.drill(tmp_path / "world", what, seconds, unsafe))
    wrong = done.audit.lost if unsafe == "250-to-failure" else done.audit.refused
    assert wrong, done.words
    assert not done.clean
