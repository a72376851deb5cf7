"""How many signatures a second: dkimpy alone, gate and dkimpy, gate and native engine.

One RSA-2048 signature over a mail of 4 KB, the key known. The three run in turn, in one process;
what counts is the ratio.
"""

import argparse
import asyncio
import statistics
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.authenticate import dkim
from gateway.authenticate.zone import ZoneResolver
from gateway.core.model import DkimResult
from gateway.core.read import wire

SIZE = 4_096
GOAL = 4_000  # native, signatures a second

Round = Callable[[], Awaitable[None]]


def signed_mail(size: int) -> tuple[bytes, bytes]:
    """A mail of about `size` bytes with its signature, and the record of its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    header = (
        b"From: Alice <alice@victim.example>\r\nTo: support@host.example\r\n"
        b"Subject: A question\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
        b"Message-ID: <1@victim.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nReceived: from a by b; today\r\n\r\n"
    )
    line = b"The server has been down since this morning, and nobody answers.\r\n"
    body = line * ((size - len(header)) // len(line))
    field = dkimpy.sign(
        header + body, b"sel", b"victim.example", pem, canonicalize=(b"relaxed", b"relaxed")
    )
    return field + header + body, b"v=DKIM1; k=rsa; p=" + b64encode(public)


def rounds(size: int, count: int) -> dict[str, Round]:
    """What is measured, by name; each verifies `count` times."""
    raw, record = signed_mail(size)
    zone = ZoneResolver({"sel._domainkey.victim.example": {"TXT": [record.decode()]}})
    now = datetime.now(UTC)
    headers = wire.read(raw).headers

    async def alone() -> None:
        for _ in range(count):
            assert dkimpy.verify(raw, dnsfunc=lambda *_, **__: record)

    def gated(settings: dkim.DkimSettings) -> Round:
        async def run() -> None:
            for _ in range(count):
                found = await dkim.verify(raw, headers, zone, now, "victim.example", settings)
                assert found[0].result is DkimResult.PASS

        return run

    return {
        "dkimpy alone": alone,
        "gate + dkimpy": gated(dkim.DkimSettings(engine="dkimpy")),
        "gate + native": gated(dkim.DkimSettings(engine="native")),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    measured: dict[str, list[float]] = {}
    made = rounds(options.size, options.count)
    for _ in range(options.rounds):
        for name, run in made.items():
            start = time.process_time()
            asyncio.run(run())
            measured.setdefault(name, []).append(time.process_time() - start)
    base = statistics.median(measured["dkimpy alone"])
    for name, seconds in measured.items():
        took = statistics.median(seconds)
        rate = options.count / took
        print(f"{name:16} {rate:8.0f}/s of CPU  {base / took:5.2f} x dkimpy alone")
    if options.size != SIZE:
        return  # the goal is for one size alone
    native = options.count / statistics.median(measured["gate + native"])
    print(f"goal: native at least {GOAL}/s: {'reached' if native >= GOAL else 'MISSED'}")


if __name__ == "__main__":
    main()
