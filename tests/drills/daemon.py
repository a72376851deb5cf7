"""The process that a drill kills: it loads the program once, then forks a gateway for each order.

A fork saves the seconds of importing, so that there are more kills in a minute; the gateway itself
is the one that `portiere serve` runs. An order may name a point at which it kills itself, or
safeguards that are switched off, to see a drill turn red.
"""

import asyncio
import dataclasses
import email
import email.policy
import json
import os
import secrets
import select
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy
import uvloop

from gateway import config as configuration
from gateway import jobs, log
from gateway.authenticate.resolver import read_zone
from gateway.core.model import Committed, Effects, Envelope
from gateway.core.read import language
from gateway.errors import Temporary
from gateway.pipeline import Pipeline
from gateway.receive import replies
from gateway.receive.replies import Verdict
from gateway.service import Service
from gateway.store import schema

# Each await between what is heard and what is done, in the order in which a mail passes them.
POINTS = (
    "received",
    "proven",
    "found",
    "decided",
    "in-transaction",
    "committed",
    "answered",
    "claimed",
    "taken",
    "noted",
)

HURRIED = {
    "lease_seconds": 6.0,
    "send_seconds": 5.0,
    "first_delay_seconds": 0.5,
    "longest_delay_seconds": 2.0,
}


class Points:
    """Kills this process at the n-th passing of one point."""

    def __init__(self, name: str | None, after: int) -> None:
        """No name: never."""
        self._name = name
        self._left = after

    def passed(self, name: str) -> None:
        """Called at each point."""
        if name == self._name:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Drilled(Service):
    """A gateway with points to be killed at."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        """Everything else is as it is shipped."""
        super().__init__(config)
        self._points = points
        self._between()
        self._smarthost = _Sending(self._smarthost, points)
        outbox = self._worker._outbox
        outbox.sent = _after(outbox.sent, lambda: points.passed("noted"))
        sqlalchemy.event.listen(
            self._rooms.store.engine, "commit", lambda _: points.passed("in-transaction")
        )

    def _between(self) -> None:
        """Points within the pipeline."""
        house = self._pipeline._house
        house.authenticator.evidence = self._then("proven", house.authenticator.evidence)
        find = self._then("found", house.find)
        self._pipeline._house = dataclasses.replace(house, find=find)

    def _then(self, point: str, call: Callable[..., Any]) -> Callable[..., Any]:
        async def both(*values: Any) -> Any:
            done = await call(*values)
            self._points.passed(point)
            return done

        return both

    def hurry(self) -> None:
        """A row comes back in seconds, so that a drill sees the end of it."""
        self._worker._settings = dataclasses.replace(self._worker._settings, **HURRIED)

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        self._points.passed("received")
        verdict = await super()._handle(envelope, raw)
        self._points.passed("answered")
        return verdict

    async def _commit(self, effects: Effects) -> Committed:
        self._points.passed("decided")
        done = await super()._commit(effects)
        self._points.passed("committed")
        return done


class _Sending:
    def __init__(self, smarthost: Any, points: Points) -> None:
        self._smarthost = smarthost
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._smarthost, name)

    async def send(self, *words: Any) -> str:
        self._points.passed("claimed")
        said: str = await self._smarthost.send(*words)
        self._points.passed("taken")
        return said


def _after(call: Callable[..., Any], then: Callable[[], None]) -> Callable[..., Any]:
    def both(*values: Any) -> Any:
        done = call(*values)
        then()
        return done

    return both


# ---- safeguards switched off; a drill that stays green with one of them shows nothing


class SaysTooEarly(Drilled):
    """250 before the commit."""

    async def _commit(self, effects: Effects) -> Committed:
        asyncio.get_running_loop().call_later(0.3, self._late, effects)
        return Committed(effects.mail.id)

    def _late(self, effects: Effects) -> None:
        done: Future[Committed] = self._writer.commit(effects)
        done.add_done_callback(lambda future: future.exception())
        self._worker.wake()


class KnowsNoDuplicates(Drilled):
    """Every arrival of a mail is a new one."""

    async def _commit(self, effects: Effects) -> Committed:
        fresh = dataclasses.replace(effects.mail, key=secrets.token_hex(16))
        return await super()._commit(dataclasses.replace(effects, mail=fresh))


class SaysAllIsWell(Drilled):
    """250 to a mail that could not be stored."""

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        verdict = await super()._handle(envelope, raw)
        return Verdict(replies.ACCEPTED) if verdict.reply.code < 500 else verdict


class RefusesForGood(Drilled):
    """5xx where the trouble is ours."""

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        verdict = await super()._handle(envelope, raw)
        return verdict if verdict.reply.positive else Verdict(replies.REFUSED)


class SendsWhileTheOtherWaits(Drilled):
    """250 only after the smarthost has answered."""

    async def _commit(self, effects: Effects) -> Committed:
        for out in effects.outgoing:
            try:
                await self._smarthost.send(out.envelope_from, out.to, out.raw)
            except Exception as error:
                raise Temporary("the smarthost is away") from error
        return await super()._commit(effects)


class GivesUpAtOnce(Drilled):
    """A row is sent once, whatever comes of it."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        super().__init__(config, points)
        outbox = self._worker._outbox
        outbox.retry = lambda lease, now, *_, **__: outbox.sent(lease, now)


class ForgetsTheOrder(Drilled):
    """A row that waits for its next try holds up no later one of its ticket."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        super().__init__(config, points)
        outbox = self._worker._outbox
        retry, table = outbox.retry, schema.outbox

        def unhinged(lease: Any, *words: Any, **named: Any) -> bool:
            loose = table.update().where(table.c.id == lease.id).values(ticket=None)
            self._writer.run(lambda connection: connection.execute(loose)).result()
            return retry(lease, *words, **named)

        outbox.retry = unhinged


class NeverLetsGo(Drilled):
    """Whoever has claimed a row sends it, however long ago that was."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        super().__init__(config, points)
        self._worker.holds = lambda _lease: True
        self._worker._outbox.renew = lambda *_words: True


class TrustsOldAnswers(Drilled):
    """A mail is proven by an old answer of DNS, whatever DNS says now."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        super().__init__(config, points)
        zone = (config.paths.control.parent / "zone.json").read_text()
        self._pipeline = Pipeline(self._rooms.house(read_zone(zone)))


class BelievesInTheFuture(Drilled):
    """What was written while the clock stood ahead waits until it stands there again."""

    def __init__(self, config: configuration.Config, points: Points) -> None:
        super().__init__(config, points)
        found = self._jobs._listed
        self._jobs._listed = tuple(job for job in found if job.name != "rows of the future")


class ReadsWithoutBounds(Drilled):
    """Every part of a mail is looked at, however many and however deep they are."""

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        for part in mail.walk():
            part.get_content_type()
        return await super()._handle(envelope, raw)


class Leaks(Drilled):
    """Each mail is kept in memory, and every fourth holds a file open."""

    kept: ClassVar[list[object]] = []

    async def _handle(self, envelope: Envelope, raw: bytes) -> Verdict:
        self.kept.append(bytes(100_000))
        if len(self.kept) % 4 == 0:
            os.dup(1)
        return await super()._handle(envelope, raw)


class DropsAtTheEnd(Drilled):
    """SIGTERM ends it at once, mails in DATA and all."""

    async def run(self, ready: Callable[[str], None]) -> None:
        """As always, but for the signal."""

        def heard(line: str) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            ready(line)

        await super().run(heard)


UNSAFE: dict[str, type[Drilled]] = {
    "250-before-commit": SaysTooEarly,
    "no-duplicate-check": KnowsNoDuplicates,
    "250-to-failure": SaysAllIsWell,
    "5xx-to-failure": RefusesForGood,
    "wait-for-smarthost": SendsWhileTheOtherWaits,
    "one-try": GivesUpAtOnce,
    "no-order": ForgetsTheOrder,
    "never-lets-go": NeverLetsGo,
    "old-dns": TrustsOldAnswers,
    "no-drain": DropsAtTheEnd,
    "no-bounds": ReadsWithoutBounds,
    "leaks": Leaks,
    "believes-the-future": BelievesInTheFuture,
}


def _normal_sync() -> None:
    """SQLite with `synchronous=NORMAL`: a commit is not flushed."""

    @sqlalchemy.event.listens_for(sqlalchemy.Engine, "connect")
    def _connected(dbapi: Any, _record: Any) -> None:
        dbapi.execute("PRAGMA synchronous=NORMAL")


def gateway(order: dict[str, Any]) -> None:
    """Be a gateway until a signal ends it."""
    loaded = configuration.load(Path(order["config"]))
    log.configure(loaded.log.level, loaded.log.format, loaded.log.addresses)
    if order.get("unsafe") == "normal-sync":
        _normal_sync()
    kind = UNSAFE.get(order.get("unsafe") or "", Drilled)
    if order.get("ticks"):
        jobs.TICK_SECONDS = order["ticks"]
    points = Points(order.get("point"), int(order.get("after") or 1))

    async def run() -> None:
        made = kind(loaded, points)
        if order.get("hurry"):
            made.hurry()
        await made.run(lambda line: print(line, flush=True))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def main() -> None:
    """An order a line on standard input; `forked PID`, what the gateway says, `ended STATUS`."""
    language.warm()
    print("loaded", flush=True)
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # orders are not for the fork
            gateway(json.loads(line))
            os._exit(0)
        print(f"forked {pid}", flush=True)
        print(f"ended {_watched(pid)}", flush=True)


def _watched(pid: int) -> int:
    """Its status; it is killed where nobody gives orders any more."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if select.select([sys.stdin], [], [], 0.005)[0]:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
