"""Authentication-Results: our own, those that pretend to be, and a relay's."""

from datetime import UTC, datetime

import pytest
from authenticate_support import signature
from hypothesis import given
from hypothesis import strategies as st

from gateway.authenticate import results, results_read
from gateway.core.model import (
    Address,
    Arc,
    Dmarc,
    DmarcResult,
    Envelope,
    Evidence,
    Listener,
    Spf,
    SpfResult,
)
from gateway.core.read import wire

ID = "mx.host.example"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEADER = (
    b"From: alice@victim.example\r\nSubject: x\r\n\r\n"
    b"Authentication-Results: mx.host.example; none\r\n"
)


def own(mail_from: str = "alice@victim.example", helo: str | None = "mx.x.example") -> bytes:
    """Our field about a mail of alice's."""
    envelope = Envelope(
        "192.0.2.1", helo, mail_from, ("support@host.example",), Listener.EDGE, NOW
    )
    evidence = Evidence(
        Spf(SpfResult.PASS, "victim.example"),
        (signature("victim.example"),),
        Dmarc(DmarcResult.PASS, aligned=True),
        Arc(),
    )
    return results.field(ID, envelope, evidence, Address("alice", "victim.example"))


def test_our_field_says_what_was_found() -> None:
    """It is read back as it was meant."""
    name, _, value = own().partition(b":")
    assert name == b"Authentication-Results"
    read = results_read.read(value)
    assert read is not None
    assert read.authserv_id == ID
    assert [(fact.method, fact.result) for fact in read.facts] == [
        ("spf", "pass"),
        ("spf", "none"),
        ("dkim", "pass"),
        ("dmarc", "pass"),
    ]
    assert read.facts[2].first("header.d") == "victim.example"


@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_that_a_sender_chose_breaks_our_field(mail_from: str, helo: str) -> None:
    """Envelope and HELO stay values: one field, our id, the same methods."""
    text = own(mail_from, helo)
    assert text.count(b"\r\n") == text.count(b"\r\n\t") + 1
    assert text.isascii()
    read = results_read.read(text.partition(b":")[2])
    assert read is not None
    assert [fact.method for fact in read.facts if fact.method != "spf"] == ["dkim", "dmarc"]


# ---- renaming ----


@pytest.mark.parametrize(
    "value",
    [
        b"mx.host.example; dmarc=pass header.from=victim.example",
        b"MX.Host.Example; none",
        b" (comment) mx.host.example (x) 1; spf=pass",
        b'"mx.host.example"; spf=pass',
        b"mx.host.example.; spf=pass smtp.mailfrom=x",
        b"mx.host.example; spf=pass (open",
        b"\r\n mx.host.example;\r\n\tspf=pass",
    ],
)
def test_a_field_under_our_own_id_is_renamed(value: bytes) -> None:
    """However it is written; the rest of the mail is not touched."""
    raw = b"Authentication-results:" + value + b"\r\n" + HEADER
    renamed = results.rename(raw, wire.read(raw).headers, ID)
    assert renamed == b"X-Original-Authentication-Results:" + value + b"\r\n" + HEADER


@pytest.mark.parametrize(
    "value", [b" other.example; spf=pass", b" spf=pass", b" mx.host.example.evil.example; none"]
)
def test_others_fields_and_the_body_stay(value: bytes) -> None:
    """Only what claims to be ours is renamed, and only in the header."""
    raw = b"Authentication-Results:" + value + b"\r\n" + HEADER
    assert results.rename(raw, wire.read(raw).headers, ID) == raw


@given(st.binary(max_size=200))
def test_renaming_keeps_every_other_byte(value: bytes) -> None:
    """Taking the new name away again gives the old mail."""
    raw = b"Subject: a\r\nAuthentication-Results: " + value + b"\r\n" + HEADER
    renamed = results.rename(raw, wire.read(raw).headers, ID)
    assert renamed.replace(b"X-Original-", b"") == raw.replace(b"X-Original-", b"")


# ---- a relay's word ----

RECEIVED = b"Received: from a by b; Sun, 22 Nov 2026 11:00:00 +0000\r\n"
SAYS = (
    b"Authentication-Results: relay.example; spf=pass smtp.mailfrom=a@victim.example;"
    b" dkim=pass header.d=victim.example\r\n"
)


def said(header: bytes) -> results.RelaySays | None:
    """What relay.example says in this header."""
    raw = header + HEADER
    return results.relay_says(wire.read(raw).headers, "relay.example")


def test_raw_facts_above_the_relays_own_received_count() -> None:
    """SPF with its MAIL FROM, DKIM with its d=."""
    found = said(SAYS + RECEIVED)
    assert found is not None
    assert (found.spf.domain, found.dkim[0].domain) == ("victim.example", "victim.example")


@pytest.mark.parametrize(
    "header",
    [
        RECEIVED + SAYS,
        SAYS.replace(b"relay.example", b"evil.example") + RECEIVED,
        SAYS.replace(b"relay.example; ", b"") + RECEIVED,
        SAYS.replace(b"=pass", b"=fail") + RECEIVED,
        b"Authentication-Results: relay.example; dmarc=pass header.from=victim.example\r\n"
        + RECEIVED,
        b"Authentication-Results: relay.example; none\r\n" + RECEIVED,
        b"Authentication-Results: relay.example; dkim=pass header.d=a header.d=b\r\n" + RECEIVED,
    ],
)
def test_anything_else_does_not(header: bytes) -> None:
    """Below Received, another id or none (R03), a fail, DMARC alone, two values for one thing."""
    assert said(header) is None


def test_r02_a_quoted_value_is_one_value() -> None:
    """R02: the sender's address is quoted, and holds what looks like results."""
    header = (
        b"Authentication-Results: relay.example; spf=pass"
        b' smtp.mailfrom="x; dmarc=pass header.from=victim"@evil.example\r\n' + RECEIVED
    )
    read = results_read.read(header.partition(b":")[2].partition(b"\r\n")[0])
    assert read is not None
    assert [fact.method for fact in read.facts] == ["spf"]
    assert read.facts[0].first("smtp.mailfrom") == "x; dmarc=pass header.from=victim@evil.example"
    assert read.facts[0].first("header.from") is None


def test_r02_a_comment_hides_nothing_and_tells_nothing() -> None:
    """R02: results inside a comment are no results."""
    value = (
        b"relay.example; spf=fail (x; dkim=pass header.d=victim.example) smtp.mailfrom=a@b.example"
    )
    read = results_read.read(value)
    assert read is not None
    assert [(fact.method, fact.result) for fact in read.facts] == [("spf", "fail")]


@pytest.mark.parametrize(
    "value",
    [b"", b"; spf=pass", b"spf=pass ..", b"a b; none", b"a; spf", b'a; spf="x', b"a; spf=pass (("],
)
def test_r03_what_is_out_of_form_is_nothing(value: bytes) -> None:
    """R03: no authserv-id, and other faults."""
    assert results_read.read(value) is None


@given(st.text(alphabet='abc.=;()"\\ \t\r\n/@1', max_size=80))
def test_any_text_is_read_or_nothing(text: str) -> None:
    """The reader is total."""
    read = results_read.read(text.encode())
    assert read is None or read.authserv_id


def test_a_hostile_field_is_not_read_at_length() -> None:
    """Deep comments, endless quotes and long fields end early."""
    for value in (b"(" * 15_000, b'a; spf="' + b"\\" * 15_000, b"a; " * 30_000):
        assert results_read.read(value) is None
