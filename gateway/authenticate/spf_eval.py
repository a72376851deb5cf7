"""check_host of RFC 7208: one evaluation with all its limits, through the mail's own `Lookup`."""

import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.authenticate.lookup import Answer, Lookup
from gateway.authenticate.spf_macro import (
    Macro,
    MacroString,
    MacroSyntax,
    expand_name,
    expand_text,
    read_explanation,
    transformed,
)
from gateway.authenticate.spf_record import RecordFault, SpfRecord, Term, is_spf, read_record
from gateway.core.model import SpfResult

MOST_TERMS = 10  # RFC 7208 4.6.4
MOST_VOID = 2
MOST_MX = 10
MOST_PTR = 10
DEEPEST = 10
MOST_WORDS = 2000  # in all records of one evaluation: more is a bomb, not a policy
MOST_ADDRESSES = 10_000  # held against the client in one evaluation: likewise
MOST_TRIED = 100  # terms that are told one by one

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Match:
    """Where an evaluation ended."""

    result: SpfResult
    term: Term | None = None
    domain: str | None = None  # of the record in which the term stands
    explain: MacroString | None = None
    problem: str | None = None


class _Stop(Exception):
    """temperror or permerror, from any depth."""

    def __init__(self, result: SpfResult, problem: str) -> None:
        super().__init__(problem)
        self.result = result
        self.problem = problem


def client_address(text: str | None) -> IpAddress | None:
    """The client; an IPv4 address inside an IPv6 one is the IPv4 address (RFC 7208 5)."""
    try:
        ip = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    if "%" in str(ip):  # a zone index means nothing outside its own machine
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


class Evaluation:
    """One identity of one client. `check` may be called once."""

    def __init__(
        self, lookup: Lookup, ip: IpAddress, helo: str, local: str, domain: str, receiver: str
    ) -> None:
        self._lookup = lookup
        self._ip = ip
        self._bits = int(ip)
        self._four = ip.version == 4
        self._helo = helo
        self._local = local
        self._sender_domain = domain
        self._receiver = receiver
        self._terms = 0
        self._voids = 0
        self._words = 0
        self._compared = 0
        self._read: dict[str, tuple[int, ...]] = {}
        self._validated: tuple[str, ...] | None = None
        self._expanded: dict[tuple[str, str], str] = {}
        self.tried: list[str] = []

    async def check(self) -> Match:
        """RFC 7208 4: the result, with the innermost term that matched."""
        try:
            match = await self._check_host(self._sender_domain, 0)
        except _Stop as stop:
            return Match(stop.result, problem=stop.problem)
        return match

    async def explanation(self, match: Match) -> str | None:
        """RFC 7208 6.2: what the domain says to those who fail; None where anything is amiss."""
        if match.result is not SpfResult.FAIL or match.explain is None or match.domain is None:
            return None
        try:
            name = await self._name(match.explain, match.domain)
            answer = await self._lookup.query(name, "TXT")
            texts = answer.texts()
            if len(texts) != 1 or not texts[0].isascii() or len(texts[0]) > 10_000:
                return None
            spec = read_explanation(texts[0].decode("ascii"))
            if "p" in spec.letters:
                await self._validate()
        except (MacroSyntax, _Stop):
            return None
        domain = match.domain
        return expand_text(spec, lambda macro: self._value(macro, domain))

    # ---- records ----

    async def _check_host(self, domain: str, depth: int) -> Match:
        record = await self._record(domain)
        if record is None:
            return Match(SpfResult.NONE, domain=domain)
        for term in record.terms:
            match = await self._try(term, record, domain, depth)
            if match is not None:
                return match
        if record.redirect is not None:
            return await self._redirect(record.redirect, domain, depth)
        return Match(SpfResult.NEUTRAL, domain=domain)  # 4.7

    async def _record(self, domain: str) -> SpfRecord | None:
        answer = await self._lookup.query(domain, "TXT")
        if answer.failed:
            raise _Stop(SpfResult.TEMPERROR, f"TXT of `{domain}`: {answer.status}")
        found = [text for text in answer.texts() if is_spf(text)]
        if not found:
            return None
        if len(found) > 1:  # 4.5
            raise _Stop(SpfResult.PERMERROR, f"`{domain}` has {len(found)} SPF records")
        self._words += found[0].count(b" ")
        if self._words > MOST_WORDS:
            raise _Stop(SpfResult.PERMERROR, f"more than {MOST_WORDS} terms, at `{domain}`")
        record = read_record(found[0])
        if isinstance(record, RecordFault):
            raise _Stop(SpfResult.PERMERROR, f"record of `{domain}`: {record.problem}")
        return record

    async def _redirect(self, spec: MacroString, domain: str, depth: int) -> Match:
        self._count(depth)
        target = await self._name(spec, domain)
        match = await self._check_host(target, depth + 1)
        if match.result is SpfResult.NONE:  # 6.1
            raise _Stop(SpfResult.PERMERROR, f"redirect to `{target}`, which has no record")
        return match

    # ---- terms ----

    async def _try(self, term: Term, record: SpfRecord, domain: str, depth: int) -> Match | None:
        inner: Match | None = None
        kind = term.kind
        if kind == "ip4":
            hit = self._four and self._bits >> term.shift == term.network
        elif kind == "ip6":
            hit = not self._four and self._bits >> term.shift == term.network
        elif kind == "all":
            hit = True
        elif kind == "include":
            inner = await self._include(term, domain, depth)
            hit = inner is not None
        else:
            self._count(depth)
            hit = await _HOSTED[kind](self, term, domain)
        self._tell(term, domain, hit)
        if not hit:
            return None
        if inner is not None and term.result is SpfResult.PASS:
            return Match(SpfResult.PASS, inner.term, inner.domain)
        return Match(term.result, term, domain, record.explanation)

    async def _include(self, term: Term, domain: str, depth: int) -> Match | None:
        """RFC 7208 5.2."""
        self._count(depth)
        target = await self._name(term.spec, domain)
        match = await self._check_host(target, depth + 1)
        if match.result is SpfResult.NONE:
            raise _Stop(SpfResult.PERMERROR, f"include of `{target}`, which has no record")
        return match if match.result is SpfResult.PASS else None

    async def _a(self, term: Term, domain: str) -> bool:
        name = await self._name(term.spec, domain)
        answer = await self._addresses(name)
        self._known(answer, name)
        return self._among(name, answer, term)

    async def _mx(self, term: Term, domain: str) -> bool:
        name = await self._name(term.spec, domain)
        answer = await self._lookup.query(name, "MX")
        self._known(answer, name)
        hosts = [host for _, host in answer.exchanges() if host]
        if len(hosts) > MOST_MX:
            raise _Stop(SpfResult.PERMERROR, f"`{name}` has more than {MOST_MX} MX records")
        for host in hosts:
            found = await self._addresses(host)
            if found.failed:
                raise _Stop(SpfResult.TEMPERROR, f"address of `{host}`: {found.status}")
            if self._among(host, found, term):
                return True
        return False

    async def _exists(self, term: Term, domain: str) -> bool:
        name = await self._name(term.spec, domain)
        answer = await self._lookup.query(name, "A")  # 5.7: A whatever the client's family
        self._known(answer, name)
        return bool(answer.records)

    async def _ptr(self, term: Term, domain: str) -> bool:
        target = (await self._name(term.spec, domain)).lower()
        return any(_within(name, target) for name in await self._validate())

    async def _validate(self) -> tuple[str, ...]:
        """RFC 7208 5.5: names of the client that lead back to it. An error is: none."""
        if self._validated is None:
            answer = await self._lookup.query(self._ip.reverse_pointer, "PTR")
            if answer.void:
                self._void(self._ip.reverse_pointer)
            names = []
            for name in answer.names()[:MOST_PTR]:
                if self._bits in self._numbers(name, await self._addresses(name)):
                    names.append(name.lower())
            self._validated = tuple(names)
        return self._validated

    # ---- limits and answers ----

    def _count(self, depth: int) -> None:
        self._terms += 1
        if self._terms > MOST_TERMS or depth >= DEEPEST:
            raise _Stop(SpfResult.PERMERROR, f"more than {MOST_TERMS} terms that ask DNS")

    def _void(self, name: str) -> None:
        self._voids += 1
        if self._voids > MOST_VOID:
            raise _Stop(SpfResult.PERMERROR, f"more than {MOST_VOID} void look-ups, at `{name}`")

    def _known(self, answer: Answer, name: str) -> None:
        if answer.failed:
            raise _Stop(SpfResult.TEMPERROR, f"`{name}`: {answer.status}")
        if answer.void:
            self._void(name)

    async def _addresses(self, name: str) -> Answer:
        return await self._lookup.query(name, "A" if self._four else "AAAA")

    def _among(self, name: str, answer: Answer, term: Term) -> bool:
        shift = 32 - term.four if self._four else 128 - term.six
        wanted = self._bits >> shift
        numbers = self._numbers(name, answer)
        if not shift:
            return wanted in numbers
        return any(bits >> shift == wanted for bits in numbers)

    def _numbers(self, name: str, answer: Answer) -> tuple[int, ...]:
        """The addresses of this name as numbers, read once an evaluation."""
        numbers = self._read.get(name)
        if numbers is None:
            family = socket.AF_INET if self._four else socket.AF_INET6
            read = (_number(family, text) for text in answer.names()[:MOST_ADDRESSES])
            numbers = self._read[name] = tuple(number for number in read if number is not None)
        self._compared += len(numbers)
        if self._compared > MOST_ADDRESSES:
            raise _Stop(SpfResult.PERMERROR, f"more than {MOST_ADDRESSES} addresses, at `{name}`")
        return numbers

    def _tell(self, term: Term, domain: str, hit: bool) -> None:
        told = len(self.tried)
        if told < MOST_TRIED:
            self.tried.append(f"{domain}: {term.text}: {'match' if hit else 'no match'}")
        elif told == MOST_TRIED:
            self.tried.append("…")

    # ---- macros ----

    async def _name(self, spec: MacroString | None, domain: str) -> str:
        if spec is None:
            return domain
        if spec.plain is not None:
            return spec.plain
        if "p" in spec.letters:
            await self._validate()
        return expand_name(spec, lambda macro: self._value(macro, domain))

    def _value(self, macro: Macro, domain: str) -> str:
        key = (macro.text, domain)
        value = self._expanded.get(key)
        if value is None:
            value = transformed(macro, _LETTERS[macro.letter](self, domain))
            self._expanded[key] = value
        return value

    def _dotted(self) -> str:
        if self._four:
            return str(self._ip)
        return ".".join(f"{self._bits:032X}")

    def _host_name(self, domain: str) -> str:
        """RFC 7208 7.3, `p`: the domain itself, else a name below it, else any, else `unknown`."""
        names = self._validated or ()
        below = [name for name in names if _within(name, domain.lower())]
        return next(
            iter([n for n in names if n == domain.lower()] + below + list(names)), "unknown"
        )


def _number(family: socket.AddressFamily, text: str) -> int | None:
    try:
        return int.from_bytes(socket.inet_pton(family, text), "big")
    except (OSError, ValueError):
        return None


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)


_HOSTED: dict[str, Callable[[Evaluation, Term, str], Awaitable[bool]]] = {
    "a": Evaluation._a,
    "mx": Evaluation._mx,
    "exists": Evaluation._exists,
    "ptr": Evaluation._ptr,
}

_LETTERS: dict[str, Callable[[Evaluation, str], str]] = {
    "s": lambda e, _: f"{e._local}@{e._sender_domain}",
    "l": lambda e, _: e._local,
    "o": lambda e, _: e._sender_domain,
    "d": lambda _, domain: domain,
    "i": lambda e, _: e._dotted(),
    "p": lambda e, domain: e._host_name(domain),
    "v": lambda e, _: "in-addr" if e._four else "ip6",
    "h": lambda e, _: e._helo,
    "c": lambda e, _: str(e._ip),
    "r": lambda e, _: e._receiver,
    "t": lambda _, __: str(int(time.time())),
}
