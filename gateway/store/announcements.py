"""Announcements: news, maintenance, outages; whom they concern, and from when to when they stand.

A service is named as its account's panel names it. Its orders and addresses stand for it, so that
an incident that names only those is told of the announcement, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from gateway.errors import BadInput
from gateway.store import schema
from gateway.store.columns import dump_texts, micros, micros_or_none, moment, moment_or_none, texts

_n, _s = schema.announcements.c, schema.services.c


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement; without services it concerns everybody."""

    slug: str
    title: str
    text: str
    starts_at: datetime
    ends_at: datetime | None = None
    services: tuple[str, ...] = ()


def add(connection: Connection, notice: Notice) -> list[str]:
    """Put it in force; the numbers of the accounts that it concerns.

    BadInput where there is one of this name, or a service that nobody has.
    """
    if connection.execute(select(_n.slug).where(_n.slug == notice.slug)).first() is not None:
        raise BadInput(f"`{notice.slug}` is announced already; name the file otherwise")
    concerned = select(_s.account, _s.name, _s.name_key, _s.order_number, _s.ips)
    wanted = {name.lower() for name in notice.services}
    if wanted:
        concerned = concerned.where(_s.name_key.in_(wanted))
    rows = connection.execute(concerned).all()
    unknown = wanted - {row.name_key for row in rows}
    if unknown:
        raise BadInput(f"no account has the service `{sorted(unknown)[0]}`")
    values = {
        "slug": notice.slug,
        "title": notice.title,
        "text": notice.text,
        "services": dump_texts(_identifiers(rows) if wanted else ()),
        "starts_at": micros(notice.starts_at),
        "ends_at": micros_or_none(notice.ends_at),
    }
    connection.execute(insert(schema.announcements).values(values))
    if wanted:
        return sorted({row.account for row in rows})
    return list(connection.execute(select(schema.accounts.c.number)).scalars())


def _identifiers(rows: Iterable[Any]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found |= dict.fromkeys((row.name, *texts(row.ips)))
        if row.order_number:
            found[row.order_number] = None
    return list(found)


def end(connection: Connection, slug: str, now: datetime) -> None:
    """It is over: acknowledgements carry it no longer."""
    standing = or_(_n.ends_at.is_(None), _n.ends_at > micros(now))
    statement = update(schema.announcements).where(_n.slug == slug, standing)
    if connection.execute(statement.values(ends_at=micros(now))).rowcount != 1:
        raise BadInput(f"no announcement `{slug}` is in force")


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every announcement, the newest first."""
    found = connection.execute(select(schema.announcements).order_by(_n.starts_at.desc()))
    return [
        {
            "slug": row.slug,
            "title": row.title,
            "services": list(texts(row.services)),
            "starts_at": moment(row.starts_at),
            "ends_at": moment_or_none(row.ends_at),
        }
        for row in found
    ]
