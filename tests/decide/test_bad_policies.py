"""Broken rule files with their exact complaint, and the same for the other tables."""

from pathlib import Path

import pytest

from gateway import load
from gateway.errors import BadInput

BAD = Path(__file__).resolve().parent.parent / "policies" / "bad"
CASES = sorted(BAD.glob("*.toml"))


def complaints(path: Path) -> str:
    found = load.examine(path)
    return "".join(f"{each}\n" for each in found.complaints).replace(f"{path}:", f"{path.name}:")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_broken_rule_file_gets_its_exact_complaint(path: Path) -> None:
    """Place, message, line with caret and hint are those of the file beside it."""
    assert complaints(path) == path.with_suffix(".error").read_text(encoding="utf-8")


def test_every_complaint_belongs_to_a_file() -> None:
    """No case without its complaint, and no complaint without its case."""
    assert len(CASES) >= 10
    assert {path.stem for path in CASES} == {path.stem for path in BAD.glob("*.error")}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_broken_rule_file_is_never_put_into_force(path: Path, tmp_path: Path) -> None:
    """Loading a folder with it raises, whatever else is right."""
    shipped = Path(__file__).resolve().parents[2] / "policies"
    for name in ("routing.toml", "requests.toml"):
        (tmp_path / name).write_bytes((shipped / name).read_bytes())
    (tmp_path / "disclosure.toml").write_bytes(path.read_bytes())
    with pytest.raises(BadInput):
        load.load_policies(tmp_path)
