"""What may never look up a key: libraries that cut a name at NUL (D01)."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests_support import ROOT

BANNED = ("aiodns", "pycares")


@pytest.mark.parametrize("name", BANNED)
def test_the_libraries_are_not_installed(name: str) -> None:
    """With one of them installed dkimpy would use it by itself."""
    assert importlib.util.find_spec(name) is None


@pytest.mark.parametrize("name", BANNED)
def test_the_libraries_are_in_no_list_of_dependencies(name: str) -> None:
    """Neither asked for nor locked."""
    assert name not in (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    groups += project["project"]["optional-dependencies"].values()
    assert not [line for group in groups for line in group if name in line.lower()]


def test_the_verifier_never_imports_them() -> None:
    """A fresh process that has loaded both engines knows none of them."""
    program = (
        "import sys, gateway.authenticate.dkim, gateway.authenticate.dkim_dkimpy;"
        "print([m for m in sys.modules if m in ('dkim.asyncsupport', 'aiodns', 'pycares')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_no_line_of_ours_names_them_but_to_forbid_them() -> None:
    """Import statements are looked for in every module."""
    for path in Path(ROOT, "gateway").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith(("import ", "from ")):
                assert not any(name in line for name in (*BANNED, "asyncsupport")), path
