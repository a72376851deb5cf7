"""What is kept of a mail, the same mail again, and the tokens on what goes out."""

from dataclasses import replace

import pytest
from sayings import (
    KEYS,
    NOW,
    OPEN,
    THREAD,
    candidates,
    done,
    envelope,
    notified,
    own,
    registered,
    situation,
    stranger,
)

from gateway.core.know.token import Purpose, verify
from gateway.core.model import (
    Defer,
    DkimResult,
    Refuse,
    Reject,
    Seen,
    Sender,
    SenderKind,
    Service,
    Signature,
)
from gateway.core.say.effects import undecided


@pytest.mark.parametrize(
    "seen, joins",
    [
        (Seen("m0", True, "none", "482913"), True),
        (Seen("m0", False, "strong", "482913"), True),
        (Seen("m0", False, "medium", "482913"), False),
        (Seen("mail-1", True, "strong", None), False),
    ],
)
def test_the_same_mail_has_no_second_effect(seen: Seen, joins: bool) -> None:
    """By another way it joins the first only if that one's proof is equal or better."""
    said = done(situation(candidates=candidates(seen=(seen,))), OPEN)
    assert (said.mail.same_as == "m0") is joins
    assert bool(said.tickets) is not joins
    assert bool(said.outgoing) is not joins


def test_a_mail_that_is_not_accepted_leaves_nothing_that_stands_for_its_return() -> None:
    """A deferred mail comes again, with the same key."""
    accepted = done(situation(), OPEN).mail.key
    for decision in (Defer("later", "b"), Reject("forged", "b")):
        said = done(situation(), decision)
        assert said.mail.key != accepted
        assert (said.mail.raw, said.outgoing, said.entries) == (b"", (), ())


def test_signatures_that_verified_are_remembered() -> None:
    """So that a replay is seen."""
    evidence = replace(
        situation().evidence,
        dkim=(
            Signature(DkimResult.PASS, domain="cliente.example", selector="k", digest="d1"),
            Signature(DkimResult.FAIL, domain="cliente.example", selector="k", digest="d2"),
        ),
    )
    assert done(situation(evidence=evidence), OPEN).replays == ("d1",)


def test_a_defect_of_ours_keeps_the_raw_mail_with_its_error() -> None:
    """Under the key by which it is decided again."""
    kept = undecided(envelope(), b"raw", "m9", "KeyError: x")
    assert (kept.mail.raw, kept.mail.error, kept.outgoing) == (b"raw", "KeyError: x", ())


def test_what_the_mail_was_is_kept_with_its_evidence() -> None:
    """For `trace` and for deciding again."""
    row = done(situation(), OPEN).mail
    assert (row.outcome, row.rule, row.proof) == ("open", "account-mail", "strong")
    assert (row.policy_digest, row.facts) == ("digest", {"sender": "x"})
    assert row.evidence["spf"] == {
        "result": "pass",
        "domain": "cliente.example",
        "term": None,
        "problem": None,
    }


def test_reply_address_message_id_and_return_path_carry_tokens_of_the_ticket() -> None:
    """Bound to the account, each for its own purpose."""
    reply = done(situation(), OPEN).outgoing[0]
    token = reply.message_id[1:].split(".")[0]
    found = verify(KEYS, token, "A-1001", NOW)
    assert found is not None
    assert (found.ticket, found.purpose) == ("700001", Purpose.AUTOMATIC)
    assert f"Reply-To: support+{token}@host.example" in reply.raw.decode()
    verp = reply.envelope_from.split("+")[1].split("@")[0]
    assert verify(KEYS, verp, "A-1001", NOW, purposes=frozenset({Purpose.BOUNCE}))
    assert verify(KEYS, verp, "A-1001", NOW) is None
    assert verify(KEYS, token, "A-1002", NOW) is None


def test_public_texts_leave_with_the_null_return_path_and_no_token() -> None:
    """RFC 3834 3.3."""
    reply = done(stranger(), Refuse("r", "b")).outgoing[0]
    assert reply.envelope_from == ""
    assert "\r\nReply-To:" not in reply.raw.decode()


def test_no_two_mails_share_a_message_id() -> None:
    """Not even of one moment and one ticket."""
    registration = registered(of=notified())
    case = own(sender=Sender(SenderKind.PRIMARY, registration, (registration,)))
    ids = [one.message_id for one in done(case, THREAD).outgoing]
    assert len(set(ids)) == len(ids) == 3


def test_services_do_not_reach_any_reply() -> None:
    """What the store knows of an account's services is printed by no acknowledgement."""
    store = candidates(
        registrations=(registered(),),
        services=(Service("A-1001", "srv-secret-01", "vps", "123456", ("192.0.2.77",)),),
    )
    raw = done(situation(candidates=store), OPEN).outgoing[0].raw.decode()
    assert not [word for word in ("srv-secret-01", "192.0.2.77", "Cliente Srl") if word in raw]
