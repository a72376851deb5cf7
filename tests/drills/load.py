"""Ten thousand clients that say nothing, and fifty mails a second: how long a mail waits for its
250, and what it all takes of memory.

Mails come at their own pace, whether earlier ones were answered or not.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from drills import gauges, ground, idle
from drills.ground import CUSTOMERS
from drills.process import daemon
from drills.senders import Client, Post, compose, dotted
from fakes_smarthost import Faults, Sink

PEOPLE = 400
IDLE = 10_000
RATE = 50  # mails a second
LINES = 16  # connections over which they come
MEMORY = 300.0  # MB, the goal
PATIENCE = 1.0  # seconds; the goal of 50 ms is a figure, and no reason to be red
SLOW = 0.3  # seconds before each reply of the smarthost, in the control
MAILS_A_LINE = 90


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures."""

    idle: int
    alive: int
    wanted: int
    accepted: int
    half: float  # the median of what a dot waits for its 250, in seconds
    most: float  # the p99 of it
    whole: float  # the p99 from MAIL to 250, counted from the moment at which it should have begun
    memory: float

    @property
    def clean(self) -> bool:
        """Whether it was borne."""
        kept = self.alive == self.idle and self.accepted == self.wanted
        return kept and self.most < PATIENCE and self.memory < MEMORY

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"{self.idle:,} idle connections ({self.alive:,} of them to the end),"
            f" {self.accepted:,} of {self.wanted:,} mails at {RATE} a second accepted;"
            f" from the dot to 250: median {self.half * 1000:.0f} ms,"
            f" p99 {self.most * 1000:.0f} ms (goal 50);"
            f" from MAIL, with the wait for a free connection: p99 {self.whole * 1000:.0f} ms;"
            f" memory at most {self.memory:.0f} MB (goal 300)"
        )


async def drill(
    folder: Path, seconds: float = 10.0, count: int = IDLE, unsafe: str | None = None
) -> Outcome:
    """Idle clients first, then mail for so long."""
    count = min(count, idle.most())
    made = ground.build(folder, PEOPLE)
    room = f"[limits]\nconnections = {int(count * 1.5) + 100}\n\n[paths]"
    ground.configure(made, ("[paths]", room))
    async with Sink(port=made.sink_port) as sink, daemon(made.config) as held:
        if unsafe:
            sink.faults = Faults(latency=SLOW)
        await held.start(unsafe=unsafe)
        crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("idle.py")),
            str(made.smtp_port),
            str(count),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            opened = await _number(crowd)
            paced = _Paced(made.smtp_port)
            await paced.run(int(seconds * RATE))
            assert crowd.stdin is not None
            crowd.stdin.write(b"\n")
            alive = await _number(crowd)
            memory = gauges.peak(held.pid)
        finally:
            if crowd.returncode is None:
                crowd.terminate()
            await crowd.wait()
        await held.stop()
    assert opened == count, f"only {opened} of {count} could be opened"
    return Outcome(
        opened,
        alive,
        int(seconds * RATE),
        paced.accepted,
        gauges.share(paced.dots, 0.5),
        gauges.share(paced.dots, 0.99),
        gauges.share(paced.wholes, 0.99),
        memory,
    )


async def _number(crowd: asyncio.subprocess.Process) -> int:
    assert crowd.stdout is not None
    line = await asyncio.wait_for(crowd.stdout.readline(), 300)
    return int(line.split()[1])


class _Paced:
    """Mails at fixed moments, over lines that are free."""

    def __init__(self, port: int) -> None:
        self.accepted = 0
        self.dots: list[float] = []
        self.wholes: list[float] = []
        self._port = port
        self._free: asyncio.Queue[tuple[Client, int]] = asyncio.Queue()

    async def run(self, count: int) -> None:
        for _ in range(LINES):
            self._free.put_nowait((await Client.open(self._port, CUSTOMERS), 0))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        tasks = []
        for number in range(count):
            at = begun + number / RATE
            await asyncio.sleep(max(0.0, at - loop.time()))
            post = compose(f"load{number}", "open", number % PEOPLE)
            tasks.append(asyncio.create_task(self._mail(post, at)))
        await asyncio.gather(*tasks)

    async def _mail(self, post: Post, at: float) -> None:
        loop = asyncio.get_running_loop()
        client, used = await self._free.get()
        try:
            if await client.begin(post.author) != 354:
                return
            begun = loop.time()
            client.writer.write(dotted(post.raw))
            code, _ = await client.reply()
            self.dots.append(loop.time() - begun)
            self.wholes.append(loop.time() - at)
            self.accepted += code == 250
        finally:
            if used + 1 >= MAILS_A_LINE or client.writer.is_closing():
                client.close()
                client, used = await Client.open(self._port, CUSTOMERS), -1
            self._free.put_nowait((client, used + 1))
