"""What the tests of sender authentication share."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.core.model import DkimResult, Signature

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on a loop of its own."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)


def signature(domain: str, **more: Any) -> Signature:
    """A passing signature over the usual fields, unless told otherwise."""
    values: dict[str, Any] = {
        "result": DkimResult.PASS,
        "domain": domain,
        "selector": "s1",
        "signed": ("from", "to", "subject", "date"),
        "digest": "d" * 64,
    }
    return Signature(**{**values, **more})
