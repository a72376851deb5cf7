"""The goals of speed, measured here: the table of `make bench`; the check of `make bench-check`.

    python benchmarks/goals.py [--peers] [--check] [--keep] [MAILS]

`--check` compares ratios with benchmarks/baseline.json and exits 1 where one is worse by more than
a quarter: rates are no use across machines, so CPU is counted in runs of a fixed loop. `--keep`
writes the baseline.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_gateway
import traffic
import whole_job
from whole_job import Figures

BASELINE = Path(__file__).with_name("baseline.json")
WORSE = 1.25
Goal = tuple[str, str, str, bool | None]  # what, figure, goal; None: not measured here


def ratios(found: Figures) -> dict[str, float]:
    """What can be compared between runs; less is better. Differences of two runs are not in it."""
    told = {f"loops of {name}": found.stages[name] / found.loop_us for name in whole_job.STAGES}
    told["loops until committed"] = found.queued / found.loop_us
    for per_connection in (1, 10):
        if ratio := found.ratio(per_connection):
            told[f"Postfix's rate by ours, {per_connection} a connection"] = 1 / ratio
    return told


def goals(found: Figures) -> list[Goal]:
    """The table of performance."""
    table: list[Goal] = []
    for per_connection, wanted in ((1, 1.2), (10, 1.5)):
        ratio = found.ratio(per_connection)
        shown = "Postfix not measured" if ratio is None else f"{ratio:.2f} times Postfix"
        met = None if ratio is None else ratio >= wanted
        table.append((f"1 whole job, {per_connection} a connection", shown, f"{wanted}", met))
    if found.alone:
        one = found.alone
        table.append(
            ("4 one client, median", f"{one.median_ms:.1f} ms", "2 ms", one.median_ms <= 2)
        )
        table.append(("4 one client, p99", f"{one.p99_ms:.1f} ms", "6 ms", one.p99_ms <= 6))
    large = _large_rate()
    table.append(("4 mails of 50 KB", f"{large:.0f}/s", "600/s", large >= 600))
    more = found.most_mb - found.start_mb
    table.append(("5 memory at start", f"{found.start_mb:.0f} MB", "200", found.start_mb <= 200))
    table.append(("5 more under load", f"{more:.0f} MB", "100", more <= 100))
    ready, explained = found.ready_seconds, _explain_seconds()
    table.append(("8 start to ready", f"{ready:.2f} s", "1.5 s", ready <= 1.5))
    table.append(("8 explain of a mail", f"{explained:.2f} s", "1.0 s", explained <= 1.0))
    return table


def _large_rate(count: int = 100) -> float:
    folder = Path(tempfile.mkdtemp(prefix="large-"))
    with bench_gateway.running(folder, "observe") as (gateway, keys):
        mails = traffic.write(folder, keys, count, 50_000)
        return bench_gateway.blast(gateway.port, mails, 10, 10).rate


def _explain_seconds() -> float:
    folder = Path(tempfile.mkdtemp(prefix="explain-"))
    keys = traffic.lay_out(folder, traffic.Ports(2525, 2526, 2527))
    mail = next(traffic.write(folder, keys, 1).iterdir())
    command = [sys.executable, "-m", "gateway", "explain", str(mail)]
    command += ["--config", str(folder / "portiere.toml")]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def check(found: Figures) -> int:
    """1 where a ratio is worse than it was."""
    kept = json.loads(BASELINE.read_text())
    worse = 0
    for name, now in ratios(found).items():
        before = kept.get(name)
        if before is None:
            continue
        bad = now > before * WORSE + 1
        worse += bad
        print(f"{name:<42} {before:8.2f} {now:8.2f}  {'WORSE' if bad else 'ok'}")
    return int(worse > 0)


def main() -> int:
    """Measure, and say what holds."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("mails", nargs="?", type=int, default=whole_job.MAILS)
    for name in ("--peers", "--check", "--keep"):
        words.add_argument(name, action="store_true")
    given = words.parse_args()
    rounds = 1 if given.check else 3
    found = whole_job.measure(given.mails, rounds, given.peers)
    if given.keep:
        BASELINE.write_text(json.dumps(ratios(found), indent=1) + "\n")
    if given.check:
        return check(found)
    whole_job.show(found)
    for what, figure, goal, met in goals(found):
        told = {True: "met", False: "NOT MET", None: "not measured"}[met]
        print(f"{what:<32} {figure:>22}  goal {goal:<8} {told}")
    print("2, 3, 6, 7: their peers and sizes are measured by hand; docs/figures.md says how")
    return 0


if __name__ == "__main__":
    sys.exit(main())
