"""Those who follow tickets by webhook: each of the configuration has its own outbox and worker, so
that one that is down holds up no other, and no mail.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway import log, metrics
from gateway.config import WebhookConfig
from gateway.deliver.webhooks import HookSettings, Webhook
from gateway.deliver.worker import Worker, WorkerSettings
from gateway.store import events
from gateway.store.engine import Store
from gateway.store.webhooks import HookLease, Hooks
from gateway.store.writer import Writer

CONNECTIONS = 2  # of one follower


class Followers:
    """All of them. `run` works until `stop`."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        listed: tuple[WebhookConfig, ...],
        owner: str,
        clock: Callable[[], datetime],
    ) -> None:
        """From now on events are written for these; BadInput when one of them is of no use."""
        hooks = {one.url: Webhook(_settings(one), clock) for one in listed}
        now = clock()
        wanted = {one.url: one.events for one in listed}
        writer.run(lambda connection: events.follow(connection, wanted, now)).result()
        self._workers = []
        for one in listed:
            box = Hooks(store, writer, one.url)
            if store.sqlite:
                box.abandoned(now)
            self._workers.append(_worker(one, box, hooks[one.url], owner, clock))

    async def run(self) -> None:
        """Deliver until `stop`."""
        await asyncio.gather(*(worker.run() for worker in self._workers))

    def wake(self) -> None:
        """Something happened to a ticket."""
        for worker in self._workers:
            worker.wake()

    async def stop(self, drain_seconds: float) -> None:
        """Begin nothing new, and wait for what is under way."""
        await asyncio.gather(*(worker.stop(drain_seconds) for worker in self._workers))


def check_followers(listed: tuple[WebhookConfig, ...]) -> None:
    """What a start would refuse of them; nothing is written. Raises `BadInput`."""
    for one in listed:
        _settings(one).check()


def _settings(one: WebhookConfig) -> HookSettings:
    return HookSettings(one.url, one.secret_file, one.authorities, one.timeout_seconds)


def _worker(
    one: WebhookConfig, box: Hooks, hook: Webhook, owner: str, clock: Callable[[], datetime]
) -> Worker[HookLease]:
    return Worker(
        box,
        hook.carry,
        owner,
        clock,
        log.get("webhook"),
        WorkerSettings(
            connections=CONNECTIONS,
            send_seconds=one.timeout_seconds + 5.0,
            give_up_seconds=one.give_up_after_hours * 3600.0,
        ),
        results=metrics.webhooks,
    )
