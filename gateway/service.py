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
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import text

from gateway import health, load, log, metrics
from gateway.again import Again
from gateway.config import Config, ListenerConfig
from gateway.control import Control, Handler
from gateway.core.model import Address, Committed, Effects, Envelope, Listener
from gateway.core.read import language
from gateway.deliver.smarthost import Smarthost, SmarthostSettings
from gateway.deliver.worker import Worker, WorkerSettings
from gateway.errors import BadInput, PortiereError
from gateway.followers import Followers
from gateway.house import Rooms, auth_settings
from gateway.jobs import Jobs, house_jobs
from gateway.pipeline import Answer, Pipeline
from gateway.receive import client, listener, replies
from gateway.receive.client import TrustedRelay
from gateway.receive.limits import Limits
from gateway.receive.listener import ListenerSettings, Server
from gateway.receive.replies import Reply, Verdict
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

# The named reply for each reason that the pipeline gives.
REPLIES: dict[str, Reply] = {
    "accepted": replies.ACCEPTED,
    "try-later": replies.TRY_LATER,
    "dns-away": replies.DNS_TRY_LATER,
    "keys-away": replies.PROOF_TRY_LATER,
    "forged": replies.FORGED,
    "malformed": replies.MALFORMED,
    "bad-lines": replies.BAD_LINES,
}

GARBAGE = (5_000, 10, 10)  # gc.set_threshold, once nothing of the start is looked at any more


class Service:
    """One running gateway."""

    def __init__(self, config: Config, warm: Callable[[], None] = language.warm) -> None:
        """Open everything that can be wrong; nothing listens yet.

        `warm` returns when the model of languages has been read; it is called in a thread.
        """
        self._warm = warm
        self._config = config
        self._log = log.get("service")
        self._rooms = Rooms.open(config, warm=True)
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
        domain = config.support.domain.lower()
        # Postmaster is taken wherever mail is (RFC 5321 4.5.1).
        self._ours = self._rooms.standing.knowing.support | {
            f"bounce@{domain}",
            *(f"postmaster@{one}" for one in auth_settings(config).own_domains),
        }
        self._stop = asyncio.Event()
        self._drained_by = 0.0  # on the loop's clock
        self._servers: list[Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._smarthost_trouble = ""
        self._free_disk = listener.disk_at(config.paths.disk)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until SIGTERM; `ready` is called once for each listener."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._terminated)
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
        for weakness in await asyncio.to_thread(self._rooms.store.weaknesses):
            self._log.warning("a weak database", said=weakness)
        _told_digest(self._rooms.standing.loaded.policy.digest)
        await asyncio.to_thread(self._warm)
        _give_memory_back()
        gc.freeze()  # what lives as long as we do: a full collection stalls 100 ms
        gc.set_threshold(*GARBAGE)
        control = Control(self._config.paths.control, self._commands())
        await control.start()
        rooms.push_async_callback(control.close)
        if self._config.http.address:
            pages = health.Health(
                self._config.http.address, self._troubles, metrics.REGISTRY, self._watch.notes
            )
            await pages.start()
            rooms.push_async_callback(pages.close)
        if self._config.mode == "live":
            delivering = asyncio.create_task(self._worker.run())
            rooms.push_async_callback(self._end_delivery, delivering)
            following = asyncio.create_task(self._followers.run())
            rooms.push_async_callback(self._end_following, following)
        rooms.push_async_callback(self._drain)
        for settings in self._config.listener:
            self._servers.append(await self._listen(settings))
        rooms.push_async_callback(asyncio.to_thread, self._watch.left)
        beside = (
            self._watch_smarthost(),
            self._again.run(),
            self._jobs.run(self._worker.wake),
            self._watch.run(),
        )
        for coroutine in beside:
            rooms.push_async_callback(_ended, asyncio.create_task(coroutine))

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        answer: Answer = await self._pipeline.handle(envelope, raw, self._commit)
        return Verdict(REPLIES[answer.reason])

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
        await asyncio.gather(*(server.close(DRAIN_SECONDS) for server in self._servers))

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
            "listeners": [server.address for server in self._servers],
            "sessions": sum(server.sessions for server in self._servers),
            "troubles": await self._troubles(),
            "notes": self._watch.notes(),
        }

    async def _reload(self, accept: bool = False) -> dict[str, Any]:
        """Read and prove the tables again, then swap; the old ones stay if anything is wrong."""
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
        with contextlib.suppress(PortiereError):
            await self._reload()

    async def _asked_to_stop(self) -> dict[str, Any]:
        self._stop.set()
        return {}

    async def _listen(self, settings: ListenerConfig) -> Server:
        return await listener.start(
            ListenerSettings(
                address=settings.address,
                protocol=settings.protocol,
                role=Listener(settings.role),
                tls=_tls(settings),
                require_tls=settings.tls == "required",
            ),
            Limits(**self._config.limits.model_dump()),
            [TrustedRelay.parse(**relay.model_dump()) for relay in self._config.trusted_relays],
            self._is_ours,
            self._handle,
            log.get("receive"),
            self._config.host_name,
            free_disk=self._free_disk,
        )

    async def _troubles(self) -> dict[str, str]:
        """What keeps us from working now, by name. The database is asked in a thread."""
        found = {}
        if self._smarthost_trouble:
            found["smarthost"] = self._smarthost_trouble
        if self._free_disk() < Limits(**self._config.limits.model_dump()).disk_floor:
            found["disk"] = "too little is free to take mail"
        try:
            await asyncio.wait_for(asyncio.to_thread(self._ask_database), READY_SECONDS)
        except PortiereError as error:
            found["database"] = str(error)
        except TimeoutError:
            found["database"] = "no answer"
        return found

    def _ask_database(self) -> None:
        with self._rooms.store.reading() as connection:
            connection.execute(text("SELECT 1"))

    def _is_ours(self, address: Address) -> bool:
        """Support addresses, their sub-addresses, and return paths."""
        base = Address(address.local.partition("+")[0], address.domain).key
        return base in self._ours


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
    """What a start would refuse of the doors and of the smarthost; nothing is opened.

    Raises `BadInput`.
    """
    _smarthost(config)
    client.check([TrustedRelay.parse(**relay.model_dump()) for relay in config.trusted_relays])
    for settings in config.listener:
        _tls(settings)


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


def _tls(settings: ListenerConfig) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate or "", settings.key)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"cannot load the certificate of listener `{settings.address}`: {error}"
        ) from None
    return context


def _told_digest(digest: str) -> None:
    metrics.policy_info.clear()
    metrics.policy_info.labels(digest).set(1)


def _give_memory_back() -> None:
    """A large mail's memory goes back to the system at once (mallopt(3)), where libc can do it.

    Left to itself glibc raises its threshold with the first large mail, and keeps what later ones
    held.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK)
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def notify(state: str) -> None:
    """Tell a service manager that asked (sd_notify(3)): one datagram to $NOTIFY_SOCKET."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
        line.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        line.sendall(state.encode())
