"""Announcements: news, maintenance, outages; whom they concern, and from when to when they stand.

A service is named as its account's panel names it. Its orders and addresses stand for it, so that
an incident that names only those is told of the announcement, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, literal, or_, select, text, update

from gateway.core.model import Account, Outgoing
from gateway.core.say import letters
from gateway.core.say.desk import Post
from gateway.errors import BadInput
from gateway.store import changes, schema
from gateway.store.columns import dump_texts, micros, micros_or_none, moment, moment_or_none, texts
from gateway.store.engine import Store
from gateway.store.writer import Writer

WAITING = 200  # copies in the outbox at once, and in one transaction
_n, _s, _c = schema.announcements.c, schema.services.c, schema.copies.c


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement; without services it concerns everybody."""

    slug: str
    title: str
    text: str
    starts_at: datetime
    ends_at: datetime | None = None
    services: tuple[str, ...] = ()


def add(connection: Connection, notice: Notice) -> int:
    """Put it in force, and owe each account that it concerns a copy; how many are owed.

    The very same announcement once more owes nothing new. BadInput where there is another of this
    name, or a service that nobody has.
    """
    concerned = select(_s.account, _s.name, _s.name_key, _s.order_number, _s.ips)
    wanted = {name.lower() for name in notice.services}
    rows = connection.execute(concerned.where(_s.name_key.in_(wanted))).all() if wanted else []
    unknown = wanted - {row.name_key for row in rows}
    if unknown:
        raise BadInput(f"no account has the service `{sorted(unknown)[0]}`")
    named = dump_texts(_identifiers(rows))
    standing = connection.execute(select(schema.announcements).where(_n.slug == notice.slug))
    if (found := standing.first()) is not None:
        if (found.title, found.text, found.services) == (notice.title, notice.text, named):
            return owed(connection, notice.slug)
        raise BadInput(f"`{notice.slug}` is announced already; name the file otherwise")
    values = {
        "slug": notice.slug,
        "title": notice.title,
        "text": notice.text,
        "services": named,
        "starts_at": micros(notice.starts_at),
        "ends_at": micros_or_none(notice.ends_at),
    }
    connection.execute(insert(schema.announcements).values(values))
    accounts = select(literal(notice.slug), schema.accounts.c.number)
    if wanted:
        accounts = accounts.where(schema.accounts.c.number.in_({row.account for row in rows}))
    connection.execute(insert(schema.copies).from_select([_c.slug, _c.account], accounts))
    return owed(connection, notice.slug)


def owed(connection: Connection, slug: str) -> int:
    """How many copies are still to be queued."""
    statement = select(func.count()).select_from(schema.copies).where(_c.slug == slug)
    return int(connection.execute(statement).scalar() or 0)


# ---- copies


def owing(store: Store) -> bool:
    """Whether any account is owed a copy."""
    with store.reading() as connection:
        return connection.execute(select(_c.slug).limit(1)).first() is not None


def feed(
    store: Store,
    writer: Writer,
    account: Callable[[str], Account | None],
    post: Callable[[datetime], Post],
    now: datetime,
) -> int:
    """Queue what is owed, up to as much as may wait in the outbox at once; how many copies.

    They are written outside of the writer's thread. A copy is queued in the transaction that
    strikes it off, so that a crash neither loses one nor sends one twice. Mail of tickets never
    waits behind more than `WAITING` of them.
    """
    with store.reading() as connection:
        chosen = _next(connection)
    finished = [(slug, number, _copy(account(number), title, words, post(now)))
                for slug, number, title, words in chosen]  # fmt: skip

    def work(connection: Connection) -> int:
        queued = 0
        for slug, number, mail in finished:
            struck = delete(schema.copies).where(_c.slug == slug, _c.account == number)
            if connection.execute(struck).rowcount and mail is not None:
                changes.queue(connection, [mail], now)
                queued += 1
        return queued

    return writer.run(work).result() if finished else 0


def _next(connection: Connection) -> list[tuple[str, str, str, str]]:
    kind, due = schema.outbox.c.kind, text(schema.DUE)
    waiting = select(func.count()).select_from(schema.outbox).where(due, kind == "announcement")
    room = WAITING - int(connection.execute(waiting).scalar() or 0)
    statement = (
        select(_c.slug, _c.account, _n.title, _n.text)
        .join(schema.announcements, _n.slug == _c.slug)
        .order_by(_c.slug, _c.account)
        .limit(max(room, 0))
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement)]


def _copy(account: Account | None, title: str, words: str, post: Post) -> Outgoing | None:
    """The account's copy; None for one that has no official address."""
    return None if account is None else letters.announcement(post, account, title, words)


def _identifiers(rows: Iterable[Any]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found |= dict.fromkeys((row.name, *texts(row.ips)))
        if row.order_number:
            found[row.order_number] = None
    return list(found)


def end(connection: Connection, slug: str, now: datetime) -> int:
    """It is over: acknowledgements carry it no longer; how many copies nobody gets any more."""
    standing = or_(_n.ends_at.is_(None), _n.ends_at > micros(now))
    statement = update(schema.announcements).where(_n.slug == slug, standing)
    if connection.execute(statement.values(ends_at=micros(now))).rowcount != 1:
        raise BadInput(f"no announcement `{slug}` is in force")
    return connection.execute(delete(schema.copies).where(_c.slug == slug)).rowcount


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every announcement, the newest first."""
    found = connection.execute(select(schema.announcements).order_by(_n.starts_at.desc()))
    return [
        {
            "slug": row.slug,
            "owed": owed(connection, row.slug),
            "title": row.title,
            "services": list(texts(row.services)),
            "starts_at": moment(row.starts_at),
            "ends_at": moment_or_none(row.ends_at),
        }
        for row in found
    ]
