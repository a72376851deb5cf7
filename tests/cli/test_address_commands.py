"""`portiere accounts address`: a new address is asked, and counts once it has confirmed itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from running import portiere

from gateway.demo.world import build

NEW = "nuovo@altrove.example"


@pytest.fixture
def config(tmp_path: Path) -> tuple[str, str]:
    """The demo's world with its accounts."""
    world = build(tmp_path / "world", 0, 9, 0)
    words = ("--config", str(world.config))
    assert (
        portiere("accounts", "import", str(world.folder / "accounts.jsonl"), *words).returncode
        == 0
    )
    return words


def test_a_new_address_is_asked_and_ops_may_confirm_it(config: tuple[str, str]) -> None:
    """Added, asked again, confirmed by ops; the question that has not left is withdrawn."""

    def said(*words: str) -> Any:
        done = portiere(*words, *config)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def address() -> dict[str, Any]:
        shown = said("accounts", "show", number, "--json")["addresses"]
        return next(one for one in shown if one["address"] == NEW)

    number = said("accounts", "list", "--json")[0]["account"]
    assert f"`{NEW}` is asked by mail" in said("accounts", "address", "add", number, NEW)
    assert address()["confirmed_at"] is None
    assert "is asked by mail" in said("accounts", "address", "ask", number, NEW)
    rows = said("queue", "list", "--json")
    waiting = [one["recipient"] for one in rows if one.get("kind") == "address-confirm"]
    assert waiting == [NEW]
    assert "is confirmed" in said("accounts", "address", "confirm", number, NEW)
    assert address()["confirmed_at"] is not None
    refused = portiere("accounts", "address", "ask", number, NEW, *config)
    assert (refused.returncode, "confirmed already" in refused.stderr) == (1, True)
