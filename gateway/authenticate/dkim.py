"""DKIM (RFC 6376, 8301, 8463): every signature of a mail, with its result.

The gate comes first, then the keys, through the one resolver and all at once, then an engine
without I/O. `dkim.asyncsupport`, aiodns and pycares are banned: they cut names at NUL.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from gateway.authenticate import dkim_native
from gateway.authenticate.dkim_canon import CanonicalMail, select
from gateway.authenticate.dkim_keys import Key, NoKey, vet
from gateway.authenticate.dkim_tags import Claim, read_claim
from gateway.authenticate.lookup import Answer
from gateway.core.model import DkimResult, Headers, Signature

THREAD_ABOVE = 65_536  # bytes of mail whose hashing would hold up others

_Check = Callable[[Claim, Key, CanonicalMail, Sequence[int]], str | None]


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """`skew` is how many seconds a signer's clock may be ahead of ours."""

    engine: Literal["native", "dkimpy"] = "native"
    min_bits: int = 1024
    max_bits: int = 4096
    max_signatures: int = 10
    skew: int = 300


class Lookup(Protocol):
    """Who answers questions to DNS."""

    async def query(self, name: str, rtype: str) -> Answer:
        """One answer; it never raises."""
        ...


def _engine(settings: DkimSettings) -> _Check:
    """dkimpy is imported only where it is asked for: it costs every start a twentieth."""
    if settings.engine == "native":
        return dkim_native.check
    from gateway.authenticate import dkim_dkimpy

    return dkim_dkimpy.check


async def verify(
    raw: bytes,
    headers: Headers,
    lookup: Lookup,
    now: datetime,
    author_domain: str | None,
    settings: DkimSettings = DkimSettings(),
) -> tuple[Signature, ...]:
    """Every signature, those that may align first, then in order of appearance.

    `headers` are the wire gate's. Alignment itself is judged elsewhere.
    """
    claims = _claims(headers, int(now.timestamp()), author_domain, settings)
    if not claims:
        return ()
    kept, rest = claims[: settings.max_signatures], claims[settings.max_signatures :]
    keys = await _keys(kept, lookup, settings)
    mail = CanonicalMail(raw, headers)
    if len(raw) > THREAD_ABOVE and keys:
        judged = await asyncio.to_thread(_judge_all, kept, keys, mail, settings)
    else:
        judged = _judge_all(kept, keys, mail, settings)
    return (*judged, *(_too_many(claim) for claim in rest))


def _claims(
    headers: Headers, now: int, author_domain: str | None, settings: DkimSettings
) -> list[Claim]:
    claims = [
        read_claim(position, field, now, settings.skew)
        for position, field in enumerate(headers.fields)
        if field.name == "dkim-signature"
    ]
    if author_domain is not None:
        claims.sort(key=lambda claim: not _near(claim.domain, author_domain))
    return claims


def _near(domain: str | None, author: str) -> bool:
    """Equal, or the one above the other: only such a signature can align."""
    return domain is not None and (
        domain == author or author.endswith(f".{domain}") or domain.endswith(f".{author}")
    )


async def _keys(
    claims: Sequence[Claim], lookup: Lookup, settings: DkimSettings
) -> dict[str, Key | NoKey]:
    """The key of every claim that passed the gate; each name is asked for once, all together."""
    names = list(dict.fromkeys(claim.key_name for claim in claims if claim.problem is None))
    if len(names) == 1:  # the common case needs no tasks
        answers = [await lookup.query(names[0], "TXT")]
    else:
        answers = await asyncio.gather(*(lookup.query(name, "TXT") for name in names))
    return {
        name: vet(answer, settings.max_bits) for name, answer in zip(names, answers, strict=True)
    }


def _judge_all(
    claims: Sequence[Claim],
    keys: dict[str, Key | NoKey],
    mail: CanonicalMail,
    settings: DkimSettings,
) -> list[Signature]:
    one_author = sum(field.name == "from" for field in mail.headers.fields) == 1
    judged = []
    for claim in claims:
        if claim.problem is not None:
            judged.append(_signature(claim, DkimResult.PERMERROR, claim.problem))
        elif not one_author:
            judged.append(_signature(claim, DkimResult.PERMERROR, "there is not one From field"))
        else:
            judged.append(_judge(claim, keys[claim.key_name], mail, settings))
    return judged


def _judge(
    claim: Claim, key: Key | NoKey, mail: CanonicalMail, settings: DkimSettings
) -> Signature:
    positions = select(claim.names, mail.headers.fields, claim.position)
    signed = tuple(mail.headers.fields[position].name for position in positions)
    if isinstance(key, NoKey):
        return _signature(claim, key.result, key.problem, signed)
    problem = _unfit(claim, key)
    if problem is not None:
        return _signature(claim, DkimResult.PERMERROR, problem, signed)
    if key.testing:  # RFC 6376 3.6.1: not to be treated differently from unsigned mail
        return _signature(claim, DkimResult.NEUTRAL, "the key is in test mode", signed)
    problem = _misfit(claim, key) or _engine(settings)(claim, key, mail, positions)
    if problem is not None:
        return _signature(claim, DkimResult.FAIL, problem, signed)
    if key.kind == "rsa" and key.bits < settings.min_bits:
        return _signature(claim, DkimResult.POLICY, f"the key has {key.bits} bits", signed)
    return _signature(claim, DkimResult.PASS, None, signed)


def _unfit(claim: Claim, key: Key) -> str | None:
    """What key and signature say of each other (RFC 6376 6.1.2)."""
    if claim.algorithm != f"{key.kind}-sha256":
        return "the key is of another kind than a= says"
    identity = (claim.identity or "").rpartition("@")[2].lower()
    if key.strict and identity != claim.domain:
        return "the key is for d= itself, and i= lies below it"
    return None


def _misfit(claim: Claim, key: Key) -> str | None:
    """One signature has one form (RFC 8017 8.2.2): as long as the modulus, and below it."""
    if len(claim.signature) != key.signature_bytes:
        return "the signature does not fit the key"
    if key.modulus and int.from_bytes(claim.signature, "big") >= key.modulus:
        return "the signature does not fit the key"
    return None


def _too_many(claim: Claim) -> Signature:
    if claim.problem is not None:
        return _signature(claim, DkimResult.PERMERROR, claim.problem)
    return _signature(claim, DkimResult.POLICY, "too many signatures")


def _signature(
    claim: Claim, result: DkimResult, problem: str | None, signed: tuple[str, ...] = ()
) -> Signature:
    return Signature(
        result=result,
        domain=claim.domain,
        selector=claim.selector,
        problem=problem,
        identity=claim.identity,
        algorithm=claim.algorithm,
        signed=signed,
        digest=claim.digest,
        signed_at=claim.signed_at,
    )
