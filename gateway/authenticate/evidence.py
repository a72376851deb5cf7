"""Gathers `Evidence` about one mail: the keys, SPF and DMARC are asked for at the same time.

It judges nothing. What it found is the same whoever the author is to us: no account is known here.
"""

import asyncio
import ipaddress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from gateway.authenticate import arc, dkim, dmarc, pec, results, spf, suffixlist
from gateway.authenticate.dkim import DkimSettings
from gateway.authenticate.lookup import Lookup, Resolver
from gateway.authenticate.smime import Trust
from gateway.core.model import (
    Address,
    Certified,
    DkimResult,
    Dmarc,
    DmarcResult,
    Envelope,
    Evidence,
    Signature,
    Spf,
    SpfResult,
    Wire,
)

REMEMBERED_AFTER = timedelta(days=1)  # how long a wait that is over stays over


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """What ops say about authentication. Domains are A-labels in lower case."""

    authserv_id: str = "localhost"
    own_domains: frozenset[str] = frozenset()
    own_signers: frozenset[str] = frozenset()  # d= of ours that sign for every tenant
    weak_signers: frozenset[str] = frozenset()  # d= of others that do
    wide_pools: frozenset[str] = frozenset({"spf.protection.outlook.com"})
    own_shared_outbound: tuple[str, ...] = ()  # networks
    defer_for: timedelta = timedelta(hours=4)
    first_sights_max: int = 100_000
    deadline: float = 8.0  # seconds, all questions of a mail
    max_queries: int = 60
    spf_timeout: float = 5.0  # seconds
    dkim: DkimSettings = field(default_factory=DkimSettings)
    pec_providers: Trust = field(default_factory=Trust)


class Authenticator:
    """One a process and event loop; `evidence` may run many times at once."""

    def __init__(self, resolver: Resolver, settings: AuthSettings) -> None:
        """Raises `ValueError` where `own_shared_outbound` holds what is no network."""
        self._resolver = resolver
        self._settings = settings
        self._weak = settings.own_signers | settings.weak_signers
        self._spf = spf.SpfSettings(
            settings.wide_pools, spf.networks(settings.own_shared_outbound), settings.spf_timeout
        )
        self._suffixes = suffixes()
        self._sights = FirstSights(settings.first_sights_max, settings.defer_for)

    async def evidence(self, envelope: Envelope, wire: Wire, raw: bytes) -> Evidence:
        """Everything that DNS and cryptography say. A mail without an author has no DMARC."""
        lookup = Lookup(self._resolver, self._settings.deadline, self._settings.max_queries)
        author = wire.author
        found_spf, found_dkim = await self._ask(lookup, envelope, wire, raw)
        chain = arc.read(wire.headers)
        if author is None:
            nothing = Dmarc(DmarcResult.NONE, aligned=False, problem="the mail has no author")
            return Evidence(found_spf, found_dkim, nothing, chain)
        found, signatures = await dmarc.check(
            lookup, author.domain, found_spf, found_dkim, self._suffixes
        )
        evidence = Evidence(
            spf=found_spf,
            dkim=signatures,
            dmarc=found,
            arc=chain,
            own_domain=author.domain in self._settings.own_domains,
            relay_says=await self._relay_says(lookup, envelope, wire, author),
            certified=await self._certified(envelope, wire, raw),
        )
        if not _unsettled(evidence):
            return evidence
        over = self._sights.is_over(_sight(envelope, author), envelope.received_at)
        return replace(evidence, wait_is_over=over)

    async def _ask(
        self, lookup: Lookup, envelope: Envelope, wire: Wire, raw: bytes
    ) -> tuple[Spf, tuple[Signature, ...]]:
        """SPF, and DKIM; the author's DMARC is fetched beside them, for what comes next."""
        of_spf = self._check_spf(lookup, envelope)
        of_dkim = self._check_dkim(lookup, envelope, wire, raw)
        domain = wire.author.domain if wire.author else None
        sender = envelope.mail_from.rpartition("@")[2].lower()
        if domain is None or lookup.knows(f"_dmarc.{domain}", sender or domain):
            return await of_spf, await of_dkim  # what is at hand needs no tasks
        found_spf, found_dkim, _ = await asyncio.gather(
            of_spf, of_dkim, dmarc.prepare(lookup, domain)
        )
        return found_spf, found_dkim

    async def _check_spf(self, lookup: Lookup, envelope: Envelope) -> Spf:
        return await spf.check(
            lookup,
            envelope.client_ip,
            envelope.helo,
            envelope.mail_from,
            self._settings.authserv_id,
            self._spf,
        )

    async def _check_dkim(
        self, lookup: Lookup, envelope: Envelope, wire: Wire, raw: bytes
    ) -> tuple[Signature, ...]:
        domain = wire.author.domain if wire.author else None
        found = await dkim.verify(
            raw, wire.headers, lookup, envelope.received_at, domain, self._settings.dkim
        )
        return tuple(
            replace(one, weak_signer=True) if spf.below(one.domain or "", self._weak) else one
            for one in found
        )

    async def _certified(self, envelope: Envelope, wire: Wire, raw: bytes) -> Certified | None:
        found = await pec.certified(
            raw, wire.headers, wire.author, self._settings.pec_providers, envelope.received_at
        )
        sender = found and found.sender
        if sender and sender.domain in self._settings.own_domains:
            return Certified(None, "it certifies a mailbox of our own domain")
        return found

    async def _relay_says(
        self, lookup: Lookup, envelope: Envelope, wire: Wire, author: Address
    ) -> bool:
        """A listed relay's raw facts, aligned again by ourselves."""
        if envelope.authserv_id is None:
            return False
        said = results.relay_says(wire.headers, envelope.authserv_id)
        if said is None:
            return False
        # Where the client is known our own SPF has spoken, pools and wide networks weighed.
        believed = said.spf if envelope.client_ip is None else Spf(SpfResult.NONE, None)
        found, _ = await dmarc.check(lookup, author.domain, believed, said.dkim, self._suffixes)
        return found.aligned


@cache
def suffixes() -> dmarc.Suffixes:
    """The Public Suffix List that came with the package."""
    return dmarc.Suffixes(suffixlist.suffixes())


# ---- how long we have been waiting ----


class FirstSights:
    """When a sender was first told to come back; at most so many of them.

    Where there is no more room nobody is told to wait: the mail is taken, and judged as `none`.
    """

    def __init__(self, most: int, wait: timedelta) -> None:
        self._most = most
        self._wait = wait
        self._first: dict[tuple[str, str, str], datetime] = {}

    def is_over(self, sight: tuple[str, str, str], now: datetime) -> bool:
        """Whether this sender has waited long enough; remembers him if he is new."""
        self._prune(now)
        first = self._first.get(sight)
        if first is not None and first <= now:  # the clock may have been put back
            return now - first >= self._wait
        if first is None and len(self._first) >= self._most:
            return True
        self._first[sight] = now
        return self._wait <= timedelta(0)

    def _prune(self, now: datetime) -> None:
        oldest = now - self._wait - REMEMBERED_AFTER
        while self._first:
            sight = next(iter(self._first))
            if self._first[sight] > oldest:
                return
            del self._first[sight]

    def __len__(self) -> int:
        return len(self._first)


def _sight(envelope: Envelope, author: Address) -> tuple[str, str, str]:
    return (_network(envelope.client_ip), envelope.mail_from[:320].lower(), author.key)


def _network(client_ip: str | None) -> str:
    """Retries come from neighbouring machines: /24, or /64."""
    try:
        ip = ipaddress.ip_address(client_ip or "")
    except ValueError:
        return ""
    return f"{ip.version}:{int(ip) >> (8 if ip.version == 4 else 64):x}"


def _unsettled(evidence: Evidence) -> bool:
    """Something could not be found out that may be known later."""
    found = evidence.dmarc
    return (
        evidence.spf.result is SpfResult.TEMPERROR
        or found.result is DmarcResult.TEMPERROR
        or found.unknown
        or found.spf_unknown
        or any(one.result is DkimResult.TEMPERROR for one in evidence.dkim)
    )
