"""The daemon: ties receive to the pipeline, the outbox to the smarthost; starts, reloads, drains.

It decides nothing. Every task that it starts is waited for at the end; a mail that is being
committed is never cut off.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import secrets
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import text

from gateway import doors, health, load, log, metrics, supervised
from gateway.again import Again
from gateway.config import Config
from gateway.control import Control, Handler
from gateway.core.model import Committed, Effects, Envelope
from gateway.core.read import language
from gateway.deliver.smarthost import Smarthost, SmarthostSettings
from gateway.deliver.worker import Worker, WorkerSettings
from gateway.doors import Doors, expected, handed_sockets, verdict
from gateway.errors import BadInput, PortiereError
from gateway.followers import Followers, check_followers
from gateway.house import Rooms, Tables
from gateway.jobs import Jobs, house_jobs
from gateway.pipeline import Pipeline
from gateway.receive.replies import Verdict
from gateway.store.alone import Alone
from gateway.store.outbox import Lease, Outbox
from gateway.store.writer import Writer
from gateway.watch import Watch

DRAIN_SECONDS = 90.0  # for mails that come in and mails that go out together
ENDING = (signal.SIGTERM, signal.SIGINT)
START_CHECK_SECONDS = 3.0
WATCH_SECONDS = 15.0
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE_BLOCK = 1 << 20  # bytes
READY_SECONDS = 5.0  # for the database to answer /readyz
FOLLOWERS_SECONDS = 5.0  # for what is under way at the end; it comes again

GARBAGE = (5_000, 10, 10)  # gc.set_threshold, once nothing of the start is looked at any more


class Service:
    """One running gateway."""

    def __init__(
        self,
        config: Config,
        warm: Callable[[], None] = language.warm,
        known: Tables | None = None,
    ) -> None:
        """Open everything that can be wrong; nothing listens yet.

        `warm` returns when the model of languages has been read; it is called in a thread.
        """
        self._warm = warm
        self._config = config
        self._log = log.get("service")
        self._alone = Alone(config.database.url)  # before a newer program changes the tables
        try:
            self._rooms = Rooms.open(config, warm=True, known=known)
        except BaseException:
            self._alone.release()
            raise
        self._writer = Writer(self._rooms.store)
        self._pipeline = Pipeline(self._rooms.house())
        self._smarthost = Smarthost(_smarthost(config))
        outbox = Outbox(self._rooms.store, self._writer)
        if self._rooms.store.sqlite:
            outbox.abandoned(_now())
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._again = Again(self._rooms.store, self._pipeline, self._commit)
        listed = house_jobs(
            self._rooms.store, config.retention, self._rooms.post, self._rooms.reader.account
        )
        self._jobs = Jobs(self._rooms.store, self._writer, owner, _now, listed)
        self._worker = Worker(
            outbox,
            self._carry,
            owner,
            _now,
            log.get("deliver"),
            WorkerSettings(
                connections=config.smarthost.connections,
                give_up_seconds=config.smarthost.give_up_after_hours * 3600.0,
            ),
        )
        standing = self._rooms.standing
        self._watch = Watch(
            self._rooms.store, self._writer, owner, _now, lambda: standing.loaded.policy.digest
        )
        followed = config.webhook
        self._followers = Followers(self._rooms.store, self._writer, followed, owner, _now)
        self._doors = Doors(config, self._handle, handed=expected(config, handed_sockets()))
        self._stop = asyncio.Event()
        self._drained_by = 0.0  # on the loop's clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._smarthost_trouble = ""
        self._registry: health.Collecting = metrics.REGISTRY

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until SIGTERM; `ready` is called once for each listener."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._terminated)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        async with contextlib.AsyncExitStack() as open_rooms:
            open_rooms.callback(self._close)
            await self._open(open_rooms)
            self._announce(ready)
            await self._stop.wait()
            self._notify("STOPPING=1")
            self._log.info("stopping")

    def _announce(self, ready: Callable[[str], None]) -> None:
        for name in self._doors.names:
            ready(f"listening {name}")
        self._notify("READY=1")

    def _notify(self, state: str) -> None:
        supervised.notify(state)

    async def _open(self, rooms: contextlib.AsyncExitStack) -> None:
        for weakness in await asyncio.to_thread(self._rooms.store.weaknesses):
            self._log.warning("a weak database", said=weakness)
        _told_digest(self._rooms.standing.loaded.policy.digest)
        await asyncio.to_thread(self._warm)
        give_memory_back()
        gc.freeze()  # what lives as long as we do: a full collection stalls 100 ms
        gc.set_threshold(*GARBAGE)
        control = Control(self._config.paths.control, self._commands())
        await control.start()
        rooms.push_async_callback(control.close)
        if self._config.http.address:
            pages = health.Health(
                self._config.http.address, self._troubles, self._registry, self._notes
            )
            await pages.start()
            rooms.push_async_callback(pages.close)
        if self._config.mode == "live":
            delivering = asyncio.create_task(self._worker.run())
            rooms.push_async_callback(self._end_delivery, delivering)
            following = asyncio.create_task(self._followers.run())
            rooms.push_async_callback(self._end_following, following)
        rooms.push_async_callback(self._drain)
        await self._doors.open()
        rooms.push_async_callback(asyncio.to_thread, self._watch.left)
        beside = (
            self._watch_smarthost(),
            self._again.run(),
            self._jobs.run(self._worker.wake),
            self._watch.run(),
            self._doors.watch(),
            self._alive(),
        )
        for coroutine in beside:
            rooms.push_async_callback(_ended, asyncio.create_task(coroutine))

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        return verdict(await self._pipeline.handle(envelope, raw, self._commit))

    async def _commit(self, effects: Effects) -> Committed:
        done = await asyncio.wrap_future(self._writer.commit(effects))
        if effects.outgoing:
            self._worker.wake()
        if effects.events:
            self._followers.wake()
        if effects.release:
            self._again.wake()
        return done

    def _terminated(self) -> None:
        """The first signal drains; the next one is the system's own, and ends us at once.

        That loses nothing: what was answered is committed.
        """
        self._stop.set()
        for number in ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    async def _drain(self) -> None:
        """Close every door at the same moment, and finish the mails that are under way."""
        self._drained_by = asyncio.get_running_loop().time() + DRAIN_SECONDS
        await self._doors.close(DRAIN_SECONDS)

    async def _end_delivery(self, delivering: asyncio.Task[None]) -> None:
        left = self._drained_by - asyncio.get_running_loop().time()
        await self._worker.stop(max(1.0, left))
        await delivering
        await self._smarthost.close()

    async def _end_following(self, following: "asyncio.Task[None]") -> None:
        await self._followers.stop(FOLLOWERS_SECONDS)
        await following

    async def _carry(self, lease: Lease) -> str:
        ours = partial(self._worker.holds, lease)
        return await self._smarthost.send(lease.envelope_from, lease.to, lease.raw, ours)

    def _close(self) -> None:
        self._writer.close()
        self._rooms.close()
        self._alone.release()

    async def _watch_smarthost(self) -> None:
        """Say when the smarthost goes away and when it is back; /readyz shows it meanwhile."""
        while True:
            before, self._smarthost_trouble = self._smarthost_trouble, await self._ask_smarthost()
            if self._smarthost_trouble and not before:
                self._log.warning("smarthost out of reach", error=self._smarthost_trouble)
            elif before and not self._smarthost_trouble:
                self._log.info("the smarthost is back")
                self._worker.wake()
            await asyncio.sleep(WATCH_SECONDS)

    async def _ask_smarthost(self) -> str:
        try:
            await asyncio.wait_for(self._smarthost.check(), START_CHECK_SECONDS)
        except (PortiereError, TimeoutError) as error:
            return str(error) or "no answer"
        return ""

    def _commands(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return {
            "status": self._status,
            "reload": self._reload,
            "retry": self._retry,
            "released": self._wake_again,
            "stop": self._asked_to_stop,
        }

    async def _retry(self, mails: list[str] | None = None) -> dict[str, Any]:
        """Decide failed mail once more."""
        decided = await self._again.retry(mails)
        return {"outcomes": decided.outcomes, "stayed": decided.stayed}

    async def _wake_again(self) -> dict[str, Any]:
        """A command has released parked mail."""
        self._again.wake()
        return {}

    async def _status(self) -> dict[str, Any]:
        loaded = self._rooms.standing.loaded
        return {
            "policy": loaded.policy.digest,
            "listeners": self._doors.addresses,
            "sessions": self._doors.sessions,
            "troubles": await self._troubles(),
            "notes": self._notes(),
        }

    async def _reload(self, accept: bool = False) -> dict[str, Any]:
        """Read and prove the tables again, then swap; the old ones stay if anything is wrong.

        Certificates are read again in any case: they have nothing to do with the tables.
        """
        await asyncio.to_thread(self._doors.renew)
        standing = self._rooms.standing
        old = standing.loaded
        try:
            new = await asyncio.to_thread(standing.read)
            more = await asyncio.to_thread(load.discloses_more, old, new.loaded)
            if more and not accept:
                raise BadInput(f"the new policy discloses more in {more}; add --accept to take it")
        except PortiereError as error:
            metrics.reloads.labels("refused").inc()
            self._log.error("reload refused, the old tables stay", error=str(error))
            raise
        standing.use(new)
        metrics.reloads.labels("done").inc()
        digest = new.loaded.policy.digest
        _told_digest(digest)
        self._log.info("reloaded", policy=digest, was=old.policy.digest)
        return {"policy": digest, "was": old.policy.digest}

    def _hangup(self) -> None:
        """SIGHUP: a reload without `--accept`; a refusal is in the log and in the metrics."""
        task = asyncio.get_running_loop().create_task(self._quiet_reload())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quiet_reload(self) -> None:
        self._notify(supervised.reloading())
        with contextlib.suppress(PortiereError):
            await self._reload()
        self._notify("READY=1")

    async def _alive(self) -> None:
        """Tell the service manager that our loop runs, as often as it wants to hear it."""
        every = supervised.watchdog_seconds()
        while every is not None:
            self._notify("WATCHDOG=1")
            await asyncio.sleep(every)

    async def _asked_to_stop(self) -> dict[str, Any]:
        self._stop.set()
        return {}

    async def _troubles(self) -> dict[str, str]:
        """What keeps us from working now, by name. The database is asked in a thread."""
        found = {}
        if self._smarthost_trouble:
            found["smarthost"] = self._smarthost_trouble
        if self._doors.short_of_disk:
            found["disk"] = "too little is free to take mail"
        try:
            await asyncio.wait_for(asyncio.to_thread(self._ask_database), READY_SECONDS)
        except PortiereError as error:
            found["database"] = str(error)
        except TimeoutError:
            found["database"] = "no answer"
        return found

    def _notes(self) -> dict[str, str]:
        """What people must be told, and takes nothing out of work."""
        return self._watch.notes()

    def _ask_database(self) -> None:
        with self._rooms.store.reading() as connection:
            connection.execute(text("SELECT 1"))


async def _ended(task: "asyncio.Task[None]") -> None:
    """Cancel it, and wait until it has let go of everything."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _smarthost(config: Config) -> SmarthostSettings:
    settings = config.smarthost
    password = None
    if settings.password_file:
        try:
            password = settings.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadInput(
                f"cannot read `smarthost.password_file`: {error.strerror}",
                str(settings.password_file),
            ) from None
    found = SmarthostSettings(
        host=settings.host,
        port=settings.port,
        starttls=settings.starttls,
        username=settings.username,
        password=password,
        host_name=config.host_name,
    )
    found.check()
    return found


def checked(config: Config) -> None:
    """What a start would refuse of doors, followers and the smarthost; nothing is opened.

    Raises `BadInput`.
    """
    _smarthost(config)
    check_followers(config.webhook)
    doors.checked(config)


async def smarthost_trouble(config: Config) -> str:
    """What keeps the smarthost from taking our mail; empty where nothing does."""
    smarthost = Smarthost(_smarthost(config))
    try:
        await asyncio.wait_for(smarthost.check(), START_CHECK_SECONDS)
    except (PortiereError, TimeoutError) as error:
        return str(error) or "no answer"
    finally:
        await smarthost.close()
    return ""


def _now() -> datetime:
    return datetime.now(UTC)


def _told_digest(digest: str) -> None:
    metrics.policy_info.clear()
    metrics.policy_info.labels(digest).set(1)


def give_memory_back() -> None:
    """A large mail's memory goes back to the system at once (mallopt(3)), where libc can do it.

    Left to itself glibc raises its threshold with the first large mail, and keeps what later ones
    held.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK)
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
