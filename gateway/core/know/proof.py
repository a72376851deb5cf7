"""How well the author is proven: evidence, headers and replay memory become a level with reasons.

The table of the levels is the whole of this module; nothing else in the house makes a `Proof` or,
but for the rows of enquiries, a `ProvenAuthor`. What could not be established counts as the worse.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.core.model import (
    Address,
    DkimResult,
    DmarcResult,
    Envelope,
    Evidence,
    Headers,
    Mail,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Registration,
    Replay,
    Signature,
    SpfResult,
)
from gateway.core.read import addresses, identifiers

REPLAY_MEMORY = timedelta(days=14)
FRESH = timedelta(days=7)
CLOCKS_DIFFER = timedelta(days=1)  # a signed Date may be ahead of ours by this much


def judge(
    envelope: Envelope,
    author: Address,
    mail: Mail | None,
    headers: Headers,
    evidence: Evidence,
    support: frozenset[str],
    replays: tuple[Replay, ...] | None,
    content_digest: str,
    now: datetime,
    registration: Registration | None = None,
) -> Proof:
    """The first level that holds of: strong, temperror, medium, fail, none.

    The letter of certified mail is `medium` or `none`, by its provider's signature alone.

    `support` holds the keys of our own addresses. `replays` is None while the store has not been
    asked: a signature is then taken to be no replay, which settles the SMTP reply before any
    account is read. `mail` is not needed: identity is read from `headers` alone.
    """
    case = _Case(envelope, author, headers, evidence, support, replays, content_digest, now)
    found = _certified(case) or _strong(case) or _temporary(case) or _medium(case)
    proof = _told_of_wrapper(case, found or _nothing(case))
    if registration is not None and proof.level is ProofLevel.STRONG:
        return _capped(proof, registration)
    return proof


def released(proof: Proof, account: str) -> Proof:
    """What a parked mail proves once its account has released it: as much as the release did.

    It says nothing of the author: `author` stays what the evidence made it.
    """
    because = (f"account {account} released it from parked mail", *proof.because)
    return Proof(ProofLevel.STRONG, because, proof.author, frozenset({"*"}), confirmed=True)


def replay_digests(evidence: Evidence) -> tuple[str, ...]:
    """Digests of the signatures that may prove something, for the replay memory."""
    return tuple(
        dict.fromkeys(s.digest for s in evidence.dkim if _passes(s) and s.digest is not None)
    )


def meant_for(fields: tuple[str, ...], headers: Headers, support: frozenset[str]) -> str | None:
    """The support address that stands in a signed To or Cc; sub-addresses are ours too."""
    for name in ("to", "cc"):
        if name not in covered(fields, headers):
            continue
        for value in headers.all(name):
            for address in addresses.mailboxes(value):
                if _ours(address, support):
                    return str(address)
    return None


def covered(fields: tuple[str, ...], headers: Headers) -> frozenset[str]:
    """The names of which every instance in the header is signed."""
    signed = Counter(fields)
    present = Counter(field.name for field in headers.fields)
    return frozenset(name for name, times in signed.items() if times >= present[name])


@dataclass(frozen=True, slots=True)
class _Case:
    """One mail on trial."""

    envelope: Envelope
    author: Address
    headers: Headers
    evidence: Evidence
    support: frozenset[str]
    replays: tuple[Replay, ...] | None
    content_digest: str
    now: datetime

    @property
    def spf_proves(self) -> bool:
        """SPF passes, aligned on MAIL FROM, with a match that says something."""
        spf, dmarc = self.evidence.spf, self.evidence.dmarc
        return spf.result is SpfResult.PASS and dmarc.spf_aligned and spf.narrow

    @property
    def sent_by_author(self) -> bool:
        """SPF passes in this session with MAIL FROM equal to the author: aligned is not enough."""
        spf = self.evidence.spf
        return spf.result is SpfResult.PASS and spf.narrow and self.names_author

    @property
    def names_author(self) -> bool:
        """MAIL FROM is the author's address, whatever SPF says of it."""
        mail_from = self.evidence.spf.mail_from
        return mail_from is not None and mail_from.key == self.author.key


# ---- the levels, in the order in which they are tried ----


def _certified(case: _Case) -> Proof | None:
    """By a PEC provider's signature; public text needs more (`Proof.author` stays None)."""
    found = case.evidence.certified
    if found is None or found.sender is None or found.sender.key != case.author.key:
        return None
    told = f"{found.provider} certifies under its signature that {found.sender} wrote it"
    doubts = []
    if not found.recipients & case.support:
        doubts.append("it was certified for others")
    age = None if found.at is None else case.now.timestamp() - found.at.timestamp()
    if age is None or not _recent(age):
        doubts.append("it does not say that it is at most 7 days old")
    if doubts:
        return Proof(ProofLevel.NONE, (f"{told}, but {', and '.join(doubts)}",))
    return Proof(ProofLevel.MEDIUM, (told,))


def _told_of_wrapper(case: _Case, proof: Proof) -> Proof:
    """Why a wrapper of certified mail did not name the author of its letter."""
    found = case.evidence.certified
    if found is None or found.problem is None:
        return proof
    because = f"it looks like certified mail, but {found.problem}"
    return replace(proof, because=(*proof.because, because))


def _strong(case: _Case) -> Proof | None:
    sound = [s for s in case.evidence.dkim if _passes(s) and not _doubts(case, s)]
    for signature in sound:
        because = [_told(signature)]
        address = meant_for(signature.signed, case.headers, case.support)
        if address is not None:
            because.append(f"{address} stands in a signed To or Cc")
        elif case.sent_by_author:
            because.append("SPF passes with MAIL FROM equal to the author")
        else:
            continue
        because.append("it is no replay")
        author = ProvenAuthor(str(case.author))
        return Proof(ProofLevel.STRONG, tuple(because), author, _signed(case, sound))
    return None


def _temporary(case: _Case) -> Proof | None:
    unknown = _unknown(case)
    if unknown is None:
        return None
    if not case.evidence.wait_is_over:
        return Proof(ProofLevel.TEMPERROR, (unknown,))
    over = f"{unknown}; this has lasted longer than we wait"
    medium = _medium(case)
    if medium is None:
        return Proof(ProofLevel.NONE, (over,))
    return Proof(medium.level, (*medium.because, over), medium.author, medium.signed)


def _medium(case: _Case) -> Proof | None:
    passing = [signature for signature in case.evidence.dkim if _passes(signature)]
    because = []
    for signature in passing:
        doubts = _doubts(case, signature) or ["it was not meant for us"]
        because.append(f"{_told(signature)}, but {', and '.join(doubts)}")
    if case.spf_proves:
        spf = case.evidence.spf
        because.append(f"SPF passes for {spf.domain} by {spf.term}, aligned on MAIL FROM")
    if case.evidence.relay_says:
        because.append("a trusted relay says that an aligned SPF or DKIM passed")
    if not because:
        return None
    author = ProvenAuthor(str(case.author)) if case.spf_proves else None
    return Proof(ProofLevel.MEDIUM, tuple(because), author, _signed(case, passing))


def _nothing(case: _Case) -> Proof:
    spf, dmarc = case.evidence.spf, case.evidence.dmarc
    because = ["nothing that passes is aligned with the author's domain"]
    if spf.result is SpfResult.PASS and dmarc.spf_aligned:
        # DMARC passes here, so it is no `fail`: what passes just proves nothing.
        wide = f"the SPF match {spf.term} proves nothing: too wide, or our own pool"
        return Proof(ProofLevel.NONE, (wide,))
    if dmarc.result is DmarcResult.PASS and spf.result is SpfResult.PASS and not spf.mail_from:
        # By HELO for the null reverse-path, or by one that is no address.
        nobody = "DMARC passes by a reverse-path that names nobody"
        return Proof(ProofLevel.NONE, (nobody,))
    if dmarc.published:
        return Proof(ProofLevel.FAIL, (*because, "the domain publishes a DMARC record"))
    if dmarc.problem is not None:
        return Proof(ProofLevel.FAIL, (*because, f"its DMARC is not known: {dmarc.problem}"))
    return Proof(ProofLevel.NONE, (*because, "the domain publishes no DMARC record"))


def _capped(proof: Proof, registration: Registration) -> Proof:
    """A domain that changed hands since its address was confirmed speaks for somebody else."""
    changed = registration.domain_changed_at
    if changed is None or changed.timestamp() <= registration.confirmed_at.timestamp():
        return proof
    because = (*proof.because, "the domain was transferred or expired since it was confirmed")
    return Proof(ProofLevel.MEDIUM, because, proof.author, proof.signed)


# ---- what is asked of a signature ----


def _passes(signature: Signature) -> bool:
    return signature.result is DkimResult.PASS and signature.aligned


def _told(signature: Signature) -> str:
    return f"DKIM passes for {signature.domain}, aligned with the author's domain"


def _doubts(case: _Case, signature: Signature) -> list[str]:
    """What keeps a passing signature from being strong, whoever it was meant for."""
    doubts = []
    if signature.weak_signer and not case.envelope.vouched:
        doubts.append("its signer signs for every tenant")
    if not _fresh(case, signature):
        doubts.append("neither t= nor a signed Date says that it is at most 7 days old")
    if _replayed(case, signature):
        doubts.append("the same signature came with other content before")
    return doubts


def _fresh(case: _Case, signature: Signature) -> bool:
    now = int(case.now.timestamp())
    made = signature.signed_at
    if made is None and "date" in covered(signature.signed, case.headers):
        date = identifiers.date(case.headers.first("date"))
        made = None if date is None else int(date.timestamp())
    if made is None:
        return False
    return _recent(now - made)


def _recent(age: float) -> bool:
    return -CLOCKS_DIFFER.total_seconds() <= age <= FRESH.total_seconds()


def _replayed(case: _Case, signature: Signature) -> bool:
    if case.replays is None:
        return False
    if signature.digest is None:
        return True
    oldest = case.now.timestamp() - REPLAY_MEMORY.total_seconds()
    return any(
        replay.digest == signature.digest
        and replay.content_digest != case.content_digest
        and replay.first_seen.timestamp() >= oldest
        for replay in case.replays
    )


def _ours(address: Address, support: frozenset[str]) -> bool:
    if address.key in support:
        return True
    local, plus, _ = address.key.rpartition("@")[0].partition("+")
    return bool(plus) and f"{local}@{address.domain}" in support


def _signed(case: _Case, signatures: list[Signature]) -> frozenset[str]:
    """The fields that these signatures cover; all of them where the author sent the mail here."""
    if case.sent_by_author:
        return frozenset({"*"})
    names: frozenset[str] = frozenset()
    return names.union(*(covered(s.signed, case.headers) for s in signatures))


# ---- what is not known yet ----


def _unknown(case: _Case) -> str | None:
    """The failure that keeps a better level within reach, as a sentence; None if there is none."""
    dmarc = case.evidence.dmarc
    for signature in case.evidence.dkim:
        usable = not signature.weak_signer or case.envelope.vouched
        if signature.result is DkimResult.TEMPERROR and signature.aligned and usable:
            return f"the key of the signature by {signature.domain} could not be fetched"
    if dmarc.unknown:
        return f"whether a signature is aligned could not be found out: {dmarc.problem}"
    passing = [s for s in case.evidence.dkim if _passes(s)]
    waiting = case.evidence.spf.result is SpfResult.TEMPERROR and case.names_author
    if waiting and any(not _doubts(case, signature) for signature in passing):
        return "SPF, which could say that the mail was meant for us, could not be found out"
    if dmarc.spf_unknown and not passing and not case.evidence.relay_says:
        return "SPF, or whether it is aligned, could not be found out"
    return None
