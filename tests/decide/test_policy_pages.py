"""The pages that ops read are true: the worked change works, and the rows name their rules."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import load
from gateway.cli.policy import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "policies" / "README.md").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
SHIPPED = load.read_disclosure(ROOT / "policies").policy
ROWS = {f"G{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)} | {f"W{n}" for n in range(1, 7)}
ROWS |= {"I1", "I2", "I3", "I5", "I8"}
NOTICES = {notice.id for notice in SHIPPED.notices}
DECIDED = re.findall(r"^\| (\w+) \| `([\w-]+)` \| (.+) \|$", DOCS, re.M)


def said(*words: str) -> tuple[int, str]:
    """Exit status and all that was said, a line."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


def blocks() -> tuple[str, str]:
    """The rule and the test of the worked change."""
    change = PAGE.split("## A change, step by step")[1]
    rule, test = re.findall(r"```toml\n(.+?)```", change, re.S)
    return rule, test


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of the policies with the rule of the page, as after its first step."""
    folder = tmp_path / "draft"
    shutil.copytree(ROOT / "policies", folder)
    file = folder / "disclosure.toml"
    above = '[[rule]]\nid = "strangers-question"\n'
    file.write_text(file.read_text().replace(above, f"{blocks()[0]}\n{above}"))
    return folder


def mend(folder: Path) -> None:
    """The tests of the page, as after its third step."""
    file = folder / "disclosure.toml"
    name = 'name = "a stranger\'s general question is answered by a sure article"\ngiven = { '
    text = file.read_text()
    assert text.count(name) == 1
    file.write_text(text.replace(name, name + 'office = "closed", ') + "\n" + blocks()[1])


def test_the_check_asks_for_the_tests_that_the_page_says(draft: Path) -> None:
    """Every complaint of the page is made, and no other."""
    status, text = said("check", str(draft))
    assert status == 1
    (shown,) = re.findall(r"complaints`:\n\n```\n(.+?)```", PAGE, re.S)
    complaints = shown.splitlines()
    assert all(each in text for each in complaints)
    assert f"is refused: {len(complaints)} complaints" in text
    assert f"`draft is refused: {len(complaints)} complaints`" in PAGE


def test_the_worked_change_ends_as_the_page_says(draft: Path) -> None:
    """Sound, tested, explained and compared, with the page's own figures."""
    mend(draft)
    status, text = said("check", str(draft))
    assert (status, text.endswith("is sound")) == (0, True)
    assert f"`{said('test', str(draft))[1]}`" in PAGE
    (words,) = re.findall(r"policy explain (.+) --policies draft", PAGE)
    assert (
        "enquiry by rule person-in-hours"
        in said("explain", *words.split(), "--policies", str(draft))[1]
    )
    status, text = said("diff", str(ROOT / "policies"), str(draft), "--discloses-more")
    assert status == 0
    (figures,) = re.findall(r"\d+ of [\d,]+ situations change; \d+ disclose more", text)
    assert figures in PAGE


def test_every_row_of_the_documents_is_named() -> None:
    """By its rule, or among those that no rule decides."""
    outside = DOCS.split("No rule decides these")[1].split("\n\n")[0]
    named = {row for row, _, _ in DECIDED} | set(re.findall(r"\b[GWI]\d+\b", outside))
    assert named == ROWS
    rules = {rule.id for rule in SHIPPED.rules}
    assert {rule for _, rule, _ in DECIDED} <= rules | NOTICES


@pytest.mark.parametrize(
    ("row", "rule", "words"), [each for each in DECIDED if each[1] not in NOTICES]
)
def test_the_named_rule_decides_its_row(row: str, rule: str, words: str) -> None:
    """The situation is decided by it, whatever was assumed beside."""
    text = said("explain", *words.strip("`").split(), "--policies", str(ROOT / "policies"))[1]
    assert f" by rule {rule}: " in text, row
