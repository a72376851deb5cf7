"""Shows what waits, and which gateways are at work by which policy: gauges, and notes on /readyz.

It decides nothing and changes nothing but this gateway's own row.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from importlib import metadata

from sqlalchemy import Connection

from gateway import log, metrics
from gateway.errors import PortiereError
from gateway.store import fleet, waits
from gateway.store.engine import Store
from gateway.store.fleet import Gateway
from gateway.store.waits import Wait
from gateway.store.writer import Writer

LOOK_SECONDS = 15.0


class Watch:
    """Looks now and then. `look` and `left` block, and are called in a thread."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        owner: str,
        clock: Callable[[], datetime],
        digest: Callable[[], str],
    ) -> None:
        """`owner` names this process; `digest` is that of the policy in force."""
        self._store = store
        self._writer = writer
        self._clock = clock
        self._digest = digest
        self._me = Gateway(owner, _version(), digest(), clock(), clock())
        self._notes: dict[str, str] = {}
        self._log = log.get("watch")

    def notes(self) -> dict[str, str]:
        """What people must be told, by name, as it was at the last look."""
        return dict(self._notes)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Show ourselves, and see what is there; when the database is away, at the next time."""
        now = self._clock()
        try:
            self._me = replace(self._me, policy_digest=self._digest(), seen_at=now)
            self._writer.run(lambda connection: fleet.seen(connection, self._me)).result()
            with self._store.reading() as connection:
                self._seen(connection, now)
        except PortiereError as error:
            self._log.warning("cannot look at what waits", error=str(error))
        except Exception:
            metrics.defects.inc()
            self._log.exception("a defect of ours")

    def left(self) -> None:
        """This gateway stops."""
        name = self._me.instance
        with suppress(PortiereError):
            self._writer.run(lambda connection: fleet.left(connection, name)).result()

    def _seen(self, connection: Connection, now: datetime) -> None:
        found = waits.waits(connection, now)
        alive = fleet.alive(connection, now)
        notes = dict(waits.unseen(found)) | _disagreement(alive)
        for name in notes.keys() - self._notes.keys():
            self._log.warning("this waits for people", what=name, said=notes[name])
        self._notes = notes
        _shown(found, alive)


def _version() -> str:
    try:
        return metadata.version("portiere")
    except metadata.PackageNotFoundError:
        return "?"


def _disagreement(alive: list[Gateway]) -> dict[str, str]:
    digests: dict[str, list[str]] = {}
    for one in alive:
        digests.setdefault(one.policy_digest, []).append(one.instance)
    if len(digests) < 2:
        return {}
    each = "; ".join(f"{digest[:12]} on {', '.join(who)}" for digest, who in digests.items())
    return {"policies": f"gateways decide by different policies: {each}"}


def _shown(found: dict[str, Wait], alive: list[Gateway]) -> None:
    for name, wait in found.items():
        metrics.waiting.labels(name).set(wait.number)
        metrics.waiting_seconds.labels(name).set(wait.seconds)
    metrics.gateways.set(len(alive))
    metrics.policy_digests.set(len({one.policy_digest for one in alive}))
