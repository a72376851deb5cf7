"""A parked mail that its account has released: who it is from now on, and what it may ask for.

It counts as that one account's, whose strong reply (or whose page, or ops for it) has released it.
An account that the mail was not parked for is never looked at here.
"""

from datetime import datetime

from gateway.core.model import (
    Candidates,
    Reference,
    Registration,
    Request,
    RequestKind,
    Role,
    Sender,
    SenderKind,
)


def sender(
    account: str, found: Sender, reference: Reference, candidates: Candidates, now: datetime
) -> Sender:
    """The author as that account's, or as he was found where he has nothing to do with it.

    He is registered on it; or he is registered nowhere, and the mail carries a valid token of one
    of its tickets (a forwarded mailbox). Staff are never somebody else.
    """
    if found.kind is SenderKind.STAFF:
        return found
    own = next((one for one in candidates.registrations if one.account.number == account), None)
    if own is not None:
        return _as(own, found.registrations)
    owner = reference.token_account
    stranger = found.kind is SenderKind.UNKNOWN and reference.token
    if not stranger or owner is None or owner.number != account:
        return found
    return _as(Registration(owner, Role.SECONDARY, (), now), ())


def request(asked: Request) -> Request:
    """A released mail releases nothing: one word of a forgery would set all others free."""
    if asked.kind is not RequestKind.CONFIRM:
        return asked
    return Request(RequestKind.ACCOUNT, ("a released mail is no confirmation", *asked.because))


def _as(one: Registration, every: tuple[Registration, ...]) -> Sender:
    kind = SenderKind.PRIMARY if one.role is Role.PRIMARY else SenderKind.SECONDARY
    return Sender(kind, registration=one, registrations=every or (one,))
