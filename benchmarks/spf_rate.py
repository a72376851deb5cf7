"""SPF evaluations a second on one core: a record of six look-ups, a warm cache, and bombs.

    python benchmarks/spf_rate.py [--seconds 2] [--peers]

Prints a table. A bomb is a zone that one hostile domain may publish; it is asked about cold.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gateway.authenticate import spf, spf_record
from gateway.authenticate.remember import Remembered
from gateway.authenticate.resolver import Lookup, ZoneResolver

SIX = {
    "customer.example": {"TXT": ["v=spf1 mx include:_spf.host.example a:web.host.example -all"]},
    "customer.example.": {},
    "_spf.host.example": {
        "TXT": [
            "v=spf1 include:_a.host.example include:_b.host.example include:_c.host.example ~all"
        ]
    },
    "_a.host.example": {
        "TXT": ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/25 ip6:2001:db8::/36 ~all"]
    },
    "_b.host.example": {"TXT": ["v=spf1 ip4:203.0.113.128/26 ip4:192.88.99.0/24 ~all"]},
    "_c.host.example": {"TXT": ["v=spf1 ip4:203.0.113.0/26 ~all"]},
    "mx.customer.example": {"A": ["192.0.2.77"]},
    "web.host.example": {"A": ["203.0.113.99"]},
    "relay.host.example": {"A": ["203.0.113.9"]},
}
SIX["customer.example"]["MX"] = [[10, "mx.customer.example"]]
del SIX["customer.example."]
CLIENT = "203.0.113.9"
RECORD = 10 * 1024


def filled(words: Iterable[str], end: str = " -all") -> str:
    """A record as long as we read it."""
    text = "v=spf1"
    for word in words:
        if not word or len(text) + len(word) + 1 + len(end) > RECORD:
            break
        text += " " + word
    return text + end


def wide(make: Callable[[int, int], str], first: str) -> dict[str, dict[str, Any]]:
    """Ten includes, each of them a full record that ends without a match at its first term."""
    zone: dict[str, dict[str, Any]] = {
        "bomb.example": {
            "TXT": ["v=spf1 " + " ".join(f"include:x{n}.bomb.example" for n in range(10))]
        }
    }
    for n in range(10):
        words = (make(n, i) for i in range(RECORD))
        zone[f"x{n}.bomb.example"] = {"TXT": [filled([first, *words])]}
    return zone


BOMBS: dict[str, dict[str, dict[str, Any]]] = {
    "10 x 10 KB of ip4": wide(lambda n, i: f"ip4:{n}.{i % 250}.{i // 250}.1", "ip4:1.1.1.1"),
    "2 KB in all: 10 x 190 ip4": wide(
        lambda n, i: f"ip4:{n}.{i % 250}.{i // 250}.1" if i < 190 else "", "ip4:1.1.1.1"
    ),
    "10 x 190 names": wide(lambda n, i: f"a:{n}.{i:x}.a" if i < 190 else "", "-all"),
    "10 x 190 macros": wide(lambda n, i: f"a:{n}.{i:x}.%{{h}}" if i < 190 else "", "-all"),
    "10 x 10 KB of a, never evaluated": wide(lambda n, i: f"a:{n}.{i:x}.a", "-all"),
    "10 x 2 KB of short terms": wide(lambda n, i: f"a/{n}" if i < 190 else "", "-all"),
    "10 x 10 KB of modifiers": wide(lambda n, i: f"m{n}{i:x}=%%", "-all"),
    "10 x 10 KB of ip6": wide(lambda n, i: f"ip6:{n}::{i:x}", "-all"),
    "one 10 KB macro string, 10 times": {
        "bomb.example": {
            "TXT": [
                "v=spf1 " + " ".join("exists:" + "%{h1}" * 190 + "%{l1}.a.b" for _ in range(10))
            ]
        }
    },
    "10 MX of nobody": {
        "bomb.example": {
            "TXT": ["v=spf1 mx mx:b.bomb.example mx:c.bomb.example mx:d.bomb.example -all"],
            "MX": [[i, f"m{i}.bomb.example"] for i in range(10)],
        }
    },
}


async def rate(zone: dict[str, Any], mail_from: str, client: str, seconds: float) -> float:
    """Evaluations a second of one identity pair, everything warm."""
    resolver, settings = ZoneResolver(zone), spf.SpfSettings()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            lookup = Lookup(resolver)
            found = await spf.check(
                lookup, client, "relay.host.example", mail_from, "mx", settings
            )
        done += 100
    assert found.result == "pass", found
    return done / (time.perf_counter() - start)


async def cold(zone: dict[str, Any]) -> tuple[float, str]:
    """Milliseconds of work for one mail with nothing parsed before; the best of five."""
    best, result = float("inf"), ""
    for _ in range(5):
        spf_record._read = Remembered(2 << 20)
        resolver = ZoneResolver(zone)
        start = time.perf_counter()
        found = await spf.check(
            Lookup(resolver),
            "203.0.113.9",
            "h" * 200 + ".",
            "l" * 60 + "@bomb.example",
            "mx",
            spf.SpfSettings(),
        )
        best, result = min(best, time.perf_counter() - start), str(found.result)
    return best * 1000, result


def peers(seconds: float) -> dict[str, float]:
    """The same zone through pyspf and spftrace, MAIL FROM alone."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from spf_oracles import by_pyspf, by_spftrace

    table = {}
    for name, oracle in (("pyspf", by_pyspf), ("spftrace", by_spftrace)):
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            found, reason = oracle(SIX, CLIENT, "anna@customer.example", "relay.host.example")
            assert found == "pass", reason
            done += 1
        table[name] = done / (time.perf_counter() - start)
    return table


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    own = asyncio.run(rate(SIX, "anna@customer.example", CLIENT, options.seconds))
    print(f"{'evaluator':<40}{'a second':>12}")
    print(f"{'portiere (six look-ups, and HELO)':<40}{own:>12,.0f}   target 5,000")
    if options.peers:
        for name, value in peers(options.seconds).items():
            print(f"{name:<40}{value:>12,.0f}")
    print(f"\n{'bomb, nothing parsed before':<40}{'ms':>12}   target 20")
    for name, zone in BOMBS.items():
        spent, result = asyncio.run(cold(zone))
        print(f"{name:<40}{spent:>12.1f}   {result}")


if __name__ == "__main__":
    main()
