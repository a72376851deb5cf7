"""A door for mail, opened and closed: the socket, the sweep that cuts slow clients, the drain.

Sockets are made here with their protocol named: one made with protocol 0 loses TCP_NODELAY in
asyncio.
"""

import asyncio
import contextlib
import functools
import logging
import os
import socket
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import BadInput
from gateway.receive import client, replies
from gateway.receive.client import TrustedRelay
from gateway.receive.door import Door, ListenerSettings, Log
from gateway.receive.limits import Crowd, Limits, Memory
from gateway.receive.lmtp import LmtpSession
from gateway.receive.replies import Handle, IsOurs
from gateway.receive.smtp import SmtpSession

__all__ = ["ListenerSettings", "Server", "disk_at", "start"]

BACKLOG = 1024
SWEEP_SECONDS = 1.0
_UNIX = "unix:"


class Server:
    """An open door."""

    def __init__(
        self, door: Door, server: asyncio.Server, address: str, sweep: asyncio.Task[None]
    ) -> None:
        """Made by `start` alone."""
        self.address = address
        self._door = door
        self._server = server
        self._sweep = sweep

    @property
    def protocol(self) -> str:
        """`smtp` or `lmtp`."""
        return self._door.settings.protocol

    @property
    def sessions(self) -> int:
        """Connections that are open."""
        return len(self._door.sessions)

    async def close(self, drain_seconds: float) -> int:
        """Take no more mail; wait for the mails under way. Returns how many commits were not done
        in time.
        """
        door = self._door
        door.draining = True
        self._server.close()
        if door.settings.handed:
            door.settings.handed.close()  # ours was a copy: nobody waits in its queue for us
        if self.address.startswith(_UNIX) and not door.settings.handed:
            _remove(self.address)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + drain_seconds
        while door.sessions and loop.time() < deadline:
            for session in list(door.sessions):
                session.retire()
            await asyncio.sleep(min(0.02, max(0.0, deadline - loop.time())))
        if door.commits:
            await asyncio.wait(set(door.commits), timeout=max(0.0, deadline - loop.time()))
        unfinished = len(door.commits)
        for session in list(door.sessions):
            session.cut(replies.SHUTTING_DOWN, "drained")
        self._sweep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweep
        await asyncio.sleep(0)
        return unfinished


async def start(
    settings: ListenerSettings,
    limits: Limits,
    relays: Sequence[TrustedRelay],
    is_ours: IsOurs,
    handle: Handle,
    log: Log,
    host_name: str,
    *,
    clock: Callable[[], datetime] | None = None,
    free_disk: Callable[[], int] | None = None,
    postmaster: str = "",
) -> Server:
    """Open a door. Raises `BadInput` where the address cannot be had or the relays are ambiguous.

    `clock` gives each mail its time (aware, UTC); `free_disk` the free bytes where mail is
    stored (`disk_at`); `postmaster` the domain of `RCPT TO:<postmaster>`.
    """
    client.check(relays)
    logging.getLogger(
        "mail.log"
    ).disabled = True  # aiosmtpd's line for each command; we have our own
    door = Door(
        settings=settings,
        limits=limits,
        relays=tuple(relays),
        is_ours=is_ours,
        handle=handle,
        log=log,
        host_name=host_name,
        clock=clock or _utc_now,
        free_disk=free_disk or _endless,
        crowd=Crowd(limits),
        memory=Memory(limits.memory_bytes, limits.memory_for_one),
        postmaster=postmaster or host_name,
    )
    session = LmtpSession if settings.protocol == "lmtp" else SmtpSession
    loop = asyncio.get_running_loop()
    sock = settings.handed.dup() if settings.handed else bound(settings)
    factory = functools.partial(session, door)
    if sock.family == socket.AF_UNIX:
        server: asyncio.Server = await loop.create_unix_server(factory, sock=sock, backlog=BACKLOG)
    else:
        server = await loop.create_server(factory, sock=sock, backlog=BACKLOG)
    return Server(door, server, _name(settings, sock), loop.create_task(_sweep(door)))


def disk_at(*paths: Path) -> Callable[[], int]:
    """Free bytes, for us, on the fullest of the file systems that hold these paths, or where one
    does not exist its nearest parent.
    """
    places = [_existing(path) for path in paths]

    def free() -> int:
        found = [os.statvfs(place) for place in places]
        return min(each.f_bavail * each.f_frsize for each in found)

    return free


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


async def _sweep(door: Door) -> None:
    limits = door.limits
    shortest = min(limits.command_seconds, limits.busy_command_seconds, limits.session_seconds)
    shortest = min(shortest, limits.data_seconds, limits.data_grace_seconds + 1)
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(min(SWEEP_SECONDS, shortest / 4))
        door.sweep(loop.time())


def reserved(address: str) -> socket.socket:
    """A bound socket that nobody listens on, so that others may by SO_REUSEPORT."""
    return _bound_tcp(ListenerSettings(address, reuse_port=True), listening=False)


def bound(settings: ListenerSettings) -> socket.socket:
    """A listening socket at the address. Raises `BadInput` where it cannot be had."""
    if settings.address.startswith(_UNIX):
        return _bound_unix(Path(settings.address.removeprefix(_UNIX)), settings.unix_mode)
    return _bound_tcp(settings)


def _bound_tcp(settings: ListenerSettings, *, listening: bool = True) -> socket.socket:
    host, port = _host_and_port(settings.address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        (info, *_) = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise BadInput(f"listener `{settings.address}`: {error.strerror}") from None
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
        if settings.reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(info[4])
        if listening:
            sock.listen(BACKLOG)  # so that a taken port is noticed here
    except OSError as error:
        sock.close()
        raise _not_had(settings.address, error) from None
    return sock


def _bound_unix(path: Path, mode: int) -> socket.socket:
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(mode)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _not_had(f"{_UNIX}{path}", error) from None
    return sock


def _remove(address: str) -> None:
    Path(address.removeprefix(_UNIX)).unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """A socket at which nobody listens any more is left over from a crash."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return


def _not_had(address: str, error: OSError) -> BadInput:
    hint = ""
    if isinstance(error, PermissionError):
        hint = "ports below 1024 need CAP_NET_BIND_SERVICE, or a socket handed over"
    return BadInput(f"cannot listen on `{address}`: {(error.strerror or '').lower()}", hint=hint)


def _host_and_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"listener address `{address}` is not `host:port` or `unix:/path`")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # no host means every address


def _name(settings: ListenerSettings, sock: socket.socket) -> str:
    if sock.family == socket.AF_UNIX:
        return settings.address
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _endless() -> int:
    return 1 << 62
