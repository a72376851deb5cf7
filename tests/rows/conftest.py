"""The world of the rows, made once."""

import pytest
from row_house import Village


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Makes houses with untouched databases."""
    return Village(tmp_path_factory.mktemp("village"))
