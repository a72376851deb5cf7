"""What the tests of sender authentication share."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on a loop of its own."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)
