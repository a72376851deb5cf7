"""What commands that write need: the rooms, a writer of their own, a post for what they send."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from gateway import config as configuration
from gateway.core.model import Outgoing
from gateway.core.say.desk import Post
from gateway.errors import BadInput
from gateway.house import Rooms
from gateway.store import changes
from gateway.store.columns import micros
from gateway.store.prepared import Link
from gateway.store.writer import Writer

T = TypeVar("T")


class Office(AbstractContextManager["Office"]):
    """Open rooms and a writer, for one command. The daemon may be running beside it."""

    def __init__(self, config: Path | None) -> None:
        """`BadInput` or `Temporary` when the configuration or the database is wrong."""
        self.config = configuration.load(config)
        self.rooms = Rooms.open(self.config)
        self.writer = Writer(self.rooms.store)

    def __exit__(self, *_error: object) -> None:
        self.writer.close()
        self.rooms.close()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do this in one transaction; the result once it is durable."""
        return self.writer.run(work).result()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do this in one read transaction."""
        with self.rooms.store.reading() as connection:
            return work(connection)

    def ours(self, key: str) -> bool:
        """Whether an address, by its key, is the desk's own: a support address or one below it,
        anything at the domain of our return paths, or a return path at another domain of ours.
        """
        support = self.config.support
        local, _, domain = key.rpartition("@")
        bare, plus, _ = local.partition("+")
        if domain == support.domain.lower():
            return True
        if plus and bare == "bounce" and domain in map(str.lower, support.own_domains):
            return True
        known = {one.lower() for one in support.addresses}
        return key in known or f"{bare}@{domain}" in known

    def post(self) -> Post:
        """For replies and notices that a command sets off."""
        loaded = self.rooms.standing.loaded
        chance = secrets.token_bytes(16)
        return Post(self.rooms.desk, loaded.templates, loaded.routing, chance, now())


def now() -> datetime:
    """The moment of the command."""
    return datetime.now(UTC)


def moment(text: str) -> datetime:
    """A moment that a person wrote; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it as 2026-11-22T14:05:00+01:00"
        raise BadInput(f"`{text}` is not a moment", hint=hint) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def moment_or_none(text: str | None) -> datetime | None:
    """The same, where there may be none."""
    return None if text is None else moment(text)


def queue(connection: Connection, outgoing: Outgoing) -> None:
    """Put a finished mail that belongs to no ticket into the outbox."""
    link = Link.of(connection)
    changes.run(link, changes.outgoing(link, outgoing, None, micros(now())))
