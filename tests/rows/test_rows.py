"""Each row of the documents as a story that is played through the whole house."""

from pathlib import Path

import pytest
import rows_doc
from row_house import Village
from row_play import Play, load, row_files


@pytest.mark.parametrize("file", row_files(), ids=lambda file: file.stem)
def test_a_row_of_the_documents_holds(file: Path, village: Village) -> None:
    """Every mail of the story comes to what the row says, and nothing else goes out."""
    row = load(file)
    with village.house(row["start"]) as house:
        play = Play(house)
        for number, step in enumerate(row["step"], 1):
            try:
                play.step(step)
            except AssertionError as error:
                raise AssertionError(f"step {number}, {step['tells']}: {error}") from error


def test_the_page_of_rows_is_current() -> None:
    """docs/rows.md says what the stories say; `make docs` writes it."""
    assert rows_doc.PAGE.read_text(encoding="utf-8") == rows_doc.page()


def test_every_row_is_shown_or_said_to_be_open() -> None:
    """No row of the list of systems is left out."""
    counts = {"G": 10, "H": 4, "W": 6, "I": 8}
    listed = {f"{group}{number}" for group, n in counts.items() for number in range(1, n + 1)}
    shown = {file.stem for file in row_files()}
    assert shown | set(rows_doc.OPEN) == listed
    assert not shown & set(rows_doc.OPEN)
    assert all(load(file)["row"] == file.stem for file in row_files())
