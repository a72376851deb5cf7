"""One of several fronts: a process that takes mail, reads and decides, and has others write.

On SQLite what is decided goes to the office over a line, and `250` is said after its answer; while
the office is away that is 451. On PostgreSQL a front commits by itself. It delivers nothing, and
does nothing by the clock.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest

from gateway import log, metrics
from gateway.config import Config
from gateway.core.model import Committed, Effects, Envelope
from gateway.doors import Doors, verdict
from gateway.errors import BadInput, PortiereError, Temporary
from gateway.house import Rooms, Tables
from gateway.line import Line
from gateway.pipeline import Pipeline
from gateway.receive.replies import Verdict
from gateway.store.writer import Writer

AGAIN_SECONDS = 0.05  # between attempts to reach the office
COMMIT_SECONDS = 8.0  # for the office's answer; then 451, and the sender comes again
TOLD_SECONDS = 1.0  # how often the office hears of our counters
DRAIN_SECONDS = 90.0
CONNECT_SECONDS = 30.0
GARBAGE = (5_000, 10, 10)  # gc.set_threshold


def line_of(config: Config) -> Path:
    """Where the office waits for its fronts."""
    return config.paths.control.with_name(config.paths.control.name + ".line")


class Front:
    """One front of a gateway."""

    def __init__(
        self,
        config: Config,
        number: int,
        handed: Mapping[str, socket.socket],
        life: socket.socket,
        known: Tables,
    ) -> None:
        """`life` ends when the process that started us does; `known` is what that has read."""
        self._config = config
        self._number = number
        self._life = life
        self._log = log.get("front").bind(front=number)
        self._rooms = Rooms.open(config, warm=True, known=known)
        store = self._rooms.store
        self._writer = None if store.sqlite else Writer(store)
        self._pipeline = Pipeline(self._rooms.house())
        self._doors = Doors(config, self._handle, shares=config.fronts, handed=handed)
        self._line: Line | None = None
        self._connected = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[list[str]], None]) -> None:
        """Until SIGTERM, or until our parent is gone; `ready` gets the names of our doors."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminated)
        loop.add_reader(self._life, self._terminated)
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        connecting = asyncio.create_task(self._connect())
        watching = asyncio.create_task(self._doors.watch())
        metrics.policy_info.labels(self._digest).set(1)
        try:
            await asyncio.wait_for(self._connected.wait(), CONNECT_SECONDS)
            await self._doors.open()
            self._tell()
            ready(self._doors.names)
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), TOLD_SECONDS)
                self._tell()
        finally:
            await self._doors.close(DRAIN_SECONDS)
            self._tell()
            for task in (connecting, watching):
                task.cancel()
            await asyncio.gather(connecting, watching, return_exceptions=True)
            if self._writer is not None:
                self._writer.close()
            self._rooms.close()

    @property
    def _digest(self) -> str:
        return self._rooms.standing.loaded.policy.digest

    def _terminated(self) -> None:
        """The first signal drains; the next one is the system's own."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._life)
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._stop.set()

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        return verdict(await self._pipeline.handle(envelope, raw, self._commit))

    async def _commit(self, effects: Effects) -> Committed:
        """Durable when this returns, whoever wrote it."""
        if self._writer is not None:
            done = await asyncio.wrap_future(self._writer.commit(effects))
            self._woken(effects)
            return done
        if self._line is None:
            raise Temporary("the office is away")
        try:
            answer: Committed = await asyncio.wait_for(
                self._line.ask("commit", effects), COMMIT_SECONDS
            )
        except TimeoutError:
            raise Temporary("the office does not answer") from None
        return answer

    def _woken(self, effects: Effects) -> None:
        """There may be something to send: a hint, and no more."""
        if self._line is not None and (effects.outgoing or effects.release or effects.events):
            _unheard(self._line.ask("wake"))

    # The line

    async def _connect(self) -> None:
        """Reach the office, and again whenever it has been away."""
        path = line_of(self._config)
        while True:
            with contextlib.suppress(OSError, PortiereError):
                line = Line(*await asyncio.open_unix_connection(path), self._answers)
                reading = asyncio.create_task(line.run())
                try:
                    await line.ask("front", self._number)
                    self._line = line
                    self._tell()
                    self._connected.set()
                    await reading
                finally:
                    self._line = None
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
                self._log.warning("the office is away")
            await asyncio.sleep(AGAIN_SECONDS)

    def _tell(self) -> None:
        """Our counters and our state; one that is not heard is followed by the next."""
        if self._line is not None:
            counters = generate_latest(metrics.REGISTRY).decode()
            state = {
                "pid": os.getpid(),
                "policy": self._digest,
                "sessions": self._doors.sessions,
                "listeners": self._doors.addresses,
            }
            _unheard(self._line.ask("state", (counters, state)))

    async def _answers(self, what: str, about: Any) -> Any:
        if what == "reload":
            return await self._reload(str(about))
        raise Temporary(f"a front knows no `{what}`")

    async def _reload(self, digest: str) -> str:
        """Take the tables that the office has taken, and no others, and new certificates."""
        await asyncio.to_thread(self._doors.renew)
        standing = self._rooms.standing
        tables = await asyncio.to_thread(standing.read)
        if tables.loaded.digest != digest:
            raise BadInput("the tables have changed since the office read them; reload again")
        standing.use(tables)
        metrics.policy_info.clear()
        metrics.policy_info.labels(self._digest).set(1)
        self._tell()
        return self._digest


def _unheard(answer: "asyncio.Future[Any]") -> None:
    """Nobody waits for it; an error that nobody looks at must not be shouted at the end."""
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
