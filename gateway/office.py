"""What one gateway with several fronts does once: it writes (on SQLite), delivers, does what the
clock asks, and answers for all of them.

It opens no door for mail. The fronts reach it over a line; one that is gone is waited for.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from gateway import line, metrics
from gateway.config import Config
from gateway.errors import BadInput, PortiereError, Temporary
from gateway.front import line_of
from gateway.house import Tables
from gateway.line import Line
from gateway.service import Service
from gateway.together import Together

RELOAD_SECONDS = 60.0
TAKEN = b"="  # to our parent: tables of this digest are in force


class Office(Service):
    """A service without doors, behind several fronts."""

    def __init__(self, config: Config, life: socket.socket, known: Tables) -> None:
        """`life` ends when the process that started us does; `known` is what that has read."""
        super().__init__(config.model_copy(update={"listener": ()}), _warm, known)
        self._life = life
        self._fronts: dict[int, Line] = {}
        self._states: dict[int, dict[str, Any]] = {}
        self._together = Together(metrics.REGISTRY)
        self._registry = self._together
        self._lines: set[asyncio.Task[None]] = set()

    async def _open(self, rooms: contextlib.AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._life, self._orphaned)
        loop.remove_signal_handler(signal.SIGINT)  # of the terminal: our parent decides
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        await super()._open(rooms)
        server = await line.listen(line_of(self._config), self._talk)
        rooms.push_async_callback(self._hang_up, server)

    def _announce(self, ready: Callable[[str], None]) -> None:
        ready("office")

    def _notify(self, state: str) -> None:
        """Our parent speaks for all of us."""

    def _notes(self) -> dict[str, str]:
        there, wanted = len(self._states), self._config.fronts
        missing = {} if there >= wanted else {"fronts": f"{there} of {wanted} answer"}
        ours = self._rooms.standing.loaded.policy.digest
        other = [n for n, one in sorted(self._states.items()) if one["policy"] != ours]
        if other:
            named = ", ".join(f"front {number}" for number in other)
            missing["policies"] = f"{named}: another policy than the office's; reload"
        return {**super()._notes(), **missing}

    async def _troubles(self) -> dict[str, str]:
        found = await super()._troubles()
        return found if self._states else {**found, "fronts": "none answers: no mail is taken"}

    async def _asked_to_stop(self) -> dict[str, Any]:
        os.kill(os.getppid(), signal.SIGTERM)
        return {}

    def _orphaned(self) -> None:
        """Our parent is gone, and so will be the fronts: finish with them, and end."""
        asyncio.get_running_loop().remove_reader(self._life)
        self._stop.set()

    async def _hang_up(self, server: asyncio.Server) -> None:
        """The fronts have ended before us, or do now."""
        server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        line_of(self._config).unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or not line.same_user(writer):
            writer.close()
            return
        self._lines.add(task)
        known = _Known(self)
        one = Line(reader, writer, known.answers)
        known.line = one
        try:
            await one.run()
        finally:
            self._lines.discard(task)
            self._left(known)

    def _left(self, known: "_Known") -> None:
        if known.number is not None and self._fronts.get(known.number) is known.line:
            del self._fronts[known.number]
            self._states.pop(known.number, None)
            self._together.left(known.number)
            self._log.warning("a front is gone", front=known.number)

    async def answer(self, known: "_Known", what: str, about: Any) -> Any:
        """What a front asks."""
        if what == "commit":
            return await self._commit(about)
        if what == "wake":
            self._wake()
            return None
        if what == "front" and known.line is not None:
            known.number = int(about)
            self._fronts[known.number] = known.line
            return None
        if what == "state" and known.number is not None:
            counters, state = about
            self._together.told(known.number, counters)
            self._states[known.number] = state
            return None
        raise Temporary(f"the office knows no `{what}`")

    def _wake(self) -> None:
        self._worker.wake()
        self._again.wake()

    async def _status(self) -> dict[str, Any]:
        own = await super()._status()
        states = self._states
        listeners = sorted({each for one in states.values() for each in one["listeners"]})
        sessions = sum(one["sessions"] for one in states.values())
        pids = {"office": os.getpid(), **{f"front {n}": one["pid"] for n, one in states.items()}}
        return {
            **own,
            "listeners": listeners,
            "sessions": sessions,
            "fronts": len(states),
            "processes": pids,
        }

    async def _reload(self, accept: bool = False) -> dict[str, Any]:
        """First here, then in each front; a front that fails keeps its old tables, and is told."""
        done = await super()._reload(accept)
        digest = self._rooms.standing.loaded.digest
        with contextlib.suppress(OSError):
            self._life.send(TAKEN + digest.encode())
        wrong = []
        for number, one in list(self._fronts.items()):
            try:
                await asyncio.wait_for(one.ask("reload", digest), RELOAD_SECONDS)
            except (Temporary, TimeoutError):
                continue  # it is gone: the next one begins with the new tables
            except PortiereError as error:
                wrong.append(f"front {number}: {error}")
        if wrong:
            raise BadInput("; ".join(wrong))
        return done


def _warm() -> None:
    """The process that started us has."""


class _Known:
    """Who is at the other end of a line, once it has said so."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.line: Line | None = None
        self.number: int | None = None

    async def answers(self, what: str, about: Any) -> Any:
        return await self._office.answer(self, what, about)
