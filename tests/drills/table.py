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
in its short form, `make drill-long` in its long one (`MINUTES=30` stops each of them then); both
write this page. Each drill is also run with a safeguard switched off, and must turn red then.

Rows are of the last run of each drill. A long form that was stopped says how far it got.

| drill | promise | result | with a safeguard off | date | machine | seed |
|---|---|---|---|---|---|---|
"""


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
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| drill ")]
    rows = [line for line in rows if not line.startswith(f"| {row.name} |")]
    page.write_text(HEAD + "".join(sorted([*rows, row.line])))
