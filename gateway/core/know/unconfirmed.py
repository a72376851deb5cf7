"""An address that waits to be confirmed on an account: whether this mail confirms it.

Only a reply that proves itself does: `strong`, from that very address, written by a person, with
the token of our question. Until then its author is unknown, and stays so for any other mail.
"""

from datetime import datetime, timedelta

from gateway.core.know.token import Keys, Purpose, tokens_in, tokens_of, verify
from gateway.core.model import (
    Automatic,
    Candidates,
    Claim,
    Envelope,
    Mail,
    Proof,
    ProofLevel,
    Registration,
    Request,
    RequestKind,
    Role,
    Sender,
    SenderKind,
    UnconfirmedAddress,
)

MAX_AGE = timedelta(days=7)
_PURPOSES = frozenset({Purpose.ADDRESS})


def binding(to: UnconfirmedAddress) -> str:
    """What the token is bound to: account, address, and the latest question.

    A question that was asked again, or voided with the official address, verifies nowhere.
    """
    return f"address/{to.account}/{to.key}/{to.asked_at.isoformat()}"


def confirms(
    mail: Mail,
    envelope: Envelope,
    request: Request,
    proof: Proof,
    candidates: Candidates,
    keys: Keys,
) -> Claim | None:
    """The claim of the author's own address that this mail answers with CONFERMO or CONFIRM."""
    if request.kind is not RequestKind.CONFIRM or proof.confirmed:
        return None
    if proof.level is not ProofLevel.STRONG or mail.automatic is not Automatic.NO:
        return None
    texts = _tokens(mail, envelope, proof)
    found = (one for one in candidates.claims if _good(one, texts, keys, envelope.received_at))
    return next(found, None)


def sender(claim: Claim, now: datetime) -> Sender:
    """The author as what the account says that he is: for this confirmation alone."""
    one = Registration(claim.account, Role.SECONDARY, (), now)
    return Sender(SenderKind.SECONDARY, registration=one, registrations=(one,))


def _tokens(mail: Mail, envelope: Envelope, proof: Proof) -> tuple[str, ...]:
    """Of the recipients, and of those ids answered that the proof covers."""
    texts = [text for one in envelope.recipients[:20] for text in tokens_in(one)]
    if {"*", "in-reply-to"} & proof.signed:
        texts += tokens_of(mail)
    return tuple(dict.fromkeys(texts))


def _good(claim: Claim, texts: tuple[str, ...], keys: Keys, now: datetime) -> bool:
    bound = binding(claim.to)
    tokens = [verify(keys, text, bound, now, MAX_AGE, _PURPOSES) for text in texts]
    return any(token is not None for token in tokens)
