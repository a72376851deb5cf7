"""Every drill that takes long is left out of `make test`, but for the short forms in
test_drills_short.py; `make drill` runs them all.
"""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow in this folder is a drill, but for the short forms."""
    for item in items:
        short = item.path.name == "test_drills_short.py"
        if "/drills/" in str(item.path) and not short and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.drill)
