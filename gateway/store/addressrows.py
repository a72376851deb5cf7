"""Rows of addresses, and the unsent mail that goes with them, as an account changes.

The official address takes the account's unsent mail along; questions that unconfirmed addresses
were asked do not outlive it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, true, update

from gateway.core.model import Role
from gateway.store import schema
from gateway.store.accountfile import AddressRow
from gateway.store.columns import dump_texts, micros
from gateway.store.doubts import DOUBT, doubtful

_a = schema.addresses.c
QUESTION = "address-confirm"  # the kind of the mail that asks an address to confirm itself


def put(
    connection: Connection,
    account: str,
    role: Role,
    one: AddressRow,
    found: Any,
    now: datetime,
) -> bool:
    values: dict[str, Any] = {
        "address": one.address,
        "role": role.value,
        "kinds": dump_texts(one.kinds),
    }
    at = micros(now)
    if found is None:
        row = {"account": account, "key": one.key, "confirmed_at": at, "created_at": at}
        connection.execute(insert(schema.addresses).values(**row, **values))
        return True
    if found.confirmed_at is None:
        values |= {"confirmed_at": at, "asked_at": None}
    if all(getattr(found, name) == value for name, value in values.items()):
        return False
    connection.execute(update(schema.addresses).where(_a.id == found.id).values(**values))
    return True


def unset_primary(connection: Connection, account: str) -> None:
    """There is one primary at a time; the database sees to that.

    What the account asked of its other addresses is void with it: they must be asked again.
    """
    withdraw(connection, account)
    connection.execute(update(schema.addresses).where(_a.account == account).values(asked_at=None))
    connection.execute(
        update(schema.addresses)
        .where(_a.account == account, _a.role == Role.PRIMARY.value)
        .values(role=Role.SECONDARY.value)
    )


def retarget(connection: Connection, account: str, old: str, new: str) -> int:
    """Send what is unsent to the new official address, envelope and `To` alike; how many rows."""
    c = schema.outbox.c
    rows = connection.execute(
        select(c.id, c.raw).where(
            c.account == account,
            text(schema.UNSENT),
            c.notice.is_(False),
            func.lower(c.recipient) == old.lower(),
        )
    ).all()
    for number, raw in rows:
        values = {"recipient": new, "raw": _to(bytes(raw), old, new)}
        connection.execute(update(schema.outbox).where(c.id == number).values(values))
    return len(rows)


def _to(raw: bytes, old: str, new: str) -> bytes:
    """The `To` field that our own writer made, with the new address; nothing else is touched."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for place, line in enumerate(lines):
        if line[:3].lower() == b"to:":
            lines[place] = line.replace(old.encode(), new.encode())
    return b"\r\n".join(lines) + blank + body


def withdraw(connection: Connection, account: str, key: str | None = None) -> None:
    """Questions to unconfirmed addresses that have not left are dropped: of one, or of all."""
    c = schema.outbox.c
    which = true() if key is None else func.lower(c.recipient) == key
    connection.execute(
        update(schema.outbox)
        .where(c.account == account, text(schema.UNSENT), c.kind == QUESTION, which)
        .values(state="dropped")
    )


def let_go(connection: Connection, account: str) -> int:
    """Mail that waited for nothing but the doubt about its destination goes, once that is over.

    How many mails go.
    """
    official = connection.execute(
        select(_a.address, _a.confirmed_at, _a.bounced_at, _a.domain_changed_at).where(
            _a.account == account, _a.role == Role.PRIMARY.value
        )
    ).first()
    if official is None or doubtful(*official[1:]):
        return 0
    c = schema.outbox.c
    result = connection.execute(
        update(schema.outbox)
        .where(
            c.account == account,
            c.state == "held",
            c.held.startswith(DOUBT, autoescape=True),
            func.lower(c.recipient) == official.address.lower(),
        )
        .values(state="due", held=None)
    )
    return int(result.rowcount)
