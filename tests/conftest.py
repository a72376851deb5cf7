"""Fixtures for every room."""

import os
from pathlib import Path

import hypothesis
import pytest
from postgres_fixtures import postgres_admin, postgres_server, postgres_url
from tests_support import SUITES

__all__ = ["postgres_admin", "postgres_server", "postgres_url"]

# In CI the same examples every time; at a desk new ones, which is how new failures are found.
# No deadline: a busy machine is no defect.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture
def suites() -> Path:
    """The folder of the suites; the test is skipped, saying so, where it is absent."""
    if not SUITES.is_dir():
        pytest.skip("the suites are absent (PORTIERE_SUITES)")
    return SUITES
