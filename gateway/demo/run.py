"""Runs the demo: the real daemon as a process of its own, real mail over SMTP, and a judgement of
every mail."""

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.demo.scenes import SCENES, Scene
from gateway.demo.send import compose, message_id, send_all
from gateway.demo.sink import Sink
from gateway.demo.world import World, build
from gateway.errors import BadInput
from gateway.store import mails
from gateway.store.engine import Store

START_SECONDS = 20
SETTLE_SECONDS = 15
MARK = ".portiere-demo"  # stands in each folder that the demo made


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of one scene."""

    scene: Scene
    codes: tuple[int, ...]
    proof: str
    rule: str
    outcome: str
    because: str
    out_to: tuple[str, ...]

    @property
    def wrong(self) -> list[str]:
        """Everything that differs from what must happen."""
        found = []
        if self.outcome != self.scene.outcome:
            found.append(f"outcome `{self.outcome}`, not `{self.scene.outcome}`")
        if self.out_to != self.scene.out_to:
            found.append(f"mail to {list(self.out_to)}, not to {list(self.scene.out_to)}")
        expected = 550 if self.scene.outcome == "reject" else 250
        if set(self.codes) != {expected}:
            found.append(f"answered {list(self.codes)}, not {expected}")
        return found


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _emptied(folder: Path) -> None:
    mark = folder / MARK
    try:
        if folder.exists() and any(folder.iterdir()):
            # Worlds of before the mark have both of these.
            older = (folder / "ports.json").is_file() and (folder / "zone.json").is_file()
            if not (mark.is_file() or older):
                message = "the folder holds what the demo has not made"
                raise BadInput(
                    message, str(folder), hint="name an empty one, or empty it yourself"
                )
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        raise BadInput(f"cannot be emptied: {error.strerror}", str(folder)) from None


def new_world(folder: Path) -> World:
    """A fresh world. Only a folder that an earlier demo made is emptied; `BadInput` else."""
    _emptied(folder)
    world = build(folder, free_port(), free_port(), free_port())
    for group in ("accounts", "tickets"):
        portiere(world, group, "import", str(folder / f"{group}.jsonl"))
    return world


def portiere(world: World, *words: str) -> str:
    """Run one command of ours on this world's configuration; its output."""
    command = [sys.executable, "-m", "gateway", *words, "--config", str(world.config)]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603  our own command
    if done.returncode:
        raise BadInput(f"`portiere {' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def daemon(world: World) -> Iterator[subprocess.Popen[str]]:
    """The gateway as a process of its own, until the block ends."""
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(world.config)]
    with (world.folder / "log.jsonl").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            command, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line.startswith("listening"):
            process.wait(START_SECONDS)
            raise BadInput((world.folder / "log.jsonl").read_text().strip() or "no start")
        yield process
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def run(folder: Path | None) -> list[Shown]:
    """Play every scene; what came of each. The sent mails lie in `folder`/sent."""
    world = new_world(folder or Path(tempfile.mkdtemp(prefix="portiere-demo-")))
    with Sink(world.sink_port, world.folder / "sent") as sink, daemon(world):
        return [play(world, sink, scene, number) for number, scene in enumerate(SCENES)]


def play(world: World, sink: Sink, scene: Scene, number: int) -> Shown:
    """Send one scene's mail and wait until everything that it sets off has gone out."""
    before = len(sink.mails)
    raw = compose(world, scene, datetime.now(UTC), number)
    (world.folder / "received").mkdir(exist_ok=True)
    (world.folder / "received" / f"{number:02}-{scene.kind}.eml").write_bytes(raw)
    answers = send_all(world, scene, raw)
    traced = _settled(world, message_id(scene, number))
    out = tuple(sorted(to for to, _raw in sink.mails[before:]))
    rejected = all(code >= 500 for code, _text in answers)
    return Shown(
        scene,
        tuple(code for code, _text in answers),
        str(traced.get("proof", "fail" if rejected else "?")),
        str(traced.get("rule", "in the dialogue" if rejected else "?")),
        str(traced.get("outcome", "reject" if rejected else "?")),
        str(traced.get("because", answers[0][1])),
        out,
    )


def _settled(world: World, identifier: str) -> dict[str, Any]:
    """What the database says of the mail once its replies have left the outbox."""
    with contextlib.closing(Store.open(_url(world), None, read_only=True)) as store:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            traced = mails.trace(store, identifier) or {}
            waiting = [row for row in traced.get("outgoing", []) if row["state"] == "due"]
            if not waiting or time.monotonic() > deadline:
                return traced
            time.sleep(0.05)


def _url(world: World) -> str:
    return f"sqlite:///{world.folder / 'portiere.db'}"
