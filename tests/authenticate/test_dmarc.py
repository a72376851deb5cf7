"""DMARC beyond the vectors: records, walks, failures, and alignment that the list vetoes."""

from typing import Any

import pytest
from authenticate_support import run, signature
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from gateway.authenticate import dmarc
from gateway.authenticate.dmarc_record import is_dmarc, one_record, read_record
from gateway.authenticate.resolver import TIMEOUT, Answer, Lookup, ZoneResolver
from gateway.core.model import (
    Address,
    DkimResult,
    Dmarc,
    DmarcResult,
    Signature,
    Spf,
    SpfResult,
)

SUFFIXES = dmarc.Suffixes(PublicSuffixList())
NO_SPF = Spf(SpfResult.NONE, None)


def checked(
    zone: dict[str, Any],
    author: str,
    *signatures: Signature,
    spf: Spf = NO_SPF,
) -> tuple[Dmarc, tuple[Signature, ...]]:
    """DMARC of an author with these signatures."""
    texts = {
        name: ({"status": text} if text in ("timeout", "servfail") else {"TXT": [text]})
        for name, text in zone.items()
    }
    return run(dmarc.check(Lookup(ZoneResolver(texts)), author, spf, signatures, SUFFIXES))


def passing(domain: str, sender: str | None = "bounce") -> Spf:
    """SPF passes for this domain."""
    address = None if sender is None else Address(sender, domain)
    return Spf(SpfResult.PASS, domain, mail_from=address, narrow=True)


# ---- records ----


@pytest.mark.parametrize(
    "text, readable, policy",
    [
        ("v=DMARC1; p=reject", True, "reject"),
        ("v=DMARC1;p=reject;p=none", True, "reject"),
        ("v=DMARC1; p=strict", False, "none"),
        ("v=DMARC1; p=strict; rua=mailto:x@y.example", True, "none"),
        ("v=DMARC1; p=reject; sp=bogus", False, "none"),
        ("v=DMARC1", False, "none"),
        ("v=DMARC1; =; p; ;;; p = quarantine ", True, "quarantine"),
    ],
)
def test_a_record_is_read_as_far_as_it_can_be(text: str, readable: bool, policy: str) -> None:
    """RFC 9989 4.10.1: a bad policy is none where reports are asked for, else unreadable."""
    record = read_record(text.encode())
    assert (record.readable, record.policy) == (readable, policy)


@pytest.mark.parametrize(
    "text", ["v=DMARC1x; p=none", "V=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC2", ""]
)
def test_what_does_not_begin_with_the_version_is_no_record(text: str) -> None:
    """The version stands first, and in upper case."""
    assert not is_dmarc(text.encode())


def test_several_records_are_none_but_something_stands_there() -> None:
    """RFC 9989 4.10: they are discarded; the domain publishes all the same."""
    assert one_record([b"v=DMARC1; p=none", b"v=DMARC1; p=reject"]) == (None, True)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_record(raw: bytes) -> None:
    """The reader is total, and a policy is one of three."""
    record = read_record(b"v=DMARC1; " + raw)
    assert {record.policy, record.subdomains, record.missing} <= {"none", "quarantine", "reject"}


# ---- policy ----


def test_e07_less_than_the_whole_gives_a_spoofer_nothing() -> None:
    """E07: pct is gone; t=y asks for one step less, and the result stays fail."""
    for text, policy in (
        ("v=DMARC1; p=reject; pct=0", "reject"),
        ("v=DMARC1; p=reject; t=y", "quarantine"),
        ("v=DMARC1; p=none; t=y", "none"),
    ):
        found, _ = checked({"_dmarc.a.example": text}, "a.example")
        assert (found.result, found.policy, found.published) == (DmarcResult.FAIL, policy, True)


def test_an_unreadable_record_is_published_and_asks_for_nothing() -> None:
    """No policy, no result, and no absence either."""
    found, _ = checked({"_dmarc.a.example": "v=DMARC1; p=no"}, "a.example")
    assert (found.result, found.policy, found.published) == (DmarcResult.NONE, None, True)


@pytest.mark.parametrize("labels", [1, 2, 7, 8, 9, 40])
def test_a_walk_asks_eight_times_at_most(labels: int) -> None:
    """Down to the top-level domain, and never twice."""
    domain = ".".join(f"l{n}" for n in range(labels))
    names = dmarc.walk_names(domain)
    assert len(names) == len(set(names)) == min(labels, 8)
    assert names[0] == domain
    assert names[-1] == f"l{labels - 1}"


# ---- alignment ----


def test_e05_tenants_of_a_shared_suffix_are_not_aligned() -> None:
    """E05: the walk aligns them, the list does not."""
    zone = {"_dmarc.github.io": "v=DMARC1; p=none"}
    found, (signed,) = checked(zone, "victim.github.io", signature("evil.github.io"))
    assert (found.result, found.aligned, signed.aligned) == (DmarcResult.PASS, False, False)
    by_spf, _ = checked(zone, "victim.github.io", spf=passing("evil.github.io"))
    assert (by_spf.aligned, by_spf.spf_aligned) == (False, False)


def test_a_signature_below_the_suffix_alone_is_none() -> None:
    """D23: a public suffix signs for nobody below it."""
    zone = {"_dmarc.co.uk": "v=DMARC1; p=none"}
    _, (signed,) = checked(zone, "victim.co.uk", signature("co.uk"))
    assert not signed.aligned


def test_strict_mode_wants_the_very_domain() -> None:
    """adkim and aspf each for its own."""
    zone = {"_dmarc.a.example": "v=DMARC1; p=none; adkim=s"}
    found, (signed,) = checked(
        zone, "a.example", signature("m.a.example"), spf=passing("m.a.example")
    )
    assert (signed.aligned, found.spf_aligned) == (False, True)


def test_m16_helo_aligns_for_the_standard_and_not_for_us() -> None:
    """M16: the null reverse-path is nobody's."""
    zone = {"_dmarc.a.example": "v=DMARC1; p=reject"}
    found, _ = checked(zone, "a.example", spf=passing("a.example", None))
    assert (found.result, found.aligned, found.spf_aligned) == (DmarcResult.PASS, False, False)


def test_a_failed_signature_of_the_very_domain_aligns_and_passes_nothing() -> None:
    """Alignment is about names; what passes is another matter."""
    zone = {"_dmarc.a.example": "v=DMARC1; p=reject"}
    found, (signed,) = checked(zone, "a.example", signature("a.example", result=DkimResult.FAIL))
    assert (signed.aligned, found.aligned, found.result) == (True, False, DmarcResult.FAIL)


def test_foreign_signatures_cost_no_look_ups() -> None:
    """A hundred mailing services are not worth one question."""
    lookup = Lookup(ZoneResolver({"_dmarc.a.example": {"TXT": ["v=DMARC1; p=none"]}}))
    many = tuple(signature(f"esp{n}.example") for n in range(100))
    run(dmarc.check(lookup, "a.example", NO_SPF, many, SUFFIXES))
    assert lookup.asked == ("_dmarc.a.example", "_dmarc.example")


# ---- failures ----


def test_e03_the_very_domain_needs_no_walk() -> None:
    """E03: _dmarc fails, d= is the author's domain: aligned, and nothing is unknown."""
    zone = {"_dmarc.a.example": "servfail"}
    found, (signed,) = checked(zone, "a.example", signature("a.example"))
    assert (found.result, found.aligned, found.unknown) == (DmarcResult.TEMPERROR, True, False)
    assert signed.aligned


def test_e04_a_parent_is_unknown_while_the_walk_fails() -> None:
    """E04: it might align; a domain that the list keeps apart might not."""
    zone = {"_dmarc.m.a.example": "servfail"}
    found, (signed,) = checked(zone, "m.a.example", signature("a.example"))
    assert (found.unknown, signed.aligned, found.aligned) == (True, False, False)
    apart, _ = checked(zone, "m.a.example", signature("b.example"))
    assert not apart.unknown


def test_a_walk_of_the_signer_that_fails_is_unknown_too() -> None:
    """The author's walk is fine; the signer's is not."""
    zone = {"_dmarc.a.example": "v=DMARC1; p=none", "_dmarc.m.a.example": "timeout"}
    found, _ = checked(zone, "a.example", signature("m.a.example"))
    assert found.unknown
    assert found.result is DmarcResult.TEMPERROR


def test_p08_an_spf_that_failed_for_a_time_is_unknown_where_it_would_align() -> None:
    """P08: alice's own domain could not be asked; the attacker's own is no reason to wait."""
    zone = {"_dmarc.a.example": "v=DMARC1; p=reject"}
    late = Spf(SpfResult.TEMPERROR, "a.example", mail_from=Address("alice", "a.example"))
    assert checked(zone, "a.example", spf=late)[0].spf_unknown
    other = Spf(SpfResult.TEMPERROR, "b.example", mail_from=Address("x", "b.example"))
    assert not checked(zone, "a.example", spf=other)[0].spf_unknown


records = st.sampled_from(
    [
        "v=DMARC1; p=reject",
        "v=DMARC1; p=none; psd=y",
        "v=DMARC1; p=quarantine; psd=n; adkim=s",
        "v=DMARC1; sp=none; np=reject; p=none",
        "v=DMARC1",
        "junk",
        "timeout",
    ]
)
domains = st.sampled_from(
    ["a.example", "b.a.example", "c.b.a.example", "example", "x.example", "github.io"]
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(domains.map("_dmarc.{}".format), records), domains, domains, domains)
def test_ours_is_never_laxer_than_the_list(
    zone: dict[str, str], author: str, signer: str, sender: str
) -> None:
    """Whatever the zone says: aligned domains are equal, or share a registrable domain."""
    found, (signed,) = checked(zone, author, signature(signer), spf=passing(sender))
    for ours, domain in ((signed.aligned, signer), (found.spf_aligned, sender)):
        if ours and domain != author:
            registrable = SUFFIXES.privatesuffix(domain)
            assert registrable is not None
            assert registrable == SUFFIXES.privatesuffix(author)
    assert found.aligned == (signed.aligned or found.spf_aligned)


@pytest.mark.parametrize(
    "there, policy",
    [
        ({"MX": [[1, "x.example"]]}, "none"),
        ({"A": ["192.0.2.1"]}, "none"),
        ({"AAAA": ["2001:db8::1"]}, "none"),
        ({"status": "servfail"}, "none"),
        ({"TXT": ["text"]}, "quarantine"),
        (None, "quarantine"),
    ],
)
def test_np_is_for_names_without_address_and_mail_host(there: Any, policy: str) -> None:
    """RFC 9989: a name that publishes none of A, AAAA, MX; what is not known counts as there."""
    zone = {"_dmarc.a.example": {"TXT": ["v=DMARC1; p=reject; sp=none; np=quarantine"]}}
    if there is not None:
        zone["m.a.example"] = there
    lookup = Lookup(ZoneResolver(zone))
    found, _ = run(dmarc.check(lookup, "m.a.example", NO_SPF, (), SUFFIXES))
    assert found.policy == policy


class SilentAbove(Lookup):
    """A parent that never answers; whoever asks it without a bound would wait for ever."""

    def __init__(self, zone: ZoneResolver, bounded: bool = False) -> None:
        super().__init__(zone)
        self._zone, self._bounded = zone, bounded

    def within(self, seconds: float) -> Lookup:
        """The same, with a bound."""
        assert 0 < seconds <= 2
        return SilentAbove(self._zone, bounded=True)

    async def query(self, name: str, rtype: str) -> Answer:
        """Nothing from above."""
        if name == "_dmarc.example":
            assert self._bounded
            return TIMEOUT
        return await super().query(name, rtype)


def test_a_silent_parent_holds_up_no_domain_that_speaks_for_itself() -> None:
    """The walk above a record is bounded: the very domain is aligned, and nothing beside it."""
    zone = ZoneResolver({"_dmarc.sender.example": {"TXT": ["v=DMARC1; p=reject"]}})
    found, _ = run(
        dmarc.check(SilentAbove(zone), "sender.example", passing("sender.example"), (), SUFFIXES)
    )
    assert (found.result, found.aligned) == (DmarcResult.PASS, True)
    other, _ = run(
        dmarc.check(SilentAbove(zone), "sender.example", passing("m.sender.example"), (), SUFFIXES)
    )
    assert (other.result, other.aligned) == (DmarcResult.TEMPERROR, False)
