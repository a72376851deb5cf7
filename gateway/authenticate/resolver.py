"""The one way to DNS: `query(name, type) -> Answer`, from the network or from a zone alone.

dnspython asks; names go out only when every label is plain, and no search list is used.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

from gateway.authenticate.lookup import (
    NODATA,
    NXDOMAIN,
    SERVFAIL,
    TIMEOUT,
    TYPES,
    Answer,
    Lookup,
    Record,
    Resolver,
    Status,
    checked,
)
from gateway.authenticate.remember import Remembered
from gateway.authenticate.zone import ZoneResolver, read_zone

__all__ = [
    "NODATA",
    "NXDOMAIN",
    "SERVFAIL",
    "TIMEOUT",
    "TYPES",
    "Answer",
    "DnsResolver",
    "Lookup",
    "Record",
    "Resolver",
    "Status",
    "ZoneResolver",
    "checked",
    "read_zone",
]

FAILURE_TTL = 15  # seconds; sender-auth allows at most 30
LONGEST_TTL = 6 * 3600
LONGEST_NEGATIVE_TTL = 900

_SERVER = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::(?P<p6>\d+))?|(?P<v4>[\d.]+):(?P<p4>\d+)")


class _Cache:
    """Answers until their time is over, at most so many bytes of them."""

    def __init__(self, capacity: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: Remembered[tuple[str, str], tuple[float, Answer]] = Remembered(capacity)

    def get(self, key: tuple[str, str]) -> Answer | None:
        found = self._held.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            self._held.drop(key)
            return None
        return found[1]

    def put(self, key: tuple[str, str], answer: Answer) -> None:
        if answer.ttl > 0:
            size = 200 + len(key[0]) + sum(60 + len(record) for record in answer.records)
            self._held.put(key, (self._clock() + answer.ttl, answer), size)


class DnsResolver:
    """dnspython over UDP, over TCP where an answer is truncated; one flight per name and type.

    `servers` are addresses, with a port as `192.0.2.1:53` or `[2001:db8::1]:53`; None takes those
    of the system.
    """

    def __init__(
        self,
        servers: Sequence[str] | None = None,
        timeout: float = 2.0,
        lifetime: float = 6.0,
        cache_bytes: int = 64 << 20,
        in_flight: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub = _stub(servers, timeout, lifetime)
        self._cache = _Cache(cache_bytes, clock)
        self._flights: dict[tuple[str, str], asyncio.Task[Answer]] = {}
        self._slots = asyncio.Semaphore(in_flight)

    def peek(self, name: str, rtype: str) -> Answer | None:
        """What the cache holds."""
        return self._cache.get((name, rtype))

    async def query(self, name: str, rtype: str) -> Answer:
        """From the cache, from a question in flight, or by asking."""
        plain = checked(name)
        if plain is None or rtype not in TYPES:
            return NXDOMAIN
        key = (plain, rtype)
        known = self._cache.get(key)
        if known is not None:
            return known
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self._fly(key))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        # Whoever gives up waiting must not end the question for the others.
        return await asyncio.shield(flight)

    async def _fly(self, key: tuple[str, str]) -> Answer:
        async with self._slots:
            answer = await self._ask(*key)
        self._cache.put(key, answer)
        return answer

    async def _ask(self, name: str, rtype: str) -> Answer:
        labels = (*(label.encode("ascii") for label in name.split(".")), b"")
        try:
            found = await self._stub.resolve(
                dns.name.Name(labels), rtype, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN as refusal:
            return Answer(Status.NXDOMAIN, (), _negative_ttl(refusal))
        except dns.exception.Timeout:
            return Answer(Status.TIMEOUT, (), FAILURE_TTL)
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            return Answer(Status.SERVFAIL, (), FAILURE_TTL)
        ttl = max(0, int(found.expiration - time.time()))
        if found.rrset is None:
            return Answer(Status.NODATA, (), min(ttl, LONGEST_NEGATIVE_TTL))
        records = tuple(_record(rdata) for rdata in found.rrset)
        return Answer(Status.OK, records, min(ttl, LONGEST_TTL))


def _stub(
    servers: Sequence[str] | None, timeout: float, lifetime: float
) -> dns.asyncresolver.Resolver:
    try:
        stub = dns.asyncresolver.Resolver(configure=servers is None)
    except dns.resolver.NoResolverConfiguration:
        stub = dns.asyncresolver.Resolver(configure=False)
        servers = ("127.0.0.1",)
    if servers is not None:
        stub.nameservers = [_nameserver(server) for server in servers]
    stub.timeout, stub.lifetime = timeout, lifetime
    stub.search, stub.cache = [], None
    stub.use_edns(0, 0, 1232)
    return stub


def _nameserver(server: str) -> str | dns.nameserver.Nameserver:
    match = _SERVER.fullmatch(server)
    if match is None:
        return server
    port = int(match["p6"] or match["p4"] or 53)
    return dns.nameserver.Do53Nameserver(match["v6"] or match["v4"], port)


def _negative_ttl(refusal: dns.resolver.NXDOMAIN) -> int:
    """RFC 2308 5: the SOA of the authority section says how long."""
    ttls = [
        min(rrset.ttl, rrset[0].minimum)
        for response in refusal.kwargs["responses"].values()
        for rrset in response.authority
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    return min([*ttls, LONGEST_NEGATIVE_TTL]) if ttls else FAILURE_TTL


def _record(rdata: dns.rdata.Rdata) -> Record:
    match rdata:
        case TXT():
            return b"".join(rdata.strings)
        case MX():
            return (rdata.preference, _host(rdata.exchange))
        case PTR() | CNAME():
            return _host(rdata.target)
        case _:
            return rdata.to_text()


def _host(name: dns.name.Name) -> str:
    return name.to_text().lower().removesuffix(".")
