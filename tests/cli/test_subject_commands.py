"""`portiere export` and `portiere erase`, as a person types them."""

import json
from pathlib import Path

import pytest
from running import portiere

from gateway.demo.world import World, build


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's accounts, imported."""
    made = build(tmp_path / "world", 0, 9, 0)
    portiere("accounts", "import", str(made.folder / "accounts.jsonl"), *at(made))
    return made


def at(world: World) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(world.config)


def test_an_account_is_exported_looked_at_and_erased(world: World) -> None:
    """A folder once; a dry run erases nothing; without a terminal --yes is asked for."""
    account, *_ = json.loads(portiere("accounts", "list", "--json", *at(world)).stdout)
    number = account["account"]
    folder = world.folder / "export"
    done = portiere("export", number, "--to", str(folder), *at(world))
    assert done.returncode == 0, done.stderr
    held = json.loads((folder / "data.json").read_text())
    assert [row["number"] for row in held["accounts"]] == [number]
    again = portiere("export", number, "--to", str(folder), *at(world))
    assert again.returncode == 1
    assert "cannot make the folder" in again.stderr
    assert "accounts" in portiere("erase", number, "--dry-run", *at(world)).stdout
    refused = portiere("erase", number, *at(world))
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    erased = json.loads(portiere("erase", number, "--yes", "--json", *at(world)).stdout)
    assert erased["erased"] is True
    assert erased["rows"]["accounts"] == 1
    gone = portiere("export", number, *at(world))
    assert gone.returncode == 1
    assert f"there is no account `{number}`" in gone.stderr


def test_an_official_address_is_not_erased_alone(world: World) -> None:
    """The command says what to do instead."""
    done = portiere("erase", "anna@studio-rossi.example", "--yes", *at(world))
    assert done.returncode == 1
    assert "erase the account" in done.stderr
