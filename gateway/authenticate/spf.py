"""SPF (RFC 7208) for one session: MAIL FROM and HELO, and whether a pass can prove anything.

The result is what the RFC says. `narrow` is ours: a match that lets in half the world, or the pool
that all our own tenants share, tells nothing about who wrote.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import idna

from gateway.authenticate.lookup import Lookup, checked
from gateway.authenticate.spf_eval import Evaluation, IpAddress, Match, client_address
from gateway.authenticate.spf_macro import NAME_LIMIT
from gateway.core.model import Address, Spf, SpfResult
from gateway.core.read import addresses

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WIDEST_FOUR = 16  # bits
WIDEST_SIX = 32


@dataclass(frozen=True, slots=True)
class SpfSettings:
    """What ops say about pools of addresses."""

    wide_pools: frozenset[str] = frozenset()  # domains whose records may match wider than /16
    own_shared_outbound: tuple[Network, ...] = ()  # what all our own tenants send from
    timeout: float = 5.0  # seconds, both identities together


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """`192.0.2.0/24` and the like. Raises `ValueError`."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


async def check(
    lookup: Lookup,
    client_ip: str | None,
    helo: str | None,
    mail_from: str,
    receiver: str,
    settings: SpfSettings,
) -> Spf:
    """Evaluates both identities. `mail_from` is `""` for the null reverse-path. Never raises."""
    ip = client_address(client_ip)
    local, domain = _identity(mail_from, helo)
    address = _address(mail_from, domain)
    if ip is None or domain is None:
        problem = "the client is not known" if ip is None else "there is no domain to ask about"
        return Spf(SpfResult.NONE, domain, problem=problem, mail_from=address)
    limited = lookup.within(settings.timeout)
    greeting = helo or "unknown"
    evaluation = Evaluation(limited, ip, greeting, local, domain, receiver)
    match = await evaluation.check()
    explanation = await evaluation.explanation(match)
    host = _domain(helo or "")
    if not mail_from or host is None:
        helo_result = SpfResult.NONE if mail_from else match.result
    else:
        beside = Evaluation(limited, ip, greeting, "postmaster", host, receiver)
        helo_result = (await beside.check()).result
    return Spf(
        result=match.result,
        domain=domain,
        helo_result=helo_result,
        term=match.term.text if match.term else None,
        term_domain=match.domain if match.term else None,
        prefix=_prefix(match, ip),
        explanation=explanation,
        problem=match.problem,
        mail_from=address,
        narrow=_narrow(match, ip, settings),
        tried=tuple(evaluation.tried),
    )


def _identity(mail_from: str, helo: str | None) -> tuple[str, str | None]:
    """RFC 7208 2.4, 4.3: the null reverse-path is postmaster at the HELO name."""
    if not mail_from:
        return "postmaster", _domain(helo or "")
    local, _, domain = mail_from.rpartition("@")
    return local or "postmaster", _domain(domain)


def _domain(text: str) -> str | None:
    """An A-label name of at least two labels, or None (RFC 7208 4.3)."""
    if not text.isascii():
        try:
            text = idna.encode(text[:NAME_LIMIT], uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    plain = checked(text)
    return plain if plain is not None and "." in plain else None


def _address(mail_from: str, domain: str | None) -> Address | None:
    address = addresses.path(mail_from, smtputf8=True)
    return address if address is not None and address.domain == domain else None


def _prefix(match: Match, ip: IpAddress) -> int | None:
    if match.term is None or match.term.kind in ("exists", "ptr", "include"):
        return None
    return match.term.four if ip.version == 4 else match.term.six


def _narrow(match: Match, ip: IpAddress, settings: SpfSettings) -> bool:
    """Whether a pass says anything about who wrote (sender-auth.md)."""
    term = match.term
    if match.result is not SpfResult.PASS or term is None or term.kind == "all":
        return False
    if any(ip in network for network in settings.own_shared_outbound):
        return False
    if term.kind == "exists":  # a name without the client in it exists for everybody
        return term.spec is not None and term.spec.names_client
    prefix = _prefix(match, ip)
    if prefix is None or prefix >= (WIDEST_FOUR if ip.version == 4 else WIDEST_SIX):
        return True
    return prefix > 0 and below(match.domain or "", settings.wide_pools)


def below(domain: str, listed: frozenset[str]) -> bool:
    """The domain, or one above it, is listed."""
    labels = domain.lower().split(".")
    return any(".".join(labels[start:]) in listed for start in range(len(labels)))
