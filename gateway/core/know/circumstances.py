"""What lies around a mail: its department, a standing ticket about the same thing, the share that
is spent.

All of it comes from values that the store and ops gave; nothing here asks for more.
"""

from datetime import datetime

from gateway.core.model import (
    Account,
    Candidates,
    Incident,
    Mail,
    Proof,
    ProofLevel,
    Reference,
    Request,
    RequestKind,
    Sender,
    ServiceMatch,
    Spending,
    Ticket,
    TicketMatch,
)
from gateway.core.model.account import Registration, TicketKind, TicketState
from gateway.core.model.mail import Envelope
from gateway.core.model.routing import Routing

# What a mail's proof is worth beside a ticket's: a join may never raise a ticket's standing.
RANK = {"strong": 2, "staff": 2, "medium": 1}
HIGH = "high"
# Requests that are about a service where they speak of one; the panel asks by itself for changes.
ABOUT_SERVICES = frozenset({RequestKind.GENERAL, RequestKind.ACCOUNT, RequestKind.BILLING})


def department(envelope: Envelope, request: Request, routing: Routing) -> str:
    """The first of our addresses that chooses one, else where such requests go."""
    recipients = (recipient.lower() for recipient in envelope.recipients)
    return routing.department_for(recipients) or routing.department_of_request(request.kind)


def repeat(
    mail: Mail,
    incident: Incident,
    proof: Proof,
    account: Account | None,
    candidates: Candidates,
    routing: Routing,
    reference: Reference,
    department: str,
    registration: Registration | None = None,
    now: datetime | None = None,
) -> Ticket | None:
    """An open ticket of the account about the same thing, or None (tickets.md, One incident, one
    ticket).

    The same thing is: the same words, or equal identifiers at the same department; only an
    incident joins another department's ticket by its identifiers. A critical incident joins no
    normal ticket, no mail joins one whose proof is lower than its own, and no address
    (`registration`) one whose department it may not speak about.
    """
    if account is None or reference.ticket is not None:
        return None
    if reference.linked_to is not None:
        return None  # its author chose another subject
    oldest = None if now is None else now - routing.coalescing
    own = (ticket for ticket in candidates.open_tickets if ticket.account == account.number)
    for ticket in own:
        if ticket.kind is not TicketKind.ACCOUNT or ticket.state is TicketState.CLOSED:
            continue
        if oldest is not None and max(ticket.opened_at, ticket.updated_at) < oldest:
            continue
        if incident.complete and routing.priorities and ticket.priority != HIGH:
            continue
        if _rank(ticket.proof) < _rank(proof.level.value):
            continue
        if not scope(registration, ticket.department, routing):
            continue
        if _same(ticket, mail, incident, department):
            return ticket
    return None


def unnamed(
    request: Request,
    incident: Incident,
    services: int,
    reference: Reference,
    standing: Ticket | None,
) -> bool:
    """Whether the mail is about one of several services, and does not say which (I5).

    Only where it begins something: what continues a ticket was asked before. An incident is asked
    for all that it lacks.
    """
    begins = reference.match is TicketMatch.NONE and standing is None
    speaks = request.service and request.kind in ABOUT_SERVICES and not incident.is_incident
    return begins and speaks and services > 1 and incident.match is ServiceMatch.NONE


def _rank(proof: str) -> int:
    return RANK.get(proof, 0)


def _same(ticket: Ticket, mail: Mail, incident: Incident, department: str) -> bool:
    if ticket.body_digest is not None and ticket.body_digest == mail.body_digest:
        return True  # the very words, to whichever department staff have moved it
    named = bool(incident.identifiers) and set(incident.identifiers) == set(ticket.identifiers)
    # A bill for a server is not its outage.
    return named and (incident.is_incident or ticket.department == department)


def spent(
    sender: Sender, proof: Proof, spending: Spending, routing: Routing, author_domain: str
) -> bool:
    """Whether the destination of this mail's reply has had its share of automatic mail today."""
    caps = routing.caps
    total = spending.global_today
    if sender.account is None:
        shared = author_domain not in routing.freemail and spending.domain_today >= caps.domain
        over = total.get("public", 0) >= caps.all_public
        return shared or over or spending.author_today >= caps.author
    if proof.level is ProofLevel.STRONG:
        return spending.strong_today >= caps.strong or total.get("strong", 0) >= caps.all_strong
    if proof.level is ProofLevel.MEDIUM:
        return spending.medium_today >= caps.medium or total.get("medium", 0) >= caps.all_medium
    over = total.get("unproven", 0) >= caps.all_unproven
    return over or spending.unproven_today >= caps.unproven


def scope(registration: Registration | None, department: str, routing: Routing) -> bool:
    """Whether this address may speak about this department (I7).

    Its kinds are departments, or kinds of notices that departments are listed under in `routing`.
    """
    if registration is None or not registration.kinds:
        return True
    return routing.speaks(registration.kinds, department)


def language(
    mail: Mail, account: Account | None, ticket: Ticket | None, languages: tuple[str, ...]
) -> tuple[str, bool]:
    """The language of the reply, and whether it is only a guess, so that a second one is added."""
    said = (
        mail.language,
        account.language if account else None,
        ticket.language if ticket else None,
    )
    for candidate in said:
        if candidate in languages:
            return str(candidate), False
    return languages[0], True
