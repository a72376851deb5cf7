"""What tests of every room share: where the suites lie, and how a test without them is skipped by
name."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUITES = Path(os.environ.get("PORTIERE_SUITES", ROOT.parent / "shared" / "suites"))

needs_suites = pytest.mark.skipif(
    not SUITES.is_dir(), reason="the suites are absent (PORTIERE_SUITES)"
)
