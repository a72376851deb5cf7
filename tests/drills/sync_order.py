"""Each 250 has a flush of its mail's bytes before it: seen from under the process, by a recorder
that is preloaded. kill -9 alone cannot tell a commit that was flushed from one that was not.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from drills import ground
from drills.ground import CUSTOMERS
from drills.process import daemon
from drills.senders import Client, Post, compose
from fakes_smarthost import Sink

COMPILER = shutil.which("gcc") or shutil.which("cc")
MARKS = 60  # of a mail, so that one of them is whole on some page


@dataclass(frozen=True, slots=True)
class Order:
    """Of all that was accepted, how many had no flush between their bytes and their 250."""

    accepted: int
    unflushed: int
    unseen: int  # never written to the log before their 250

    @property
    def clean(self) -> bool:
        """Every mail was seen, and every one was flushed first."""
        return self.accepted > 0 and not self.unflushed and not self.unseen

    @property
    def words(self) -> str:
        """One line for the table."""
        return (
            f"{self.accepted:,} accepted: {self.unflushed:,} without a flush of their bytes"
            f" before 250, {self.unseen:,} not written at all by then"
        )


def compiled(folder: Path) -> Path:
    """The recorder as a shared object."""
    assert COMPILER
    target = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(target), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return target


async def drill(
    folder: Path, mails: int = 200, senders: int = 8, unsafe: str | None = None
) -> Order:
    """So many mails over some connections at once, and what the recorder saw."""
    made = ground.build(folder, 50)
    record = folder / "record.txt"
    environment = {"LD_PRELOAD": str(compiled(folder)), "DRILL_RECORD": str(record)}
    async with Sink(port=made.sink_port), daemon(made.config, environment) as held:
        await held.start(unsafe=unsafe)
        numbers = iter(range(mails))
        await asyncio.gather(*(send_marked(made.smtp_port, numbers) for _ in range(senders)))
        await held.stop()
    return judged(record.read_text().splitlines())


async def send_marked(port: int, numbers: Iterable[int], marks: int = MARKS) -> None:
    """Mails that the recorder can tell, one after the other, each of which must be taken."""
    client: Client | None = None
    for count, number in enumerate(numbers):
        if count % 50 == 0:
            if client is not None:
                client.close()
            client = await Client.open(port, CUSTOMERS)
        assert client is not None
        assert await client.mail(_marked(number, marks)) == 250
    if client is not None:
        client.close()


def _marked(number: int, marks: int) -> Post:
    post = compose(f"m{number}", "open", number % 50)
    body = f"drill-{number:06}-mark riga del registro\r\n" * marks
    return Post(post.ident, post.kind, post.domain, post.author, post.raw + body.encode())


def judged(events: Iterable[str]) -> Order:
    """Walk through what happened, in its order."""
    written: dict[str, int] = {}  # mail -> how many flushes had begun when it was written
    begun = accepted = unflushed = unseen = 0
    covers: list[int] = []  # for each flush under way, how many had begun with it
    flushed = 0  # everything written before this many flushes began is on disk
    on: dict[str, str] = {}
    for line in events:
        what, *rest = line.split()
        if what == "R":
            on[rest[0]] = rest[1]
        elif what == "W":
            written.setdefault(rest[0], begun)
        elif what == "B":
            begun += 1
            covers.append(begun)
        elif what == "S":
            flushed = max(flushed, covers.pop(0))
        elif what == "A" and rest[0] in on:
            accepted += 1
            mail = on.pop(rest[0])
            unseen += mail not in written
            unflushed += mail in written and written[mail] >= flushed
    return Order(accepted, unflushed, unseen)
