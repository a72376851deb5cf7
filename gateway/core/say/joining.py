"""`thread`: a mail joins the sender's own ticket, or the one about the same incident.

Only `strong` changes the state of a standing ticket. What is `medium` waits in it as a pending
entry; where it would reopen one, it opens a linked one instead.
"""

from gateway.core.model import (
    Account,
    Effects,
    Event,
    Outgoing,
    RequestKind,
    Ticket,
    TicketChange,
    TicketKind,
    TicketState,
)
from gateway.core.say.case import HIGH, Case, entry, known, mail_row, replays
from gateway.core.say.desk import Delivery
from gateway.core.say.ledgers import ledger_of, spends
from gateway.core.say.notices import held_notices, kind_notices, staff_notices, staff_values
from gateway.core.say.opening import opened
from gateway.core.say.receipts import (
    about,
    earlier,
    paragraphs,
    parent,
    receipt_values,
    to_account,
)
from gateway.core.say.words import Label

RECEIPT = "thread"


def threaded(case: Case) -> Effects:
    """The mail as an entry of the ticket that it belongs to."""
    ticket = case.situation.reference.ticket or case.situation.repeat
    if ticket is None:
        return opened(case)
    if _opens_another(case, ticket):
        return opened(case, linked_to=ticket.number)
    return joined(case, ticket)


def joined(case: Case, ticket: Ticket) -> Effects:
    """The entry, what it changes, a receipt, and the notice to staff."""
    pending = not case.strong
    change = None if pending else _change(case, ticket)
    reopened = change is not None and ticket.state is TicketState.CLOSED
    account = case.situation.sender.account
    receipts: tuple[Outgoing, ...] = ()
    if account is not None and ticket.kind is TicketKind.ACCOUNT and _receipted(case):
        receipts = (_receipt(case, ticket, account, reopened),)
        receipts += kind_notices(case, account, ticket.department)
    values = staff_values(case, ticket.number, ticket.department) | {
        "pending": pending,
        "priority": Label(change.priority if change and change.priority else ticket.priority),
        "state": Label((change.state if change and change.state else ticket.state).value),
    }
    told = staff_notices(case, "staff-entry", about(ticket), ticket.department, values)
    told += held_notices(case, receipts, about(ticket), ticket.department)
    spent = spends(case, ledger_of(case), account.number) if receipts and account else ()
    return Effects(
        mail=mail_row(case, ticket.number),
        changes=(change,) if change else (),
        entries=(entry(case, ticket.number, pending=pending),),
        attachments=case.situation.mail.attachments,
        outgoing=(*receipts, *told),
        known=known(case, ticket.number),
        replays=replays(case.situation),
        spends=spent,
        events=_events(case, ticket, reopened, pending),
        expects={ticket.number: ticket.version},
    )


def _thanks(case: Case) -> bool:
    return case.situation.request.kind is RequestKind.THANKS


def _receipted(case: Case) -> bool:
    """Thanks are added in silence."""
    return case.answers and not _thanks(case)


def _opens_another(case: Case, ticket: Ticket) -> bool:
    """A closed ticket that this mail may not open again."""
    if ticket.state is not TicketState.CLOSED or _thanks(case):
        return False
    if case.situation.sender.account is None:
        return False  # an enquiry has no account to open a ticket for
    window, closed = case.routing.reopening, ticket.closed_at
    late = window is not None and closed is not None and closed + window < case.now
    return late or not case.strong


def _change(case: Case, ticket: Ticket) -> TicketChange | None:
    """What a proven mail of a customer changes: it waits for staff again, where it did not."""
    if _thanks(case):
        return None
    raised = _raised(case, ticket)
    # A ticket keeps the identifiers that it was opened about: twins are found by equal ones.
    named = () if ticket.identifiers else case.situation.incident.identifiers
    state = None if ticket.state in (TicketState.NEW, TicketState.STAFF) else TicketState.STAFF
    if state is None and raised is None and not named:
        return None
    closed = ticket.state is TicketState.CLOSED
    return TicketChange(
        number=ticket.number,
        version=ticket.version,
        at=case.now,
        state=state,
        priority=raised,
        queued_at=case.now if closed else None,
        reply_due=case.situation.hours.reply_due if closed else None,
        identifiers=named or None,
    )


def _raised(case: Case, ticket: Ticket) -> str | None:
    """The answer to our question about missing data may raise the priority; its place stays."""
    complete = case.situation.incident.complete
    if ticket.asked and complete and case.routing.priorities and ticket.priority != HIGH:
        return HIGH
    return None


def _receipt(case: Case, ticket: Ticket, account: Account, reopened: bool) -> Outgoing:
    """One receipt an entry; those within the window become one."""
    values = receipt_values(case, ticket.number, ticket.department, 0)
    values["reopened"] = reopened
    if not reopened:
        values["due"] = ""
    same = case.situation.reference.ticket is None
    last = case.situation.candidates.spending.last_thread_receipt
    recent = last is not None and last + case.routing.merging > case.now
    return to_account(
        case,
        account,
        RECEIPT,
        values,
        about(ticket),
        Delivery(
            ledger=ledger_of(case),
            parent=parent(case),
            earlier=earlier(case, ticket.number),
            due=last + case.routing.merging if recent and last else None,
            merge_key=f"receipt:{ticket.number}",
            merge_within=case.routing.merging,
        ),
        paragraphs(case, *(("same_incident",) if same else ())),
    )


def _events(case: Case, ticket: Ticket, reopened: bool, pending: bool) -> tuple[Event, ...]:
    added = Event("entry.added", ticket.number, case.now, {"by": "customer", "pending": pending})
    if not reopened:
        return (added,)
    return (added, Event("ticket.reopened", ticket.number, case.now, {}))
