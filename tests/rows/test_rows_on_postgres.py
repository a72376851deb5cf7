"""Stories of the rows played on PostgreSQL: the same mails come to the same."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from row_house import House, Village, config_of
from row_play import Play, load, row_files

from gateway.house import Rooms
from gateway.store import accounts
from gateway.store.engine import Store
from gateway.store.writer import Writer

pytestmark = pytest.mark.peer

# Proof, threading, parking, twins, incidents, answers, orders of change: each path of a mail once.
SHOWN = ("G3", "G4", "G5", "G7", "G10", "H2", "H3", "I2", "W3", "W4", "W6")


class Town(Village):
    """Houses whose database lies on a server."""

    @contextmanager
    def on(self, url: str, now: datetime) -> Iterator[House]:
        """A gateway with an untouched database there."""
        self._count += 1
        folder = self._folder / str(self._count)
        shutil.copytree(self._pattern, folder)
        config = config_of(folder)
        store = Store.open(url, config.paths.blobs)
        assert not store.sqlite
        rooms, writer = Rooms(config, store, self._standing), Writer(store)
        rows = accounts.load_file(folder / "accounts.jsonl")
        at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
        writer.run(lambda connection: accounts.apply(connection, rows, at)).result()
        try:
            yield House(config, rooms, writer, now, (folder / "key.pem").read_bytes())
        finally:
            writer.close()
            rooms.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The world of the rows, made once."""
    return Town(tmp_path_factory.mktemp("town"))


@pytest.mark.parametrize("file", [f for f in row_files() if f.stem in SHOWN], ids=lambda f: f.stem)
def test_a_row_holds_on_postgresql(file: Path, town: Town, postgres_url: str) -> None:
    """Every mail of the story comes to what the row says, and nothing else goes out."""
    row = load(file)
    with town.on(postgres_url, row["start"]) as house:
        play = Play(house)
        for number, step in enumerate(row["step"], 1):
            try:
                play.step(step)
            except AssertionError as error:
                raise AssertionError(f"step {number}, {step['tells']}: {error}") from error


def test_every_story_that_is_named_is_there() -> None:
    """None is left out by a slip."""
    assert set(SHOWN) <= {file.stem for file in row_files()}
