"""The disk that is made again from a journal."""

import random
from pathlib import Path

from drills import journal
from drills.journal import HEAD, Disk, Event, Tail


def write(at: int, data: bytes) -> Event:
    """A write of these bytes."""
    return Event("W", "l", at, data)


BEGUN, DONE = Event("B", "l", 0, b""), Event("S", "l", 0, b"")


def test_what_was_flushed_is_there_and_the_rest_may_be_dropped() -> None:
    """A write after the flush is loose."""
    disk = Disk(b"abcd")
    for event in (write(4, b"efgh"), BEGUN, DONE, write(0, b"XX")):
        disk.take(event)
    chance = random.Random(1)
    assert disk.image(Tail.DROPPED, chance) == b"abcdefgh"
    assert disk.image(Tail.WHOLE, chance) == b"XXcdefgh"


def test_a_write_during_a_flush_is_not_covered_by_it() -> None:
    """It began before the bytes were there."""
    disk = Disk()
    for event in (write(0, b"1"), BEGUN, write(1, b"2"), DONE):
        disk.take(event)
    assert disk.image(Tail.DROPPED, random.Random(1)) == b"1"


def test_a_cut_file_is_shorter_once_the_cut_is_flushed() -> None:
    """A truncation is loose until then, like a write."""
    disk = Disk(b"abcdef")
    disk.take(Event("T", "l", 2, b""))
    assert disk.image(Tail.DROPPED, random.Random(1)) == b"abcdef"
    disk.take(BEGUN)
    disk.take(DONE)
    assert disk.image(Tail.DROPPED, random.Random(1)) == b"ab"


def test_a_torn_tail_tears_between_sectors() -> None:
    """Each sector is old or new, and never half of each."""
    disk = Disk(bytes(4096))
    disk.take(write(100, b"x" * 3900))
    seen = set()
    for seed in range(30):
        image = disk.image(Tail.TORN, random.Random(seed))
        sectors = [image[at : at + 512] for at in range(512, 3584, 512)]
        assert all(sector in (bytes(512), b"x" * 512) for sector in sectors)
        seen.add(image)
    assert len(seen) > 5


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Kind, file, place and bytes; a last entry that was cut off is left out."""
    path = tmp_path / "journal"
    path.write_bytes(HEAD.pack(b"W", b"d", 7, 3) + b"abc" + HEAD.pack(b"A", b"-", 12, 0) + b"W")
    assert list(journal.read(path)) == [Event("W", "d", 7, b"abc"), Event("A", "-", 12, b"")]
