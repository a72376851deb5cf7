"""Two fronts and their office on one SQLite file, killed at random under senders that retry: all
that heard 250 is there, once; and the one port never stays silent for long.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.audit import Audit, audit
from drills.senders import Senders
from fakes_smarthost import Sink
from tests_support import ROOT

from gateway import control
from gateway.demo.world import World
from gateway.errors import BadInput

PARTS = ("office", "front 1", "front 2")
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    audit: Audit
    accepted: int
    kills: dict[str, int]
    slowest_back: float  # seconds until the killed part was there again
    status: int  # of the end by SIGTERM

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or refused, and an orderly end."""
        return self.audit.clean and self.status == 0

    @property
    def words(self) -> str:
        """One line for the table."""
        said = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        wrong = self.audit.words or "0 lost, 0 doubled"
        return (
            f"{sum(self.kills.values())} kills ({said}), {self.accepted} accepted: {wrong};"
            f" back after at most {self.slowest_back:.1f} s; exit status {self.status}"
        )


async def drill(
    folder: Path, kills: int = 12, unsafe: str | None = None, seed: int = 1
) -> Outcome:
    """Kill one part after the other at random moments."""
    made = ground.build(folder, 40)
    made.config.write_text("fronts = 2\n" + made.config.read_text())
    chance, at = random.Random(seed), Counter[str]()
    async with Sink(port=made.sink_port):
        process = await _started(made, unsafe)
        senders = Senders(lambda: made.smtp_port, 40, seed, pause=0.005)
        senders.start(6)
        slowest = 0.0
        for _ in range(kills):
            name = chance.choice(PARTS)
            pid = (await _processes(made))[name]
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            at[name] += 1
            begun = time.perf_counter()
            await _back(made, name, pid)
            slowest = max(slowest, time.perf_counter() - begun)
        await senders.finish()
        process.send_signal(signal.SIGTERM)
        status = await process.wait()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    looked = await asyncio.to_thread(audit, url, made.folder / "blobs", senders.heard)
    return Outcome(looked, len(senders.heard.accepted), dict(at), slowest, status)


async def _started(made: World, unsafe: str | None) -> asyncio.subprocess.Process:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with (made.folder / "log.jsonl").open("a") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("frontmain.py")),
            str(made.config),
            unsafe or "",
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": path},
        )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
    assert line.startswith(b"listening"), (made.folder / "log.jsonl").read_text()[-3000:]
    return process


async def _processes(made: World) -> dict[str, int]:
    """All three parts, once they are there."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        found = await asyncio.to_thread(_asked, made)
        if set(PARTS) <= set(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("a part does not come back")


async def _back(made: World, name: str, pid: int) -> None:
    """The control socket is asked again and again; each question takes its time."""
    found = await _processes(made)
    while found[name] == pid:
        found = await _processes(made)


def _asked(made: World) -> dict[str, int]:
    try:
        found: dict[str, int] = control.call(made.folder / "control.sock", "status")["processes"]
    except (BadInput, OSError, json.JSONDecodeError):
        return {}
    return found
