"""Accounts shown: listed, looked up, and exported in the form that an import reads."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from gateway.core.model import Role
from gateway.store import schema
from gateway.store.accountfile import address_row
from gateway.store.columns import moment_or_none, texts
from gateway.store.doubts import doubtful

_a, _s = schema.addresses.c, schema.services.c


def export(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every account in the form that `load_file` reads, by number."""
    numbers = connection.execute(
        select(schema.accounts.c.number).order_by(schema.accounts.c.number)
    )
    for number in numbers.scalars().all():
        shown = show(connection, number)
        if shown is not None:
            yield _exported(shown)


def _exported(shown: Mapping[str, Any]) -> dict[str, Any]:
    secondary = [
        {"address": one["address"], "kinds": one["kinds"]} if one["kinds"] else one["address"]
        for one in shown["addresses"]
        if one["role"] == Role.SECONDARY and one["confirmed_at"] is not None
    ]
    primary = [one["address"] for one in shown["addresses"] if one["role"] == Role.PRIMARY]
    return {
        "account": shown["account"],
        "name": shown["name"],
        "language": shown["language"],
        "state": shown["state"],
        "primary": primary[0] if primary else None,
        "secondary": secondary,
        "services": [
            {name: value for name, value in one.items() if value} for one in shown["services"]
        ],
    }


def list_accounts(
    connection: Connection, *, matching: str | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Number, name, state and official address; `matching` is part of any of them."""
    c = schema.accounts.c
    statement = (
        select(c.number.label("account"), c.name, c.language, c.state, _a.address)
        .join(
            schema.addresses,
            (_a.account == c.number) & (_a.role == Role.PRIMARY.value),
            isouter=True,
        )
        .order_by(c.number)
        .limit(limit)
    )
    if matching:
        some = or_(
            *(
                column.icontains(matching, autoescape=True)
                for column in (c.number, c.name, _a.address)
            )
        )
        statement = statement.where(some)
    return [{**row, "primary": row["address"]} for row in connection.execute(statement).mappings()]


def find(connection: Connection, address: str) -> list[str]:
    """The numbers of the accounts on which an address stands."""
    one = address_row(address, "address")
    found = connection.execute(select(_a.account).where(_a.key == one.key).order_by(_a.account))
    return list(found.scalars())


def show(connection: Connection, number: str) -> dict[str, Any] | None:
    """One account with everything that is known of it, or None."""
    c = schema.accounts.c
    account = connection.execute(select(schema.accounts).where(c.number == number)).first()
    if account is None:
        return None
    addresses = connection.execute(
        select(schema.addresses).where(_a.account == number).order_by(_a.role, _a.id)
    )
    services = connection.execute(
        select(schema.services).where(_s.account == number).order_by(_s.id)
    )
    return {
        "account": account.number,
        "name": account.name,
        "language": account.language,
        "state": account.state,
        "addresses": [
            {
                "address": one.address,
                "role": one.role,
                "kinds": list(texts(one.kinds)),
                "confirmed_at": moment_or_none(one.confirmed_at),
                "asked_at": moment_or_none(one.asked_at),
                "bounced_at": moment_or_none(one.bounced_at),
                "domain_changed_at": moment_or_none(one.domain_changed_at),
                "doubt": doubtful(one.confirmed_at, one.bounced_at, one.domain_changed_at)
                if one.role == Role.PRIMARY
                else None,
            }
            for one in addresses
        ],
        "services": [
            {"name": s.name, "kind": s.kind, "order": s.order_number, "ip": list(texts(s.ips))}
            for s in services
        ],
    }
