"""The daemon: ties receive to the pipeline and the outbox to the smarthost; starts, reloads, drains.

It decides nothing. Every task that it starts is waited for at the end; a mail that is being
committed is never cut off.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway import health, log, metrics
from gateway.config import Config, ListenerConfig, on_loopback
from gateway.control import Control
from gateway.core.model import Address, Committed, Effects, Envelope, Listener
from gateway.core.read import addresses
from gateway.errors import BadInput, PortiereError
from gateway.house import Rooms
from gateway.pipeline import Answer, Pipeline
from gateway.receive import listener, replies
from gateway.receive.client import TrustedRelay
from gateway.receive.limits import Limits
from gateway.receive.listener import ListenerSettings, Server
from gateway.receive.replies import Reply, Verdict
from gateway.store.outbox import Outbox
from gateway.store.writer import Writer

DRAIN_SECONDS = 90.0

# The named reply for each reason that the pipeline gives.
REPLIES: dict[str, Reply] = {
    "accepted": replies.ACCEPTED,
    "try-later": replies.TRY_LATER,
    "unproven-yet": replies.DNS_TRY_LATER,
    "forged": replies.FORGED,
    "malformed": replies.MALFORMED,
    "bad-lines": replies.BAD_LINES,
}


class Service:
    """One running gateway."""

    def __init__(self, config: Config) -> None:
        """Open everything that can be wrong; nothing listens yet."""
        self._config = config
        self._log = log.get("service")
        self._rooms = Rooms.open(config)
        self._writer = Writer(self._rooms.store)
        self._pipeline = Pipeline(self._rooms.house())
        self._outbox = Outbox(self._rooms.store, self._writer)
        self._queued = asyncio.Event()
        self._stop = asyncio.Event()
        self._servers: list[Server] = []

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until SIGTERM; `ready` is called once for each listener."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        async with contextlib.AsyncExitStack() as open_rooms:
            open_rooms.callback(self._close)
            await self._open(open_rooms)
            for server in self._servers:
                ready(f"listening {server.protocol} {server.address}")
            notify("READY=1")
            await self._stop.wait()
            notify("STOPPING=1")
            self._log.info("stopping")

    async def _open(self, rooms: contextlib.AsyncExitStack) -> None:
        control = Control(self._config.paths.control, self._commands())
        await control.start()
        rooms.push_async_callback(control.close)
        if self._config.http.address:
            pages = health.Health(self._config.http.address, self._troubles, metrics.REGISTRY)
            await pages.start()
            rooms.push_async_callback(pages.close)
        worker = self._worker()
        task = asyncio.create_task(worker.run())
        rooms.push_async_callback(self._end, task)
        for settings in self._config.listener:
            server = await self._listen(settings)
            self._servers.append(server)
            rooms.push_async_callback(server.close, DRAIN_SECONDS)
        await self._warn()

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        answer: Answer = await self._pipeline.handle(envelope, raw, self._commit)
        metrics.smtp_replies.labels(str(answer.code)).inc()
        return Verdict(REPLIES[answer.reason])

    async def _commit(self, effects: Effects) -> Committed:
        done = await asyncio.wrap_future(self._writer.commit(effects))
        if effects.outgoing:
            self._queued.set()
        return done

    def _commands(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return {"status": self._status, "reload": self._reload, "stop": self._asked_to_stop}

    async def _status(self) -> dict[str, Any]:
        loaded = self._rooms.standing.loaded
        return {
            "policy": loaded.policy.digest,
            "listeners": [server.address for server in self._servers],
            "sessions": sum(server.sessions for server in self._servers),
            "troubles": self._troubles(),
        }

    async def _reload(self, accept: bool = False) -> dict[str, Any]:
        """Read, check and prove the tables again, then swap; the old ones stay when anything is wrong."""
        standing = self._rooms.standing
        old = standing.loaded
        try:
            new = await asyncio.to_thread(standing.read)
            more = await asyncio.to_thread(load.discloses_more, old, new)
            if more and not accept:
                raise BadInput(f"the new policy discloses more: {more}; add --accept to take it")
        except PortiereError as error:
            metrics.reloads.labels("refused").inc()
            self._log.error("reload refused, the old tables stay", error=str(error))
            raise
        standing.use(new)
        metrics.reloads.labels("done").inc()
        _told_digest(new.policy.digest)
        self._log.info("reloaded", policy=new.policy.digest, was=old.policy.digest)
        return {"policy": new.policy.digest, "was": old.policy.digest}

    def _hangup(self) -> None:
        """SIGHUP: a reload without `--accept`; a refusal is in the log and in the metrics."""
        task = asyncio.get_running_loop().create_task(self._quiet_reload())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quiet_reload(self) -> None:
        with contextlib.suppress(PortiereError):
            await self._reload()

    async def _asked_to_stop(self) -> dict[str, Any]:
        self._stop.set()
        return {}
