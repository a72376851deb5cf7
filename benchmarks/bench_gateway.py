"""The gateway as a process of its own with customers, a smarthost that takes everything, and the
load generator; what it costs is read from /proc."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import traffic

from gateway.demo.run import free_port
from gateway.demo.sink import Sink

HERE = Path(__file__).parent
IDLE_CPU = 0.02  # seconds in half a second: nothing is being delivered any more


@dataclass(frozen=True, slots=True)
class Load:
    """What the load generator saw."""

    mails: int
    errors: int
    rate: float
    median_ms: float
    p99_ms: float


@cache
def blaster() -> Path:
    """The load generator, compiled once a run."""
    made = Path(tempfile.mkdtemp(prefix="blast-")) / "smtpblast"
    source = HERE / "smtpblast.c"
    subprocess.run(["cc", "-O2", "-pthread", "-o", made, source], check=True)
    return made


def blast(port: int, mails: Path, clients: int, per_connection: int) -> Load:
    """Every mail of a folder once."""
    words = ["-P", port, "-c", clients, "-m", per_connection, "-u", "-r", traffic.SUPPORT, mails]
    done = subprocess.run([blaster(), *map(str, words)], capture_output=True, text=True)
    said = json.loads(done.stdout)
    return Load(said["msgs"], said["errors"], said["rate"], said["p50_ms"], said["p99_ms"])


class Gateway:
    """A running one."""

    def __init__(self, pid: int, port: int, ready_seconds: float) -> None:
        """`running` makes it."""
        self.pid, self.port, self.ready_seconds = pid, port, ready_seconds

    def cpu(self) -> float:
        """User and system seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str = "VmRSS") -> float:
        """MB, now (`VmRSS`) or at most (`VmHWM`)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

    def settle(self) -> None:
        """Wait until everything has been delivered."""
        before = self.cpu()
        for _ in range(120):
            time.sleep(0.5)
            now = self.cpu()
            if now - before < IDLE_CPU:
                return
            before = now


@contextlib.contextmanager
def running(folder: Path, mode: str = "live") -> Iterator[tuple[Gateway, traffic.Keys]]:
    """A fresh database, until the block ends."""
    ports = traffic.Ports(free_port(), free_port(), free_port())
    keys = traffic.lay_out(folder, ports, mode)
    config = ["--config", str(folder / "portiere.toml")]
    command = [sys.executable, "-m", "gateway"]
    accounts = str(folder / "accounts.jsonl")
    subprocess.run([*command, "accounts", "import", accounts, *config], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(_sink(ports.sink, folder))
        log = stack.enter_context((folder / "log.jsonl").open("w"))
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "serve", *config], stdout=subprocess.PIPE, stderr=log, text=True
        )
        stack.callback(_ended, process)
        assert process.stdout
        if not process.stdout.readline().startswith("listening"):
            raise RuntimeError((folder / "log.jsonl").read_text())
        yield Gateway(process.pid, ports.smtp, time.perf_counter() - began), keys


@contextlib.contextmanager
def _sink(port: int, folder: Path) -> Iterator[None]:
    """Postfix's smtp-sink where it is installed: it is written in C, and costs little."""
    found = shutil.which("smtp-sink")
    if found is None:
        with Sink(port, folder / "sent"):
            yield
        return
    process = subprocess.Popen(
        [found, "-c", f"127.0.0.1:{port}", "200"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        _ended(process)


def _ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(30)
