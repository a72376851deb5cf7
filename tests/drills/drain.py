"""The end of a gateway: SIGTERM finishes the mail in DATA, a second one ends it at once, SIGHUP
disturbs nobody.
"""

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from drills import ground
from drills.audit import audit
from drills.ground import CUSTOMERS
from drills.process import daemon, until
from drills.senders import Client, Heard, Post, Senders, compose, dotted
from fakes_smarthost import Sink

from gateway.demo.world import World

PEOPLE = 20
PATIENCE = 10.0  # seconds; the drain itself lasts up to 90
GATE = "[[listener]]"
RELOADED = '"event": "reloaded"'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the two senders in DATA heard, and how it ended."""

    codes: tuple[int, ...]  # of each listener's mail that was in DATA when SIGTERM came
    taken_meanwhile: int  # new connections that were let in after SIGTERM
    status: int
    lost: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether it went as promised."""
        finished = all(code == 250 for code in self.codes)
        return finished and not (self.taken_meanwhile or self.status or self.lost)

    @property
    def words(self) -> str:
        """One line for the table."""
        said = ", ".join(str(code or "cut") for code in self.codes)
        return (
            f"mails in DATA heard {said}; {self.taken_meanwhile} new connections taken,"
            f" {self.lost} lost, exit status {self.status} after {self.seconds:.1f} s"
        )


async def sigterm(folder: Path, unsafe: str | None = None) -> Outcome:
    """A mail in DATA at each of two doors when SIGTERM comes; the rest of it comes later."""
    made = ground.build(folder, PEOPLE)
    other = _second_door(made)
    heard = Heard()
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start(unsafe=unsafe)
        posts = [compose(f"d{number}", "open", number) for number in range(2)]
        doors = (made.smtp_port, other)
        pairs = zip(doors, posts, strict=True)
        clients = [await _halfway(port, post) for port, post in pairs]
        begun = time.perf_counter()
        held.signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        late = sum([await _let_in(port) for port in doors])
        codes = [await _rest(client, post) for client, post in zip(clients, posts, strict=True)]
        status = await held.ended()
        seconds = time.perf_counter() - begun
    for code, post in zip(codes, posts, strict=True):
        heard.tried[post.ident] = post
        if code == 250:
            heard.accepted[post.ident] = post
    looked = audit(f"sqlite:///{made.folder / 'portiere.db'}", made.folder / "blobs", heard)
    return Outcome(tuple(codes), late, status, looked.lost, seconds)


async def twice(folder: Path, unsafe: str | None = None) -> float:
    """Seconds from a second SIGTERM to the end, while a sender in DATA says nothing."""
    made = ground.build(folder, PEOPLE)
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start(unsafe=unsafe)
        client = await _halfway(made.smtp_port, compose("d1", "open", 1))
        held.signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        begun = time.perf_counter()
        held.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await held.ended(30.0)
        client.close()
        return time.perf_counter() - begun


async def reloads(folder: Path, times: int = 3) -> tuple[Heard, int]:
    """SIGHUP again and again under senders; what they heard, and how many reloads were done."""
    made = ground.build(folder, PEOPLE)
    async with Sink(port=made.sink_port), daemon(made.config) as held:
        await held.start()
        senders = Senders(lambda: made.smtp_port, PEOPLE, 5, pause=0.02)
        senders.start(3)
        for number in range(times):
            held.signal(signal.SIGHUP)
            await until(lambda wanted=number: held.log.count(RELOADED) > wanted)
        await senders.finish()
        await held.stop()
        return senders.heard, held.log.count(RELOADED)


def _second_door(made: World) -> int:
    """A second listener on the port that the pages had; there are none in this world."""
    door = f'[[listener]]\naddress = "127.0.0.1:{made.http_port}"\n\n{GATE}'
    page = f'[http]\naddress = "127.0.0.1:{made.http_port}"'
    ground.configure(made, (page, '[http]\naddress = ""'), (GATE, door))
    return made.http_port


async def _halfway(port: int, post: Post) -> Client:
    client = await Client.open(port, CUSTOMERS)
    assert await client.begin(post.author) == 354
    client.writer.write(post.raw[:60])
    await client.writer.drain()
    return client


async def _rest(client: Client, post: Post) -> int:
    """The code of the final dot; 0 where the line was cut."""
    try:
        client.writer.write(dotted(replace(post, raw=post.raw[60:]).raw))
        return (await client.reply())[0]
    except (OSError, ValueError):
        return 0
    finally:
        client.close()


async def _let_in(port: int) -> int:
    try:
        client = await Client.open(port, CUSTOMERS)
    except (OSError, ValueError):
        return 0
    try:
        return int(await client.begin("u1@" + CUSTOMERS) == 354)
    except (OSError, ValueError):
        return 0
    finally:
        client.close()
