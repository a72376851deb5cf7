"""Accounts, their addresses and services: imported, listed, exported, and changed by ops.

A mail changes nothing here. An imported address counts as confirmed; a change of the official
address takes the unsent mail of the account with it, in the same transaction.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, insert, or_, select, update

from gateway.core.model import Role
from gateway.errors import BadInput
from gateway.store import schema
from gateway.store.accountfile import (
    AccountRow,
    AddressRow,
    ServiceRow,
    address_row,
    foreign,
    load_file,
    nobodys,
)
from gateway.store.accountview import export, find, list_accounts, show
from gateway.store.addressrows import let_go, put, retarget, unset_primary, withdraw
from gateway.store.columns import dump_texts, micros, texts


@dataclass(frozen=True, slots=True)
class MovedAddress:
    """An official address that an import or a command has changed: the old one is told."""

    account: str
    old: str
    new: str


@dataclass(slots=True)
class Applied:
    """What an import did."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: list[MovedAddress] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


__all__ = [
    "AccountRow",
    "AddressRow",
    "ServiceRow",
    "export",
    "find",
    "list_accounts",
    "load_file",
    "show",
]

_a, _s = schema.addresses.c, schema.services.c


def apply(connection: Connection, rows: Iterable[AccountRow], now: datetime) -> Applied:
    """Make the accounts as the rows say, in the caller's transaction; once more changes nothing.

    Addresses that a row does not name are removed from its account; services too, where the row
    speaks of them.
    """
    done = Applied()
    for row in rows:
        created = _upsert(connection, row, now)
        changed = _set_addresses(connection, row, now, done)
        if row.services is not None:
            changed |= _set_services(connection, row)
        if created is None and not changed:
            done.unchanged += 1
        elif created:
            done.created += 1
        else:
            done.changed += 1
        done.warnings += _warnings(row)
    return done


def _upsert(connection: Connection, row: AccountRow, now: datetime) -> bool | None:
    """True: made; False: changed; None: as it was."""
    c = schema.accounts.c
    found = connection.execute(
        select(c.name, c.language, c.state).where(c.number == row.number)
    ).first()
    values = {"name": row.name, "language": row.language, "state": row.state}
    if found is None:
        at = micros(now)
        connection.execute(
            insert(schema.accounts).values(
                number=row.number, created_at=at, updated_at=at, **values
            )
        )
        return True
    if tuple(found) == (row.name, row.language, row.state):
        return None
    connection.execute(
        update(schema.accounts)
        .where(c.number == row.number)
        .values(updated_at=micros(now), **values)
    )
    return False


def _set_addresses(connection: Connection, row: AccountRow, now: datetime, done: Applied) -> bool:
    found = {
        one.key: one
        for one in connection.execute(select(schema.addresses).where(_a.account == row.number))
    }
    wanted = {row.primary.key: (Role.PRIMARY, row.primary)}
    wanted |= {one.key: (Role.SECONDARY, one) for one in row.secondary}
    old = next((one for one in found.values() if one.role == Role.PRIMARY), None)
    moves = old is not None and old.key != row.primary.key
    changed = moves
    if moves and old is not None:
        unset_primary(connection, row.number)
        done.moved.append(MovedAddress(row.number, old.address, row.primary.address))
    for key, (role, one) in wanted.items():
        changed |= put(connection, row.number, role, one, found.get(key), now)
    for key in found.keys() - wanted.keys():
        connection.execute(delete(schema.addresses).where(_a.id == found[key].id))
        changed = True
    if moves and old is not None:
        retarget(connection, row.number, old.address, row.primary.address)
        let_go(connection, row.number)
    return changed


def _set_services(connection: Connection, row: AccountRow) -> bool:
    assert row.services is not None
    found = {
        one.name_key: one
        for one in connection.execute(select(schema.services).where(_s.account == row.number))
    }
    changed = False
    for one in row.services:
        changed |= _put_service(connection, row.number, one, found.pop(one.name.lower(), None))
    for gone in found.values():
        connection.execute(
            delete(schema.service_ips).where(schema.service_ips.c.service == gone.id)
        )
        connection.execute(delete(schema.services).where(_s.id == gone.id))
        changed = True
    return changed


def _put_service(connection: Connection, account: str, one: ServiceRow, found: Any) -> bool:
    values = {
        "name": one.name,
        "kind": one.kind,
        "order_number": one.order,
        "ips": dump_texts(one.ips),
    }
    if found is not None and all(getattr(found, k) == v for k, v in values.items()):
        return False
    ips = schema.service_ips
    if found is None:
        row = {"account": account, "name_key": one.name.lower(), **values}
        result = connection.execute(insert(schema.services).values(row).returning(_s.id))
        number = result.scalar_one()
    else:
        number = found.id
        connection.execute(update(schema.services).where(_s.id == number).values(values))
        connection.execute(delete(ips).where(ips.c.service == number))
    if one.ips:
        rows = [{"service": number, "account": account, "ip": ip} for ip in one.ips]
        connection.execute(insert(ips), rows)
    return True


def _warnings(row: AccountRow) -> list[str]:
    """An official mailbox that fails with the service it is told about, or that refuses mail."""
    domain = row.primary.key.rpartition("@")[2]
    names = [one.name.lower() for one in row.services or ()]
    said = []
    if any(domain == name or domain.endswith(f".{name}") for name in names):
        said.append(
            f"account `{row.number}`: the official address `{row.primary.address}` is on the"
            " account's own service, and fails together with it"
        )
    if re.search(r"(^|[.-])(pec|legalmail|postacert)([.-]|$)", domain):
        said.append(
            f"account `{row.number}`: the official address `{row.primary.address}` looks like"
            " a PEC mailbox, which may refuse ordinary mail"
        )
    return said


# ---- one address


def add_address(
    connection: Connection,
    account: str,
    address: str,
    now: datetime,
    *,
    kinds: Iterable[str] = (),
    confirmed: bool = True,
    ours: Callable[[str], bool] = nobodys,
) -> None:
    """A secondary address. BadInput when it is none, ours, or stands on this account already.

    Not `confirmed`, its author is unknown until the mailbox has answered our question; whether
    another account has the address is never looked at.
    """
    one = foreign(_checked(connection, account, address), ours)
    if _found(connection, account, one.key) is not None:
        raise BadInput(f"`{one.address}` stands on account `{account}` already")
    values = {
        "account": account,
        "address": one.address,
        "key": one.key,
        "role": Role.SECONDARY.value,
        "kinds": dump_texts(kinds),
        "confirmed_at": micros(now) if confirmed else None,
        "asked_at": None if confirmed else micros(now),
        "created_at": micros(now),
    }
    connection.execute(insert(schema.addresses).values(values))


def ask_address(connection: Connection, account: str, address: str, now: datetime) -> str:
    """It is asked once more; what was asked before no longer counts. The address's key."""
    one = _checked(connection, account, address)
    found = _found(connection, account, one.key)
    if found is None:
        raise BadInput(f"`{one.address}` does not stand on account `{account}`")
    if found.confirmed_at is not None:
        raise BadInput(f"`{one.address}` is confirmed already")
    withdraw(connection, account, one.key)
    connection.execute(
        update(schema.addresses).where(_a.id == found.id).values(asked_at=micros(now))
    )
    return one.key


def confirm_address(connection: Connection, account: str, address: str, now: datetime) -> int:
    """Ops have looked at it: it is in doubt no longer, and what waited for that goes out.

    How many mails go.
    """
    one = _checked(connection, account, address)
    found = _found(connection, account, one.key)
    if found is None:
        raise BadInput(f"`{one.address}` does not stand on account `{account}`")
    withdraw(connection, account, one.key)
    connection.execute(
        update(schema.addresses)
        .where(_a.id == found.id)
        .values(confirmed_at=micros(now), asked_at=None, bounced_at=None)
    )
    return let_go(connection, account)


def domain_changed(connection: Connection, domain: str, at: datetime) -> int:
    """The registrar says that a domain expired or changed hands; how many addresses use it.

    What lies below the domain went with it. The later of two moments stays. An address that has
    not confirmed itself yet must be asked again.
    """
    name = domain.lower()
    uses = or_(
        _a.key.endswith(f"@{name}", autoescape=True),
        _a.key.endswith(f".{name}", autoescape=True),
    )
    latest = case((_a.domain_changed_at > micros(at), _a.domain_changed_at), else_=micros(at))
    result = connection.execute(
        update(schema.addresses).where(uses).values(domain_changed_at=latest, asked_at=None)
    )
    return int(result.rowcount)


def remove_address(connection: Connection, account: str, address: str) -> None:
    """A secondary address goes; the official one can only be replaced."""
    one = _checked(connection, account, address)
    found = _found(connection, account, one.key)
    if found is None:
        raise BadInput(f"`{one.address}` does not stand on account `{account}`")
    if found.role == Role.PRIMARY:
        raise BadInput(
            f"`{one.address}` is the official address of `{account}`; set another one first"
        )
    withdraw(connection, account, one.key)
    connection.execute(delete(schema.addresses).where(_a.id == found.id))


def set_primary(
    connection: Connection,
    account: str,
    address: str,
    now: datetime,
    *,
    ours: Callable[[str], bool] = nobodys,
) -> MovedAddress | None:
    """Another official address, confirmed; unsent mail of the account goes there.

    The old one stays as a secondary address. None when it was the official one already.
    """
    one = foreign(_checked(connection, account, address), ours)
    old = connection.execute(
        select(schema.addresses).where(_a.account == account, _a.role == Role.PRIMARY.value)
    ).first()
    if old is not None and old.key == one.key:
        return None
    unset_primary(connection, account)
    found = _found(connection, account, one.key)
    kinds = texts(found.kinds) if found is not None else ()
    put(connection, account, Role.PRIMARY, AddressRow(one.address, one.key, kinds), found, now)
    confirm_address(connection, account, address, now)
    if old is None:
        return None
    retarget(connection, account, old.address, one.address)
    let_go(connection, account)
    return MovedAddress(account, old.address, one.address)


def _checked(connection: Connection, account: str, address: str) -> AddressRow:
    c = schema.accounts.c
    if connection.execute(select(c.number).where(c.number == account)).first() is None:
        raise BadInput(f"there is no account `{account}`")
    return address_row(address, "address")


def _found(connection: Connection, account: str, key: str) -> Any:
    return connection.execute(
        select(schema.addresses).where(_a.account == account, _a.key == key)
    ).first()
