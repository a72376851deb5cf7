"""The power fails: the disk of the database is made again as it was at each of many moments, is
opened, and must hold every mail that had heard 250 by then.

The recorder under the gateway writes down every write, every flush and every 250 in their order;
the moments are chosen afterwards. kill -9 cannot show this: what a killed process has written is
there, flushed or not.
"""

import asyncio
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drills import ground, journal
from drills.ground import CUSTOMERS
from drills.journal import Disk, Event, Tail
from drills.process import daemon
from drills.sync_order import compiled, send_marked
from fakes_smarthost import Sink

MAILS_A_POINT = 4
FEWEST = 240  # so that the log is at least once copied into the database
TAILS = (Tail.DROPPED, Tail.TORN, Tail.TORN, Tail.WHOLE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of all moments that were looked at."""

    points: int
    flushes: int  # that there were
    accepted: int  # at the end
    lost: int  # mails that had heard 250, and were not whole
    half: int  # mails without their entry or without their receipt
    broken: int  # databases that did not open, or complained

    @property
    def clean(self) -> bool:
        """Whether every disk held what it had to."""
        return (
            self.points > 0 and self.accepted > 0 and not (self.lost or self.half or self.broken)
        )

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"{self.points:,} disks of {self.accepted:,} accepted mails and {self.flushes:,}"
            f" flushes, the rest of the log dropped, torn or whole: {self.lost:,} lost,"
            f" {self.half:,} in halves, {self.broken:,} databases broken"
        )


async def drill(
    folder: Path, points: int = 40, seed: int = 1, unsafe: str | None = None
) -> Outcome:
    """Mails, a kill, and then so many power cuts."""
    made = ground.build(folder, 50)
    first = (made.folder / "portiere.db").read_bytes()
    record = folder / "journal"
    environment = {"LD_PRELOAD": str(compiled(folder)), "DRILL_JOURNAL": str(record)}
    async with Sink(port=made.sink_port), daemon(made.config, environment) as held:
        await held.start(unsafe=unsafe)
        numbers = iter(range(max(FEWEST, points * MAILS_A_POINT)))
        await asyncio.gather(*(send_marked(made.smtp_port, numbers, 4) for _ in range(4)))
        await held.kill()
    return await asyncio.to_thread(judged, first, record, points, seed)


def judged(first: bytes, record: Path, points: int, seed: int) -> Outcome:
    """Walk through what happened; at each chosen moment look at the disk."""
    chance = random.Random(seed)
    kinds = [event.kind for event in journal.read(record)]
    wanted = _chosen(kinds, points, chance)
    disks = {"d": Disk(first), "l": Disk()}
    accepted: set[int] = set()
    counts = {"lost": 0, "half": 0, "broken": 0}
    place = Path(tempfile.mkdtemp(prefix="power-"))
    try:
        for number, event in enumerate(journal.read(record)):
            _happened(event, disks, accepted)
            if number in wanted:
                tail = chance.choice(TAILS)
                images = {name: disk.image(tail, chance) for name, disk in disks.items()}
                _looked(place, images, accepted, counts)
    finally:
        shutil.rmtree(place)
    return Outcome(len(wanted), kinds.count("S"), len(accepted), **counts)


def _chosen(kinds: list[str], points: int, chance: random.Random) -> set[int]:
    """Half of them right after a flush or a 250, half anywhere."""
    marked = [number for number, kind in enumerate(kinds) if kind in "SA"]
    chosen = set(chance.sample(marked, min(len(marked), points // 2)))
    rest = [number for number in range(len(kinds)) if number not in chosen]
    return chosen | set(chance.sample(rest, min(len(rest), points - len(chosen))))


def _happened(event: Event, disks: dict[str, Disk], accepted: set[int]) -> None:
    if event.kind == "A":
        accepted.add(event.at)
    else:
        disks[event.file].take(event)


def _looked(
    place: Path, images: dict[str, bytes], accepted: set[int], counts: dict[str, int]
) -> None:
    for leftover in place.iterdir():
        leftover.unlink()
    path = place / "portiere.db"
    path.write_bytes(images["d"])
    path.with_name("portiere.db-wal").write_bytes(images["l"])
    try:
        stored, half = _stored(path)
    except sqlite3.Error:
        counts["broken"] += 1
        return
    counts["half"] += half
    counts["lost"] += sum(f"<m{number}@{CUSTOMERS}>" not in stored for number in accepted)


def _stored(path: Path) -> tuple[set[str], int]:
    """The mails that are whole, and how many are not."""
    connection = sqlite3.connect(path)
    try:
        complaints = [line for (line,) in connection.execute("PRAGMA integrity_check")]
        if complaints != ["ok"] or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.DatabaseError(str(complaints))
        whole = {ident for ident, parts in _parts(connection) if parts == (1, 1)}
        every = connection.execute("SELECT count(*) FROM mails").fetchone()[0]
        return whole, every - len(whole)
    finally:
        connection.close()


def _parts(connection: sqlite3.Connection) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each mail with how many entries it has, and whether it has a receipt."""
    asked = (
        "SELECT m.message_id,"
        " (SELECT count(*) FROM entries e WHERE e.mail = m.mail AND e.by = 'customer'),"
        " EXISTS (SELECT 1 FROM outbox o WHERE o.mail = m.mail) FROM mails m"
    )
    for ident, entries, receipt in connection.execute(asked):
        yield str(ident), (int(entries), int(receipt))
