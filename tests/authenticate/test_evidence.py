"""Evidence as a whole: what is found about one mail, and how long we wait for what is not."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dkim
import pytest
from authenticate_support import run
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.authenticate.evidence import Authenticator, AuthSettings, FirstSights
from gateway.authenticate.resolver import Answer, read_zone
from gateway.core.know import proof
from gateway.core.model import (
    DkimResult,
    DmarcResult,
    Envelope,
    Evidence,
    Listener,
    ProofLevel,
    SpfResult,
)
from gateway.core.read import wire

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SUPPORT = frozenset({"support@host.example"})
ENVELOPE = Envelope(
    client_ip="192.0.2.7",
    helo="mx.victim.example",
    mail_from="alice@victim.example",
    recipients=("support@host.example",),
    listener=Listener.EDGE,
    received_at=NOW,
)
PLAIN = (
    b"From: Alice <alice@victim.example>\r\nTo: support@host.example\r\nSubject: help\r\n"
    b"Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n\r\nhello\r\n"
)
SETTINGS = AuthSettings("mx.host.example", own_domains=frozenset({"host.example"}))
KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
ZONE: dict[str, Any] = {
    "victim.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "_dmarc.victim.example": {"TXT": ["v=DMARC1; p=reject"]},
    "k._domainkey.victim.example": {"TXT": [f"v=DKIM1; p={PUBLIC}"]},
}


def signed(domain: str = "victim.example", raw: bytes = PLAIN) -> bytes:
    """The mail with a signature of this domain."""
    pem = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    names = [b"from", b"to", b"subject", b"date"]
    head: bytes = dkim.sign(raw, b"k", domain.encode(), pem, include_headers=names)
    return head + raw


def gathered(
    raw: bytes,
    zone: dict[str, Any] | None = None,
    envelope: Envelope = ENVELOPE,
    settings: AuthSettings = SETTINGS,
) -> tuple[Evidence, ProofLevel]:
    """Evidence and level of one mail; the clock is the signer's."""
    now = datetime.now(UTC) if b"DKIM-Signature" in raw else NOW
    envelope = replace(envelope, received_at=now)
    read = wire.read(raw)
    authenticator = Authenticator(read_zone(ZONE if zone is None else zone), settings)
    found = run(authenticator.evidence(envelope, read, raw))
    assert read.author is not None
    judged = proof.judge(envelope, read.author, None, read.headers, found, SUPPORT, (), "c", now)
    return found, judged.level


def test_a_signed_mail_from_its_own_server_is_strong() -> None:
    """DKIM, SPF and DMARC pass, aligned."""
    found, level = gathered(signed())
    assert level is ProofLevel.STRONG
    assert found.spf.result is SpfResult.PASS
    assert [one.result for one in found.dkim] == [DkimResult.PASS]
    assert (found.dmarc.result, found.dmarc.aligned) == (DmarcResult.PASS, True)
    assert not found.wait_is_over


def test_p02_without_a_signature_spf_is_medium() -> None:
    """P02."""
    assert gathered(PLAIN)[1] is ProofLevel.MEDIUM


def test_p01_e08_a_spoof_is_fail_with_the_policy_that_is_asked_for() -> None:
    """P01, E08: the attacker's own MAIL FROM passes; alice's domain asks for reject."""
    zone = {**ZONE, "evil.example": {"TXT": ["v=spf1 ip4:192.0.2.7"]}}
    found, level = gathered(PLAIN, zone, replace(ENVELOPE, mail_from="a@evil.example"))
    assert (found.spf.result, level, found.dmarc.policy) == (
        SpfResult.PASS,
        ProofLevel.FAIL,
        "reject",
    )


def test_p04_our_own_pool_gives_none() -> None:
    """P04: configured as text, judged as a network."""
    pool = replace(SETTINGS, own_shared_outbound=("192.0.2.0/28",))
    assert gathered(PLAIN, settings=pool)[1] is ProofLevel.NONE


def test_p08_a_failing_spf_is_temperror() -> None:
    """P08: no signature, and SPF that cannot be asked."""
    zone = {**ZONE, "victim.example": {"status": "servfail"}}
    assert gathered(PLAIN, zone)[1] is ProofLevel.TEMPERROR


def test_d30_a_failing_key_is_temperror() -> None:
    """D30: told apart from a bad key."""
    zone = {**ZONE, "k._domainkey.victim.example": {"status": "timeout"}}
    forwarded = replace(ENVELOPE, mail_from="x@fwd.example")
    assert gathered(signed(), zone, forwarded)[1] is ProofLevel.TEMPERROR
    gone = {name: content for name, content in ZONE.items() if not name.startswith("k.")}
    assert gathered(signed(), gone, forwarded)[1] is ProofLevel.FAIL


def test_d34_a_forwarded_mail_stays_strong() -> None:
    """D34: the forwarder's address fails SPF, the signature survives."""
    found, level = gathered(signed(), envelope=replace(ENVELOPE, client_ip="203.0.113.9"))
    assert (found.spf.result, level) == (SpfResult.FAIL, ProofLevel.STRONG)


def test_e03_dmarc_may_fail_where_the_domain_is_the_very_one() -> None:
    """E03: strong, and nobody waits."""
    zone = {**ZONE, "_dmarc.victim.example": {"status": "servfail"}}
    assert gathered(signed(), zone)[1] is ProofLevel.STRONG


def test_e04_dmarc_must_be_known_where_a_parent_signed() -> None:
    """E04: From is below d=, and the walk fails."""
    raw = signed(raw=PLAIN.replace(b"alice@victim", b"alice@m.victim"))
    zone = {**ZONE, "_dmarc.m.victim.example": {"status": "servfail"}}
    assert gathered(raw, zone, replace(ENVELOPE, mail_from=""))[1] is ProofLevel.TEMPERROR
    assert gathered(raw, envelope=replace(ENVELOPE, mail_from=""))[1] is ProofLevel.STRONG


def test_m20_a_client_that_is_not_known_gives_no_spf() -> None:
    """M20."""
    found, level = gathered(PLAIN, envelope=replace(ENVELOPE, client_ip=None))
    assert (found.spf.result, level) == (SpfResult.NONE, ProofLevel.FAIL)


def test_e09_our_own_domain_is_told() -> None:
    """E09: From is one of ours."""
    found, level = gathered(PLAIN.replace(b"alice@victim.example", b"support@host.example"))
    assert (found.own_domain, level) == (True, ProofLevel.NONE)
    assert not gathered(PLAIN)[0].own_domain


def test_a_signer_of_tenants_is_marked() -> None:
    """own_signers and weak_signers name d= and what is below it."""
    weak = replace(SETTINGS, weak_signers=frozenset({"victim.example"}))
    found, level = gathered(signed(), settings=weak)
    assert (found.dkim[0].weak_signer, level) == (True, ProofLevel.MEDIUM)


# ---- a relay's word ----

SAYS = (
    b"Authentication-Results: relay.example; dkim=pass header.d=victim.example\r\nReceived: x\r\n"
)


@pytest.mark.parametrize(
    "says, listed, level",
    [
        (SAYS, "relay.example", ProofLevel.MEDIUM),
        (SAYS, None, ProofLevel.FAIL),
        (SAYS, "other.example", ProofLevel.FAIL),
        (SAYS.replace(b"victim.example", b"evil.example"), "relay.example", ProofLevel.FAIL),
    ],
)
def test_a_relay_is_heard_only_where_it_is_listed_and_aligned(
    says: bytes, listed: str | None, level: ProofLevel
) -> None:
    """Off by default; its facts are aligned again by us; never more than medium."""
    envelope = replace(ENVELOPE, client_ip=None, authserv_id=listed)
    assert gathered(says + PLAIN, envelope=envelope)[1] is level


# ---- a mail without an author ----


def test_a_mail_that_the_gate_refused_has_evidence_too() -> None:
    """For explain: SPF is told, DMARC is none, nothing is raised."""
    raw = PLAIN.replace(b"From:", b"X-From:")
    authenticator = Authenticator(read_zone(ZONE), SETTINGS)
    found = run(authenticator.evidence(ENVELOPE, wire.read(raw), raw))
    assert (found.spf.result, found.dmarc.result) == (SpfResult.PASS, DmarcResult.NONE)


# ---- how long we wait ----


def test_a_sender_waits_four_hours_and_no_longer() -> None:
    """The first sight starts the clock; a retry from a neighbouring machine is the same sender."""
    zone = read_zone({**ZONE, "victim.example": {"status": "servfail"}})
    authenticator = Authenticator(zone, SETTINGS)
    read = wire.read(PLAIN)

    def over(
        after: timedelta, client: str = "192.0.2.7", mail_from: str = "a@victim.example"
    ) -> bool:
        envelope = replace(
            ENVELOPE, received_at=NOW + after, client_ip=client, mail_from=mail_from
        )
        return run(authenticator.evidence(envelope, read, PLAIN)).wait_is_over

    assert not over(timedelta(0))
    assert not over(timedelta(hours=3, minutes=59), "192.0.2.99")
    assert over(timedelta(hours=4))
    assert over(timedelta(hours=20))
    assert not over(timedelta(hours=4), "198.51.100.1")
    assert not over(timedelta(hours=4), mail_from="b@victim.example")
    assert not over(timedelta(hours=30))


def test_a_mail_about_which_all_is_known_leaves_no_trace() -> None:
    """Only what fails is remembered."""
    sights = FirstSights(1, timedelta(hours=4))
    assert len(sights) == 0
    found, _ = gathered(PLAIN, settings=replace(SETTINGS, first_sights_max=0))
    assert not found.wait_is_over


def test_a_full_table_lets_everybody_through() -> None:
    """Nobody is told to wait whom we could not recognise; old sights make room again."""
    sights = FirstSights(2, timedelta(hours=4))
    assert [sights.is_over((str(n), "", ""), NOW) for n in range(4)] == [False, False, True, True]
    assert len(sights) == 2
    assert not sights.is_over(("9", "", ""), NOW + timedelta(days=2))
    assert len(sights) == 1


def test_a_clock_that_goes_back_ends_no_wait() -> None:
    """The moment of a mail is a value, and may come out of order."""
    sights = FirstSights(2, timedelta(hours=4))
    assert not sights.is_over(("1", "", ""), NOW)
    assert not sights.is_over(("1", "", ""), NOW - timedelta(hours=9))


class Waiting:
    """A resolver that has nothing at hand, and counts who waits at the same time."""

    def __init__(self) -> None:
        self.zone = read_zone(ZONE)
        self.now = 0
        self.most = 0

    async def query(self, name: str, rtype: str) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        return await self.zone.query(name, rtype)


def test_key_spf_and_dmarc_are_asked_for_at_the_same_time() -> None:
    """A cold cache costs the longest of the three, not their sum; the evidence is the same."""
    raw = signed()
    waiting = Waiting()
    envelope = replace(ENVELOPE, received_at=datetime.now(UTC))
    found = run(Authenticator(waiting, SETTINGS).evidence(envelope, wire.read(raw), raw))
    assert waiting.most == 3
    warm = run(Authenticator(read_zone(ZONE), SETTINGS).evidence(envelope, wire.read(raw), raw))
    assert found == warm


def test_a_sender_without_a_client_address_waits_too() -> None:
    """Behind a relay that names no client the envelope and the author tell the sender."""
    zone = {**ZONE, "k._domainkey.victim.example": {"status": "timeout"}}
    found, level = gathered(signed(), zone, replace(ENVELOPE, client_ip=None))
    assert (found.wait_is_over, level) == (False, ProofLevel.TEMPERROR)


def test_a_clock_put_back_begins_the_wait_anew() -> None:
    """A first sight of the future would keep a sender waiting for a day and more."""
    sights = FirstSights(1, timedelta(hours=4))
    sight = ("net", "from", "author")
    assert not sights.is_over(sight, NOW)
    before = NOW - timedelta(days=1)
    assert not sights.is_over(sight, before)
    assert sights.is_over(sight, before + timedelta(hours=4))
