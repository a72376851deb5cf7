"""Decision and situation become rows and finished replies, as values. One function an outcome.

The destination of a reply is a type: an official address, a proven author, a staff mailbox. What
is over a cap is decided and kept all the same; only the reply is not made.
"""

import hashlib
from dataclasses import replace
from typing import assert_never

from gateway.core.model import (
    Answer,
    Ask,
    Automatic,
    Confirm,
    Decision,
    Defer,
    Effects,
    Enquiry,
    Envelope,
    Hold,
    MailRow,
    Open,
    Panel,
    ProofLevel,
    Record,
    Refuse,
    Reject,
    Situation,
    Sort,
    Staff,
    Thread,
    Ticket,
    TicketKind,
)
from gateway.core.model.routing import Routing
from gateway.core.read.clues import mail_key
from gateway.core.say.case import Case, kept, mail_row, replays, seen_before
from gateway.core.say.desk import Desk, Post
from gateway.core.say.joining import joined, threaded
from gateway.core.say.opening import enquiry, opened, sorted_out
from gateway.core.say.parking import confirmed, held
from gateway.core.say.reports import recorded
from gateway.core.say.speaking import answered, refused
from gateway.core.say.staffing import by_staff
from gateway.core.say.templates import Templates

__all__ = ["Desk", "effects", "undecided"]

MAX_ANSWERED = 20  # Message-IDs of a reply that are looked for among our answers


def effects(
    situation: Situation,
    decision: Decision,
    templates: Templates,
    desk: Desk,
    routing: Routing,
    nonce: bytes,
    policy_digest: str,
    facts: dict[str, str | bool],
) -> Effects:
    """All that this mail does. `nonce` is at least 16 bytes of chance, new for each mail."""
    post = Post(desk, templates, routing, nonce, situation.now)
    case = Case(situation, decision, post, policy_digest, facts)
    earlier = seen_before(situation)
    if earlier is not None:
        row = mail_row(case, earlier.ticket, same_as=earlier.mail_id)
        return Effects(row, replays=replays(situation))
    if situation.claim is not None and not isinstance(decision, Confirm):
        return kept(case)  # an address that is not confirmed yet does nothing else
    said = _outcome(case)
    return replace(said, unsolved=_unsolved(situation)) if situation.request.unsolved else said


def _outcome(case: Case) -> Effects:
    match case.decision:
        case Thread():
            return threaded(case)
        case Open() | Ask() | Panel():
            return opened(case)
        case Sort():
            return sorted_out(case)
        case Enquiry():
            return _enquiry(case)
        case Answer():
            return answered(case)
        case Refuse():
            return refused(case)
        case Hold():
            return held(case)
        case Confirm():
            return confirmed(case)
        case Staff():
            return by_staff(case)
        case Record():
            return recorded(case)
        case Defer() | Reject():
            return _not_accepted(case)
        case _ as unreachable:
            assert_never(unreachable)


def _unsolved(situation: Situation) -> tuple[str, ...]:
    """The mails that a proven person says did not help him. A forgery counts for nothing."""
    proven = situation.proof.level in (ProofLevel.STRONG, ProofLevel.MEDIUM)
    mail = situation.mail
    if not proven or mail.automatic is not Automatic.NO:
        return ()
    return tuple(dict.fromkeys((*mail.in_reply_to, *mail.references)))[-MAX_ANSWERED:]


def _enquiry(case: Case) -> Effects:
    """A further mail of an enquirer joins his own enquiry."""
    ticket: Ticket | None = case.situation.reference.ticket
    if ticket is not None and ticket.kind is TicketKind.ENQUIRY:
        return joined(case, ticket)
    return enquiry(case)


def _not_accepted(case: Case) -> Effects:
    """Answered inside the SMTP dialogue: nothing of the mail is kept.

    The key is its own, so that the row of a deferred mail never stands for its later arrival.
    """
    row = kept(case).mail
    key = hashlib.sha256(f"{row.key} {row.id}".encode()).hexdigest()
    return Effects(replace(row, key=key, raw=b""))


def undecided(envelope: Envelope, raw: bytes, mail_id: str, error: str) -> Effects:
    """A defect of our own: the raw mail with the error, to be decided again by `queue retry`."""
    digest = hashlib.sha256(raw).hexdigest()
    row = MailRow(
        id=mail_id,
        key=mail_key(envelope, digest),
        received_at=envelope.received_at,
        envelope=envelope,
        raw=raw,
        author_key="",
        message_id=None,
        content_digest=digest,
        body_digest="",
        subject="",
        outcome="record",
        rule="",
        because="a defect of ours: kept to be decided again",
        proof="none",
        policy_digest="",
        facts={},
        evidence={},
        account=None,
        ticket=None,
        automatic="no",
        error=error,
    )
    return Effects(row)
