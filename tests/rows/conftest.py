"""The world of the rows, made once."""

import pytest

pytest.register_assert_rewrite("row_play")

from row_house import Village  # noqa: E402  after what rewrites the player's assertions


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Makes houses with untouched databases."""
    return Village(tmp_path_factory.mktemp("village"))
