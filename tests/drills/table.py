"""The page of results: a row a drill, with its date, machine and seed; written by the runner."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests_support import ROOT

PAGE = ROOT / "docs" / "drills.md"
HEAD = """\
# Drills

What is promised about mail that was accepted, and how it was shown. `make drill` runs every drill
in its short form, each with its safeguards and then with one of them switched off, when it must
turn red. `make drill-long MINUTES=60` runs the long forms, and stops those of kills and of the
soak then. One alone: `PYTHONPATH=.:tests .venv/bin/python -m drills NAME [--long] [--control]
[--minutes N] [--folder F] [--seed N]`; `--list` names them. With `--folder` the kills and the soak
go on where they stopped. All of them write this page.

Rows are of the last run of each form. A long form that was stopped says how far it got; one
without a row here was not run. The load of the machine before a drill stands beside it: waiting
times on a machine that does other things are of both. No drill is red because a machine is slow,
but where a client is not cut, or waits for seconds, or the gateway takes a quarter more memory
than the goal.

| drill | long form | takes, on two quiet processors |
|---|---|---|
| crash | 1,000 kills, 250,000 mails: `make drill-crash FOLDER=…` | one to two hours |
| soak | 1,000,000 mails, 24 restarts: `make drill-soak FOLDER=…` | four to eight hours |
| sync-order | 10,000 mails | three minutes |
| power-cut | 1,000 disks of 4,000 mails | five minutes |
| smarthost | an hour by the gateway's clock | eight minutes |
| load | 120 s of mail beside 10,000 idle connections | three minutes |
| gateways | 100 kills of three gateways | ten minutes |

| drill | promise | result | with a safeguard off | date | machine | seed |
|---|---|---|---|---|---|---|
"""
FIRST_LINE = HEAD.splitlines(keepends=True)[-2]


@dataclass(frozen=True, slots=True)
class Row:
    """One drill's last run."""

    drill: str
    long: bool
    promise: str
    result: str
    control: str
    seed: int
    load: float  # of the machine when it began: what others did meanwhile

    @property
    def name(self) -> str:
        """The two forms stand beside each other."""
        return f"{self.drill}, long" if self.long else self.drill

    @property
    def line(self) -> str:
        """As the page has it."""
        date = datetime.now(UTC).date().isoformat()
        cells = (self.name, self.promise, self.result, self.control, date, self.where, self.seed)
        return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |\n"

    @property
    def where(self) -> str:
        """The machine, and how busy it was with other things."""
        return f"{machine()}; load {self.load:.1f} before it"


def machine() -> str:
    """Processors, memory, system and Python, without a name."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} {platform.machine()} processors, {gigabytes:.0f} GB,"
        f" {platform.system()}, Python {platform.python_version()}"
    )


def write(row: Row, page: Path = PAGE) -> None:
    """Put the row in the place of the drill's earlier one."""
    lines = page.read_text().splitlines(keepends=True) if page.exists() else []
    start = lines.index(FIRST_LINE) + 1 if FIRST_LINE in lines else len(lines)
    rows = [line for line in lines[start:] if line.startswith("| ")]
    rows = [line for line in rows if not line.startswith(f"| {row.name} |")]
    page.write_text(HEAD + "".join(sorted([*rows, row.line])))
