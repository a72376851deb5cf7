"""Postfix in a folder of its own, on loopback, all mail on hold; needs root and the package.

Its configuration lies beside this module. Its CPU is that of the master and of what it started.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent / "postfix"


def installed() -> bool:
    """Whether it can be measured here."""
    return os.geteuid() == 0 and shutil.which("postfix") is not None


@contextlib.contextmanager
def running(port: int) -> Iterator[int]:
    """A fresh queue, listening on the port, until the block ends; the master's process."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    place = folder / "etc"
    for name in ("queue", "data", "etc"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    for name in ("main.cf", "master.cf"):
        text = (HERE / name).read_text().replace("@FOLDER@", str(folder))
        (place / name).write_text(text.replace("@PORT@", str(port)))
    try:
        _do(place, "start")
        yield _master(folder)
    finally:
        _do(place, "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _do(place: Path, word: str) -> None:
    command = ["postfix", "-c", str(place), word]
    subprocess.run(command, check=word == "start", capture_output=True)


def _master(folder: Path) -> int:
    for _ in range(100):
        with contextlib.suppress(OSError, ValueError):
            return int((folder / "queue/pid/master.pid").read_text())
        time.sleep(0.1)
    raise RuntimeError("Postfix does not start")


def cpu(master: int) -> float:
    """Seconds of the master, its children, and those of them that have ended."""
    own = _times(master)
    children = [_times(pid) for pid in _children(master)]
    return sum(own) + sum(user + system for user, system, *_ in children)


def _children(master: int) -> list[int]:
    return [
        int(place.name)
        for place in Path("/proc").iterdir()
        if place.name.isdigit() and _parent(place) == master
    ]


def _parent(place: Path) -> int:
    with contextlib.suppress(OSError):
        return int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
    return 0


def _times(pid: int) -> list[float]:
    """User, system, and the same of ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return [0.0] * 4
    return [int(one) / os.sysconf("SC_CLK_TCK") for one in fields[11:15]]
