"""PostgreSQL killed with -9 and started again, or standing still, while mails come in: 451 within
ten seconds, nothing lost, and well again without a restart of the gateway.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drills import gateways, ground
from drills.audit import Audit, audit, sent
from drills.process import daemon, until
from drills.senders import Senders
from fakes_smarthost import Sink
from sqlalchemy import make_url

PEOPLE = 60
BUDGET = 10.0  # seconds until 451


class Server:
    """The processes of a PostgreSQL server of our own."""

    def __init__(self, url: str) -> None:
        """`url` is that of `gateways.postgres`: its socket lies in its data."""
        self.url = url
        self.data = Path(str(make_url(url).query["host"]))
        first, *options = shlex.split((self.data / "postmaster.opts").read_text())
        self._command = [
            str(Path(first).with_name("pg_ctl")), "-D", str(self.data), "-w", "-t", "60",
            "-l", str(self.data / "log-of-the-drill"), "-o", shlex.join(options), "start",
        ]  # fmt: skip

    def kill(self) -> None:
        """-9 to all of them: nothing is flushed, nothing is said."""
        self._signal(signal.SIGKILL)

    def start(self) -> None:
        """Again, as it was; returns when it answers."""
        owner = self.data.stat().st_uid
        subprocess.run(self._command, check=True, capture_output=True, user=owner, cwd=self.data)

    def pause(self) -> None:
        """It stands still: connections stay, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """As if nothing had been."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _pids(self) -> Iterator[int]:
        """The postmaster first, so that it starts no other one."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        yield first
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) == first:
                    yield int(stat.parent.name)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said before, during and after, and what is stored."""

    before: int
    during: Counter[int]
    after: int
    slowest: float  # answer during the trouble
    audit: Audit
    lived: bool
    waiting: int  # in the outbox, at the end

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        worked = self.before > 0 and self.after > 0 and self.during[451] > 0
        kept = self.audit.clean and not self.waiting and not self.during[250]
        return worked and kept and self.lived and self.slowest <= BUDGET

    @property
    def words(self) -> str:
        """One line for the table."""
        during = ", ".join(f"{count} times {code or 'cut'}" for code, count in self.during.items())
        return (
            f"{self.before} accepted before, then {during or 'silence'} (slowest answer"
            f" {self.slowest:.1f} s), {self.after} after; {self.audit.words or 'nothing lost'},"
            f" {self.waiting} left in the outbox"
            + ("" if self.lived else ", and it did not live on")
        )


Trouble = tuple[Callable[[Server], None], Callable[[Server], None]]
KILLED: Trouble = (Server.kill, Server.start)
PAUSED: Trouble = (Server.pause, Server.resume)


async def drill(
    folder: Path, url: str, trouble: Trouble, seconds: float, unsafe: str | None = None
) -> Outcome:
    """Mail before, during `seconds` of trouble, and after it."""
    server = Server(url)
    made = ground.build(folder, PEOPLE)
    ground.load(made, url)
    world = gateways.one_more(made, url, 0)
    senders = Senders(lambda: world.smtp_port, PEOPLE, 7, pause=0.02)
    heard = senders.heard
    async with Sink(port=made.sink_port), daemon(world.config) as held:
        await held.start(unsafe=unsafe, hurry=True)
        senders.start(6)
        try:
            await until(lambda: len(heard.accepted) >= 40)
            trouble[0](server)
            await asyncio.sleep(0.3)  # what was answered at the same moment
            codes, before = heard.codes.copy(), len(heard.accepted)
            heard.seconds.clear()
            await asyncio.sleep(seconds)
            during, slowest = heard.codes - codes, heard.slowest(1.0)
            await asyncio.to_thread(trouble[1], server)
            wanted = len(heard.accepted) + 40
            await until(lambda: len(heard.accepted) + len(heard.refused) >= wanted, 60.0)
            after = len(heard.accepted) - before
            await senders.finish()
            await gateways.emptied(url)
            lived = bool(held.pid) and await held.stop() == 0
        finally:
            trouble[1](server) if trouble is PAUSED else None
            await senders.cancel()
    looked = await asyncio.to_thread(audit, url, made.folder / "blobs", heard)
    waiting = (await asyncio.to_thread(sent, url, ())).waiting
    return Outcome(before, during, after, slowest, looked, lived, waiting)
