"""Pages that are made from the code are current, and every room is where the documents say."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests_support import ROOT

from gateway.cli.app import COMMANDS

SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
assert SPEC is not None
assert SPEC.loader is not None
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_generated_page_is_current(name: str) -> None:
    """`make docs` was run after the last change."""
    assert (ROOT / name).read_text(encoding="utf-8") == generate.PAGES[name]()


def test_every_file_that_the_architecture_names_exists() -> None:
    """A newcomer finds each step of the way of a mail in the room named there."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    table = text.split("## The way of a mail")[1].split("## Rooms")[0]
    rooms = re.findall(r"\| `([a-z_/]+(?:\.py)?)`", table)
    assert len(rooms) >= 10
    assert [room for room in rooms if not (ROOT / "gateway" / room).exists()] == []


def test_every_link_in_the_documents_leads_somewhere() -> None:
    """Relative links of README and docs point at files that exist."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "policies").glob("*.md")]
    wrong = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert wrong == []


def test_every_command_has_its_module() -> None:
    """What `portiere --help` lists can be imported."""
    cli = ROOT / "gateway" / "cli"
    modules = {module for module, _purpose in COMMANDS.values()}
    assert {module for module in modules if not (cli / f"{module}.py").exists()} == set()


def test_nothing_speaks_of_the_machine_that_it_was_written_on() -> None:
    """No path of a workplace and no address of a package registry stands in the project."""
    told = re.compile(r"(^|[^\w.-])/(work|farm)/|index-url *=|files\.[a-z]+hosted")
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone: git cannot say which files are the project's")
    listed = subprocess.run(
        [git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    texts = [path for path in paths if path.is_file() and path != Path(__file__)]
    assert len(texts) > 100
    assert [str(path) for path in texts if told.search(_read(path))] == []


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
