"""The demo makes its world anew, and takes nobody's files away for it."""

from pathlib import Path

import pytest

from gateway.demo import run
from gateway.errors import BadInput


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path) -> None:
    """Whatever it holds; so is a file."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="has not made"):
        run._emptied(tmp_path)
    with pytest.raises(BadInput):
        run._emptied(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_folder_of_the_demo_is_made_anew(tmp_path: Path) -> None:
    """One that is absent or empty is taken, and emptied by the next demo."""
    for folder in (tmp_path / "absent" / "demo", tmp_path / "empty"):
        run._emptied(folder)
        (folder / "old.eml").write_text("old")
        run._emptied(folder)
        assert [one.name for one in folder.iterdir()] == [run.MARK]
