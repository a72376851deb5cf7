"""Mail that claims to be a customer's and cannot be proven: parked, announced without content once
a day, and released by the customer alone.
"""

import ipaddress
from dataclasses import replace

from gateway.core.know.token import Keys, Purpose, tokens_in, tokens_of, verify
from gateway.core.model import (
    Account,
    Automatic,
    Claim,
    Effects,
    Outgoing,
    Parked,
    ParkedMail,
    Role,
    Situation,
)
from gateway.core.say.case import Case, kept
from gateway.core.say.desk import Delivery, parked_binding
from gateway.core.say.ledgers import STRONG, UNPROVEN, spends, unproven_spent
from gateway.core.say.receipts import to_account


def held(case: Case) -> Effects:
    """`hold`: the mail waits; the official address is told that one does, and no more."""
    account = _claimed(case.situation)
    if account is None:
        return kept(case)
    told: tuple[Outgoing, ...] = ()
    if _may_tell(case) and not unproven_spent(case):
        delivery = Delivery(ledger=UNPROVEN, parked=case.situation.mail_id)
        told = (to_account(case, account, "hold", {}, None, delivery),)
    else:
        case.post.keep_silent("hold")
    spent = spends(case, UNPROVEN, account.number) if told else ()
    row = kept(case)
    return replace(row, outgoing=told, spends=spent, parked=parked(case, account.number, None))


def _may_tell(case: Case) -> bool:
    """A person's mail; the reply to a receipt of ours too, or nobody would learn that it waits.

    Two machines cannot speak long that way: one notice goes out a day.
    """
    situation = case.situation
    person = situation.mail.automatic is Automatic.NO
    return case.decision.reply and not situation.spent and person


def parked(case: Case, account: str, ticket: str | None) -> Parked:
    """The row by which the account finds it."""
    return Parked(
        account=account,
        expires=case.now + case.routing.parking,
        ticket=ticket,
        network=network(case.situation.envelope.client_ip),
    )


def network(client_ip: str | None) -> str | None:
    """The /24 or /48 that a client is in."""
    try:
        address = ipaddress.ip_address(client_ip or "")
    except ValueError:
        return None
    length = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def _claimed(situation: Situation) -> Account | None:
    """The account that the mail claims to be from; of several, the one whose own address it is."""
    if situation.sender.account is not None:
        return situation.sender.account
    registrations = situation.sender.registrations
    primary = [one.account for one in registrations if one.role is Role.PRIMARY]
    return next(iter((*primary, *(one.account for one in registrations))), None)


def confirmed(case: Case) -> Effects:
    """`confirm`: what waited is decided again as confirmed; nothing else happens."""
    account = case.situation.sender.account
    if account is None:
        return kept(case)
    if case.situation.claim is not None:
        return _address(case, case.situation.claim)
    released = _released(case, account)
    row = kept(case)
    if not released:
        return row
    sent: tuple[Outgoing, ...] = ()
    if case.decision.reply and not case.situation.spent:
        delivery = Delivery(ledger=STRONG, parent=case.situation.mail.message_id)
        sent = (to_account(case, account, "confirm", {}, None, delivery),)
    spent = spends(case, STRONG, account.number) if sent else ()
    return replace(row, release=released, outgoing=sent, spends=spent)


def _address(case: Case, claim: Claim) -> Effects:
    """The address has confirmed itself: it counts from now, and the official one is told so."""
    row = replace(kept(case), confirms=(claim.to,))
    if not case.decision.reply or case.situation.spent:
        return row
    values: dict[str, object] = {"address": claim.to.address}
    said = to_account(case, claim.account, "address-added", values, None, Delivery(ledger=STRONG))
    return replace(row, outgoing=(said,), spends=spends(case, STRONG, claim.account.number))


def _released(case: Case, account: Account) -> tuple[str, ...]:
    """The mail whose notice is answered, and no other: the same word in a new mail is about
    something else, and a forgery that waits beside it is not released by it.
    """
    waiting = [one for one in case.situation.candidates.parked if one.account == account.number]
    answered = _notice_tokens(case.situation)
    return tuple(one.mail for one in waiting if _announced(one, answered, case))


def _notice_tokens(situation: Situation) -> tuple[str, ...]:
    recipients = situation.envelope.recipients[:20]
    addressed = (token for one in recipients for token in tokens_in(one))
    return (*addressed, *tokens_of(situation.mail))


def _announced(one: ParkedMail, answered: tuple[str, ...], case: Case) -> bool:
    keys: Keys = case.post.desk.keys
    bound = parked_binding(one.account, one.mail)
    purposes = frozenset({Purpose.PARKED})
    tokens = (verify(keys, text, bound, case.now, purposes=purposes) for text in answered)
    return any(token is not None for token in tokens)


def strangers(case: Case) -> Parked | None:
    """A proven stranger with a valid token (a forwarded mailbox): for the token's account."""
    reference = case.situation.reference
    account, ticket = reference.token_account, reference.token_ticket
    known = case.situation.sender.registrations or case.situation.sender.staff
    if not reference.token or account is None or known or case.situation.proof.author is None:
        return None
    return parked(case, account.number, ticket.number if ticket else None)
