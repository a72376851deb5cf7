"""The level of proof: each line of the table, and each attack that the table decides."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.know import proof
from gateway.core.model import (
    Account,
    Address,
    Arc,
    Certified,
    DkimResult,
    Dmarc,
    DmarcResult,
    Envelope,
    Evidence,
    Listener,
    OfficialAddress,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Registration,
    Replay,
    Role,
    Signature,
    Spf,
    SpfResult,
)
from gateway.core.read import wire

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ALICE = Address("alice", "victim.example")
SUPPORT = frozenset({"support@host.example"})
HEADER = (
    b"From: alice@victim.example\r\nTo: Support <support@host.example>\r\nCc: bob@x.example\r\n"
    b"Subject: help\r\nDate: Sun, 22 Nov 2026 11:00:00 +0000\r\n\r\nhello\r\n"
)
ENVELOPE = Envelope(
    "192.0.2.1",
    "mx.x.example",
    "bounce@esp.example",
    ("support@host.example",),
    Listener.EDGE,
    NOW,
)
SIGNED = Signature(
    DkimResult.PASS,
    "victim.example",
    "s1",
    signed=("from", "to", "subject", "date"),
    digest="b" * 64,
    aligned=True,
)
NO_SPF = Spf(SpfResult.NONE, None)
NO_DMARC = Dmarc(DmarcResult.NONE, aligned=False)
PUBLISHED = Dmarc(DmarcResult.FAIL, aligned=False, policy="none", published=True)
SPF_EQUAL = Spf(
    SpfResult.PASS, "victim.example", mail_from=ALICE, narrow=True, term="ip4:192.0.2.1", prefix=32
)
SPF_ALIGNED = replace(SPF_EQUAL, mail_from=Address("bounce", "victim.example"))
BY_SPF = Dmarc(DmarcResult.PASS, aligned=True, published=True, spf_aligned=True)


def judged(
    *signatures: Signature,
    spf: Spf = NO_SPF,
    dmarc: Dmarc = NO_DMARC,
    header: bytes = HEADER,
    envelope: Envelope = ENVELOPE,
    replays: tuple[Replay, ...] | None = (),
    registration: Registration | None = None,
    **more: Any,
) -> Proof:
    """The proof of a mail of alice's with this evidence."""
    evidence = Evidence(spf, signatures, dmarc, Arc(), **more)
    return proof.judge(
        envelope,
        ALICE,
        None,
        wire.read(header).headers,
        evidence,
        SUPPORT,
        replays,
        "content-1",
        NOW,
        registration,
    )


# ---- strong ----


def test_a_fresh_aligned_signature_over_our_address_is_strong() -> None:
    """Signed To names us, nothing was seen before, the signed Date is of today."""
    found = judged(SIGNED)
    assert found.level is ProofLevel.STRONG
    assert found.author == ProvenAuthor("alice@victim.example")
    assert found.signed == {"from", "to", "subject", "date"}


@pytest.mark.parametrize(
    "field",
    [
        b"support@host.example",
        b"SUPPORT@Host.Example",
        b"support+482913.abc@host.example",
        b"Bob <bob@x.example>, Desk <support@host.example>",
        b"desk: support@host.example;",
    ],
)
def test_every_way_to_write_our_address_counts(field: bytes) -> None:
    """Case, sub-addresses, lists and groups: the address is ours."""
    header = HEADER.replace(b"Support <support@host.example>", field)
    assert judged(SIGNED, header=header).level is ProofLevel.STRONG


@pytest.mark.parametrize(
    "field",
    [
        b"support@evil.example",
        b"supporter@host.example",
        b"+support@host.example",
        b"sup+port@host.example",
        b'"support@host.example" <evil@evil.example>',
        b"evil@evil.example (support@host.example)",
        b"support@host.example.evil.example",
    ],
)
def test_what_only_looks_like_our_address_does_not(field: bytes) -> None:
    """A display name, a comment or a longer domain is not an address of ours."""
    header = HEADER.replace(b"Support <support@host.example>", field)
    assert judged(SIGNED, header=header).level is ProofLevel.MEDIUM


def test_an_unsigned_to_says_nothing() -> None:
    """The address stands there, but whoever replays the mail can have put it there."""
    loose = replace(SIGNED, signed=("from", "date"))
    assert judged(loose).level is ProofLevel.MEDIUM


def test_a_signed_cc_is_as_good() -> None:
    """We may be a copy's reader."""
    header = HEADER.replace(b"Support <support@host.example>", b"x@x.example").replace(
        b"bob@x.example", b"support@host.example"
    )
    assert judged(SIGNED, header=header).level is ProofLevel.MEDIUM
    both = replace(SIGNED, signed=("from", "cc", "date"))
    assert judged(both, header=header).level is ProofLevel.STRONG


def test_microsoft_which_signs_no_to_is_strong_by_spf_equal_to_the_author() -> None:
    """MAIL FROM equal to the author, passing in this session, means that it was sent to us."""
    loose = replace(SIGNED, signed=("from", "date", "subject"))
    assert judged(loose, spf=SPF_EQUAL, dmarc=BY_SPF).level is ProofLevel.STRONG
    assert judged(loose, spf=SPF_ALIGNED, dmarc=BY_SPF).level is ProofLevel.MEDIUM
    wide = replace(SPF_EQUAL, narrow=False)
    assert judged(loose, spf=wide, dmarc=BY_SPF).level is ProofLevel.MEDIUM


def test_d29_unsigned_fields_are_not_covered() -> None:
    """D29: the author is proven, and what is not signed may not thread."""
    found = judged(replace(SIGNED, signed=("from", "date", "to")))
    assert found.level is ProofLevel.STRONG
    assert not found.signed & {"subject", "reply-to", "in-reply-to", "references"}


def test_spf_equal_to_the_author_covers_every_field() -> None:
    """The session itself came from the author's side."""
    assert judged(SIGNED, spf=SPF_EQUAL, dmarc=BY_SPF).signed == {"*"}


def test_a_field_of_which_one_instance_is_unsigned_is_not_covered() -> None:
    """Two fields of a name, one signature over one of them: nobody knows which is shown."""
    header = b"X-Note: evil\r\n" + HEADER.replace(b"Subject", b"X-Note: fine\r\nSubject")
    once = replace(SIGNED, signed=(*SIGNED.signed, "x-note"))
    assert "x-note" not in judged(once, header=header).signed
    twice = replace(SIGNED, signed=(*SIGNED.signed, "x-note", "x-note"))
    assert "x-note" in judged(twice, header=header).signed


def test_a_weak_signature_lends_no_field_to_a_strong_one() -> None:
    """A neighbour's signature over a forged Subject covers nothing."""
    sound = replace(SIGNED, signed=("from", "to", "date"))
    weak = replace(SIGNED, weak_signer=True, digest="c" * 64)
    assert "subject" not in judged(sound, weak).signed


def test_d34_plain_forwarding_keeps_the_proof() -> None:
    """D34: SPF breaks on the way, the signature survives."""
    failed = Spf(SpfResult.FAIL, "victim.example", mail_from=ALICE)
    assert judged(SIGNED, spf=failed).level is ProofLevel.STRONG


# ---- replays, age, weak signers ----


def test_d27_a_signed_mail_to_somebody_else_is_medium() -> None:
    """D27: the victim wrote to the attacker, who sends it on to us."""
    header = HEADER.replace(b"Support <support@host.example>", b"attacker@evil.example")
    found = judged(SIGNED, header=header)
    assert found.level is ProofLevel.MEDIUM
    assert found.author is None


def seen(days: float, content: str = "content-0") -> tuple[Replay, ...]:
    """The signature was committed so many days ago."""
    return (Replay("b" * 64, content, NOW - timedelta(days=days)),)


def test_the_same_signature_with_other_content_is_a_replay_for_14_days() -> None:
    """Other content under the same b= is medium, and never answers the author."""
    assert judged(SIGNED, replays=seen(1)).level is ProofLevel.MEDIUM
    assert judged(SIGNED, replays=seen(1)).author is None
    assert judged(SIGNED, replays=seen(15)).level is ProofLevel.STRONG


def test_the_very_same_mail_again_is_no_replay() -> None:
    """A re-send after a lost 250 has the same content."""
    assert judged(SIGNED, replays=seen(1, "content-1")).level is ProofLevel.STRONG


def test_before_the_store_is_asked_a_candidate_counts_as_strong() -> None:
    """The SMTP reply is settled without a table, and is the same whoever writes."""
    assert judged(replace(SIGNED, digest=None), replays=None).level is ProofLevel.STRONG
    assert judged(replace(SIGNED, digest=None), replays=()).level is ProofLevel.MEDIUM


@pytest.mark.parametrize(
    "signed_at, date, strong",
    [
        (timedelta(days=6), b"Sun, 1 Nov 2026 11:00:00 +0000", True),
        (timedelta(days=8), b"Sun, 22 Nov 2026 11:00:00 +0000", False),
        (timedelta(days=-2), b"Sun, 22 Nov 2026 11:00:00 +0000", False),
        (None, b"Mon, 16 Nov 2026 11:00:00 +0000", True),
        (None, b"Sat, 14 Nov 2026 11:00:00 +0000", False),
        (None, b"Sun, 29 Nov 2026 11:00:00 +0000", False),
        (None, b"some day", False),
    ],
)
def test_a_signature_is_fresh_for_seven_days(
    signed_at: timedelta | None, date: bytes, strong: bool
) -> None:
    """t= counts where there is one, else a signed Date; neither may lie ahead."""
    made = None if signed_at is None else int((NOW - signed_at).timestamp())
    header = HEADER.replace(b"Sun, 22 Nov 2026 11:00:00 +0000", date)
    found = judged(replace(SIGNED, signed_at=made), header=header)
    assert (found.level is ProofLevel.STRONG) is strong


def test_an_unsigned_date_says_nothing() -> None:
    """Whoever replays a mail writes its unsigned Date anew."""
    assert judged(replace(SIGNED, signed=("from", "to"))).level is ProofLevel.MEDIUM


def test_a_signer_of_all_tenants_is_medium_unless_our_relay_vouches() -> None:
    """A neighbour may have forged it; our submission server knows better."""
    weak = replace(SIGNED, weak_signer=True)
    assert judged(weak).level is ProofLevel.MEDIUM
    assert judged(weak).author is None
    assert judged(weak, envelope=replace(ENVELOPE, vouched=True)).level is ProofLevel.STRONG


# ---- medium, none, fail ----


def test_p02_i11_spf_alone_is_medium() -> None:
    """P02, I11: customers of one host share its outgoing addresses."""
    found = judged(spf=SPF_EQUAL, dmarc=BY_SPF)
    assert found.level is ProofLevel.MEDIUM
    assert found.author == ProvenAuthor("alice@victim.example")
    assert judged(spf=SPF_ALIGNED, dmarc=BY_SPF).signed == frozenset()


def test_p01_unaligned_spf_is_nothing() -> None:
    """P01: the attacker's own domain passes; alice's publishes a record."""
    own = Spf(SpfResult.PASS, "evil.example", mail_from=Address("a", "evil.example"), narrow=True)
    assert judged(spf=own, dmarc=PUBLISHED).level is ProofLevel.FAIL
    assert judged(spf=own).level is ProofLevel.NONE


def test_p04_our_own_shared_pool_proves_nothing() -> None:
    """P04: the SPF result stays pass, and DMARC too; the level is none, not fail."""
    shared = replace(SPF_EQUAL, narrow=False)
    assert judged(spf=shared, dmarc=BY_SPF).level is ProofLevel.NONE


@pytest.mark.parametrize("result", [SpfResult.PERMERROR, SpfResult.FAIL, SpfResult.SOFTFAIL])
def test_p05_p06_p10_an_spf_that_does_not_pass_is_nothing(result: SpfResult) -> None:
    """P05, P06, P10: limits and broken records are permerror; level none without DMARC."""
    assert judged(spf=Spf(result, "victim.example", mail_from=ALICE)).level is ProofLevel.NONE


def test_m16_a_null_sender_proves_nobody() -> None:
    """M16: HELO passes for a shared host; MAIL FROM names nobody."""
    null = Spf(SpfResult.PASS, "victim.example", mail_from=None, narrow=True)
    assert judged(spf=null).level is ProofLevel.NONE


def test_m20_without_a_client_there_is_no_spf() -> None:
    """M20: the relay did not say who its client was."""
    assert judged(spf=Spf(SpfResult.NONE, "victim.example")).level is ProofLevel.NONE


def test_e01_a_record_that_asks_for_nothing_is_a_record() -> None:
    """E01: under p=none everything fails: the level is fail."""
    assert judged(dmarc=PUBLISHED).level is ProofLevel.FAIL


def test_a_record_that_cannot_be_read_is_one_too() -> None:
    """Published and unreadable is no less than a record."""
    unreadable = Dmarc(DmarcResult.NONE, aligned=False, published=True)
    assert judged(dmarc=unreadable).level is ProofLevel.FAIL


def test_a_policy_that_is_not_known_counts_as_the_worse() -> None:
    """DMARC could not be asked and nothing could pass: fail, not none, and no waiting."""
    failed = Dmarc(DmarcResult.TEMPERROR, aligned=False, problem="TXT of `_dmarc.x`: servfail")
    assert judged(dmarc=failed).level is ProofLevel.FAIL


@pytest.mark.parametrize("result", [r for r in DkimResult if r is not DkimResult.PASS])
def test_a_signature_that_does_not_pass_proves_nothing(result: DkimResult) -> None:
    """Only `pass` is a pass; `policy` is right by cryptography and refused by the gate."""
    found = judged(replace(SIGNED, result=result), dmarc=PUBLISHED)
    wanted = ProofLevel.TEMPERROR if result is DkimResult.TEMPERROR else ProofLevel.FAIL
    assert found.level is wanted


def test_d31_a_third_party_signature_is_nothing() -> None:
    """D31: it passes for the mailing service, which is not alice's domain."""
    foreign = replace(SIGNED, domain="esp.example", aligned=False)
    assert judged(foreign).level is ProofLevel.NONE
    assert judged(foreign, dmarc=PUBLISHED).level is ProofLevel.FAIL


def test_a_trusted_relays_word_is_medium_at_most() -> None:
    """It is never strong, and never lets us write to the author."""
    found = judged(relay_says=True, dmarc=PUBLISHED)
    assert found.level is ProofLevel.MEDIUM
    assert found.author is None


# ---- temperror ----

LATE = replace(SIGNED, result=DkimResult.TEMPERROR)
SPF_LATE = Spf(SpfResult.TEMPERROR, "victim.example", mail_from=ALICE)
MAYBE_SPF = Dmarc(DmarcResult.TEMPERROR, aligned=False, published=True, spf_unknown=True)


def test_d30_a_key_that_could_not_be_fetched_is_worth_waiting_for() -> None:
    """D30: also where SPF alone would be medium already."""
    assert judged(LATE).level is ProofLevel.TEMPERROR
    assert judged(LATE, spf=SPF_EQUAL, dmarc=BY_SPF).level is ProofLevel.TEMPERROR


def test_a_key_that_could_make_nothing_strong_is_not() -> None:
    """An unaligned signature, or a signer of all tenants: no wait."""
    assert judged(replace(LATE, aligned=False), dmarc=PUBLISHED).level is ProofLevel.FAIL
    assert judged(replace(LATE, weak_signer=True), dmarc=PUBLISHED).level is ProofLevel.FAIL


def test_p08_an_spf_that_failed_for_a_time_is_worth_waiting_for() -> None:
    """P08: nothing else proves the author."""
    assert judged(spf=SPF_LATE, dmarc=MAYBE_SPF).level is ProofLevel.TEMPERROR


def test_an_spf_that_could_complete_a_signature_is_too() -> None:
    """The signature names us nowhere; SPF equal to the author would make it strong."""
    loose = replace(SIGNED, signed=("from", "date"))
    assert judged(loose, spf=SPF_LATE, dmarc=MAYBE_SPF).level is ProofLevel.TEMPERROR
    bounce = replace(SPF_LATE, mail_from=Address("bounce", "victim.example"))
    assert judged(loose, spf=bounce, dmarc=MAYBE_SPF).level is ProofLevel.MEDIUM


def test_e03_a_signature_of_the_very_domain_needs_no_dmarc() -> None:
    """E03: d= is the author's domain, and _dmarc fails: strong."""
    failed = Dmarc(DmarcResult.TEMPERROR, aligned=True, problem="servfail")
    assert judged(SIGNED, dmarc=failed).level is ProofLevel.STRONG


def test_e04_alignment_that_hangs_on_the_walk_is_worth_waiting_for() -> None:
    """E04: d= is a parent, and the walk failed."""
    parent = replace(SIGNED, domain="example", aligned=False)
    failed = Dmarc(DmarcResult.TEMPERROR, aligned=False, unknown=True, problem="servfail")
    assert judged(parent, dmarc=failed).level is ProofLevel.TEMPERROR


def test_when_the_wait_is_over_the_mail_is_judged_without_it() -> None:
    """None, or medium where something else proves that much; never strong."""
    assert judged(LATE, dmarc=PUBLISHED, wait_is_over=True).level is ProofLevel.NONE
    medium = judged(LATE, spf=SPF_EQUAL, dmarc=BY_SPF, wait_is_over=True)
    assert medium.level is ProofLevel.MEDIUM


# ---- registrars ----


def registration(changed_days_ago: int | None) -> Registration:
    """Alice's address, confirmed a hundred days ago."""
    account = Account("A-1", "Alice", "it", False, OfficialAddress("alice@victim.example", "A-1"))
    changed = None if changed_days_ago is None else NOW - timedelta(days=changed_days_ago)
    return Registration(account, Role.PRIMARY, (), NOW - timedelta(days=100), changed)


@pytest.mark.parametrize("days, strong", [(None, True), (200, True), (50, False)])
def test_i13_a_domain_that_changed_hands_is_medium_at_most(days: int | None, strong: bool) -> None:
    """I13: transferred or expired since the address was confirmed."""
    found = judged(SIGNED, registration=registration(days))
    assert found.level is (ProofLevel.STRONG if strong else ProofLevel.MEDIUM)


# ---- the whole space ----

SIGNATURES = [
    (),
    (SIGNED,),
    (LATE,),
    (replace(SIGNED, weak_signer=True),),
    (replace(SIGNED, signed=("from",)),),
    (replace(SIGNED, aligned=False),),
    (replace(SIGNED, result=DkimResult.FAIL),),
]
SPFS = [NO_SPF, SPF_EQUAL, SPF_ALIGNED, SPF_LATE, replace(SPF_EQUAL, narrow=False)]
DMARCS = [NO_DMARC, PUBLISHED, BY_SPF, MAYBE_SPF, replace(PUBLISHED, unknown=True)]


def test_over_every_mix_strong_needs_a_signature_and_an_author_needs_a_proof() -> None:
    """The laws of the table hold wherever the parts come from."""
    space = itertools.product(SIGNATURES, SPFS, DMARCS, (False, True), ((), None, seen(1)))
    for signatures, spf, dmarc, over, replays in space:
        found = judged(*signatures, spf=spf, dmarc=dmarc, replays=replays, wait_is_over=over)
        passing = [s for s in signatures if s.result is DkimResult.PASS and s.aligned]
        assert found.because
        if found.level is ProofLevel.STRONG:
            assert any(not s.weak_signer for s in passing)
        if found.level is ProofLevel.TEMPERROR:
            assert not over
        if found.author is not None:
            by_spf = spf.result is SpfResult.PASS and spf.narrow and dmarc.spf_aligned
            assert found.level is ProofLevel.STRONG or (
                found.level is ProofLevel.MEDIUM and by_spf
            )
        if found.level in (ProofLevel.NONE, ProofLevel.FAIL, ProofLevel.TEMPERROR):
            assert found.author is None
            assert found.signed == frozenset()
        if replays:
            assert found.level is not ProofLevel.STRONG


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=400),
    st.lists(st.text(max_size=12), max_size=4).map(tuple),
    st.one_of(st.none(), st.integers()),
)
def test_it_never_raises(header: bytes, signed: tuple[str, ...], signed_at: int | None) -> None:
    """Whatever stands in a header and a signature, there is a level."""
    odd = replace(SIGNED, signed=("from", "to", "date", *signed), signed_at=signed_at)
    found = judged(odd, header=b"To: " + header + b"\r\nDate: " + header + b"\r\n\r\n")
    assert found.level in (ProofLevel.STRONG, ProofLevel.MEDIUM)


def test_the_digests_for_the_replay_memory_are_of_signatures_that_prove() -> None:
    """Those that pass and are aligned, each once."""
    evidence = Evidence(
        NO_SPF,
        (
            SIGNED,
            SIGNED,
            LATE,
            replace(SIGNED, aligned=False, digest="x"),
            replace(SIGNED, digest=None),
        ),
        NO_DMARC,
        Arc(),
    )
    assert proof.replay_digests(evidence) == ("b" * 64,)


def test_dmarc_that_passes_by_a_path_that_names_nobody_is_none_and_no_forgery() -> None:
    """A delivery report with an aligned HELO must not be answered 550 under p=reject."""
    spf = Spf(SpfResult.PASS, "victim.example", helo_result=SpfResult.PASS, narrow=True)
    dmarc = Dmarc(DmarcResult.PASS, False, "reject", "victim.example", published=True)
    assert judged(spf=spf, dmarc=dmarc).level is ProofLevel.NONE
    failing = Dmarc(DmarcResult.FAIL, False, "reject", "victim.example", published=True)
    assert judged(spf=spf, dmarc=failing).level is ProofLevel.FAIL


# ---- certified mail ----

CERTIFIED = Certified(ALICE, None, "posta-certificata@pec.example", SUPPORT, NOW)


def test_a_certified_letter_is_medium_and_gets_no_public_text() -> None:
    """The provider's signature names the author, and nothing of DNS is needed."""
    found = judged(certified=CERTIFIED)
    assert found.level is ProofLevel.MEDIUM
    assert found.author is None
    assert found.signed == frozenset()
    assert "posta-certificata@pec.example certifies" in found.because[0]


def test_a_certified_letter_is_no_better_by_the_wrapper_s_own_signature() -> None:
    """DKIM of the provider's domain says nothing about the author of the letter."""
    assert judged(SIGNED, certified=CERTIFIED).level is ProofLevel.MEDIUM


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipients": frozenset({"other@desk.example"})}, "certified for others"),
        ({"at": NOW - timedelta(days=8)}, "at most 7 days"),
        ({"at": NOW + timedelta(days=2)}, "at most 7 days"),
        ({"at": None}, "at most 7 days"),
    ],
)
def test_a_certified_letter_meant_for_others_or_old_proves_nothing(
    change: dict[str, Any], said: str
) -> None:
    """Whoever has received one may send it on."""
    found = judged(certified=replace(CERTIFIED, **change))
    assert found.level is ProofLevel.NONE
    assert said in found.because[0]


def test_a_wrapper_that_certifies_nobody_is_judged_as_any_mail_and_says_why() -> None:
    """The reason stands last."""
    wrong = Certified(None, "the content was changed since it was signed")
    found = judged(SIGNED, certified=wrong)
    assert found.level is ProofLevel.STRONG
    assert "looks like certified mail, but the content was changed" in found.because[-1]


def test_a_certificate_for_somebody_else_names_nobody() -> None:
    """The level is about the author of this mail."""
    other = replace(CERTIFIED, sender=Address("bob", "victim.example"))
    assert judged(certified=other).level is ProofLevel.NONE
