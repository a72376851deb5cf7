"""A gateway as a drill holds it: started, killed, asked to stop, started again."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from tests_support import ROOT

READY_SECONDS = 60.0


class Daemon:
    """One process that forks gateways, one at a time."""

    def __init__(self, config: Path, environment: Mapping[str, str] | None = None) -> None:
        """Use `daemon`, which ends it."""
        self.config = config
        self.pid = 0
        self.ready_seconds: list[float] = []
        self.statuses: list[int] = []
        self._environment = environment or {}
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def log(self) -> str:
        """All that it has logged."""
        return (self.config.parent / "log.jsonl").read_text()

    async def load(self) -> None:
        """Start the process that forks."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        with (self.config.parent / "log.jsonl").open("a") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(Path(__file__).with_name("daemon.py")),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path, **self._environment},
            )
        self._reading = asyncio.create_task(self._read())
        await self._until("loaded")

    async def start(
        self,
        *,
        point: str | None = None,
        after: int = 1,
        unsafe: str | None = None,
        hurry: bool = False,
        ticks: float | None = None,
    ) -> None:
        """A gateway; returns when it listens, or when it has killed itself before that.

        `hurry`: leases and retries of the outbox in seconds, not in minutes. `ticks`: periodic
        jobs look so often whether they are due, in seconds.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        order = {
            "config": str(self.config),
            "point": point,
            "after": after,
            "unsafe": unsafe,
            "hurry": hurry,
            "ticks": ticks,
        }
        begun = time.perf_counter()
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self.pid = int((await self._until("forked")).split()[1])
        line = await self._until("listening", "ended")
        if line.startswith("ended"):
            self._ended(line)
        else:
            self.ready_seconds.append(time.perf_counter() - begun)

    def signal(self, number: int) -> None:
        """Send it a signal; a gateway that has ended already is let be."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, seconds: float = 120.0) -> int:
        """Its exit status, once it has ended; negative for a signal."""
        if self.pid:
            self._ended(await asyncio.wait_for(self._until("ended"), seconds))
        return self.statuses[-1]

    async def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM, and its status."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def close(self) -> None:
        """End everything that was started."""
        if self._process is None:
            return
        self.signal(signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        if self._reading is not None:
            await self._reading
        self._process._transport.close()  # type: ignore[attr-defined]  # nothing else closes it

    def _ended(self, line: str) -> None:
        self.pid = 0
        self.statuses.append(int(line.split()[1]))

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._lines.put_nowait(line.decode().strip())
        self._lines.put_nowait("closed")

    async def _until(self, *words: str) -> str:
        while True:
            line = await asyncio.wait_for(self._lines.get(), READY_SECONDS * 2)
            if line.startswith(words):
                return line
            assert line != "closed", f"the gateway's process ended:\n{self.log[-4000:]}"


@contextlib.asynccontextmanager
async def daemon(
    config: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Daemon]:
    """A process ready to fork gateways, ended with the block."""
    held = Daemon(config, environment)
    try:
        await held.load()
        yield held
    finally:
        await held.close()


async def until(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it came true in time."""
    for _ in range(int(seconds / 0.05)):
        if what():
            return True
        await asyncio.sleep(0.05)
    return what()
