"""A staff member's mail: commands in its first lines, then an answer. Both a strong proof and a
staff token for that ticket are needed, and checked here again, where they are used.
"""

import re
from dataclasses import dataclass, replace

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
from gateway.core.say.case import HIGH, NORMAL, Case, kept
from gateway.core.say.desk import Delivery
from gateway.core.say.letters import Said
from gateway.core.say.render import printable

_COMMAND = re.compile(r"/([A-Za-z]{1,20})(?:[ \t]+(\S.{0,99}))?\s*")
_FORMS = ("/note", "/close", "/assign name", "/priority high", "/accept", "/decline")
_WORDS = frozenset(form[1:].split()[0] for form in _FORMS)
HELP = f"the first lines of your mail may be {', '.join(_FORMS)}"
MAX_COMMANDS = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What the first lines command, and the text below them."""

    text: str
    close: bool = False
    note: bool = False
    takes: bool | None = None  # what waits in the ticket: taken over, or declined
    assignee: str | None = None
    priority: str | None = None
    fault: str | None = None  # a command that is none: nothing is sent, so that it never leaks


def order(text: str) -> Order:
    """Read the commands that a mail begins with."""
    lines = text.strip().split("\n")
    found = Order("")
    for number, line in enumerate(lines[:MAX_COMMANDS]):
        match = _COMMAND.fullmatch(line.strip())
        if match is None:
            return replace(found, text="\n".join(lines[number:]).strip())
        found = _obeyed(found, match[1].lower(), (match[2] or "").strip())
    return replace(found, text="\n".join(lines[MAX_COMMANDS:]).strip())


def _obeyed(found: Order, word: str, argument: str) -> Order:
    match word:
        case "close":
            return replace(found, close=True)
        case "note":
            return replace(found, note=True)
        case "accept" | "decline" if not argument:
            return replace(found, takes=word == "accept")
        case "assign" if argument:
            return replace(found, assignee=argument)
        case "priority" if argument.lower() in (NORMAL, HIGH):
            return replace(found, priority=argument.lower())
        case _ if word in _WORDS:
            said = f"/{word} {argument}".rstrip()
            return replace(found, fault=f"`{said}` is not a command; {HELP}")
        case _:
            return replace(found, fault=f"`/{word}` is not a command; {HELP}")


def by_staff(case: Case) -> Effects:
    """`staff`: the answer or command, for the ticket that the token names and for no other."""
    reference = case.situation.reference
    ticket, staff = reference.token_ticket, case.situation.sender.staff
    if not (case.strong and reference.staff_token and ticket and staff):
        return kept(case)
    found = order(printable(case.situation.mail.new_text))
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
    if found.note:
        said = Said(entries=(_note(case, ticket, staff, found.text),) if found.text else ())
    elif found.text:
        said = _answered(case, ticket, account, staff, found)
    elif found.close:
        said = letters.closing(case.post, ticket, account, staff.address)
    else:
        said = Said()
    return _ordered(case, ticket, staff, found, said)


def _answered(
    case: Case, ticket: Ticket, account: Account | None, staff: StaffAddress, found: Order
) -> Said:
    """The answer without what was quoted, and without the staff member's own address."""
    support = case.post.desk.addresses[0]
    text = re.sub(re.escape(staff.address), support, found.text, flags=re.IGNORECASE)
    parents = _parents(case, ticket)
    return letters.answer(
        case.post,
        ticket,
        account,
        text,
        staff.address,
        closing=found.close,
        names_an_account=_names_an_account(case),
        delivery=Delivery(parent=parents[-1] if parents else None, earlier=parents[:-1][-5:]),
    )


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
