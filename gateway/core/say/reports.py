"""`record`: kept, filed, never answered. A delivery report counts only on a valid return path."""

from dataclasses import replace

from gateway.core.know import token as tokens
from gateway.core.know.token import Purpose, Token
from gateway.core.model import (
    Automatic,
    Effects,
    Outgoing,
    Report,
    Ticket,
    TicketMatch,
)
from gateway.core.say.case import Case, entry, kept, known
from gateway.core.say.notices import staff_notices
from gateway.core.say.receipts import about

_PERMANENT = "5."  # RFC 3463 3.1: the class of the status


def recorded(case: Case) -> Effects:
    """The mail alone; with its report, or in the ticket that it answers."""
    if case.situation.mail.automatic is Automatic.BOUNCE:
        return _reported(case)
    reference = case.situation.reference
    ticket = reference.ticket if reference.match is TicketMatch.OWN else None
    mail = case.situation.mail
    if ticket is None or mail.automatic is Automatic.BULK or mail.report is not None:
        return kept(case)
    # An absence note is filed where it belongs, and changes nothing there.
    return replace(
        kept(case, ticket.number),
        entries=(entry(case, ticket.number, pending=not case.strong),),
        known=known(case, ticket.number),
        expects={ticket.number: ticket.version},
    )


def _reported(case: Case) -> Effects:
    """Our mail came back: it is marked, and staff are told. Nothing is sent anywhere else.

    The writer looks whether that mail went to whom the report names, and not too long ago; the
    notice goes out with the mark, or not at all.
    """
    report = case.situation.mail.report
    found = _returned(case)
    if found is None or report is None or report.action != "failed":
        return kept(case)
    token, ticket = found
    desk = case.post.desk
    ours = tokens.bounced(desk.keys, token, desk.domain)
    to = report.final_recipient
    if not to or report.kind == "unstructured":
        # Nobody is named, or somebody whom we made out ourselves: the very mail must be named.
        to = None if report.original_message_id in ours else to
        if to is None and report.original_message_id not in ours:
            return kept(case)
    return replace(
        kept(case, ticket.number),
        undelivered=ours,
        undelivered_to=to,
        bounced=(report.status or "").startswith(_PERMANENT),
        outgoing=_told(case, ticket, report),
    )


def _returned(case: Case) -> tuple[Token, Ticket] | None:
    """The token of a return path among the recipients, and its ticket."""
    purposes = frozenset({Purpose.BOUNCE})
    keys = case.post.desk.keys
    for recipient in case.situation.envelope.recipients[:20]:
        for text in tokens.tokens_in(recipient):
            for ticket in case.situation.candidates.tickets:
                bound = ticket.account or ""
                token = tokens.verify(keys, text, bound, case.now, purposes=purposes)
                if token is not None and token.ticket == ticket.number:
                    return token, ticket
    return None


def _told(case: Case, ticket: Ticket, report: Report) -> tuple[Outgoing, ...]:
    values = {"ticket": ticket.number, "why": f"status {report.status or 'unknown'}"}
    return staff_notices(case, "staff-undelivered", about(ticket), ticket.department, values)
