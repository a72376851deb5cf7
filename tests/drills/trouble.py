"""Trouble while mail comes in: the disk is full, the database is locked. Only 4xx may be said,
what was accepted is stored, and all is well again without a restart.
"""

import asyncio
import resource
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.audit import Audit, audit
from drills.clock import Clock
from drills.process import Daemon, daemon, until
from drills.senders import Senders
from fakes_smarthost import Sink

from gateway.demo.world import World

PEOPLE = 100
SENDERS = 6
LOG_PADDING = 48 << 20  # the log is longer than the limit: its lines cannot be written either


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said before, during and after, and what is stored."""

    before: int
    during: Counter[int]
    after: int
    slowest: float  # answer during the trouble
    audit: Audit
    restarted: bool
    waiting: int  # in the outbox, at the end

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        worked = self.before > 0 and self.after > 0
        return worked and self.audit.clean and not self.restarted and not self.waiting

    @property
    def words(self) -> str:
        """One line for the table."""
        during = ", ".join(f"{count} times {code or 'cut'}" for code, count in self.during.items())
        return (
            f"{self.before} accepted before, then {during or 'silence'} (slowest answer"
            f" {self.slowest:.1f} s), {self.after} after; {self.audit.words or 'nothing lost'},"
            f" {self.waiting} left in the outbox"
            + (", and it did not live on" if self.restarted else "")
        )


Trouble = Callable[[World, Daemon], AbstractAsyncContextManager[None]]


async def drill(
    folder: Path, trouble: Trouble, seconds: float, unsafe: str | None = None
) -> Outcome:
    """Mail before, during `seconds` of trouble, and after it."""
    made = ground.build(folder, PEOPLE)
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start(unsafe=unsafe, hurry=True)
        senders = Senders(lambda: made.smtp_port, PEOPLE, 7, pause=0.02)
        heard = senders.heard
        senders.start(SENDERS)
        try:
            await _accepted(senders, 40)
            async with trouble(made, held):
                await asyncio.sleep(0.2)  # what was answered at the same moment
                codes = heard.codes.copy()
                before = len(heard.accepted)
                heard.seconds.clear()
                await asyncio.sleep(seconds)
                during = heard.codes - codes
                slowest = heard.slowest(1.0)
            more = await _accepted(senders, len(heard.accepted) + 40)
            await senders.finish()
            waiting = await emptied(made.folder)
            lived = bool(held.pid) and await held.stop() == 0
        finally:
            await senders.cancel()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    looked = await asyncio.to_thread(audit, url, made.folder / "blobs", heard)
    after = more - before - during[250]
    return Outcome(before, during, after, slowest, looked, not lived, waiting)


async def _accepted(senders: Senders, count: int) -> int:
    """How many are accepted, once there are so many, or after a while."""
    heard = senders.heard
    await until(lambda: len(heard.accepted) + len(heard.refused) >= count)
    return len(heard.accepted)


async def emptied(folder: Path, seconds: float = 30.0, clock: Clock | None = None) -> int:
    """How many rows wait in the outbox, once none does or after a while.

    `clock`: the gateway's, where it has one of its own.
    """
    path = folder / "portiere.db"
    left = -1
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while left:
                left = await asyncio.to_thread(_waiting, path, clock)
                await asyncio.sleep(0.1)
    return left


def _waiting(path: Path, clock: Clock | None) -> int:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        now = clock.now.timestamp() if clock else time.time()
        soon = (now + 60) * 1e6  # a notice may wait for the next one
        asked = "SELECT count(*) FROM outbox WHERE state = 'due' AND due < ?"
        return int(connection.execute(asked, (soon,)).fetchone()[0])
    finally:
        connection.close()


# ---- the troubles


@asynccontextmanager
async def no_file_grows(made: World, held: Daemon) -> AsyncIterator[None]:
    """RLIMIT_FSIZE: a write beyond what the log of the database has now fails (EFBIG)."""
    size = (made.folder / "portiere.db-wal").stat().st_size
    _, hard = resource.prlimit(held.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(held.pid, resource.RLIMIT_FSIZE, (size + 4096, hard))
    try:
        yield
    finally:
        resource.prlimit(held.pid, resource.RLIMIT_FSIZE, (hard, hard))


@asynccontextmanager
async def nothing_can_be_logged(made: World, held: Daemon) -> AsyncIterator[None]:
    """The same where the log file, too, is at its end."""
    with (made.folder / "log.jsonl").open("a") as log:
        log.truncate(LOG_PADDING)
    async with no_file_grows(made, held):
        yield


@asynccontextmanager
async def no_space(made: World, _held: Daemon) -> AsyncIterator[None]:
    """ENOSPC: a ballast file takes all that is left; for a world on a small file system."""
    ballast = made.folder / "ballast"

    def fill() -> None:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)

    await asyncio.to_thread(fill)
    try:
        yield
    finally:
        ballast.unlink()


@asynccontextmanager
async def locked(made: World, _held: Daemon) -> AsyncIterator[None]:
    """Another process holds the database's write lock."""
    other = sqlite3.connect(
        made.folder / "portiere.db", isolation_level=None, timeout=10, check_same_thread=False
    )
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def small_disk(folder: Path, megabytes: int = 160) -> bool:
    """Mount a tmpfs there; False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
