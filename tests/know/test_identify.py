"""Who the author is among those registered."""

from datetime import UTC, datetime

import pytest
from ticketing import account, candidates, clues_of, registration, ticket

from gateway.core.know.identify import identify
from gateway.core.model import (
    Address,
    OwnMessage,
    Role,
    SenderKind,
    Service,
    StaffAddress,
)

ANNA = Address("anna", "cliente.example")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
TWO = (registration("A-1"), registration("A-2"))
SERVICES = (
    Service("A-1", "vps-12", "vps", "123456", ("192.0.2.7",)),
    Service("A-2", "Hosting Linux", "web", "777777", ("2001:db8::7",)),
)


def test_an_address_that_nobody_registered_is_unknown() -> None:
    """Whatever its mail says."""
    assert identify(ANNA, candidates(), clues_of()).kind is SenderKind.UNKNOWN


@pytest.mark.parametrize(
    "role, kind", [(Role.PRIMARY, SenderKind.PRIMARY), (Role.SECONDARY, SenderKind.SECONDARY)]
)
def test_one_account_is_the_senders(role: Role, kind: SenderKind) -> None:
    """By its official address, or a secondary one."""
    sender = identify(ANNA, candidates(registrations=(registration("A-1", role),)), clues_of())
    assert sender.kind is kind
    assert sender.account == account("A-1")


def test_both_roles_on_one_account_are_one_registration() -> None:
    """The official one counts."""
    both = (registration("A-1", Role.SECONDARY), registration("A-1", Role.PRIMARY))
    sender = identify(ANNA, candidates(registrations=both), clues_of())
    assert sender.kind is SenderKind.PRIMARY


def test_several_accounts_are_ambiguous_where_nothing_picks_one() -> None:
    """No account is meant, and all are kept for staff to choose among."""
    sender = identify(ANNA, candidates(registrations=TWO), clues_of())
    assert (sender.kind, sender.account) == (SenderKind.AMBIGUOUS, None)
    assert len(sender.registrations) == 2


@pytest.mark.parametrize(
    "named, picked",
    [
        ({"orders": ("123456",)}, "A-1"),
        ({"ips": ("192.0.2.7",)}, "A-1"),
        ({"words": ("vps-12",)}, "A-1"),
        ({"ips": ("2001:db8::7",)}, "A-2"),
        ({"query": "Il mio hosting linux non va"}, "A-2"),
        ({"tickets": ("482913",)}, "A-2"),
        ({"message_ids": ("<m1@x>",)}, "A-2"),
        ({"orders": ("123456",), "ips": ("2001:db8::7",)}, None),
        ({"orders": ("999999",)}, None),
        ({"query": "hosting linuxoide"}, None),
    ],
)
def test_one_of_several_is_picked_by_what_the_mail_names(
    named: dict[str, tuple[str, ...]], picked: str | None
) -> None:
    """A ticket, an id that it answers, or a service of exactly one of them."""
    store = candidates(
        registrations=TWO,
        services=SERVICES,
        tickets=(ticket("482913", "A-2"),),
        messages=(OwnMessage("<m1@x>", "482913", True),),
    )
    if "tickets" in named or "message_ids" in named:
        named = {"tickets": (), "message_ids": ()} | named
    sender = identify(ANNA, store, clues_of(**named))
    assert (sender.account.number if sender.account else None) == picked


def test_a_ticket_of_somebody_else_picks_none() -> None:
    """It is not among the author's accounts."""
    store = candidates(registrations=TWO, tickets=(ticket("1", "A-9"),))
    assert identify(ANNA, store, clues_of(tickets=("1",))).kind is SenderKind.AMBIGUOUS


def test_listed_staff_are_staff() -> None:
    """Also where they are customers, too."""
    store = candidates(
        staff=StaffAddress("Anna@cliente.example", "Anna"), registrations=(registration("A-1"),)
    )
    sender = identify(ANNA, store, clues_of())
    assert (sender.kind, sender.account) == (SenderKind.STAFF, None)
