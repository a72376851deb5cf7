"""New tickets: `open`, `ask`, `panel`, `sort` and `enquiry`, with what goes out for each."""

from dataclasses import dataclass

from gateway.core.model import (
    Account,
    Constant,
    Effects,
    Event,
    NewTicket,
    Outcome,
    Outgoing,
    ProvenAuthor,
    Spend,
    Ticket,
    TicketKind,
    TicketState,
    outcome_of,
)
from gateway.core.say.case import (
    HIGH,
    Case,
    entry,
    known,
    mail_row,
    replays,
    subject,
)
from gateway.core.say.desk import About, Delivery
from gateway.core.say.ledgers import ledger_of, public_spends, spends
from gateway.core.say.notices import held_notices, kind_notices, staff_notices, staff_values
from gateway.core.say.receipts import (
    paragraphs,
    parent,
    public,
    receipt_values,
    to_account,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What makes one new ticket differ from another."""

    kind: TicketKind
    account: Account | None = None
    verified: bool = True
    asked: bool = False
    linked_to: str | None = None
    enquirer: ProvenAuthor | None = None
    candidates: tuple[str, ...] = ()


def opened(case: Case, linked_to: str | None = None) -> Effects:
    """`open`, `ask` and `panel`: a ticket of the sender's account, and its acknowledgement."""
    outcome = outcome_of(case.decision)
    account = case.situation.sender.account
    if account is None:
        return sorted_out(case)
    linked = linked_to or _linked(case)
    opening = Opening(
        kind=TicketKind.ACCOUNT,
        account=account,
        verified=outcome is not Outcome.PANEL,
        asked=outcome is Outcome.ASK,
        linked_to=linked,
    )
    ticket = _ticket(case, opening)
    replies = _acknowledgement(case, ticket, account) if case.answers else ()
    notices = kind_notices(case, account, ticket.department) if replies else ()
    spent = spends(case, ledger_of(case), account.number) if replies else ()
    return _effects(case, ticket, (*replies, *notices), spent)


def sorted_out(case: Case) -> Effects:
    """`sort`: filed for staff, who may assign it only among the sender's accounts. No reply."""
    accounts = tuple(one.account.number for one in case.situation.sender.registrations)
    return _effects(case, _ticket(case, Opening(TicketKind.SORT, candidates=accounts)), (), ())


def enquiry(case: Case) -> Effects:
    """`enquiry`: filed for staff; a proven author is told so, in public terms."""
    sender = case.situation.sender
    # Somebody who has an account is written to at its official address, and nowhere else.
    author = None if sender.registrations else case.situation.proof.author
    ticket = _ticket(case, Opening(TicketKind.ENQUIRY, enquirer=author))
    about = About(ticket.number, ticket.opened_at, None)
    silent = author is None or not case.answers
    replies = () if silent else public(case, Constant("enquiry"), about)
    return _effects(case, ticket, replies, public_spends(case) if replies else ())


def _ticket(case: Case, opening: Opening) -> NewTicket:
    situation = case.situation
    return NewTicket(
        number=situation.candidates.free_number,
        kind=opening.kind,
        account=opening.account.number if opening.account else None,
        subject=subject(case),
        state=TicketState.NEW,
        department=case.department,
        priority=case.priority,
        proof=situation.proof.level.value,
        language=situation.language,
        opened_at=case.now,
        reply_due=situation.hours.reply_due,
        verified=opening.verified,
        linked_to=opening.linked_to,
        asked=opening.asked,
        identifiers=situation.incident.identifiers,
        body_digest=situation.mail.body_digest,
        enquirer=opening.enquirer,
        candidates=opening.candidates,
    )


def _linked(case: Case) -> str | None:
    """The ticket whose subject was changed, or the normal one beside a critical incident."""
    situation = case.situation
    if situation.reference.linked_to is not None:
        return situation.reference.linked_to
    twin = _twin(case)
    return twin.number if twin else None


def _twin(case: Case) -> Ticket | None:
    """An open ticket of the account about equal identifiers, which this mail may not join."""
    account, named = case.situation.sender.account, set(case.situation.incident.identifiers)
    if account is None or not named:
        return None
    own = (one for one in case.situation.candidates.open_tickets if one.account == account.number)
    standing = (one for one in own if one.state is not TicketState.CLOSED)
    return next((one for one in standing if set(one.identifiers) == named), None)


def ahead(case: Case) -> int:
    """How many wait before a new ticket: those of its priority, and of a higher one."""
    waiting = case.situation.candidates.queue.waiting
    if case.priority == HIGH:
        return max(waiting.get(HIGH, 0), 0)
    return max(sum(waiting.values()), 0)


def _acknowledgement(case: Case, ticket: NewTicket, account: Account) -> tuple[Outgoing, ...]:
    values = receipt_values(case, ticket.number, ticket.department, ahead(case))
    values["linked"] = ticket.linked_to or ""
    more = ("linked",) if case.situation.reference.linked_to else ()
    sent = to_account(
        case,
        account,
        outcome_of(case.decision).value if _speaks_itself(case) else Outcome.OPEN.value,
        values,
        About(ticket.number, ticket.opened_at, ticket.account),
        Delivery(ledger=ledger_of(case), parent=parent(case)),
        paragraphs(case, *more),
    )
    return (sent,)


def _speaks_itself(case: Case) -> bool:
    """A thread that had to become a new ticket is acknowledged as one that was opened."""
    return outcome_of(case.decision) in (Outcome.OPEN, Outcome.ASK, Outcome.PANEL)


def _effects(
    case: Case, ticket: NewTicket, replies: tuple[Outgoing, ...], spent: tuple[Spend, ...]
) -> Effects:
    about = About(ticket.number, ticket.opened_at, ticket.account)
    values = staff_values(case, ticket.number, ticket.department) | {
        "verified": ticket.verified,
        "kind": ticket.kind.value,
        "candidates": ticket.candidates,
        "linked": ticket.linked_to or "",
    }
    told = staff_notices(case, "staff-new", about, ticket.department, values)
    told += held_notices(case, replies, about, ticket.department)
    data: dict[str, object] = {
        "kind": ticket.kind.value,
        "department": ticket.department,
        "priority": ticket.priority,
        "account": ticket.account,
    }
    return Effects(
        mail=mail_row(case, ticket.number),
        tickets=(ticket,),
        entries=(entry(case, ticket.number),),
        attachments=case.situation.mail.attachments,
        outgoing=(*replies, *told),
        known=known(case, ticket.number),
        replays=replays(case.situation),
        spends=spent,
        events=(Event("ticket.opened", ticket.number, case.now, data),),
    )
