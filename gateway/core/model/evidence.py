"""What DNS and cryptography say about the author, and the level of proof that follows from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.core.model.mail import Address


class SpfResult(StrEnum):
    """RFC 7208 2.6, spelt as in RFC 8601."""

    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DkimResult(StrEnum):
    """The result of one signature (RFC 6376 3.9, RFC 8601 2.7.1)."""

    PASS = "pass"
    FAIL = "fail"
    POLICY = "policy"  # cryptographically right, refused by the gate
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DmarcResult(StrEnum):
    """RFC 9989; `none` is: no record."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Spf:
    """The evaluation of MAIL FROM (or postmaster@HELO for the null reverse-path), and of HELO
    beside it."""

    result: SpfResult
    domain: str | None
    helo_result: SpfResult = SpfResult.NONE
    term: str | None = None  # the directive that matched, as written
    term_domain: str | None = None  # the record in which it stands
    prefix: int | None = None  # the length of the network that matched, in bits
    explanation: str | None = None
    problem: str | None = None
    mail_from: Address | None = None  # None for the null reverse-path or one that has no address
    # the match is narrow enough to prove anything (sender-auth: wide matches, shared pools)
    narrow: bool = False
    tried: tuple[str, ...] = ()  # each term evaluated with its outcome, for `portiere auth`


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature after the gate. Aligned or not is said by `Dmarc`."""

    result: DkimResult
    domain: str | None  # d=, lower-case A-label
    selector: str | None
    problem: str | None = None
    identity: str | None = None  # i=
    algorithm: str | None = None
    signed: tuple[
        str, ...
    ] = ()  # the fields really covered: lower-case names, one entry a signed instance
    digest: str | None = None  # SHA-256 of the b= value without white space, hex
    signed_at: int | None = None  # t=, seconds since the epoch
    aligned: bool = False  # with the author's domain, list veto included
    weak_signer: bool = False  # d= is one of own_signers or weak_signers: at most `medium`


@dataclass(frozen=True, slots=True)
class Dmarc:
    """The author's domain and its policy (RFC 9989).

    `aligned` is ours: tree walk and Public Suffix List.
    """

    result: DmarcResult
    aligned: bool
    policy: str | None = None  # none | quarantine | reject, as asked for this domain
    org_domain: str | None = None
    record: str | None = None
    published: bool = False  # a record stands there, readable or not
    spf_aligned: bool = False
    unknown: bool = False  # a look-up failed that could still make a signature align
    spf_unknown: bool = False  # one failed that could still make an aligned SPF pass
    problem: str | None = None
    walked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arc:
    """Parsed for the log only; it never raises a level."""

    result: str = "none"
    instances: int = 0


@dataclass(frozen=True, slots=True)
class Certified:
    """What a provider of certified mail (PEC) vouches for under its S/MIME signature."""

    sender: Address | None  # who wrote the letter inside; None where `problem` says why not
    problem: str | None = None
    provider: str | None = None  # the mailbox that signed
    recipients: frozenset[str] = frozenset()  # keys of the addresses that it was certified for
    at: datetime | None = None  # when the provider took the letter, aware


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was found out about the author before any account table is read."""

    spf: Spf
    dkim: tuple[Signature, ...]
    dmarc: Dmarc
    arc: Arc
    own_domain: bool = False  # From is one of our own domains
    relay_says: bool = False  # a listed relay's Authentication-Results, aligned again by ourselves
    wait_is_over: bool = False  # a temporary error that lasted longer than we defer for
    certified: Certified | None = None  # None where no provider is listed, or it is no PEC


class ProofLevel(StrEnum):
    """How well the author is proven (sender-auth.md), best first."""

    STRONG = "strong"
    MEDIUM = "medium"
    NONE = "none"
    FAIL = "fail"
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True)
class ProvenAuthor:
    """An author whose address is proven.

    Only core.know.proof (and store.reader, for enquiry rows) makes one.
    """

    address: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The level with its reasons, in the order in which they were found."""

    level: ProofLevel
    because: tuple[str, ...]
    author: ProvenAuthor | None = None  # set where public text may be sent to the author
    signed: frozenset[str] = (
        frozenset()
    )  # names of the fields that the proof covers; {"*"} where SPF equals the author
    confirmed: bool = False  # its account released the parked mail: no evidence of the mail's own


@dataclass(frozen=True, slots=True)
class Replay:
    """A signature seen before: the digest of its b=, and the content that it came with."""

    digest: str
    content_digest: str
    first_seen: datetime
