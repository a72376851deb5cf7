"""Which ticket a mail is about: by token, by the ids that it answers, by the subject's number.

None of them says who writes. A ticket is `own` only where the proven author's account owns it;
somebody else's and one that does not exist are the same value, `other`. Fields that the proof
does not cover are not read; the envelope's recipients always are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from gateway.core.know.token import (
    MAX_AGE,
    THREADS,
    Keys,
    Purpose,
    Token,
    tokens_in,
    tokens_of,
    verify,
)
from gateway.core.model import (
    Account,
    Candidates,
    Clues,
    Envelope,
    Mail,
    OwnMessage,
    Proof,
    ProofLevel,
    Reference,
    Sender,
    SenderKind,
    Ticket,
    TicketKind,
    TicketMatch,
)
from gateway.core.read.clues import bare_subject, hashed, tagged
from gateway.core.read.tokenform import read

MAX_MERGES = 10
_PROVEN = frozenset({ProofLevel.STRONG, ProofLevel.MEDIUM})
_NOTICES = frozenset({Purpose.PARKED, Purpose.ADDRESS})
_AUTOMATIC = frozenset({Purpose.AUTOMATIC, *_NOTICES})
_SYMBOLS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Named:
    """A ticket that the mail may be about, and what says so."""

    number: str
    by: str  # token | id | subject | hash
    because: str
    token: Token | None = None
    ticket: Ticket | None = None

    @property
    def claims(self) -> bool:
        """The mail says outright that this is its ticket; a bare #number may be an order."""
        return self.by in ("token", "subject")


@dataclass(frozen=True, slots=True)
class _Case:
    """What every step below looks at."""

    mail: Mail
    candidates: Candidates
    sender: Sender
    proof: Proof
    keys: Keys
    now: datetime
    max_age: timedelta

    def signed(self, field: str) -> bool:
        return "*" in self.proof.signed or field in self.proof.signed

    def ticket(self, number: str) -> Ticket | None:
        return next((one for one in self.candidates.tickets if one.number == number), None)

    def standing(self, number: str) -> Ticket | None:
        """The ticket, merges followed."""
        ticket = self.ticket(number)
        for _ in range(MAX_MERGES):
            if ticket is None or ticket.merged_into is None:
                return ticket
            ticket = self.ticket(ticket.merged_into) or replace(ticket, merged_into=None)
        return None

    def owns(self, ticket: Ticket) -> bool:
        """Whether the proven author's account owns it (an enquiry: whether he wrote it)."""
        if self.proof.level not in _PROVEN:
            return False
        if ticket.kind is TicketKind.ENQUIRY:
            author, enquirer = self.proof.author, ticket.enquirer
            return author is not None and enquirer is not None and author == enquirer
        account = self.sender.account
        return account is not None and ticket.account == account.number


def refer(
    mail: Mail,
    clues: Clues,
    candidates: Candidates,
    sender: Sender,
    proof: Proof,
    keys: Keys,
    now: datetime,
    envelope: Envelope,
    max_age: timedelta = MAX_AGE,
) -> Reference:
    """The ticket that this mail refers to, for this author."""
    case = _Case(mail, candidates, sender, proof, keys, now, max_age)
    if sender.kind is SenderKind.STAFF:
        return _of_staff(case, envelope)
    named = tuple(_all_named(case, envelope))
    automatic = _answers_automatic(case, envelope)
    own = next((one for one in named if one.ticket and case.owns(one.ticket)), None)
    notice = _answers_notice(mail, envelope)
    nothing = Reference(TicketMatch.NONE, answers_automatic=automatic, notice=notice)
    base = _with_token(case, named, nothing)
    if own is not None and own.ticket is not None:
        return _own(case, own, own.ticket, named, base)
    if any(one.claims and not _is_order(one, clues, case) for one in named):
        because = "it names a ticket that is not the author's, or none that exists"
        return replace(base, match=TicketMatch.OTHER, because=because)
    return replace(base, because="it names no ticket")


def _all_named(case: _Case, envelope: Envelope) -> Iterable[_Named]:
    """Everything that may say which ticket is meant, best first."""
    for recipient in envelope.recipients[:100]:
        yield from _tokens(case, tokens_in(recipient), "the reply address names the ticket")
    answered = _answered(case)
    yield from _tokens(case, tokens_of(answered), "it answers our mail, by its token")
    ids = frozenset((*answered.in_reply_to, *answered.references))
    own_id = case.mail.message_id if case.signed("message-id") else None
    for message in case.candidates.messages:
        if message.message_id in ids:
            yield _by_id(case, message, "it answers a mail that is known")
        elif message.message_id == own_id:
            yield _by_id(case, message, "a mail that answers it came before it")
    if case.signed("subject"):
        yield from _numbers(case, tagged(case.mail.subject), "subject")
        yield from _numbers(case, hashed(case.mail.subject), "hash")


def _answered(case: _Case) -> Mail:
    """The mail with only those ids that the proof covers."""
    return replace(
        case.mail,
        in_reply_to=case.mail.in_reply_to if case.signed("in-reply-to") else (),
        references=case.mail.references if case.signed("references") else (),
    )


def _tokens(case: _Case, tokens: Iterable[str], because: str) -> Iterable[_Named]:
    """Tokens that verify name their ticket; one that does not still claims one."""
    for text in tokens:
        written = read(text)
        if written is None or written.purpose not in THREADS:
            continue
        issued_for = case.ticket(written.number)
        account = (issued_for.account or "") if issued_for else ""
        token = verify(case.keys, text, account, case.now, case.max_age)
        if token is None or issued_for is None:
            yield _Named(written.number, "token", because)
        else:
            ticket = case.standing(token.ticket)
            yield _Named(token.ticket, "token", because, token, ticket)


def _by_id(case: _Case, message: OwnMessage, because: str) -> _Named:
    return _Named(message.ticket, "id", because, ticket=case.standing(message.ticket))


def _numbers(case: _Case, numbers: Iterable[str], by: str) -> Iterable[_Named]:
    for number in numbers:
        because = f"the subject names #{number}"
        yield _Named(number, by, because, ticket=case.standing(number))


def _is_order(one: _Named, clues: Clues, case: _Case) -> bool:
    """Order and ticket numbers look alike: an own order in the subject names no ticket."""
    if one.by != "subject" or case.proof.level not in _PROVEN:
        return False
    account = case.sender.account
    own = (s for s in case.candidates.services if account and s.account == account.number)
    return any(service.order == one.number for service in own)


def _own(
    case: _Case, own: _Named, ticket: Ticket, named: tuple[_Named, ...], base: Reference
) -> Reference:
    """The author's own ticket, unless he changed the subject to something else.

    A token of somebody else's ticket counts for nothing beside it: else who holds one, and has an
    enquiry of his own, would see whether it is good.
    """
    if base.token_ticket is not None and not case.owns(base.token_ticket):
        base = replace(base, token=False, token_ticket=None, token_account=None)
    mentioned = any(one.by in ("subject", "hash") and one.ticket == ticket for one in named)
    if mentioned or base.answers_automatic or not _changed(case, ticket):
        return replace(base, match=TicketMatch.OWN, ticket=ticket, because=own.because)
    because = f"it answers #{ticket.number} under another subject"
    return replace(base, linked_to=ticket.number, because=because)


def _changed(case: _Case, ticket: Ticket) -> bool:
    """Whether the subject is about something else than the ticket's."""
    now, before = _folded(case.mail.subject), _folded(ticket.subject)
    return bool(now) and bool(before) and now not in before and before not in now


def _folded(subject: str) -> str:
    return _SYMBOLS.sub(" ", bare_subject(subject)).casefold().strip()


def _answers_automatic(case: _Case, envelope: Envelope) -> bool:
    """Whether it answers automatic mail of ours: by a token's form or a known id, signed or not.

    Whether the token is good is not asked: a reply that is left out only then would tell whether
    its ticket exists.
    """
    parents = frozenset(case.mail.in_reply_to or case.mail.references[-1:])
    addressed = (text for one in envelope.recipients[:100] for text in tokens_in(one))
    answered = (text for one in parents for text in tokens_in(one))
    if any(_is_automatic(text) for text in (*islice(addressed, 1), *answered)):
        return True
    return any(
        message.sent and message.automatic and message.message_id in parents
        for message in case.candidates.messages
    )


def _answers_notice(mail: Mail, envelope: Envelope) -> bool:
    """Whether it answers a notice that asks for CONFERMO, by a token's form; as above.

    What is released or confirmed, the token says, and there it has to verify.
    """
    addressed = (text for one in envelope.recipients[:20] for text in tokens_in(one))
    written = (read(text) for text in (*addressed, *tokens_of(mail)))
    return any(one is not None and one.purpose in _NOTICES for one in written)


def _is_automatic(text: str) -> bool:
    written = read(text)
    return written is not None and written.purpose in _AUTOMATIC


def _with_token(case: _Case, named: tuple[_Named, ...], base: Reference) -> Reference:
    """The ticket of a valid token and its account, whoever writes."""
    found = next((one for one in named if one.token and one.ticket), None)
    if found is None or found.ticket is None:
        return base
    account = _account(case, found.ticket)
    return replace(base, token=True, token_ticket=found.ticket, token_account=account)


def _account(case: _Case, ticket: Ticket) -> Account | None:
    accounts = case.candidates.ticket_accounts
    return next((one for one in accounts if one.number == ticket.account), None)


def staff_bindings(sender: Sender) -> tuple[str, ...]:
    """What a staff token may be bound to: the mailbox itself, or one of its departments."""
    if sender.staff is None:
        return ()
    departments = (f"department/{name}" for name in sender.staff.departments)
    return (sender.staff.address.lower(), *departments)


def _of_staff(case: _Case, envelope: Envelope) -> Reference:
    """A staff member's mail: a staff token, bound to the mailbox or one of its departments.

    Ids count signed or not, as the token is proof of itself and the decision asks for `strong`.
    """
    base = Reference(TicketMatch.NONE, because="no staff token")
    in_recipients = [token for one in envelope.recipients[:100] for token in tokens_in(one)]
    for text in (*in_recipients, *tokens_of(case.mail)):
        for binding in staff_bindings(case.sender):
            purposes = frozenset({Purpose.STAFF})
            token = verify(case.keys, text, binding, case.now, case.max_age, purposes)
            ticket = case.standing(token.ticket) if token else None
            if ticket is not None:
                return replace(
                    base,
                    token=True,
                    staff_token=True,
                    token_ticket=ticket,
                    token_account=_account(case, ticket),
                    because="a staff token for this ticket",
                )
    return base
