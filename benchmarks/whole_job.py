"""The whole job over SMTP: signed mails into the real daemon, every check on, every byte synced.

    python benchmarks/whole_job.py [--peers] [--rounds N] [MAILS]

Half of the mails answer an earlier one, of 400 customers. Prints the rates for ten clients, the
time of one client, the CPU of each stage of a mail, and memory. With `--peers`, Postfix takes the
same mails in turn, in the same run, where it is installed (it only stores them).
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bench_gateway
import traffic
from bench_gateway import Load
from peers import postfix

from gateway import log
from gateway.config import parse, resolve
from gateway.core.model import Envelope, Listener
from gateway.core.read import language
from gateway.demo.run import free_port
from gateway.house import Rooms
from gateway.pipeline import Pipeline
from gateway.store import accounts
from gateway.store.writer import Writer

MAILS, WARM, ALONE, STAGED = 1_500, 100, 200, 400
CLIENTS = 10
STAGES = ("authenticate", "read", "find", "decide", "commit")


@dataclass
class Figures:
    """What came of a run."""

    ours: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    theirs: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    alone: Load | None = None
    stages: dict[str, float] = field(default_factory=dict)  # microseconds of CPU a mail
    queued: float = 0.0  # the daemon's, under load, until a mail is committed and answered
    their_cpu: float = 0.0  # the same of Postfix
    loop_us: float = 0.0  # of a fixed loop of Python, by which machines are compared
    start_mb: float = 0.0
    most_mb: float = 0.0
    ready_seconds: float = 0.0

    def ratio(self, per_connection: int) -> float | None:
        """Our median rate by theirs."""
        if not self.theirs[per_connection]:
            return None
        return _median(self.ours[per_connection]) / _median(self.theirs[per_connection])


def _median(loads: list[Load]) -> float:
    return statistics.median(one.rate for one in loads)


def measure(count: int = MAILS, rounds: int = 3, peers: bool = False) -> Figures:
    """Everything, in one run."""
    found = Figures(loop_us=calibrate())
    found.stages = stages()
    found.stages["receive"] = found.stages["deliver"] = 0.0
    with_peer = peers and postfix.installed()
    for number in range(rounds):
        for per_connection in (1, 10):
            live = number == 0 and per_connection == 1
            _ours(found, count, per_connection, live=live)
            if with_peer:
                _theirs(found, count, per_connection)
    return found


def _ours(found: Figures, count: int, per_connection: int, *, live: bool) -> None:
    """A round; replies stay queued as Postfix's mails stay on hold, but for one round with all."""
    folder = Path(tempfile.mkdtemp(prefix="whole-"))
    with bench_gateway.running(folder / "queued", "observe") as (gateway, keys):
        warm, mails = _mails(folder, keys, count)
        found.start_mb, found.ready_seconds = gateway.memory(), gateway.ready_seconds
        bench_gateway.blast(gateway.port, warm, 4, 10)
        if live:
            found.alone = bench_gateway.blast(gateway.port, _split(mails, ALONE), 1, 10)
        before = gateway.cpu()
        load = bench_gateway.blast(gateway.port, mails, CLIENTS, per_connection)
        spent = (gateway.cpu() - before) / max(load.mails, 1) * 1e6
        found.ours[per_connection].append(load)
        found.most_mb = max(found.most_mb, gateway.memory("VmHWM"))
    if live:
        known = sum(found.stages[name] for name in STAGES)
        # Commits in groups cost less than those one by one: then nothing is left for the receiver.
        found.queued, found.stages["receive"] = spent, max(0.0, spent - known)
        found.stages["deliver"] = max(0.0, _delivered(folder, count) - spent)
    shutil.rmtree(folder, ignore_errors=True)


def _delivered(folder: Path, count: int) -> float:
    """CPU a mail when replies go out too."""
    with bench_gateway.running(folder / "live") as (gateway, keys):
        (folder / "again").mkdir()
        warm, mails = _mails(folder / "again", keys, count)
        bench_gateway.blast(gateway.port, warm, 4, 10)
        gateway.settle()
        before = gateway.cpu()
        load = bench_gateway.blast(gateway.port, mails, CLIENTS, 1)
        gateway.settle()
        return (gateway.cpu() - before) / max(load.mails, 1) * 1e6


def _theirs(found: Figures, count: int, per_connection: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="whole-"))
    keys = traffic.lay_out(folder, traffic.Ports(1, 2, 3))
    warm, mails = _mails(folder, keys, count)
    port = free_port()
    with postfix.running(port) as master:
        bench_gateway.blast(port, warm, 4, 10)
        before = postfix.cpu(master)
        load = bench_gateway.blast(port, mails, CLIENTS, per_connection)
        if per_connection == 1:
            found.their_cpu = (postfix.cpu(master) - before) / max(load.mails, 1) * 1e6
        found.theirs[per_connection].append(load)
    shutil.rmtree(folder, ignore_errors=True)


def _mails(folder: Path, keys: traffic.Keys, count: int) -> tuple[Path, Path]:
    """The mails in two folders: some to warm up, and the others."""
    mails = traffic.write(folder, keys, count + WARM + ALONE)
    return _split(mails, WARM), mails


def _split(mails: Path, count: int) -> Path:
    place = mails.with_name(f"{mails.name}-{count}")
    place.mkdir()
    for one in sorted(mails.iterdir())[:count]:
        one.rename(place / one.name)
    return place


def calibrate() -> float:
    """Microseconds of CPU for a fixed piece of Python: the best of ten."""

    def once() -> float:
        began = time.process_time()
        for _ in range(20):
            table = {str(n): n * n for n in range(1_000)}
            sum(table.values())
        return (time.process_time() - began) / 20 * 1e6

    return min(once() for _ in range(10))


# ---- the stages, one mail after the other, in this process


class Watched(Pipeline):
    """A pipeline whose stages are timed by the CPU of the whole process."""

    spent: dict[str, float]

    async def head(self, *given: Any) -> Any:
        """The gate counts as reading."""
        return await self._watched("read", super().head(*given))

    async def _read(self, *given: Any) -> Any:
        return await self._watched("read", super()._read(*given))

    def _decided(self, *given: Any) -> Any:
        began = time.process_time()
        try:
            return super()._decided(*given)
        finally:
            self.spent["decide"] += time.process_time() - began

    async def _watched(self, stage: str, work: Any) -> Any:
        began = time.process_time()
        try:
            return await work
        finally:
            self.spent[stage] += time.process_time() - began


def _timed(watched: Watched, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*given: Any) -> Any:
        return await watched._watched(stage, work(*given))

    return run


class _Timed:
    """An authenticator that is timed."""

    def __init__(self, evidence: Callable[..., Any]) -> None:
        self.evidence = evidence


def stages(count: int = STAGED) -> dict[str, float]:
    """Microseconds of CPU a mail and stage, of one client, nothing beside it."""
    folder = Path(tempfile.mkdtemp(prefix="stages-"))
    keys = traffic.lay_out(folder, traffic.Ports(2525, 2526, 2527))
    rooms = Rooms.open(resolve(parse((folder / "portiere.toml").read_text(), "toml"), folder))
    language.warm()
    log.configure("error", "json", "domain")
    house = rooms.house()
    watched = Watched(house)
    watched.spent = defaultdict(float)
    with Writer(rooms.store) as writer:
        read = accounts.load_file(folder / "accounts.jsonl")
        writer.run(lambda link: accounts.apply(link, read, datetime.now(UTC))).result()

        async def committed(effects: Any) -> Any:
            return await asyncio.wrap_future(writer.commit(effects))

        evidence = _timed(watched, "authenticate", house.authenticator.evidence)
        timed: dict[str, Any] = {
            "authenticator": _Timed(evidence),
            "find": _timed(watched, "find", house.find),
        }
        for name, value in timed.items():
            object.__setattr__(house, name, value)
        commit = _timed(watched, "commit", committed)
        asyncio.run(_handled(watched, keys, count, commit))
    rooms.close()
    shutil.rmtree(folder, ignore_errors=True)
    return {stage: watched.spent[stage] / count * 1e6 for stage in STAGES}


async def _handled(
    watched: Watched, keys: traffic.Keys, count: int, commit: Callable[..., Any]
) -> None:
    for number, (sender, raw) in enumerate(traffic.mails(keys, count + 50)):
        if number == 50:
            watched.spent.clear()
        envelope = Envelope(
            client_ip="127.0.0.1",
            helo=f"mx.{sender.partition('@')[2]}",
            mail_from=sender,
            recipients=(traffic.SUPPORT,),
            listener=Listener.EDGE,
            received_at=datetime.now(UTC),
            session=str(number),
            smtputf8=False,
        )
        answer = await watched.handle(envelope, raw, commit)
        assert answer.code == 250, answer


# ---- the page


def show(found: Figures) -> None:
    """Print it."""
    for per_connection, loads in found.ours.items():
        print(f"{CLIENTS} clients, {per_connection} mail(s) a connection, mails/s:")
        print(f"  portiere  {_spread(loads)}")
        if theirs := found.theirs[per_connection]:
            ratio = found.ratio(per_connection)
            print(f"  Postfix   {_spread(theirs)}   ratio {ratio:.2f}")
    if found.alone:
        one = found.alone
        print(f"one client: {one.median_ms:.1f} ms median, {one.p99_ms:.1f} ms p99 of a mail")
    print(f"CPU a mail, us (fixed loop {found.loop_us:.0f} us; Postfix {found.their_cpu:.0f}):")
    total = sum(found.stages.values())
    for stage in ("receive", *STAGES, "deliver"):
        print(f"  {stage:<13} {found.stages[stage]:7.0f}  {found.stages[stage] / total:5.0%}")
    print(f"  {'all':<13} {total:7.0f}  (under load, until committed: {found.queued:.0f})")
    print(f"memory: {found.start_mb:.0f} MB at start, at most {found.most_mb:.0f} MB under load")
    print(f"start to ready: {found.ready_seconds:.2f} s")


def _spread(loads: list[Load]) -> str:
    rates = sorted(one.rate for one in loads)
    errors = sum(one.errors for one in loads)
    told = f"  {errors} errors" if errors else ""
    return f"{rates[0]:7.0f} {statistics.median(rates):7.0f} {rates[-1]:7.0f}{told}"


def main() -> int:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("mails", nargs="?", type=int, default=MAILS)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--peers", action="store_true")
    given = words.parse_args()
    show(measure(given.mails, given.rounds, given.peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
