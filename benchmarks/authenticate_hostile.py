"""Whole mails of 25 MB that are built to burn CPU, from raw bytes to `Evidence`: CPU, and stalls.

    python benchmarks/authenticate_hostile.py [--megabytes 25] [--whole] [--check]

The goal is at most one second of CPU a mail, and no stall of the event loop above 50 ms.
`--whole` sends each mail through the whole pipeline, words and decision included. `--check` ends
with 1 where a mail is over the goal. Nothing is written.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import dkim_hostile
import uvloop

from gateway.authenticate.evidence import Authenticator
from gateway.authenticate.zone import ZoneResolver, read_zone
from gateway.config import parse, resolve
from gateway.core.model import Envelope, Listener
from gateway.explainer import Explainer
from gateway.house import Rooms, auth_settings
from gateway.pipeline import Pipeline

MOST_SECONDS = 1.0
MOST_STALL = 0.050
TICK = 0.002

FROM = b"From: a@victim.example\r\n"
REST = b"To: support@host.example\r\nSubject: x\r\n"
Mail = tuple[str, str, Callable[[], bytes]]  # its name, MAIL FROM, how it is made


def mails(size: int) -> Iterator[Mail]:
    """Everything that `dkim_hostile` has, with the bombs of SPF and of DMARC behind it."""
    usual = "a@victim.example"
    for name, build in dkim_hostile.cases(size):
        yield name, usual, build
    spaces = b" " * 996 + b"x\r\n"
    names = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
    yield "10,000 header names", usual, lambda: FROM + REST + names + b"\r\n" + spaces * 100
    for selector in ("bomb", "junk"):
        field = dkim_hostile.signature().replace(b"s=s0", b"s=" + selector.encode())
        large = spaces * (size // len(spaces))
        yield (
            f"a key of 16,384 bits ({selector})",
            usual,
            lambda f=field, b=large: f + FROM + REST + b"\r\n" + b,
        )
    for bomb in BOMBS:
        yield f"SPF: {bomb}", f"a@{bomb}.example", lambda: FROM + REST + b"\r\nx\r\n"
    yield (
        "From of 100 labels",
        usual,
        lambda: b"From: a@" + b"x." * 100 + b"example\r\n" + REST + b"\r\nx\r\n",
    )
    result = b"Authentication-Results: mx.host.example; " + b"dkim=pass (((" * 1_000 + b"\r\n"
    yield "results out of form", usual, lambda: result * 15 + FROM + REST + b"\r\nx\r\n"
    seal = b"ARC-Seal: i=1; cv=none; a=rsa-sha256; b=" + b"x" * 5_000 + b"\r\n"
    yield "ARC fields", usual, lambda: seal * 45 + FROM + REST + b"\r\nx\r\n"


BOMBS: dict[str, dict[str, object]] = {
    "includes": {
        "includes.example": {"TXT": ["v=spf1 " + "include:l0.includes.example " * 300]},
        **{
            f"l{n}.includes.example": {
                "TXT": ["v=spf1 " + f"include:l{n + 1}.includes.example " * 300]
            }
            for n in range(12)
        },
    },
    "networks": {
        "networks.example": {"TXT": ["v=spf1 include:n0.networks.example -all"]},
        **{
            f"n{n}.networks.example": {
                "TXT": [
                    "v=spf1 "
                    + "ip4:198.51.100.1 " * 550
                    + f"include:n{n + 1}.networks.example -all"
                ]
            }
            for n in range(12)
        },
    },
    "macros": {"macros.example": {"TXT": ["v=spf1 " + "exists:" + "%{l}." * 1_900 + "example"]}},
    "hosts": {
        "hosts.example": {"TXT": ["v=spf1 " + "mx:hosts.example " * 9 + "-all"]}
        | {"MX": [[n, f"h{n}.hosts.example"] for n in range(10)]},
        **{f"h{n}.hosts.example": {"A": ["198.51.100.1"] * 500} for n in range(10)},
    },
    "pointers": {
        "pointers.example": {"TXT": ["v=spf1 " + "ptr " * 9 + "-all"]},
        "7.2.0.192.in-addr.arpa": {"PTR": [f"p{n}.pointers.example" for n in range(500)]},
        **{f"p{n}.pointers.example": {"A": ["198.51.100.1"] * 100} for n in range(500)},
    },
}


def zone() -> ZoneResolver:
    """The keys of `dkim_hostile` and the records of the bombs."""
    public = b64encode(dkim_hostile._public((1 << 2047) | 0xDEADBEEF, 65537)).decode()
    names: dict[str, object] = {
        f"s{n}._domainkey.victim.example": {"TXT": [f"v=DKIM1; p={public}"]} for n in range(100)
    }
    bomb, junk = dkim_hostile._key_16384(), b64encode(b"\x30\x82" + bytes(4_200)).decode()
    names["bomb._domainkey.victim.example"] = {"TXT": [f"v=DKIM1; p={bomb}"]}
    names["junk._domainkey.victim.example"] = {"TXT": [f"v=DKIM1; p={junk}"]}
    for records in BOMBS.values():
        names |= records
    return read_zone(names)


async def measured(work: Callable[[], Awaitable[str]]) -> tuple[float, float, str]:
    """CPU seconds, the longest stall of the event loop, and what became of the mail."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            longest = max(longest, time.perf_counter() - before - TICK)

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    longest = 0.0
    start = time.process_time()
    said = await work()
    took = time.process_time() - start
    await asyncio.sleep(2 * TICK)
    ticker.cancel()
    with suppress(asyncio.CancelledError):
        await ticker
    return took, longest, said


class Bench:
    """One house, without a writer."""

    def __init__(self, rooms: Rooms, whole: bool) -> None:
        self.resolver = zone()
        self.pipeline = Pipeline(rooms.house(self.resolver))
        self.authenticator = Authenticator(self.resolver, auth_settings(rooms.config))
        self.whole = whole

    async def take(self, mail_from: str, raw: bytes) -> tuple[float, float, str]:
        """One mail, measured."""
        envelope = Envelope(
            client_ip="192.0.2.7",
            helo="mx.victim.example",
            mail_from=mail_from,
            recipients=("support@host.example",),
            listener=Listener.EDGE,
            received_at=datetime.now(UTC),
        )

        async def only() -> str:
            head = await self.pipeline.head(envelope, raw)
            found = await self.authenticator.evidence(envelope, head, raw)
            return head.defect.kind if head.defect else f"spf={found.spf.result}"

        async def everything() -> str:
            course = await self.pipeline.course(envelope, raw)
            return f"{course.answer.code} {course.answer.enhanced}"

        return await measured(everything if self.whole else only)


async def run(megabytes: int, whole: bool) -> int:
    """Print the table; how many are over the goal."""
    late = 0
    with tempfile.TemporaryDirectory() as folder:
        config = resolve(parse("", "bench.toml"), Path(folder))
        with Explainer(config) as explainer:
            bench = Bench(explainer.rooms, whole)
            await bench.take("a@victim.example", dkim_hostile.signature() + FROM + REST + b"\r\n")
            gc.collect()
            gc.freeze()  # as the daemon does when it has started
            made = list(mails(megabytes << 20))
            for name, mail_from, build in made:
                raw = build()
                seconds, stall, said = await bench.take(mail_from, raw)
                over = seconds > MOST_SECONDS or stall > MOST_STALL
                late += over
                figures = f"{len(raw):>11,} B {seconds:7.3f} s CPU {stall * 1e3:7.1f} ms"
                print(f"{name:44} {figures} {'OVER' if over else '    '} {said}", flush=True)
    print(f"{late} of {len(made)} over the goal")
    return late


def main() -> None:
    """Measure on the loop that the daemon uses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=25)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        late = runner.run(run(options.megabytes, options.whole))
    sys.exit(1 if options.check and late else 0)


if __name__ == "__main__":
    main()
