"""DMARC (RFC 9989): the tree walk, the policy asked for, and what is aligned with the author.

`result` is the standard's. `aligned` is ours: the Public Suffix List may veto what the walk
aligns, and nothing else. A look-up that failed is never read as "no record".
"""

from dataclasses import dataclass, replace
from typing import Protocol

from gateway.authenticate.dmarc_record import DmarcRecord, one_record
from gateway.authenticate.lookup import Lookup, Status, checked
from gateway.authenticate.remember import Remembered
from gateway.core.model import DkimResult, Dmarc, DmarcResult, Signature, Spf, SpfResult

MOST_QUERIES = 8  # RFC 9989 4.10
KEPT_LABELS = 7
ABOVE_SECONDS = 1.0  # for what stands above a record; without it only the very domain is aligned


class SuffixList(Protocol):
    """The Public Suffix List."""

    def privatesuffix(self, domain: str) -> str | None:
        """The registrable domain; None for a public suffix."""
        ...


class Suffixes:
    """A suffix list with a memory."""

    def __init__(self, suffixes: SuffixList) -> None:
        self._suffixes = suffixes
        self._known: Remembered[str, str] = Remembered(2 << 20)

    def privatesuffix(self, domain: str) -> str | None:
        """The registrable domain; None for a public suffix."""
        known = self._known.get(domain)
        if known is None:
            known = self._suffixes.privatesuffix(domain) or ""
            self._known.put(domain, known, len(domain) + 100)
        return known or None


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the walk from one domain found. `org` is None where a failure hides it."""

    org: str | None
    records: tuple[tuple[str, DmarcRecord], ...]  # by domain, in the order of the walk
    published: bool
    asked: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Alignment:
    """Of one identifier: by the standard, by us, or hidden by a failure."""

    standard: bool = False
    ours: bool = False
    unknown: bool = False


_NOT = _Alignment()


async def check(
    lookup: Lookup,
    author_domain: str,
    spf: Spf,
    dkim: tuple[Signature, ...],
    psl: SuffixList,
) -> tuple[Dmarc, tuple[Signature, ...]]:
    """The author's DMARC and the signatures with `aligned` set. `author_domain` is an A-label."""
    walk = await _walk(lookup, author_domain)
    policy = _policy_record(walk, author_domain)
    strict_dkim = policy is not None and policy[1].strict_dkim
    strict_spf = policy is not None and policy[1].strict_spf
    aligner = _Aligner(lookup, author_domain, walk, psl)

    by_dkim = [await aligner.of_signature(signature, strict_dkim) for signature in dkim]
    by_spf = await aligner.of_spf(spf, strict_spf)
    passing = [a for s, a in zip(dkim, by_dkim, strict=True) if s.result is DkimResult.PASS]
    spf_passes = spf.result is SpfResult.PASS
    # The null reverse-path is nobody's: HELO aligns by the standard, never by us.
    spf_ours = spf.mail_from is not None and by_spf.ours
    spf_unknown = spf.mail_from is not None and (
        by_spf.unknown or (spf.result is SpfResult.TEMPERROR and by_spf.ours)
    )
    unknown = any(alignment.unknown for alignment in by_dkim)
    waiting = any(
        a.ours and s.result is DkimResult.TEMPERROR for s, a in zip(dkim, by_dkim, strict=True)
    )
    passed = any(a.standard for a in passing) or (spf_passes and by_spf.standard)
    dmarc = Dmarc(
        result=_result(walk, policy, passed, unknown or spf_unknown or waiting),
        aligned=any(a.ours for a in passing) or (spf_passes and spf_ours),
        policy=await _asked_for(lookup, policy, author_domain),
        org_domain=walk.org,
        record=policy[1].text if policy else None,
        published=walk.published,
        spf_aligned=spf_passes and spf_ours,
        unknown=unknown,
        spf_unknown=spf_unknown,
        problem=walk.problem,
        walked=walk.asked,
    )
    return dmarc, tuple(
        replace(s, aligned=True) if a.ours else s for s, a in zip(dkim, by_dkim, strict=True)
    )


async def prepare(lookup: Lookup, author_domain: str) -> None:
    """Asks for the author's records while others ask for keys; `check` then finds them at hand."""
    await _walk(lookup, author_domain)


def possible(author_domain: str, domain: str | None, psl: SuffixList) -> bool:
    """Whether this domain could be aligned at all, as far as the suffix list says."""
    if domain is None:
        return False
    if domain == author_domain:
        return True
    registrable = psl.privatesuffix(domain)
    return registrable is not None and registrable == psl.privatesuffix(author_domain)


# ---- the walk ----


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains that the walk asks about: at most eight, down to the top-level domain."""
    labels = domain.split(".")
    rest = labels[1:] if len(labels) <= KEPT_LABELS else labels[-KEPT_LABELS:]
    return (domain, *(".".join(rest[start:]) for start in range(len(rest))))


async def _walk(lookup: Lookup, start: str) -> _Walk:
    records: list[tuple[str, DmarcRecord]] = []
    asked: list[str] = []
    published = False
    for domain in walk_names(start):
        name = f"_dmarc.{domain}"
        asked.append(name)
        answer = await lookup.query(name, "TXT")
        if answer.failed:
            problem = f"TXT of `{name}`: {answer.status}"
            return _Walk(None, tuple(records), published, tuple(asked), problem)
        record, stands = one_record(answer.texts())
        published = published or stands
        if record is not None:
            records.append((domain, record))
            if record.psd != "u":
                break
            if len(records) == 1:  # a silent parent must not hold up a domain that speaks
                lookup = lookup.within(ABOVE_SECONDS)
    return _Walk(_organizational(start, records), tuple(records), published, tuple(asked))


def _organizational(start: str, records: list[tuple[str, DmarcRecord]]) -> str:
    """RFC 9989 4.10.2."""
    if not records:
        return start
    domain, record = records[-1]  # the walk stopped here, or the name with the fewest labels
    if record.psd == "y" and domain != start:
        labels = start.split(".")
        return ".".join(labels[-(domain.count(".") + 2) :])
    return domain


def _policy_record(walk: _Walk, author_domain: str) -> tuple[str, DmarcRecord] | None:
    """RFC 9989 4.10.1: of the author's domain, else of the organisation's, else of the suffix."""
    found = dict(walk.records)
    if author_domain in found:
        return author_domain, found[author_domain]
    if walk.org is None:
        return None
    if walk.org in found:
        return walk.org, found[walk.org]
    return next(((d, record) for d, record in walk.records if record.psd == "y"), None)


async def _asked_for(
    lookup: Lookup, policy: tuple[str, DmarcRecord] | None, author_domain: str
) -> str | None:
    if policy is None or not policy[1].readable:
        return None
    domain, record = policy
    if domain == author_domain:
        return record.asked(record.policy)
    if record.missing != record.subdomains and await _missing(lookup, author_domain):
        return record.asked(record.missing)
    return record.asked(record.subdomains)


async def _missing(lookup: Lookup, domain: str) -> bool:
    """RFC 9989 3.2: the name has no A, AAAA or MX. Not known is: it exists."""
    for rtype in ("MX", "A", "AAAA"):
        answer = await lookup.query(domain, rtype)
        if answer.status is Status.NXDOMAIN:
            return True
        if not answer.void:
            return False
    return True


def _result(
    walk: _Walk, policy: tuple[str, DmarcRecord] | None, passed: bool, unknown: bool
) -> DmarcResult:
    if policy is None and walk.org is None:
        return DmarcResult.TEMPERROR
    if policy is None or not policy[1].readable:
        return DmarcResult.NONE
    if passed:
        return DmarcResult.PASS
    return DmarcResult.TEMPERROR if unknown else DmarcResult.FAIL


# ---- alignment ----


class _Aligner:
    """Holds identifiers against the author's domain; walks only where it can matter."""

    def __init__(self, lookup: Lookup, author: str, walk: _Walk, psl: SuffixList) -> None:
        self._lookup = lookup
        self._author = author
        self._org = walk.org
        self._psl = psl
        self._known: dict[tuple[str, bool], _Alignment] = {}

    async def of_signature(self, signature: Signature, strict: bool) -> _Alignment:
        """Signatures that failed are not worth a look-up."""
        if signature.domain == self._author:
            return _Alignment(standard=True, ours=True)
        if signature.result not in (DkimResult.PASS, DkimResult.TEMPERROR):
            return _NOT
        return await self._of(signature.domain, strict)

    async def of_spf(self, spf: Spf, strict: bool) -> _Alignment:
        """The domain of MAIL FROM; an SPF that is not known yet may matter too."""
        if spf.result not in (SpfResult.PASS, SpfResult.TEMPERROR):
            return _NOT
        return await self._of(spf.domain, strict)

    async def _of(self, domain: str | None, strict: bool) -> _Alignment:
        plain = checked(domain) if domain else None
        if plain is None:
            return _NOT
        known = self._known.get((plain, strict))
        if known is None:
            known = await self._compare(plain, strict)
            self._known[plain, strict] = known
        # A name that is not written plainly is refused by us, whatever the standard says.
        return known if plain == domain else replace(known, ours=False)

    async def _compare(self, domain: str, strict: bool) -> _Alignment:
        if domain == self._author:
            return _Alignment(standard=True, ours=True)
        if strict:
            return _NOT
        ours = possible(self._author, domain, self._psl)
        if self._org is None:
            return _Alignment(unknown=ours)
        if domain != self._org and not domain.endswith("." + self._org):
            return _NOT
        org = (await _walk(self._lookup, domain)).org
        if org is None:
            return _Alignment(unknown=ours)
        return _Alignment(standard=org == self._org, ours=ours and org == self._org)
