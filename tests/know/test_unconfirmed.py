"""Whether a mail confirms its own author's address, step by step."""

from datetime import timedelta

import pytest
from ticketing import NOW, account, candidates, mail

from gateway.core.know import unconfirmed
from gateway.core.know.token import Keys, Purpose, make, message_id, reply_address
from gateway.core.model import (
    Automatic,
    Claim,
    Envelope,
    Listener,
    Mail,
    Proof,
    ProofLevel,
    Request,
    RequestKind,
    Role,
    SenderKind,
    UnconfirmedAddress,
)

KEYS = Keys(1, ((1, b"k" * 32),))
TO = UnconfirmedAddress("New@c.example", "new@c.example", "A-1001", NOW - timedelta(hours=1))
CLAIM = Claim(account("A-1001"), TO)
YES = Request(RequestKind.CONFIRM, ("confermo",))
STRONG = Proof(ProofLevel.STRONG, (), None, frozenset({"from"}))


def token(to: UnconfirmedAddress = TO, purpose: Purpose = Purpose.ADDRESS) -> str:
    """As it stands in our question."""
    return make(KEYS, "0", unconfirmed.binding(to), NOW - timedelta(hours=1), purpose)


def to(text: str) -> Envelope:
    """A session in which the reply comes to this token's address."""
    address = reply_address(text, "support@host.example")
    return Envelope("192.0.2.1", "mx", "new@c.example", (address,), Listener.EDGE, NOW)


def answered(
    envelope: Envelope | None = None,
    one: Mail | None = None,
    request: Request = YES,
    proof: Proof = STRONG,
) -> Claim | None:
    """The claim that this mail confirms."""
    known = candidates(claims=(CLAIM,))
    return unconfirmed.confirms(
        one or mail(), envelope or to(token()), request, proof, known, KEYS
    )


def test_a_proven_reply_to_the_tokens_address_confirms_and_is_a_secondary_address() -> None:
    """For this mail alone, of this account alone."""
    assert answered() == CLAIM
    sender = unconfirmed.sender(CLAIM, NOW)
    assert (sender.kind, sender.account) == (SenderKind.SECONDARY, CLAIM.account)
    assert sender.registration is not None
    assert sender.registration.role is Role.SECONDARY


@pytest.mark.parametrize("level", [one for one in ProofLevel if one is not ProofLevel.STRONG])
def test_no_lower_proof_confirms(level: ProofLevel) -> None:
    """Medium neither."""
    assert answered(proof=Proof(level, (), None, frozenset({"*"}))) is None


def test_a_released_mail_confirms_no_address() -> None:
    """It was not proven by itself."""
    proof = Proof(ProofLevel.STRONG, (), None, frozenset({"*"}), confirmed=True)
    assert answered(proof=proof) is None


@pytest.mark.parametrize("kind", [one for one in RequestKind if one is not RequestKind.CONFIRM])
def test_no_other_request_confirms(kind: RequestKind) -> None:
    """The word must be said."""
    assert answered(request=Request(kind, ())) is None


@pytest.mark.parametrize("kind", [one for one in Automatic if one is not Automatic.NO])
def test_no_automatic_mail_confirms(kind: Automatic) -> None:
    """A responder that quotes our word is nobody's consent."""
    assert answered(one=mail(automatic=kind)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        token(purpose=Purpose.PARKED),
        token(purpose=Purpose.THREAD),
        token(UnconfirmedAddress(TO.address, TO.key, "A-1002", TO.asked_at)),
        token(UnconfirmedAddress("x@c.example", "x@c.example", "A-1001", TO.asked_at)),
        token(UnconfirmedAddress(TO.address, TO.key, "A-1001", NOW)),
        make(KEYS, "0", unconfirmed.binding(TO), NOW - timedelta(days=7, hours=1),
             Purpose.ADDRESS),
    ],
    ids=["parked", "thread", "account", "address", "asked again", "old"],
)  # fmt: skip
def test_a_token_for_something_else_confirms_nothing(wrong: str) -> None:
    """Purpose, account, address, question and age are all bound."""
    assert answered(to(wrong)) is None


def test_the_id_that_it_answers_counts_where_the_proof_covers_it() -> None:
    """A header that nobody signed may have been put there."""
    plain = Envelope("192.0.2.1", "mx", "n@c.example", ("support@host.example",),
                     Listener.EDGE, NOW)  # fmt: skip
    one = mail(in_reply_to=(message_id(token(), b"12345", "host.example"),))
    assert answered(plain, one) is None
    signed = Proof(ProofLevel.STRONG, (), None, frozenset({"from", "in-reply-to"}))
    assert answered(plain, one, proof=signed) == CLAIM
