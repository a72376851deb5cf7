"""The walls of the house: who may import whom, and what may not be reached from where."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests_support import ROOT

PACKAGE = ROOT / "gateway"
CORE = PACKAGE / "core"

# What `gateway/core` may import besides itself: pure parts of the standard library and others.
ALLOWED = {
    "array", "base64", "binascii", "bisect", "codecs", "collections", "contextlib", "dataclasses",
    "datetime", "difflib", "enum", "functools", "hashlib", "heapq", "hmac", "html", "importlib",
    "ipaddress", "itertools", "math", "operator", "quopri", "re", "string", "struct", "textwrap",
    "types", "typing", "unicodedata", "urllib", "zlib", "zoneinfo", "abc", "__future__",
    "jinja2", "markupsafe", "idna", "selectolax", "inscriptis", "nh3", "snowballstemmer",
    "py3langid",
    "holidays",
}  # fmt: skip
CLOCK_AND_CHANCE = {
    "now",
    "utcnow",
    "today",
    "time",
    "monotonic",
    "perf_counter",
    "urandom",
    "token_bytes",
}


def trees(folder: Path) -> list[tuple[Path, ast.Module]]:
    """The syntax tree of every module below a folder."""
    return [(path, ast.parse(path.read_text())) for path in sorted(folder.rglob("*.py"))]


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of everything that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def called(tree: ast.Module) -> set[str]:
    """The names of everything that a module calls, the last part of dotted ones."""
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }


def test_core_imports_itself_and_pure_things_alone() -> None:
    """Nothing in core imports files, sockets, the clock, chance, the environment or a log."""
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees(CORE)
        for name in imported(tree)
        if name.split(".")[0] not in ALLOWED and not name.startswith("gateway.core")
    }
    assert not wrong


def test_core_reads_no_clock_and_draws_no_chance() -> None:
    """Time and chance enter core as values."""
    wrong = {
        f"{path.relative_to(ROOT)}: {sorted(called(tree) & CLOCK_AND_CHANCE)}"
        for path, tree in trees(CORE)
        if called(tree) & CLOCK_AND_CHANCE
    }
    assert not wrong


@pytest.mark.parametrize(
    ("value", "makers"),
    [
        ("OfficialAddress", {"store/reader.py"}),
        ("ProvenAuthor", {"core/know/proof.py", "store/reader.py"}),
        ("NotificationAddress", {"store/reader.py"}),
        ("StaffAddress", {"load/routing.py"}),
        ("UnconfirmedAddress", {"store/reader.py"}),
    ],
)
def test_destinations_are_made_in_their_own_rooms(value: str, makers: set[str]) -> None:
    """A destination can come from one place alone, so no header can become one."""
    found = {
        str(path.relative_to(PACKAGE)) for path, tree in trees(PACKAGE) if value in called(tree)
    }
    assert found <= makers
    assert found, f"nobody makes {value}"


def test_nobody_replaces_a_destination() -> None:
    """`dataclasses.replace` is never used to change an address inside a destination."""
    for path, tree in trees(PACKAGE):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "replace":
                names = {keyword.arg for keyword in node.keywords}
                assert "official" not in names, path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts over a copy of the house."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the house in which wrong imports can be planted."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "gateway", ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_contracts(copy: Path) -> None:
    """The import graph has no circle and no arrow against the layers."""
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("room", "planted"),
    [
        ("receive/smtp.py", "from gateway.core.decide import policy"),
        ("core/decide/policy.py", "import sqlalchemy"),
        ("core/read/wire.py", "from gateway.core.say import effects"),
        ("store/reader.py", "from gateway import pipeline"),
        ("deliver/worker.py", "from gateway.receive import replies"),
        ("core/know/thread.py", "import socket"),
    ],
)
def test_a_planted_wrong_import_turns_the_contracts_red(
    copy: Path, room: str, planted: str
) -> None:
    """The contracts can fail: each wall is seen to stand."""
    path = copy / "gateway" / room
    path.write_text(f"{path.read_text()}\n{planted}  # planted\n")
    assert lint(copy).returncode != 0
