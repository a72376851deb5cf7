"""Every drill that takes long is left out of `make test`; `make drill` runs them all."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow in this folder is a drill."""
    for item in items:
        if "/drills/" in str(item.path) and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.drill)
