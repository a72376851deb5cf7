"""A gateway of several processes: starts the office and the fronts, watches them, ends them.

This process takes no mail and opens no database: it forks, waits, and starts again what has died,
so that little can go wrong in it. When it dies itself, the others see that and drain.
"""

import asyncio
import contextlib
import gc
import os
import re
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import uvloop

from gateway import log
from gateway.authenticate import evidence
from gateway.config import Config
from gateway.doors import handed_sockets, reserved
from gateway.errors import BadInput, PortiereError
from gateway.front import Front
from gateway.house import Standing
from gateway.office import TAKEN, Office
from gateway.service import DRAIN_SECONDS, give_memory_back
from gateway.supervised import notify, reloading, watchdog_seconds

OFFICE = 0
START_SECONDS = 60.0
BEAT_SECONDS = 1.0
HUNG_SECONDS = 60.0  # a child that says nothing for so long is killed, and started again
STEADY_SECONDS = 10.0  # whoever lived shorter waits before it is started again
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
ENDING = (signal.SIGTERM, signal.SIGINT)
_TAKEN = re.compile(re.escape(TAKEN) + b"([0-9a-f]{64})")
_HEARD = (*ENDING, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Child:
    """A process of ours. `role` is the office, or the number of a front."""

    role: int
    pid: int
    life: socket.socket  # its other end hears when we die; it beats on it
    started: float
    delay: float
    heard: float

    @property
    def name(self) -> str:
        """As it is logged."""
        return "office" if self.role == OFFICE else f"front {self.role}"


class Fronts:
    """The parent of all."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        """`say` prints a line; ports are reserved now, `BadInput` where one cannot be had."""
        self._config, self._held, self._handed = reserved(config, handed_sockets())
        self._standing = Standing(config, warm=True)
        evidence.suffixes()  # like the tables: read once, shared by all
        self._say = say
        self._log = log.get("fronts")
        self._children: dict[int, Child] = {}
        self._due: dict[int, tuple[float, float]] = {}  # role -> when to start it, last delay
        self._asked: list[int] = []  # signals that nobody has looked at
        self._stopping = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Until SIGTERM. The exit status."""
        give_memory_back()  # before the forks: it holds in each of them
        gc.freeze()
        self._hear()
        try:
            self._start(OFFICE)
            self._expect(OFFICE)
            roles = range(1, self._config.fronts + 1)
            for role in roles:
                self._start(role)
            names = [self._expect(role) for role in roles]
        except BadInput:
            self._end_now()
            return 1
        for name in names[0]:
            self._say(f"listening {name}")
        notify("READY=1")
        self._watch()
        notify("STOPPING=1")
        return self._drain()

    # Starting

    def _start(self, role: int, delay: float = 0.0) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._be(role, theirs)
        theirs.close()
        now = time.monotonic()
        child = Child(role, pid, ours, now, delay, now)
        self._children[role] = child
        self._selector.register(ours, selectors.EVENT_READ, role)

    def _expect(self, role: int) -> list[str]:
        """Wait until a child is ready; the names of its doors. `BadInput` when it ends first."""
        life = self._children[role].life
        life.settimeout(START_SECONDS)
        said = b""
        while not said.endswith(b"\n"):
            try:
                more = life.recv(4096)
            except OSError:
                more = b""
            if not more:
                raise BadInput(f"the {self._children[role].name} did not start")
            said += more
        life.setblocking(False)
        return said.lstrip(b".").decode().split("\n")[0].split("\t")

    def _be(self, role: int, life: socket.socket) -> NoReturn:
        """What a child does from its first moment to its last."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _HEARD:
                signal.signal(number, signal.SIG_DFL)
            for number in (signal.SIGINT, signal.SIGHUP):  # our parent speaks for the terminal
                signal.signal(number, signal.SIG_IGN)
            self._selector.close()
            for other in self._children.values():
                other.life.close()
            for one in self._held:
                one.close()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._work(role, life))
            status = 0
        except PortiereError as error:
            self._log.error("not started", part=role, error=str(error))
            sys.stderr.write(f"portiere: {error}\n")
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    async def _work(self, role: int, life: socket.socket) -> None:
        life.setblocking(False)
        beating = asyncio.create_task(_beat(life))

        def ready(names: list[str]) -> None:
            life.send("\t".join(names).encode() + b"\n")

        try:
            if role == OFFICE:
                await Office(self._config, life, self._standing.tables).run(
                    lambda line: ready([line])
                )
            else:
                tables = self._standing.tables
                await Front(self._config, role, self._handed, life, tables).run(ready)
        finally:
            beating.cancel()

    # Watching

    def _hear(self) -> None:
        """Signals wake the selector."""
        woken, waking = socket.socketpair()
        for end in (woken, waking):
            end.setblocking(False)
        self._waking = waking  # kept: a closed one would be written to
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        for number in _HEARD:
            signal.signal(number, lambda number, _frame: self._asked.append(number))
        self._selector.register(woken, selectors.EVENT_READ, -1)

    def _watch(self) -> None:
        """Start again what has died, until we are asked to stop."""
        every = watchdog_seconds()
        while not self._stopping:
            self._wait(BEAT_SECONDS if every is None else min(BEAT_SECONDS, every))
            if every is not None:
                notify("WATCHDOG=1")
            for number in self._taken():
                self._signalled(number)
            self._reap()
            self._kill_hung()
            for role, (when, delay) in list(self._due.items()):
                if when <= time.monotonic() and not self._stopping:
                    del self._due[role]
                    self._start(role, delay)

    def _signalled(self, number: int) -> None:
        if number in ENDING:
            self._stopping = True
        elif number == signal.SIGHUP and OFFICE in self._children:
            notify(reloading())
            _signal(self._children[OFFICE], signal.SIGHUP)
            notify("READY=1")

    def _taken(self) -> list[int]:
        taken, self._asked = self._asked, []
        return taken

    def _wait(self, seconds: float) -> None:
        """Until something happens; beats are noted."""
        for key, _ in self._selector.select(seconds):
            end: Any = key.fileobj
            with contextlib.suppress(BlockingIOError, OSError):
                heard = end.recv(4096)
                if not heard:
                    self._selector.unregister(end)
                elif key.data in self._children:
                    child = self._children[key.data]
                    self._children[key.data] = replace(child, heard=time.monotonic())
                    if taken := _TAKEN.search(heard):
                        self._follow(taken[1].decode())

    def _follow(self, digest: str) -> None:
        """The office has taken new tables: whoever is forked from now on begins with them.

        Files that were refused, or have changed since, are not for us.
        """
        try:
            tables = self._standing.read()
        except PortiereError as error:
            self._log.error("the tables in force cannot be read", error=str(error))
            return
        if tables.loaded.digest == digest:
            self._standing.use(tables)
        else:
            self._log.error("the tables have changed since the reload; reload again")

    def _reap(self) -> None:
        for role, child in list(self._children.items()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            self._forget(child)
            if self._stopping:
                continue
            now = time.monotonic()
            steady = now - child.started > STEADY_SECONDS
            delay = 0.0 if steady else min(LONGEST_DELAY, max(FIRST_DELAY, 2 * child.delay))
            self._log.error(
                "a process has ended and is started again",
                part=child.name,
                status=os.waitstatus_to_exitcode(status),
                after=round(delay, 2),
            )
            self._due[role] = (now + delay, delay)

    def _forget(self, child: Child) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.life)
        child.life.close()
        self._children.pop(child.role, None)

    def _kill_hung(self) -> None:
        for child in self._children.values():
            if time.monotonic() - child.heard > HUNG_SECONDS:
                self._log.error("a process does not answer and is killed", part=child.name)
                _signal(child, signal.SIGKILL)

    # Ending

    def _drain(self) -> int:
        """Fronts first: what they have taken, the office writes. Then the office."""
        for one in (*self._held, *self._handed.values()):
            one.close()
        fronts = [role for role in self._children if role != OFFICE]
        done = self._ended(fronts) and self._ended([OFFICE])
        if not done:
            self._end_now()
        return 0 if done else 1

    def _ended(self, roles: list[int]) -> bool:
        """Whether all of them ended in time, and nobody was in a hurry."""
        for role in roles:
            if role in self._children:
                _signal(self._children[role], signal.SIGTERM)
        deadline = time.monotonic() + DRAIN_SECONDS + 5.0
        while any(role in self._children for role in roles):
            self._wait(0.2)
            self._reap()
            if time.monotonic() > deadline or any(each in ENDING for each in self._taken()):
                return False
        return True

    def _end_now(self) -> None:
        """Nothing is lost: what was answered is committed."""
        for child in list(self._children.values()):
            _signal(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)
            self._forget(child)


async def _beat(life: socket.socket) -> None:
    """Say that the loop runs."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with contextlib.suppress(OSError):
            life.send(b".")


def _signal(child: Child, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, number)
