"""Whole authentications a second on one core: signed mails of 4 KB, and a warm cache.

    python benchmarks/authenticate_rate.py [--seconds 2]

Prints a table by engine, with the level that each mail is proven at.
"""

import argparse
import asyncio
import base64
import time
from dataclasses import replace
from datetime import UTC, datetime

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.authenticate.dkim import DkimSettings
from gateway.authenticate.evidence import Authenticator, AuthSettings
from gateway.authenticate.resolver import ZoneResolver
from gateway.core.know import proof
from gateway.core.model import Envelope, Listener
from gateway.core.read import wire

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SUPPORT = frozenset({"support@host.example"})
TARGETS = {"native": 2000, "dkimpy": 600}
PLAIN = (
    "From: Anna <anna@customer.example>\r\nTo: support@host.example\r\n"
    "Subject: The site is slow\r\n"
    "Date: Sun, 22 Nov 2026 11:59:00 +0000\r\nMessage-ID: <{n}@customer.example>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
)


def world(mails: int) -> tuple[ZoneResolver, list[bytes]]:
    """A zone with one key, and mails of 4 KB that it signs."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    zone = ZoneResolver(
        {
            "customer.example": {"TXT": ["v=spf1 include:_spf.host.example -all"]},
            "_spf.host.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 ~all"]},
            "_dmarc.customer.example": {"TXT": ["v=DMARC1; p=reject"]},
            "k1._domainkey.customer.example": {
                "TXT": [f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"]
            },
        }
    )
    raws = []
    for n in range(mails):
        text = PLAIN.format(n=n)
        raw = (text + "It has been slow since this morning.\r\n" * 100)[:4094].encode() + b"\r\n"
        names = [b"from", b"to", b"subject", b"date", b"message-id"]
        raws.append(dkim.sign(raw, b"k1", b"customer.example", pem, include_headers=names) + raw)
    return zone, raws


async def rate(
    engine: str, seconds: float, zone: ZoneResolver, raws: list[bytes]
) -> tuple[float, float, str]:
    """Mails a second from raw bytes to the level of proof: the mean, and the best round."""
    settings = AuthSettings("mx.host.example", dkim=DkimSettings(engine=engine))
    authenticator = Authenticator(zone, settings)
    envelope = Envelope(
        "192.0.2.7",
        "mail.customer.example",
        "anna@customer.example",
        ("support@host.example",),
        Listener.EDGE,
        NOW,
    )
    envelope = replace(envelope, received_at=datetime.now(UTC))
    done, best, start = 0, float("inf"), time.perf_counter()
    while time.perf_counter() - start < seconds:
        began = time.perf_counter()
        for raw in raws:
            read = wire.read(raw)
            evidence = await authenticator.evidence(envelope, read, raw)
            assert read.author is not None
            judged = proof.judge(
                envelope,
                read.author,
                None,
                read.headers,
                evidence,
                SUPPORT,
                (),
                "c",
                envelope.received_at,
            )
        done += len(raws)
        best = min(best, time.perf_counter() - began)
    return done / (time.perf_counter() - start), len(raws) / best, str(judged.level)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    zone, raws = world(50)
    print(f"{'engine':<12}{'mails a second':>16}{'best round':>12}{'target':>10}   level")
    for engine, target in TARGETS.items():
        mean, best, level = asyncio.run(rate(engine, options.seconds, zone, raws))
        print(f"{engine:<12}{mean:>16,.0f}{best:>12,.0f}{target:>10,}   {level}")


if __name__ == "__main__":
    main()
