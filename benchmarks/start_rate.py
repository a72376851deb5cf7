"""From the command to `listening …`, again after kill -9, and `portiere explain` of one mail.

    python benchmarks/start_rate.py [rounds]

Prints medians of wall time and CPU. Goals: 1.5 s to ready, again within 1.5 s after a kill (a
process that has the program loaded: 1 s, by the crash drill), 1.0 s for `explain`.
"""

import compileall
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import gateway
from gateway.demo import run
from gateway.demo.scenes import SCENES
from gateway.demo.send import compose
from gateway.demo.world import World

Took = tuple[float, float]  # seconds of wall time, of CPU


def ready(world: World) -> Took:
    """Start the daemon, read its first line, kill it: every round but the first is a recovery."""
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(world.config)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took, spent = time.perf_counter() - began, cpu(process.pid)
        process.kill()
    return took, spent


def explain(world: World, mail: Path) -> Took:
    """One mail, its words to nowhere."""
    command = [sys.executable, "-m", "gateway", "explain", str(mail), "--config"]
    before, began = children(), time.perf_counter()
    subprocess.run([*command, str(world.config)], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began, children() - before


def cpu(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(name: str, rounds: int, once: Callable[[], Took]) -> None:
    """The median, and the best round: other work on the machine only adds."""
    once()
    took = [once() for _ in range(rounds)]
    wall, spent = (sorted(one) for one in zip(*took, strict=True))
    print(
        f"{name:28} {statistics.median(wall):5.2f} s median, {wall[0]:5.2f} s best; "
        f"CPU {statistics.median(spent):5.2f} s median, {spent[0]:5.2f} s best"
    )


def main(rounds: int = 7) -> None:
    """Everything in one world, with the bytecode that `make setup` leaves behind."""
    compileall.compile_dir(gateway.__path__[0], quiet=1)
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="portiere-start-")))
        world = run.new_world(folder / "world")
        mail = folder / "mail.eml"
        scene = next(one for one in SCENES if one.kind == "open")
        mail.write_bytes(compose(world, scene, datetime.now(UTC), 1))
        told("start to ready", rounds, lambda: ready(world))
        told("explain of one mail", rounds, lambda: explain(world, mail))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
