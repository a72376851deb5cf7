"""A staff member's mail: commands in its first lines, then an answer. Both a strong proof and a
staff token for that ticket are needed, and checked here again, where they are used.
"""

import re
from dataclasses import replace

from gateway.core.model import (
    Account,
    Effects,
    Event,
    NewEntry,
    Outgoing,
    StaffAddress,
    Ticket,
    TicketChange,
    TicketState,
)
from gateway.core.say import letters
from gateway.core.say.case import Case, kept
from gateway.core.say.commands import Order, order
from gateway.core.say.desk import Delivery
from gateway.core.say.letters import Said
from gateway.core.say.render import printable
from gateway.core.say.words import Reason

_EMPTY = Reason(
    en="your mail has no words of its own, only what it quotes",
    it="il messaggio non ha parole sue, solo la citazione",
)
_ATTACHED = "the answer has attachments, which are not passed on: released, it goes without them"


def by_staff(case: Case) -> Effects:
    """`staff`: the answer or command, for the ticket that the token names and for no other."""
    reference = case.situation.reference
    ticket, staff = reference.token_ticket, case.situation.sender.staff
    if not (case.strong and reference.staff_token and ticket and staff):
        return kept(case)
    found = order(printable(case.situation.mail.written), case.routing)
    said = _said(case, ticket, reference.token_account, staff, found)
    told: tuple[Outgoing, ...] = ()
    if said.unsent is not None:
        told = (letters.unsent(case.post, ticket, staff, said.unsent),)
    why = next((one.held for one in said.outgoing if one.held), None)
    if why is not None:
        told = (letters.held_back(case.post, ticket, staff, why),)
    return replace(
        kept(case, ticket.number),
        changes=(said.change,) if said.change else (),
        entries=said.entries,
        outgoing=(*said.outgoing, *told),
        events=_events(ticket, said),
        settles=_settles(ticket, found),
        expects={ticket.number: ticket.version},
    )


def _settles(ticket: Ticket, found: Order) -> tuple[tuple[str, bool], ...]:
    """The staff member takes over what waits in the ticket, or declines it."""
    if found.takes is None or found.fault is not None:
        return ()
    return ((ticket.number, found.takes),)


def _events(ticket: Ticket, said: Said) -> tuple[Event, ...]:
    """Followers learn of notes and commands, too."""
    kinds = {one.kind for one in said.events}
    events = list(said.events)
    for entry in said.entries:
        if entry.kind in ("note", "mail") and "entry.added" not in kinds:
            events.append(Event("entry.added", ticket.number, entry.at, {"by": "staff"}))
            kinds.add("entry.added")
    change = said.change
    if change is not None and change.state is TicketState.CLOSED and "ticket.closed" not in kinds:
        if ticket.state is not TicketState.CLOSED:
            events.append(Event("ticket.closed", ticket.number, change.at, {"by": "staff"}))
    elif any(one.kind == "event" for one in said.entries) and "ticket.closed" not in kinds:
        words = "; ".join(one.text for one in said.entries if one.kind == "event")
        told: dict[str, object] = {"by": "staff", "said": words}
        events.append(Event("ticket.changed", ticket.number, said.entries[0].at, told))
    return tuple(events)


def _said(
    case: Case, ticket: Ticket, account: Account | None, staff: StaffAddress, found: Order
) -> Said:
    if found.takes:
        ticket = replace(ticket, verified=True)
    if found.fault is not None:
        return Said(entries=(_note(case, ticket, staff, found.text),), unsent=found.fault)
    if found == Order(""):
        return Said(unsent=_EMPTY)
    notes = (_note(case, ticket, staff, found.text),) if found.note else ()
    if found.text and not found.note:
        said = _answered(case, ticket, account, staff, found)
    elif found.close:
        said = letters.closing(
            case.post, ticket, account, staff.address, delivery=_delivery(case, ticket)
        )
    else:
        said = Said()
    return _ordered(case, ticket, staff, found, replace(said, entries=(*notes, *said.entries)))


def _answered(
    case: Case, ticket: Ticket, account: Account | None, staff: StaffAddress, found: Order
) -> Said:
    """The answer without what was quoted, and without the staff member's own address."""
    support = case.post.desk.addresses[0]
    text = re.sub(re.escape(staff.address), support, found.text, flags=re.IGNORECASE)
    attached = any(not one.inline for one in case.situation.mail.attachments)
    held = _ATTACHED if attached else None
    return letters.answer(
        case.post,
        ticket,
        account,
        text,
        staff.address,
        closing=found.close,
        names_an_account=_names_an_account(case),
        delivery=replace(_delivery(case, ticket), held=held),
    )


def _delivery(case: Case, ticket: Ticket) -> Delivery:
    """In the customer's own thread."""
    parents = _parents(case, ticket)
    return Delivery(parent=parents[-1] if parents else None, earlier=parents[:-1][-5:])


def _names_an_account(case: Case) -> bool:
    found = case.situation.candidates
    return found.foreign or letters.names_somebody(case.post, found.somebodys)


def _parents(case: Case, ticket: Ticket) -> tuple[str, ...]:
    """The customer's own mails in this ticket that our notice referred to."""
    messages = case.situation.candidates.messages
    own = {one.message_id for one in messages if one.ticket == ticket.number and not one.sent}
    mail = case.situation.mail
    named = dict.fromkeys((*mail.references, *mail.in_reply_to))
    return tuple(one for one in named if one in own)


def _note(case: Case, ticket: Ticket, staff: StaffAddress, text: str) -> NewEntry:
    return NewEntry(ticket.number, case.now, "staff", "note", staff.address, "staff", text)


def _ordered(case: Case, ticket: Ticket, staff: StaffAddress, found: Order, said: Said) -> Said:
    """The commands beside the answer: who works on it, how urgent it is, whether it is over."""
    closes = found.close and said.unsent is None
    change = said.change
    if closes and change is None:
        change = TicketChange(ticket.number, ticket.version, case.now, state=TicketState.CLOSED)
    if found.assignee or found.priority or found.takes is not None:
        change = change or TicketChange(ticket.number, ticket.version, case.now)
        change = replace(change, assignee=found.assignee, priority=found.priority)
    if change is not None and found.takes:
        idle = change.state is None and ticket.state is TicketState.CUSTOMER
        state = TicketState.STAFF if idle else change.state
        change = replace(change, verified=True, state=state)
    words = [f"assigned to {found.assignee}"] if found.assignee else []
    if found.takes is not None:
        words.append("taken over by staff" if found.takes else "declined by staff")
    words += [f"priority {found.priority}"] if found.priority else []
    events = [
        NewEntry(ticket.number, case.now, "staff", "event", staff.address, "staff", one)
        for one in words
    ]
    return replace(said, change=change, entries=(*said.entries, *events))
