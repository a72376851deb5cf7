"""Clients that misbehave, one kind after the other, while a good sender goes on: each of them is
cut by its rule, nothing of them stays, and the good one is served.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from drills import gauges, ground
from drills.attackers import ATTACKS
from drills.audit import Audit, audit
from drills.process import daemon, until
from drills.senders import Senders
from fakes_smarthost import Sink

PEOPLE = 50
SPARE = 8  # descriptors of pools that grow
ENOUGH = 20  # mails for a p99
PATIENCE = 4.0  # seconds: the limits of this drill, which are minutes as they are shipped
LIMITS = {
    "message_bytes": 1_000_000,
    "command_seconds": PATIENCE,
    "data_grace_seconds": 2.0,
    "data_seconds": 20.0,
    "connections_per_address": 20,
}
UNLIMITED = {
    "message_bytes": 1_000_000,
    "command_seconds": 10_000.0,
    "data_grace_seconds": 10_000.0,
    "data_seconds": 100_000.0,
    "connections_per_address": 10_000,
    "connections": 10_000,
    "other_commands": 10_000_000,
    "errors": 10_000_000,
    "error_delay_seconds": 0.0,
}
# The codes with which each may end (0: cut without a word), and how long it may take.
RULES: dict[str, tuple[set[int], float]] = {
    "no-ops": ({421}, 20.0),
    "no commands": ({421}, 30.0),
    "endless line": ({500}, 10.0),
    "silent": ({421}, 20.0),
    "1 B/s": ({421}, 20.0),
    "never reads": ({0}, 40.0),
    "endless mail": ({552}, 30.0),
    "half-closed": ({250}, 20.0),
    "resets": ({0}, 20.0),
    "1,000 of one address": ({220, 421}, 20.0),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How each ended, and how the good sender fared meanwhile."""

    ended: dict[str, dict[int, int]]
    slow: tuple[str, ...]  # kinds that were not cut in time
    p99: dict[str, float]  # of the good sender, where it sent enough meanwhile
    whole: float  # its p99 over all of it
    left: int  # descriptors more than before
    memory: float
    audit: Audit

    @property
    def wrong(self) -> list[str]:
        """Kinds that were not cut by their rule."""
        found = [name for name, codes in self.ended.items() if not set(codes) <= RULES[name][0]]
        let_in = self.ended["1,000 of one address"].get(220, 0)
        crowd = ["let in"] if let_in > LIMITS["connections_per_address"] else []
        return [*found, *crowd, *self.slow]

    @property
    def clean(self) -> bool:
        """Whether all were cut, nothing stayed, and the good sender lost nothing."""
        return not self.wrong and self.left <= SPARE and self.audit.clean

    @property
    def words(self) -> str:
        """One line for the table."""
        ended = "; ".join(f"{name}: {_said(codes)}" for name, codes in self.ended.items())
        wrong = f"; wrong: {', '.join(self.wrong)}" if self.wrong else ""
        return (
            f"{ended}; good sender's p99 {self.whole * 1000:.0f} ms, at worst"
            f" {max(self.p99.values(), default=0.0) * 1000:.0f} ms (goal 100);"
            f" {max(0, self.left)} descriptors left over, memory at most {self.memory:.0f} MB,"
            f" good sender: {self.audit.words or 'nothing lost'}{wrong}"
        )


def _said(codes: dict[int, int]) -> str:
    return ", ".join(f"{count} times {code or 'cut'}" for code, count in codes.items())


async def drill(folder: Path, unsafe: str | None = None) -> Outcome:
    """One kind after the other."""
    made = ground.build(folder, PEOPLE)
    limits = UNLIMITED if unsafe == "no-limits" else LIMITS
    lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
    ground.configure(made, ("[paths]", f"[limits]\n{lines}\n[paths]"))
    kinds = ["1,000 of one address", "silent"] if unsafe else list(ATTACKS)
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start()
        attackers = await _attackers(made.smtp_port)
        senders = Senders(lambda: made.smtp_port, PEOPLE, 11, pause=0.1)
        heard = senders.heard
        senders.start(2)
        await until(lambda: len(heard.accepted) > 10)
        before = gauges.descriptors(held.pid)
        ended: dict[str, dict[int, int]] = {name: {} for name in ATTACKS}
        slow, p99, every = [], dict[str, float](), list[float]()
        try:
            for name in kinds:
                heard.seconds.clear()
                codes, seconds = await _attack(attackers, name, unsafe)
                ended[name], every = codes, [*every, *heard.seconds]
                if len(heard.seconds) >= ENOUGH:
                    p99[name] = heard.slowest()
                slow += [f"{name} after {seconds:.0f} s"] if seconds > RULES[name][1] else []
            await senders.finish()
            await until(lambda: gauges.descriptors(held.pid) <= before, 10)
            left, memory = gauges.descriptors(held.pid) - before, gauges.peak(held.pid)
            await held.stop()
        finally:
            await senders.cancel()
            with contextlib.suppress(ProcessLookupError):
                attackers.kill()
            await attackers.wait()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    for number in range(ended["half-closed"].get(250, 0)):  # these count as sent, too
        heard.tried[f"<half{number}@estranei.example>"] = next(iter(heard.tried.values()))
    looked = await asyncio.to_thread(audit, url, made.folder / "blobs", heard)
    return Outcome(ended, tuple(slow), p99, gauges.share(every, 0.99), left, memory, looked)


async def _attackers(port: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("attackers.py")),
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _attack(
    attackers: asyncio.subprocess.Process, name: str, unsafe: str | None
) -> tuple[dict[int, int], float]:
    """How it ended; one that is not cut at all ends with the drill's patience."""
    assert attackers.stdin is not None
    assert attackers.stdout is not None
    attackers.stdin.write(f"{name}\n".encode())
    patience = 15.0 if unsafe else 120.0
    try:
        line = await asyncio.wait_for(attackers.stdout.readline(), patience)
    except TimeoutError:
        return {}, patience * 10
    said = json.loads(line)
    return {int(code): n for code, n in said["codes"].items()}, float(said["seconds"])
