"""Notices beside the replies: to the department that works on a ticket, with the sender's words,
secrets masked; and content-free ones to the addresses that an account set (I7).
"""

from collections.abc import Iterable
from typing import Any

from gateway.core.model import (
    Account,
    AccountText,
    Outgoing,
    StaffNotice,
    Tainted,
    TicketKind,
)
from gateway.core.say import letters, secrets
from gateway.core.say.case import Case, subject
from gateway.core.say.desk import About, Delivery, mailboxes
from gateway.core.say.receipts import department_name, parent
from gateway.core.say.words import At, Label

NOTICE_CHARS = 20_000


def kind_notices(case: Case, account: Account, department: str) -> tuple[Outgoing, ...]:
    """Content-free notices to the addresses that the account set for such matters (I7)."""
    return letters.notices(case.post, account, department, case.situation.language)


def staff_notices(
    case: Case, kind: str, about: About, department: str, values: dict[str, Any]
) -> tuple[Outgoing, ...]:
    """The notice of an entry to the department, in the house's own language."""
    delivery = Delivery(parent=parent(case))
    return tuple(
        case.post.say(
            StaffNotice(mailbox, AccountText(kind, values)),
            case.post.desk.language,
            about,
            delivery=delivery,
        )
        for mailbox in mailboxes(case.routing, department)
    )


def staff_values(case: Case, number: str, department: str) -> dict[str, Any]:
    """What staff read: the sender's words too, marked as his, with secrets masked."""
    situation = case.situation
    mail, account = situation.mail, situation.sender.account
    text, masked = secrets.mask(mail.new_text[:NOTICE_CHARS])
    title, masked_too = secrets.mask(subject(case))
    return {
        "ticket": number,
        "department": department_name(case, department),
        "priority": Label(case.priority),
        "account": account.number if account else "",
        "customer": Tainted(account.name) if account else "",
        "proof": case.proof,
        "verified": True,
        "kind": TicketKind.ACCOUNT.value,
        "candidates": (),
        "author": Tainted(str(situation.author)),
        "subject": Tainted(title),
        "text": Tainted(text),
        "attachments": tuple(Tainted(one.filename) for one in mail.attachments[:50]),
        "masked": masked or masked_too,
        "pending": False,
        "linked": "",
        "due": At(situation.hours.reply_due, case.post.timezone),
        "state": "",
    }


def held_notices(
    case: Case, replies: Iterable[Outgoing], about: About, department: str
) -> tuple[Outgoing, ...]:
    """Staff are told where a reply waits, because its destination may be stolen."""
    why = next((one.held for one in replies if one.held), None)
    if why is None:
        return ()
    values = {"ticket": about.number, "why": why}
    return staff_notices(case, "staff-held", about, department, values)
