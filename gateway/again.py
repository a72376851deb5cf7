"""Mail that the store holds is decided once more: released by its account, or failed by our fault.

It keeps its id, its key and its time. What is decided is committed like any mail's effects; a mail
that another gateway has decided meanwhile has no second effect.
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway import log
from gateway.authenticate import results
from gateway.errors import PortiereError, Temporary
from gateway.pipeline import Commit, Kept, Pipeline
from gateway.store import mails
from gateway.store.engine import Store
from gateway.store.mails import StoredMail

BATCH = 50
GONE = "its bytes are not in the blob store, or it was decided meanwhile"
ROUND_SECONDS = 30.0  # a release by a command, or by another gateway, is seen after this
_FIELD = re.compile(rb"authentication-results:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.IGNORECASE)


@dataclass(slots=True)
class Decided:
    """What came of a number of mails: their outcomes, or why they stay as they are, by id."""

    outcomes: dict[str, str] = field(default_factory=dict)
    stayed: dict[str, str] = field(default_factory=dict)


class Again:
    """Decides stored mail by the pipeline of this house."""

    def __init__(
        self, store: Store, pipeline: Pipeline, commit: Commit, batch: int = BATCH
    ) -> None:
        """`commit` as for mail that comes in."""
        self._store = store
        self._pipeline = pipeline
        self._commit = commit
        self._batch = batch
        self._log = log.get("again")
        self._one_at_a_time = asyncio.Lock()
        self._woken = asyncio.Event()
        self._tried: set[str] = set()  # released mails that stayed; the others go first

    def wake(self) -> None:
        """A mail has just been released: do not wait for the next round."""
        self._woken.set()

    async def run(self) -> None:
        """Decide what is released, until it is cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.released()
            except Temporary as error:
                self._log.warning("released mail waits", error=str(error))
            except Exception:
                self._log.exception("a defect of ours")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), ROUND_SECONDS)

    async def released(self) -> Decided:
        """Decide what its accounts have released, oldest first. What cannot be stays released,
        and is tried again after all the others.
        """
        names = await asyncio.to_thread(self._released)
        decided = await self._decide(names)
        for name in names:
            if name not in decided.outcomes:
                self._tried.add(name)
                if name not in decided.stayed:
                    decided.stayed[name] = GONE
                    self._log.error("a released mail cannot be decided", mail=name, error=GONE)
        return decided

    async def retry(self, chosen: Iterable[str] | None = None) -> Decided:
        """Decide failed mails: those that are named, or all of them."""
        names = list(chosen) if chosen is not None else await asyncio.to_thread(self._failed)
        decided = await self._decide(names)
        for name in names:
            if name not in decided.outcomes and name not in decided.stayed:
                decided.stayed[name] = "there is no failed mail of this id"
        return decided

    def _failed(self) -> list[str]:
        with self._store.reading() as connection:
            return [row["mail"] for row in mails.list_failed(connection)]

    def _released(self) -> list[str]:
        with self._store.reading() as connection:
            names = mails.released(connection)
        self._tried &= set(names)
        fresh = [name for name in names if name not in self._tried]
        if not fresh:
            self._tried, fresh = set(), names
        return fresh[: self._batch]

    async def _decide(self, names: list[str]) -> Decided:
        async with self._one_at_a_time:
            found = Decided()
            waiting = await asyncio.to_thread(self._waiting, names)
            for one in waiting:
                await self._one(one, found)
            return found

    def _waiting(self, names: list[str]) -> list[StoredMail]:
        with self._store.reading() as connection:
            return mails.to_decide(connection, self._store.blobs, names, len(names))

    async def _one(self, one: StoredMail, found: Decided) -> None:
        kept = Kept(one.mail, one.key, one.envelope, came_as(one), one.account)
        try:
            course = await self._pipeline.again(kept, self._commit)
        except PortiereError as error:
            found.stayed[one.mail] = str(error)
            if not isinstance(error, Temporary):
                self._log.warning("not decided", mail=one.mail, error=str(error))
            return
        effects = course.effects
        found.outcomes[one.mail] = effects.mail.outcome if effects else "none"


def came_as(stored: StoredMail) -> bytes:
    """The mail as it came, by its digest: without the field that we put on top, and with the names
    of others' fields given back, so that its signatures verify as they did.
    """
    for raw in _readings(stored.raw):
        if hashlib.sha256(raw).hexdigest() == stored.content_digest:
            return raw
    return stored.raw


def _readings(raw: bytes) -> Iterator[bytes]:
    yield raw
    ours = _FIELD.match(raw)
    if ours is None:
        return
    yield raw[ours.end() :]
    end = raw.find(b"\r\n\r\n", ours.end())
    head, rest = (raw[ours.end() :], b"") if end < 0 else (raw[ours.end() : end], raw[end:])
    yield _named_again(head) + rest


def _named_again(head: bytes) -> bytes:
    """The fields that were renamed because they claimed our id."""
    lines = head.split(b"\r\n")
    mark = results.RENAMED + b":"
    short = len(results.RENAMED) - len(b"Authentication-Results")
    return b"\r\n".join(line[short:] if line.startswith(mark) else line for line in lines)
