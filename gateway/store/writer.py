"""The one thread of a process that writes: what has gathered goes into one transaction, a
savepoint each.

A future is settled only after the commit, so that nobody acts on what a crash could still take
back. One mail that fails is rolled back to its savepoint and told why; the others go on.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import sqlalchemy.exc
from sqlalchemy import Connection

from gateway import errors
from gateway.core.model import Committed, Effects, Moved
from gateway.store import driver, rows
from gateway.store.blobs import INLINE, digest_of
from gateway.store.engine import Store, as_portiere
from gateway.store.prepared import Link

T = TypeVar("T")

GROUP = 64  # writes in one transaction
BLOB_THREADS = 4
SWEPT_SECONDS = 600.0  # how long what rows told of a sweep is of use; the mail comes at once
BLOB_SECONDS = 9.0  # for large content of one mail; 451 is due within ten
REMEMBERED = 10_000  # keys of mails that were told once of a late parent


class _Job(Generic[T]):
    """One write, and the future by which its caller learns of it."""

    __slots__ = ("future", "links", "outcome", "problem", "work")

    def __init__(self, work: Callable[[Connection], T], *, links: bool = False) -> None:
        """`links`: the work uses nothing but a `Link`, and may be said in one breath."""
        self.work = work
        self.links = links
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()  # what is accepted is not called back
        self.problem: BaseException | None = None
        self.outcome: list[T] = []

    def attempt(self, connection: Connection, link: Link) -> None:
        """Inside a savepoint. Raises only where the whole transaction is lost."""
        self.problem, self.outcome = None, []
        link.mark("SAVEPOINT one")
        try:
            if not self.links:
                link.flush()
            self.outcome = [self.work(connection)]
        except BaseException as problem:
            self.problem = _told(problem)
            link.mark("ROLLBACK TO SAVEPOINT one")
        link.mark("RELEASE SAVEPOINT one")

    def settle(self, lost: BaseException | None = None) -> None:
        """Say what came of it."""
        problem = lost or self.problem
        if problem is not None:
            self.future.set_exception(problem)
        else:
            self.future.set_result(self.outcome[0])


def _told(problem: BaseException) -> BaseException:
    cause = problem.orig if isinstance(problem, sqlalchemy.exc.DBAPIError) else problem
    if isinstance(cause, driver.clashes()):
        return Moved("another gateway wrote the same rows")
    return as_portiere(problem)


class Writer:
    """Starts its thread at once; `close` commits what was handed over before, and ends it."""

    def __init__(self, store: Store, *, blob_seconds: float = BLOB_SECONDS) -> None:
        """BadInput when the store was opened to be read only."""
        if store.read_only:
            raise errors.BadInput("the database is open for reading only")
        self._store = store
        self._blob_seconds = blob_seconds
        self._queue: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._blob_threads = ThreadPoolExecutor(BLOB_THREADS, "portiere-blobs")
        self._told_of_late: OrderedDict[str, None] = OrderedDict()
        self._swept: dict[str, float] = {}  # content that was removed, and when rows told us
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="portiere-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def commit(self, effects: Effects) -> Future[Committed]:
        """Make one mail and all it does durable; never blocks.

        The future's errors: Moved, decide again; Temporary, database or disk is away; Defect.
        """
        if all(len(one) <= INLINE for one in _contents(effects)):
            return self._put(
                _Job(self._applying(effects, digest_of(effects.mail.raw)), links=True)
            )
        return self._put_large(effects)

    def run(self, work: Callable[[Connection], T]) -> Future[T]:
        """Any other write, in the same thread and the same transactions."""
        return self._put(_Job(work))

    def close(self) -> None:
        """Commit what is waiting, then stop. More than once is once."""
        self._blob_threads.shutdown(wait=True)
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    # ---- handing over

    def _put(self, job: _Job[T]) -> Future[T]:
        with self._lock:
            if self._closed:
                raise errors.Temporary("the writer is closed")
            self._queue.put(job)
        return job.future

    def _put_large(self, effects: Effects) -> Future[Committed]:
        """Large content is hashed and flushed by another thread, before its row can name it.

        That takes `BLOB_SECONDS` at most, the wait for a thread included; then it is Temporary.
        """
        settled: Future[Committed] = Future()
        settled.set_running_or_notify_cancel()
        late = errors.Temporary("the blob store takes too long")
        budget = threading.Timer(self._blob_seconds, _settle, [settled, late])
        budget.daemon = True

        def prepare() -> None:
            try:
                work = self._applying(effects, *self._stored(effects, settled))
                inner = self._put(_Job(work, links=True))
            except BaseException as problem:
                _settle(settled, as_portiere(problem))
                return
            finally:
                budget.cancel()
            inner.add_done_callback(lambda done: self._pass_on(done, settled))

        budget.start()
        try:
            self._blob_threads.submit(prepare)
        except RuntimeError:
            budget.cancel()
            raise errors.Temporary("the writer is closed") from None
        return settled

    def _stored(self, effects: Effects, settled: Future[Committed]) -> tuple[str, frozenset[str]]:
        """Put what is large; the digest of the raw mail, and what had been swept before."""
        digest = digest_of(effects.mail.raw)
        contents = rows.large(effects, digest)
        known = {name: self._swept.pop(name, 0.0) for name in contents}
        fresh = time.monotonic() - SWEPT_SECONDS
        put_again = frozenset(name for name, seen in known.items() if seen > fresh)
        for name, content in contents.items():
            if not settled.done():
                self._store.blobs.put(name, content)
        if settled.done():  # the sender was told later, and comes again
            raise errors.Temporary("the blob store takes too long")
        return digest, put_again

    def _pass_on(self, done: Future[Committed], settled: Future[Committed]) -> None:
        problem = done.exception()
        if isinstance(problem, rows.Swept):
            self._swept |= dict.fromkeys(problem.removed, time.monotonic())
        if problem is not None:
            _settle(settled, problem)
        elif not settled.done():
            with suppress(InvalidStateError):
                settled.set_result(done.result())

    def _applying(
        self, effects: Effects, digest: str, put_again: frozenset[str] = frozenset()
    ) -> Callable[[Connection], Committed]:
        key = effects.mail.key

        def work(connection: Connection) -> Committed:
            first_try = key not in self._told_of_late
            link = Link.of(connection)
            try:
                return rows.apply(
                    link,
                    effects,
                    digest,
                    self._store.shard,
                    first_try=first_try,
                    put_again=put_again,
                )
            except rows.LateParent:
                self._told_of_late[key] = None
                if len(self._told_of_late) > REMEMBERED:
                    self._told_of_late.popitem(last=False)
                raise

        return work

    # ---- the thread

    def _write(self) -> None:
        while True:
            group, go_on = self._gather()
            if group:
                self._commit(group)
            if not go_on:
                return

    def _gather(self) -> tuple[list[_Job[Any]], bool]:
        """Wait for one, then take what is there."""
        job = self._queue.get()
        group: list[_Job[Any]] = []
        while job is not None:
            group.append(job)
            if len(group) == GROUP:
                return group, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, group: list[_Job[Any]]) -> None:
        try:
            self._transaction(group)
        except BaseException as problem:
            self._lost(group, problem)
        else:
            for job in group:
                job.settle()

    def _transaction(self, group: list[_Job[Any]]) -> None:
        with self._begun() as connection:
            link = Link.of(connection)
            for job in group:
                job.attempt(connection, link)
            link.flush()

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction, committed at the end; after an error its connection is not used again."""
        connection = self._connected()
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()

    def _connected(self) -> Connection:
        """A connection in a transaction; the pool replaces one that died while it lay idle."""
        connection = self._store.engine.connect()
        try:
            connection.begin()
            if not self._store.sqlite:
                connection.exec_driver_sql("SELECT 1")  # the driver begins with it
        except driver.errors():
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _lost(self, group: list[_Job[Any]], problem: BaseException) -> None:
        """The whole transaction failed, and what waited for the same lock fails with it."""
        told = _told(problem)
        for job in group:
            job.settle(told)
        if isinstance(told, errors.Temporary):
            with suppress(Empty):
                for _ in range(self._queue.qsize()):
                    waiting = self._queue.get_nowait()
                    if waiting is None:
                        self._queue.put(None)
                    else:
                        waiting.settle(told)


def _contents(effects: Effects) -> Iterator[bytes]:
    yield effects.mail.raw
    yield from (one.content for one in effects.attachments)


def _settle(settled: Future[Any], problem: BaseException) -> None:
    """The first word counts: its time may be over already."""
    with suppress(InvalidStateError):
        settled.set_exception(problem)
