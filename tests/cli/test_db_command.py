"""`portiere db`, as a person types it."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.app import app
from gateway.demo.world import World, build
from gateway.errors import BadInput


def portiere(*words: str) -> str:
    """One command in this process; what it prints, or its complaint."""
    done = CliRunner().invoke(app, list(words), standalone_mode=False)
    if isinstance(done.exception, BadInput):
        return f"refused: {done.exception}"
    assert done.exception is None, done.exception
    return str(done.output)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's accounts, imported."""
    made = build(tmp_path / "world", 0, 9, 0)
    portiere("accounts", "import", str(made.folder / "accounts.jsonl"), *at(made))
    return made


def at(world: World) -> tuple[str, str]:
    """The option by which a command finds its world."""
    return "--config", str(world.config)


def test_a_copy_is_made_and_put_back(world: World, tmp_path: Path) -> None:
    """Backup, damage, restore; over a full database only by force; never under a gateway."""
    copy, database = tmp_path / "copy.db", world.folder / "portiere.db"
    said = portiere("db", "backup", str(copy), "--blobs", str(tmp_path / "b"), *at(world))
    assert "0 blobs are in" in said
    assert "secrets.json" in said
    assert "is there already" in portiere("db", "backup", str(copy), *at(world))
    before = portiere("accounts", "list", "--json", *at(world))
    assert "A-1001" in before
    assert "not empty" in portiere("db", "restore", str(copy), *at(world))
    database.write_bytes(b"broken" * 1000)
    assert "restored" in portiere("db", "restore", str(copy), "--force", *at(world))
    assert portiere("accounts", "list", "--json", *at(world)) == before
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(world.folder / "control.sock"))
        door.listen()
        refused = portiere("db", "restore", str(copy), "--force", *at(world))
    assert refused.startswith("refused: portiere runs")


def test_a_database_is_moved_to_another_file(world: World, tmp_path: Path) -> None:
    """What was moved is listed, and the line for the configuration is printed."""
    source, target = f"sqlite:///{world.folder / 'portiere.db'}", f"sqlite:///{tmp_path / 'n.db'}"
    said = portiere("db", "move", source, target, *at(world))
    assert "addresses" in said
    assert f'database.url = "{target}"' in said.replace("\n", "")
    assert "an empty one" in portiere("db", "move", source, target, *at(world))
