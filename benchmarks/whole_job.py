"""The whole job over SMTP: signed mails into the real daemon, every check on, every byte synced.

    python benchmarks/whole_job.py [mails] [clients] [mails per connection]

Prints accepted mails a second, the median and the 99th percentile of one mail's dialogue, and the
daemon's own CPU a mail. The load generator runs on the same machine.
"""

import os
import smtplib
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.demo import run
from gateway.demo.scenes import SCENES
from gateway.demo.send import compose
from gateway.demo.sink import Sink
from gateway.demo.world import HOSTS, World

WORDS = "Buongiorno, vi scrivo per avere notizie sul mio contratto numero {}. " * 20 + "\n"


def mails(world: World, count: int) -> list[bytes]:
    """Signed mails of one customer, each with other words, about 2 KB."""
    scene = next(one for one in SCENES if one.kind == "open")
    now = datetime.now(UTC)
    return [
        compose(world, replace(scene, body=WORDS.format(*[n] * 20)), now, n) for n in range(count)
    ]


def client(world: World, share: list[bytes], per_connection: int, took: list[float]) -> None:
    """Hand over a share of the mails, so many on each connection."""
    address, _policy = HOSTS["studio-rossi.example"]
    for start in range(0, len(share), per_connection):
        with smtplib.SMTP("127.0.0.1", world.smtp_port, "mx.example", 60, (address, 0)) as line:
            for raw in share[start : start + per_connection]:
                began = time.perf_counter()
                line.sendmail("anna@studio-rossi.example", ["support@host.example"], raw)
                took.append(time.perf_counter() - began)


def cpu(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(count: int = 2000, clients: int = 10, per_connection: int = 1) -> None:
    """One round after a warm-up."""
    world = run.new_world(Path(tempfile.mkdtemp(prefix="portiere-bench-")))
    made = mails(world, count + 50)
    with Sink(world.sink_port, world.folder / "sent"), run.daemon(world) as process:
        client(world, made[count:], 10, [])
        took: list[float] = []
        shares = [made[:count][n::clients] for n in range(clients)]
        threads = [
            threading.Thread(target=client, args=(world, share, per_connection, took))
            for share in shares
        ]
        before, began = cpu(process.pid), time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, spent = time.perf_counter() - began, cpu(process.pid) - before
    centiles = statistics.quantiles(took, n=100)
    median, high = centiles[49] * 1000, centiles[98] * 1000
    print(f"{count} mails, {clients} clients, {per_connection} a connection")
    print(f"  {count / seconds:8.0f} mails/s")
    print(f"  {median:8.1f} ms median, {high:.1f} ms p99, of a mail's dialogue")
    print(f"  {spent / count * 1e6:8.0f} us of the daemon's CPU a mail, deliveries included")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
