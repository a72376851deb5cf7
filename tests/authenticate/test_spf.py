"""SPF beyond the suite: what a pass is worth, limits, hostile records and macros."""

import ipaddress
from typing import Any

import pytest
from authenticate_support import run
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.authenticate import spf
from gateway.authenticate.resolver import Lookup, ZoneResolver
from gateway.authenticate.spf_macro import (
    MacroSyntax,
    expand_name,
    read_domain_spec,
    read_macros,
    transformed,
)
from gateway.authenticate.spf_record import RecordFault, SpfRecord, read_record
from gateway.core.model import Address, Spf, SpfResult

CLIENT = "192.0.2.7"
PLAIN = spf.SpfSettings()


def checked(
    *records: str,
    client: str | None = CLIENT,
    helo: str | None = "mx.a.example",
    mail_from: str = "alice@a.example",
    zone: dict[str, Any] | None = None,
    settings: spf.SpfSettings = PLAIN,
) -> Spf:
    """The evaluation of a.example with these records."""
    names = {"a.example": {"TXT": list(records)}, **(zone or {})}
    lookup = Lookup(ZoneResolver(names))
    return run(spf.check(lookup, client, helo, mail_from, "mx.host.example", settings))


# ---- what a pass is worth ----


@pytest.mark.parametrize(
    "record, client, narrow",
    [
        ("v=spf1 +all", CLIENT, False),
        ("v=spf1 ip4:192.0.2.0/24", CLIENT, True),
        ("v=spf1 ip4:192.0.0.0/16", CLIENT, True),
        ("v=spf1 ip4:192.0.0.0/15", CLIENT, False),
        ("v=spf1 ip4:0.0.0.0/0", CLIENT, False),
        ("v=spf1 ip6:2001:db8::/32", "2001:db8::1", True),
        ("v=spf1 ip6:2001:db8::/31", "2001:db8::1", False),
        ("v=spf1 a/8", CLIENT, False),
        ("v=spf1 a/24", CLIENT, True),
        ("v=spf1 exists:there.example", CLIENT, False),
        ("v=spf1 exists:%{i}.there.example", CLIENT, True),
        ("v=spf1 exists:%{i1}.there.example", CLIENT, False),
        ("v=spf1 include:all.example", CLIENT, False),
        ("v=spf1 redirect=all.example", CLIENT, False),
        ("v=spf1 include:wide.example", CLIENT, False),
        ("v=spf1 ?ip4:192.0.2.7", CLIENT, False),
    ],
)
def test_a_wide_match_passes_and_proves_nothing(record: str, client: str, narrow: bool) -> None:
    """The innermost term that matched decides; the result stays what the RFC says."""
    zone = {
        "all.example": {"TXT": ["v=spf1 all"]},
        "wide.example": {"TXT": ["v=spf1 ip4:192.0.0.0/8"]},
        "there.example": {"A": ["127.0.0.2"]},
        "192.0.2.7.there.example": {"A": ["127.0.0.2"]},
        "7.there.example": {"A": ["127.0.0.2"]},
    }
    zone = {**zone, "a.example": {"TXT": [record], "A": ["192.0.2.9"]}}
    found = run(
        spf.check(Lookup(ZoneResolver(zone)), client, None, "x@a.example", "mx", spf.SpfSettings())
    )
    assert found.narrow is narrow
    assert found.result is (SpfResult.NEUTRAL if "?" in record else SpfResult.PASS)


def test_a_listed_pool_may_be_wide() -> None:
    """The pool is known by the record in which the term stands; all is never narrow."""
    zone = {
        "spf.pool.example": {"TXT": ["v=spf1 ip4:192.0.0.0/15"]},
        "all.pool.example": {"TXT": ["v=spf1 all"]},
    }
    listed = spf.SpfSettings(wide_pools=frozenset({"pool.example"}))
    found = checked("v=spf1 include:spf.pool.example", zone=zone, settings=listed)
    assert (found.narrow, found.term_domain, found.prefix) == (True, "spf.pool.example", 15)
    assert not checked("v=spf1 include:spf.pool.example", zone=zone).narrow
    assert not checked("v=spf1 include:all.pool.example", zone=zone, settings=listed).narrow


def test_p04_our_own_pool_passes_and_proves_nothing() -> None:
    """P04: every tenant sends from there."""
    pool = spf.SpfSettings(own_shared_outbound=(ipaddress.ip_network("192.0.2.0/28"),))
    found = checked("v=spf1 ip4:192.0.2.7", settings=pool)
    assert (found.result, found.narrow) == (SpfResult.PASS, False)


def test_the_innermost_term_is_told_with_its_domain_and_prefix() -> None:
    """An include tells the term inside it, and every term that was tried."""
    found = checked(
        "v=spf1 ip4:203.0.113.1 include:b.example -all",
        zone={"b.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 ~all"]}},
    )
    assert (found.term, found.term_domain, found.prefix) == ("ip4:192.0.2.0/24", "b.example", 24)
    assert found.tried == (
        "a.example: ip4:203.0.113.1: no match",
        "b.example: ip4:192.0.2.0/24: match",
        "a.example: include:b.example: match",
    )


# ---- identities ----


def test_m20_without_a_client_address_there_is_no_result() -> None:
    """M20: on any doubt SPF is none, never pass."""
    for client in (None, "", "unknown", "fe80::1%eth0", "192.0.2.300"):
        found = checked("v=spf1 +all", client=client)
        assert (found.result, found.narrow) == (SpfResult.NONE, False)


def test_m16_the_null_sender_is_postmaster_at_helo_and_names_nobody() -> None:
    """M16: the result is HELO's; no address comes of it."""
    zone = {"mx.a.example": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]}}
    found = checked("v=spf1 -all", mail_from="", zone=zone)
    assert (found.result, found.helo_result) == (SpfResult.PASS, SpfResult.PASS)
    assert (found.domain, found.mail_from) == ("mx.a.example", None)


def test_helo_is_checked_beside_mail_from() -> None:
    """Both identities have a result of their own."""
    zone = {"mx.a.example": {"TXT": ["v=spf1 -all"]}}
    found = checked("v=spf1 ip4:192.0.2.7", zone=zone)
    assert (found.result, found.helo_result) == (SpfResult.PASS, SpfResult.FAIL)
    assert found.mail_from == Address("alice", "a.example")


def test_a_domain_beyond_ascii_is_asked_for_by_its_a_label() -> None:
    """RFC 7208 4.3."""
    zone = {"xn--bcher-kva.example": {"TXT": ["v=spf1 ip4:192.0.2.7"]}}
    found = checked(mail_from="x@bücher.example", zone=zone)
    assert (found.result, found.domain) == (SpfResult.PASS, "xn--bcher-kva.example")


@pytest.mark.parametrize(
    "mail_from", ["a@b@c.example", "x@a.example>", "<x@a.example", "x y@a.example"]
)
def test_what_is_no_path_is_no_address(mail_from: str) -> None:
    """It may be evaluated; it never equals an author."""
    assert checked("v=spf1 +all", mail_from=mail_from).mail_from is None


# ---- limits ----


def test_p05_more_than_ten_terms_that_ask() -> None:
    """P05: sixty includes are permerror, after ten of them."""
    record = "v=spf1 " + " ".join(f"include:i{n}.example" for n in range(60))
    zone = {f"i{n}.example": {"TXT": ["v=spf1 ?all"]} for n in range(60)}
    lookup = Lookup(ZoneResolver({"a.example": {"TXT": [record]}, **zone}))
    found = run(spf.check(lookup, CLIENT, None, "x@a.example", "mx", spf.SpfSettings()))
    assert found.result is SpfResult.PERMERROR
    assert len(lookup.asked) == 11


def test_p06_more_than_two_void_look_ups() -> None:
    """P06: nine names that do not exist are permerror, after three of them."""
    record = "v=spf1 " + " ".join(f"exists:n{n}.example" for n in range(9)) + " +all"
    lookup = Lookup(ZoneResolver({"a.example": {"TXT": [record]}}))
    found = run(spf.check(lookup, CLIENT, None, "x@a.example", "mx", spf.SpfSettings()))
    assert found.result is SpfResult.PERMERROR
    assert len(lookup.asked) == 4


def test_a_void_address_of_a_mail_host_is_no_void_term() -> None:
    """RFC 7208 4.6.4 counts terms: mail hosts without IPv6 do not break the whole policy."""
    hosts = {f"m{n}.example": {"A": ["203.0.113.1"]} for n in range(5)}
    zone = {**hosts, "a.example": {
        "TXT": ["v=spf1 mx ip6:2001:db8::1 -all"],
        "MX": [[n, f"m{n}.example"] for n in range(5)],
    }}  # fmt: skip
    assert checked(client="2001:db8::1", zone=zone).result is SpfResult.PASS


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 " + "a" * 10240,
        "v=spf1 " + "?ip4:192.0.2.1 " * 900,
        "v=spf1" + " " * 2100 + "+all",
        "v=spf1 ip4:192.0.2.7\x00",
        "v=spf1 ip4:192.0.2.7\x0b-all",
        "v=spf1 ip4:192.0.2.7 ip4:1.2.3",
        "v=spf1 ip4:192.0.2.7 a:%{d",
        "v=spf1 ip4:192.0.2.7 a:%{d0}.example",
        "v=spf1 ip4:192.0.2.7 redirect=b.example redirect=b.example",
    ],
)
def test_p10_a_record_out_of_form_is_an_error_as_a_whole(record: str) -> None:
    """P10: too long, too many words, control characters, a fault anywhere."""
    assert checked(record).result is SpfResult.PERMERROR


def test_p10_two_records_are_an_error() -> None:
    """P10: RFC 7208 4.5."""
    assert checked("v=spf1 +all", "v=spf1 -all").result is SpfResult.PERMERROR


def test_p08_a_failure_is_a_temporary_error() -> None:
    """P08: neither none nor permerror."""
    zone = {"a.example": {"status": "servfail"}}
    assert checked(zone=zone).result is SpfResult.TEMPERROR


# ---- macros ----


@pytest.mark.parametrize(
    "local", ["a.b/c", "x" * 200, "." * 60, "%{d}", "a\\b", "-" * 64, "a b", "\x00", "é", "\udc80"]
)
def test_p09_whatever_stands_in_a_local_part_is_only_text(local: str) -> None:
    """P09: no crash, and a name that is cut to 253 characters."""
    record = "v=spf1 exists:%{l}.%{l1r-/}.%{L}._spf.a.example -all exp=%{L}.a.example"
    found = checked(record, mail_from=f"{local}@a.example")
    assert found.result in (SpfResult.FAIL, SpfResult.NONE)


def test_a_long_name_loses_labels_on_the_left() -> None:
    """RFC 7208 7.3: whole labels, until 253 characters are left."""
    spec = read_domain_spec("%{l}.example.com")
    name = expand_name(spec, lambda _: ".".join(["abcdefghi"] * 60))
    assert len(name) <= 253
    assert name.endswith("abcdefghi.example.com")
    assert name.startswith("abcdefghi.")


@given(
    st.text(alphabet="%{}slodiphvcrtSLZ0129r.-+,/_=ab \x00é", max_size=60), st.text(max_size=80)
)
def test_macro_strings_are_read_or_refused(text: str, value: str) -> None:
    """No other exception, and what is read expands within its bounds."""
    try:
        spec = read_macros(text)
    except MacroSyntax:
        return
    assert len(expand_name(spec, lambda macro: transformed(macro, value))) <= 253


words = st.one_of(
    st.sampled_from(
        ["a", "mx", "ptr", "all", "-all", "include:b.example", "exists:%{i}.b.example"]
    ),
    st.sampled_from(["ip4:192.0.2.7/33", "ip6:::1", "redirect=b.example", "exp=%{p}.b.example"]),
    st.text(alphabet="aimxp46:./%{}d~?+-=\x00\xff ", max_size=20),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(words, max_size=8), st.lists(words, max_size=8), st.text(max_size=20))
def test_no_record_breaks_the_evaluation(one: list[str], two: list[str], helo: str) -> None:
    """Two hostile domains that point at each other give a result."""
    zone = {
        "a.example": {"TXT": [" ".join(["v=spf1", *one])], "MX": [[1, "b.example"]]},
        "b.example": {"TXT": [" ".join(["v=spf1", *two])], "A": ["192.0.2.7"]},
        "7.2.0.192.in-addr.arpa": {"PTR": ["b.example"]},
    }
    found = run(
        spf.check(Lookup(ZoneResolver(zone)), CLIENT, helo, "x@a.example", "mx", spf.SpfSettings())
    )
    assert found.result in set(SpfResult)
    assert found.narrow <= (found.result is SpfResult.PASS)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_a_fault(raw: bytes) -> None:
    """The reader is total."""
    assert isinstance(read_record(b"v=spf1 " + raw), SpfRecord | RecordFault)


def test_addresses_are_compared_up_to_a_bound() -> None:
    """Ten hosts with thousands of addresses, asked again and again, end as `permerror`."""
    hosts = {f"h{n}.a.example": {"A": ["198.51.100.1"] * 500} for n in range(10)}
    record = "v=spf1 " + "mx " * 9 + "-all"
    zone = {"a.example": {"TXT": [record], "MX": [[n, f"h{n}.a.example"] for n in range(10)]}}
    found = checked(zone={**zone, **hosts})
    assert found.result is SpfResult.PERMERROR
    assert "addresses" in (found.problem or "")
    few = {name: {"A": held["A"][:5]} for name, held in hosts.items()}
    assert checked(zone={**zone, **few}).result is SpfResult.FAIL
