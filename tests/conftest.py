"""Fixtures for every room."""

from pathlib import Path

import pytest
from tests_support import SUITES


@pytest.fixture
def suites() -> Path:
    """The folder of the suites; the test is skipped, saying so, where it is absent."""
    if not SUITES.is_dir():
        pytest.skip("the suites are absent (PORTIERE_SUITES)")
    return SUITES
