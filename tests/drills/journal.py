"""What reached the disk of a database, write by write, as the recorder saw it; from it the disk is
made again as a power cut at any moment would leave it.

What was flushed is there. What was written since may be there, or not, or in part, in any order:
a disk promises nothing about it but the whole of a sector.
"""

import mmap
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

HEAD = struct.Struct("<ccQI")
SECTOR = 512


class Tail(StrEnum):
    """What is left of the bytes that were written and not flushed."""

    DROPPED = "dropped"
    TORN = "torn"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal. `kind` is W, T, B, S or A; `file` d, l or -."""

    kind: str
    file: str
    at: int
    data: bytes


def read(path: Path) -> Iterator[Event]:
    """The journal, in its order."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        place = 0
        while place + HEAD.size <= len(whole):
            kind, name, at, size = HEAD.unpack_from(whole, place)
            place += HEAD.size
            yield Event(kind.decode(), name.decode(), at, whole[place : place + size])
            place += size


class Disk:
    """One file."""

    def __init__(self, content: bytes = b"") -> None:
        """All of `content` is flushed."""
        self._sure = bytearray(content)
        self._loose: list[Event] = []
        self._flushing: list[int] = []  # how much of what is loose each flush under way covers

    def take(self, event: Event) -> None:
        """The next thing that happened to this file."""
        if event.kind in "WT":
            self._loose.append(event)
        elif event.kind == "B":
            self._flushing.append(len(self._loose))
        elif event.kind == "S":
            self._flushed(self._flushing.pop(0))

    def _flushed(self, count: int) -> None:
        for event in self._loose[:count]:
            _apply(self._sure, event)
        del self._loose[:count]
        self._flushing = [max(0, each - count) for each in self._flushing]

    def image(self, tail: Tail, chance: random.Random) -> bytes:
        """What stands on the disk after a power cut now."""
        if tail is Tail.DROPPED or not self._loose:
            return bytes(self._sure)
        found = bytearray(self._sure)
        for event in self._loose:
            if tail is Tail.WHOLE:
                _apply(found, event)
            elif event.kind == "W":
                _apply_some(found, event, chance)
            elif chance.random() < 0.5:
                _apply(found, event)
        return bytes(found)


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "T":
        del content[event.at :]
        content.extend(bytes(event.at - len(content)))
        return
    end = event.at + len(event.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[event.at : end] = event.data


def _apply_some(content: bytearray, event: Event, chance: random.Random) -> None:
    """Each sector of the write by itself: it arrived or it did not."""
    place, end = event.at, event.at + len(event.data)
    share = chance.random()
    while place < end:
        stop = min(end, (place // SECTOR + 1) * SECTOR)
        if chance.random() < share:
            piece = event.data[place - event.at : stop - event.at]
            _apply(content, Event("W", event.file, place, piece))
        place = stop
