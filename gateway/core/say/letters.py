"""What staff say, by mail or by command, and what the house says by itself: answers, closings,
escalations, announcements. The destination is the ticket's own, never one that somebody names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.core.model import (
    Account,
    AccountReply,
    AccountText,
    AddressNotice,
    Event,
    KindNotice,
    NewEntry,
    Outgoing,
    PublicReply,
    StaffAddress,
    StaffNotice,
    StaffText,
    Ticket,
    TicketChange,
    TicketKind,
    TicketState,
    UnconfirmedAddress,
)
from gateway.core.read.clues import hashed, ips
from gateway.core.say import markdown, secrets
from gateway.core.say.desk import About, Delivery, Post, mailboxes
from gateway.core.say.ledgers import SIGN_IN
from gateway.core.say.words import At, Label, Marked, Named, Reason

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}")
_HOST = re.compile(r"^[a-z]{1,10}://|[:/?#].*$", re.IGNORECASE)
_UNCONFIRMED = Reason(
    en="the customer has not confirmed the request from the control panel yet;"
    " /accept in the first line of your mail takes it over",
    it="il cliente non ha ancora confermato la richiesta dal pannello;"
    " /accept nella prima riga del messaggio la prende in carico",
)
_UNASSIGNED = Reason(
    en="the ticket is not assigned to an account yet",
    it="il ticket non è ancora assegnato a un account",
)
_NO_ENQUIRER = Reason(
    en="its author is nobody whom public text may be sent to",
    it="al suo autore non si può scrivere: non è provato chi sia",
)
_NO_ADDRESS = Reason(
    en="its account has no official address", it="il suo account non ha un indirizzo ufficiale"
)
CLOSED_ALREADY = Reason(en="the ticket is closed already", it="il ticket è già chiuso")
_TRANSFER = "the answer names an address, a number or a service of an account"


@dataclass(frozen=True, slots=True)
class Said:
    """What one answer or command does to a ticket. `unsent` says why nothing was sent."""

    change: TicketChange | None = None
    entries: tuple[NewEntry, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    events: tuple[Event, ...] = ()
    unsent: Reason | None = None


def answer(
    post: Post,
    ticket: Ticket,
    account: Account | None,
    text: str,
    staff: str,
    *,
    closing: bool = False,
    names_an_account: bool = False,
    delivery: Delivery | None = None,
) -> Said:
    """Staff's answer: from our address to the ticket's own destination, without Auto-Submitted.

    `names_an_account`: the store knows that the text names somebody's service; an enquiry's
    answer then waits. What was written is kept in every case.
    """
    kept = NewEntry(
        ticket=ticket.number, at=post.at, by="staff", kind="mail", author=staff, proof="staff",
        text=text, masked=secrets.mask(text)[1],
    )  # fmt: skip
    why = unanswerable(ticket, account)
    if why is not None:
        return Said(entries=(kept,), unsent=why)
    shown, masked = secrets.mask(text.strip())
    how = delivery or Delivery()
    if ticket.kind is TicketKind.ENQUIRY:
        sent = _to_enquirer(post, ticket, shown, how, names_an_account)
    else:
        sent = _to_account(post, ticket, account, shown, masked, closing, how)
    state = TicketState.CLOSED if closing else TicketState.CUSTOMER
    change = TicketChange(ticket.number, ticket.version, post.at, state=state)
    events = [Event("entry.added", ticket.number, post.at, {"by": "staff"})]
    entries = [kept]
    was_closed = ticket.state is TicketState.CLOSED
    if closing and not was_closed:
        events.append(Event("ticket.closed", ticket.number, post.at, {"by": "staff"}))
        entries.append(_line(post, ticket, staff, "closed"))
    if was_closed and not closing:
        events.append(Event("ticket.reopened", ticket.number, post.at, {"by": "staff"}))
        entries.append(_line(post, ticket, staff, "reopened"))
    return Said(change, tuple(entries), sent, tuple(events))


def _line(post: Post, ticket: Ticket, staff: str, text: str) -> NewEntry:
    return NewEntry(ticket.number, post.at, "staff", "event", staff, "staff", text)


def unanswerable(ticket: Ticket, account: Account | None) -> Reason | None:
    """Why this ticket can have no answer now, in words for staff; None where it can."""
    if ticket.merged_into is not None:
        into = ticket.merged_into
        return Reason(
            en=f"the ticket was merged into #{into}", it=f"il ticket è stato unito al #{into}"
        )
    if not ticket.verified:
        return _UNCONFIRMED
    if ticket.kind is TicketKind.SORT:
        return _UNASSIGNED
    if ticket.kind is TicketKind.ENQUIRY:
        return None if ticket.enquirer else _NO_ENQUIRER
    return None if account is not None else _NO_ADDRESS


def _to_account(
    post: Post,
    ticket: Ticket,
    account: Account | None,
    text: str,
    masked: bool,
    closing: bool,
    how: Delivery,
) -> tuple[Outgoing, ...]:
    if account is None:
        return ()
    values: dict[str, object] = {
        "ticket": ticket.number, "text": text, "closed": closing, "masked": masked,
    }  # fmt: skip
    reply = AccountReply(account.official, AccountText("staff-reply", values))
    held = how.held or account.doubtful
    delivery = Delivery(parent=how.parent, earlier=how.earlier, held=held)
    sent = post.say(reply, language_of(post, ticket, account), _about(ticket), delivery=delivery)
    return (sent, *notices(post, account, ticket.department, sent.language))


def _to_enquirer(
    post: Post, ticket: Ticket, text: str, how: Delivery, names_an_account: bool
) -> tuple[Outgoing, ...]:
    """Public terms alone: what looks like account data waits for a second look."""
    if ticket.enquirer is None:
        return ()
    private = names_an_account or _looks_private(post, ticket, text)
    held = _TRANSFER if private else how.held
    delivery = Delivery(parent=how.parent, earlier=how.earlier, held=held)
    reply = PublicReply(ticket.enquirer, StaffText(text))
    language = ticket.language or post.desk.language
    return (post.say(reply, language, _about(ticket), delivery=delivery),)


def names_somebody(post: Post, named: Iterable[str]) -> bool:
    """Whether any of what accounts have is more than a freemail's domain or a name of ours."""
    ours = {post.desk.domain, *(one.rpartition("@")[2] for one in post.desk.addresses)}
    ours |= {_HOST.sub("", url or "") for url in (post.desk.panel_url, post.desk.articles_url)}
    known = {one.lower() for one in ours} | post.routing.freemail
    return any(one.lower() not in known for one in named)


def _looks_private(post: Post, ticket: Ticket, text: str) -> bool:
    ours = {one.lower() for one in post.desk.addresses}
    addresses = {one.lower().rstrip(".") for one in _ADDRESS.findall(text)}
    return bool(addresses - ours or ips(text) or set(hashed(text)) - {ticket.number})


def closing(
    post: Post,
    ticket: Ticket,
    account: Account | None,
    staff: str,
    *,
    delivery: Delivery | None = None,
) -> Said:
    """Closed without an answer: the customer is told (W2), an enquirer is not; and only once."""
    if ticket.state is TicketState.CLOSED:
        return Said(unsent=CLOSED_ALREADY)
    change = TicketChange(ticket.number, ticket.version, post.at, state=TicketState.CLOSED)
    event = Event("ticket.closed", ticket.number, post.at, {"by": "staff"})
    kept = _line(post, ticket, staff, "closed")
    if account is None or ticket.kind is not TicketKind.ACCOUNT:
        return Said(change, (kept,), (), (event,))
    how = delivery or Delivery()
    reply = AccountReply(account.official, AccountText("closed", {"ticket": ticket.number}))
    sent = post.say(
        reply,
        language_of(post, ticket, account),
        _about(ticket),
        delivery=Delivery(parent=how.parent, earlier=how.earlier, held=account.doubtful),
    )
    return Said(
        change,
        (kept,),
        (sent, *notices(post, account, ticket.department, sent.language)),
        (event,),
    )


def notices(post: Post, account: Account, department: str, language: str) -> tuple[Outgoing, ...]:
    """Content-free notices to the addresses that the account set for such matters (I7)."""
    found = post.routing.department(department)
    kind = found.kind if found and found.kind else department
    official = account.official.address.lower()
    wanted = (one for one in account.notify if one.kind == kind)
    return tuple(
        post.say(KindNotice(one, "notice"), language)
        for one in wanted
        if one.address.lower() != official
    )


def escalation(post: Post, ticket: Ticket, due: datetime) -> tuple[Outgoing, ...]:
    """An overdue ticket, once, to its department."""
    found = post.routing.department(ticket.department)
    values: dict[str, object] = {
        "ticket": ticket.number,
        "department": Named(found) if found else ticket.department,
        "priority": Label(ticket.priority),
        "due": At(due, post.timezone),
        "opened": At(ticket.opened_at, post.timezone),
    }
    boxes = mailboxes(post.routing, ticket.department)
    return tuple(_to_staff(post, box, "staff-overdue", ticket, values) for box in boxes)


def unsent(post: Post, ticket: Ticket, to: StaffAddress, why: Reason) -> Outgoing:
    """A staff member's answer that did not go out, and why."""
    return _to_staff(post, to, "staff-unsent", ticket, {"ticket": ticket.number, "why": why})


def held_back(post: Post, ticket: Ticket, to: StaffAddress, why: str) -> Outgoing:
    """A staff member's answer that waits, and why."""
    return _to_staff(post, to, "staff-held", ticket, {"ticket": ticket.number, "why": why})


def _to_staff(
    post: Post, to: StaffAddress, kind: str, ticket: Ticket, values: dict[str, object]
) -> Outgoing:
    notice = StaffNotice(to, AccountText(kind, values))
    return post.say(notice, post.desk.language, _about(ticket))


def announcement(post: Post, account: Account, title: str, text: str) -> Outgoing:
    """A copy of a notice to the official address of an account that it concerns (H4, I6)."""
    values: dict[str, object] = {"title": markdown.as_line(title), "text": Marked(text)}
    reply = AccountReply(account.official, AccountText("announcement", values))
    language = account.language or post.desk.language
    return post.say(reply, language, delivery=Delivery(held=account.doubtful))


def official_changed(post: Post, before: Account) -> Outgoing:
    """Told to the old official address, when an import gives the account another one."""
    reply = AccountReply(before.official, AccountText("official-changed", {}))
    return post.say(reply, before.language or post.desk.language)


def address_question(post: Post, to: UnconfirmedAddress) -> Outgoing:
    """Asks a mailbox whether it belongs to an account. Nothing of the account chooses its words,
    nor its language."""
    return post.say(
        AddressNotice(to, "address-confirm"),
        post.desk.language,
        bilingual=True,
        delivery=Delivery(ledger=SIGN_IN),
    )


def language_of(post: Post, ticket: Ticket, account: Account) -> str:
    """The ticket's, else the account's, else the default."""
    spoken = (ticket.language, account.language)
    return next((one for one in spoken if one in post.desk.languages), None) or post.desk.language


def _about(ticket: Ticket) -> About:
    return About(ticket.number, ticket.opened_at, ticket.account)
