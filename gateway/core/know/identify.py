"""Who the author is among those registered: decided by the one address in From, and nothing else.

Several accounts may have registered one address. One of them is picked only where the mail names
a ticket or a service of exactly one; what it names of others' counts for nothing.
"""

from gateway.core.model import (
    Address,
    Candidates,
    Clues,
    Registration,
    Role,
    Sender,
    SenderKind,
    Service,
)


def identify(author: Address, candidates: Candidates, clues: Clues) -> Sender:
    """The sender, whatever his proof. `author` is who the candidates were fetched for."""
    if candidates.staff is not None and candidates.staff.address.lower() == author.key.lower():
        return Sender(SenderKind.STAFF, staff=candidates.staff)
    registrations = _one_each(candidates.registrations)
    if not registrations:
        return Sender(SenderKind.UNKNOWN)
    picked = registrations[0] if len(registrations) == 1 else None
    if picked is None:
        picked = _picked(registrations, candidates, clues)
    if picked is None:
        return Sender(SenderKind.AMBIGUOUS, registrations=registrations)
    primary = picked.role is Role.PRIMARY
    kind = SenderKind.PRIMARY if primary else SenderKind.SECONDARY
    return Sender(kind, registration=picked, registrations=registrations)


def _one_each(registrations: tuple[Registration, ...]) -> tuple[Registration, ...]:
    """One registration an account, the primary one where there are two."""
    by_account: dict[str, Registration] = {}
    for registration in registrations:
        number = registration.account.number
        if number not in by_account or registration.role is Role.PRIMARY:
            by_account[number] = registration
    return tuple(by_account.values())


def _picked(
    registrations: tuple[Registration, ...], candidates: Candidates, clues: Clues
) -> Registration | None:
    """The one account among several of which the mail names something."""
    numbers = frozenset(clues.tickets)
    named = {ticket.account for ticket in candidates.tickets if ticket.number in numbers}
    ids = frozenset(clues.message_ids)
    answered = {message.ticket for message in candidates.messages if message.message_id in ids}
    named |= {ticket.account for ticket in candidates.tickets if ticket.number in answered}
    named |= {service.account for service in candidates.services if names(clues, service)}
    meant = [one for one in registrations if one.account.number in named]
    return meant[0] if len(meant) == 1 else None


def names(clues: Clues, service: Service) -> bool:
    """Whether the mail names this service: by order, by address, or by its name as a whole."""
    if service.order is not None and service.order in clues.orders:
        return True
    if any(ip in clues.ips for ip in service.ips):
        return True
    name = service.name.lower()
    return name in clues.words or (" " in name and f" {name} " in _spaced(clues.query))


def _spaced(text: str) -> str:
    return f" {' '.join(text.lower().replace(',', ' ').replace('.', ' ').split())} "
