"""Mails built to burn CPU in the wire gate, in addresses or in DKIM: CPU seconds, and stalls.

The goal is at most one second of CPU a mail, and no stall of the event loop above 50 ms.
"""

import argparse
import asyncio
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

from gateway.authenticate import dkim
from gateway.authenticate.zone import ZoneResolver
from gateway.core.read import addresses, wire

MOST_SECONDS = 1.0
MOST_STALL = 0.050
TICK = 0.002

FIELDS = b"From: a@victim.example\r\nTo: support@host.example\r\nSubject: x\r\n"


def signature(
    number: int = 0, names: str = "from:to:subject", canon: str = "relaxed", body: bytes = b""
) -> bytes:
    """A signature that passes the gate; it is wrong, which costs as much as a right one."""
    body_hash = b64encode(sha256(body).digest()).decode()
    value = b64encode(bytes(255) + b"\1").decode()
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; c={canon}/{canon}; d=victim.example; s=s{number};"
        f" h={names}; bh={body_hash}; b={value}\r\n"
    ).encode()


def cases(size: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The name of each mail, and how it is made; `size` is that of its large part."""
    one = signature() + FIELDS
    bodies: dict[str, Callable[[], bytes]] = {
        "lines of 996 spaces and x": lambda: (b" " * 996 + b"x\r\n") * (size // 999),
        "one line of spaces": lambda: b" " * size + b"x\r\n",
        "one line of spaces and tabs": lambda: b" \t" * (size // 2) + b"x\r\n",
        "a letter and two spaces, again": lambda: b"a  " * (size // 3) + b"\r\n",
        "a letter and a tab, again": lambda: b"a\t" * (size // 2) + b"\r\n",
        "empty lines": lambda: b"\r\n" * (size // 2),
        "lines of one space": lambda: b" \r\n" * (size // 3),
        "runs of every length": lambda: b"".join(b" " * n + b"y" for n in range(7_000))[:size],
        "one line without end": lambda: b"x" * size,
    }
    for name, body in bodies.items():
        yield f"body: {name}", lambda body=body: one + b"\r\n" + body()
    large = (b" " * 996 + b"x\r\n") * (size // 999)
    mixed = b"".join(signature(n, canon=("simple", "relaxed")[n % 2]) for n in range(100))
    yield "100 signatures, large body", lambda: mixed + FIELDS + b"\r\n" + large
    yield (
        "h= of 10,000 names",
        lambda: signature(names="from:" + ":".join(["x"] * 10_000)) + FIELDS + b"\r\nx\r\n",
    )
    full = ":".join(["from", *["x-a"] * 249])
    yield (
        "10 signatures of 250 names over 480 fields",
        lambda: (
            b"".join(signature(n, full, body=b"x\r\n") for n in range(10))
            + b"X-A: b  c\r\n" * 480
            + FIELDS
            + b"\r\nx\r\n"
        ),
    )
    yield (
        "signature fields of white space",
        lambda: (
            (b"DKIM-Signature: v=1; b" + b"\r\n \t" * 4_000 + b"x\r\n") * 15 + FIELDS + b"\r\n"
        ),
    )
    yield "a header without end", lambda: FIELDS + b"X-A: b\r\n" * (size // 8)
    yield "one field without end", lambda: FIELDS + b"X-A: " + b"x\r\n " * (size // 4)
    yield "From of open comments", lambda: b"From: " + b"(" * 16_000 + b"\r\n\r\n"
    yield "From of nested comments", lambda: b"From: " + b"(\\)" * 5_000 + b")\r\n\r\n"
    yield "From of commas", lambda: b"From: " + b"a," * 8_000 + b"\r\n\r\n"
    yield "To of addresses", lambda: FIELDS.replace(b"support", b"a@b.example," * 20_000)
    yield "To of quotes", lambda: FIELDS.replace(b"support", b'"\\"' * 60_000)


def zone() -> ZoneResolver:
    """Keys of the signatures; the first has 16,384 bits of modulus and of exponent."""
    key = b64encode(b"\x30\x82" + bytes(4_200)).decode()
    names = {f"s{n}._domainkey.victim.example": {"TXT": [_key_2048()]} for n in range(100)}
    names["bomb._domainkey.victim.example"] = {"TXT": [f"v=DKIM1; p={_key_16384()}"]}
    names["junk._domainkey.victim.example"] = {"TXT": [f"v=DKIM1; p={key}"]}
    return ZoneResolver(names)


def _key_2048() -> str:
    return f"v=DKIM1; p={b64encode(_public((1 << 2047) | 0xDEADBEEF, 65537)).decode()}"


def _key_16384() -> str:
    return b64encode(_public((1 << 16_383) | 1, (1 << 16_383) | 1)).decode()


def _public(modulus: int, exponent: int) -> bytes:
    """RSAPublicKey (RFC 8017 A.1.1)."""
    return _der(0x30, _integer(modulus) + _integer(exponent))


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(kind: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([kind, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([kind, 0x80 | len(length)]) + length + content


async def work(raw: bytes, resolver: ZoneResolver) -> str:
    """What one mail goes through before anything is known of it."""
    read = await asyncio.to_thread(wire.read, raw)
    for name in ("to", "cc"):
        for value in read.headers.all(name):
            addresses.mailboxes(value)
    for value in read.headers.all("from"):
        addresses.display_name(value)
    now = datetime.now(UTC)
    found = await dkim.verify(raw, read.headers, resolver, now, "victim.example")
    return found[0].problem or "" if found else ""


async def measured(raw: bytes, resolver: ZoneResolver) -> tuple[float, float, str]:
    """CPU seconds, the longest stall of the event loop, what became of the first signature."""
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
    problem = await work(raw, resolver)
    took = time.process_time() - start
    await asyncio.sleep(2 * TICK)
    ticker.cancel()
    with suppress(asyncio.CancelledError):
        await ticker
    return took, longest, problem


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=25)
    resolver = zone()
    late = 0
    asyncio.run(measured(signature() + FIELDS + b"\r\n", resolver))  # imports and caches
    made = list(cases(parser.parse_args().megabytes << 20))
    for selector in ("bomb", "junk"):
        field = signature().replace(b"s=s0", b"s=" + selector.encode())
        made.append(
            (f"a key of 16,384 bits ({selector})", lambda f=field: f + FIELDS + b"\r\nx\r\n")
        )
    for name, build in made:
        raw = build()
        seconds, stall, problem = asyncio.run(measured(raw, resolver))
        over = seconds > MOST_SECONDS or stall > MOST_STALL
        late += over
        figures = f"{len(raw):>10,} B {seconds:7.3f} s CPU {stall * 1e3:6.1f} ms"
        print(f"{name:44} {figures} {'OVER' if over else '    '} {problem}")
    print(f"{late} of {len(made)} over the goal")


if __name__ == "__main__":
    main()
