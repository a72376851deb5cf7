"""Large mails into a bucket, killed between blob and commit: nothing that was accepted is lost,
and what the kills left behind is swept.
"""

import asyncio
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drills import ground
from drills.audit import Audit, audit
from drills.process import Daemon, daemon
from drills.senders import Senders
from fakes_s3 import FakeS3
from fakes_smarthost import Sink
from sqlalchemy import select

from gateway.store import schema
from gateway.store.engine import Store
from gateway.store.sweep import sweep
from gateway.store.writer import Writer

PEOPLE = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is stored, and what lay in the bucket that no row names."""

    accepted: int
    kills: int
    audit: Audit  # after the sweep
    orphans: int
    swept: int

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        return self.accepted > 0 and self.audit.clean and self.orphans == self.swept

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"{self.kills} kills, most between blob and commit, {self.accepted} accepted:"
            f" {self.audit.words or 'nothing lost'}; {self.orphans} orphans in the bucket,"
            f" {self.swept} swept"
        )


async def drill(
    folder: Path, bucket: FakeS3, kills: int = 2, unsafe: str | None = None
) -> Outcome:
    """Senders of large mail; a gateway that kills itself after a put and before its commit."""
    made = ground.build(folder, PEOPLE)
    ground.configure(made, ('blobs = "blobs"', f'blobs = "{bucket.url}"'))
    senders = Senders(lambda: made.smtp_port, PEOPLE, 11)
    async with Sink(port=made.sink_port), daemon(made.config, bucket.environment) as held:
        try:
            await held.start(unsafe=unsafe, hurry=True)
            senders.start(4, mix="LLo")
            for _ in range(kills):
                await asyncio.sleep(1.0)
                await held.kill()
                await held.start(point="in-transaction", after=12, unsafe=unsafe, hurry=True)
                await held.ended()
                await held.start(unsafe=unsafe, hurry=True)
            await senders.finish()
            await _abandoned(held, made.smtp_port, senders, bucket, unsafe)
            await held.stop()
        finally:
            await senders.cancel()
    url = f"sqlite:///{made.folder / 'portiere.db'}"
    orphans, swept = await asyncio.to_thread(_swept, url, bucket)
    looked = await asyncio.to_thread(audit, url, bucket.url, senders.heard)
    return Outcome(len(senders.heard.accepted), 2 * kills + 1, looked, orphans, swept)


async def _abandoned(
    held: Daemon, port: int, before: Senders, bucket: FakeS3, unsafe: str | None
) -> None:
    """A mail is cut when its bytes are in the bucket and its row is not; its sender gives up."""
    bucket.after_put = lambda: held.signal(signal.SIGKILL)
    hasty = Senders(lambda: port, PEOPLE, 12, heard=before.heard)
    hasty.start(1, mix="L")
    await held.ended()
    await hasty.cancel()
    bucket.after_put = lambda: None
    await held.start(unsafe=unsafe, hurry=True)


def _swept(url: str, bucket: FakeS3) -> tuple[int, int]:
    """How many no row named, and how many a sweep took that takes the young ones, too."""
    store = Store.open(url, bucket.url)
    with store.reading() as connection:
        named = set(connection.execute(select(schema.blobs.c.digest)).scalars())
    orphans = bucket.names() - named
    with Writer(store) as writer:
        swept = sweep(store, writer, datetime.now(UTC), older_than=-3600.0)
    store.close()
    assert bucket.names() <= named
    return len(orphans), swept
