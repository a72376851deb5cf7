"""What all sessions of one listener share: settings, counts, and the commits that are under way.

A commit belongs to the door and not to the session that brought the mail: a client that hangs
up cancels nothing.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from gateway import metrics
from gateway.core.model import Envelope, Listener
from gateway.receive import replies
from gateway.receive.client import TrustedRelay
from gateway.receive.limits import Crowd, Limits, Memory
from gateway.receive.replies import Handle, IsOurs, Reply, Verdict


class Log(Protocol):
    """As much of a structured logger as this room uses: an event and its fields."""

    def debug(self, event: str, **fields: Any) -> Any:
        """Of interest to nobody by default."""

    def info(self, event: str, **fields: Any) -> Any:
        """Of interest to ops."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Something that ops may want to change."""

    def error(self, event: str, **fields: Any) -> Any:
        """A fault of ours."""


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One door for mail. `address` is `host:port`, `[v6]:port` or `unix:/path`."""

    address: str
    protocol: Literal["smtp", "lmtp"] = "smtp"
    role: Listener = Listener.EDGE
    tls: ssl.SSLContext | None = None  # offers STARTTLS
    require_tls: bool = False
    implicit_tls: bool = False  # TLS from the first byte on (RFC 8314)
    keep_bad_lines: bool = False  # pass bare CR, LF and NUL on, for a wire gate that records
    reuse_port: bool = False  # several processes on one port
    unix_mode: int = 0o660
    handed: socket.socket | None = None  # opened for us by whoever started us


class Session(Protocol):
    """What a door can do to a session."""

    def overdue(self, now: float) -> bool:
        """Whether the client took longer than it may; `now` is the loop's time."""

    def cut(self, reply: Reply, why: str) -> None:
        """End it now, whatever the peer does."""

    def retire(self) -> None:
        """End it as soon as no mail is under way."""


@dataclass(slots=True)
class Door:
    """The shared state of one listener."""

    settings: ListenerSettings
    limits: Limits
    relays: Sequence[TrustedRelay]
    is_ours: IsOurs
    handle: Handle
    log: Log
    host_name: str
    clock: Callable[[], datetime]
    free_disk: Callable[[], int]
    crowd: Crowd
    memory: Memory
    postmaster: str  # where mail for the postmaster of no domain goes
    draining: bool = False
    sessions: set[Session] = field(default_factory=set)
    commits: set[asyncio.Future[Verdict]] = field(default_factory=set)

    def begin(self, envelope: Envelope, raw: bytes) -> asyncio.Future[Verdict]:
        """Have a mail decided and committed, whatever becomes of the session."""
        task = asyncio.ensure_future(self.handle(envelope, raw))
        self.commits.add(task)
        task.add_done_callback(self._decided)
        return task

    async def verdict(self, task: asyncio.Future[Verdict], session: str) -> Verdict:
        """The verdict on a mail; 451 where there is none in time, or only an exception."""
        # Unlike `wait_for` and `await task`, `wait` leaves the task alone when this session is
        # cancelled.
        await asyncio.wait({task}, timeout=self.limits.decide_seconds)
        if not task.done():
            self.log.error("no verdict in time", session=session)
            return Verdict(replies.TRY_LATER)
        if task.cancelled() or task.exception() is not None:
            return Verdict(replies.TRY_LATER)
        return task.result()

    def _decided(self, task: asyncio.Future[Verdict]) -> None:
        self.commits.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.log.error("the handler failed", exc_info=error)

    def answered(self, reply: Reply) -> None:
        """Count the final reply to a mail."""
        metrics.smtp_replies.labels(code=str(reply.code)).inc()

    def sweep(self, now: float) -> None:
        """End the sessions of clients that take too long."""
        for session in [each for each in self.sessions if each.overdue(now)]:
            session.cut(replies.TIMED_OUT, "too slow")
