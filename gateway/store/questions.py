"""The statements of the one read, each answered from the clues alone, so that none waits for
another.

Their number and shape are the same whoever writes: a list is one parameter however long it is, and
what is asked of an account is asked through the author's confirmed addresses.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    Select,
    and_,
    func,
    or_,
    select,
    text,
    union,
    union_all,
)

from gateway.core.model import Clues
from gateway.store import schema
from gateway.store.columns import HOUR, micros
from gateway.store.prepared import Prepared, Values, const, listed, named_in, param

OPEN_TICKETS = 200  # of one author, newest first
SENT_TEXTS = 20
PARKED = 100

_a, _t, _s = schema.addresses.c, schema.tickets.c, schema.services.c


class Asked(NamedTuple):
    """What the statements are filled from."""

    clues: Clues
    window: int  # microseconds in which a closed ticket still takes a twin
    numbers: tuple[str, ...]  # drawn at random; one of them that nobody has opens a ticket


class Question(NamedTuple):
    """A prepared statement, and how the clues fill it."""

    prepared: Prepared
    values: Callable[[Asked], Values]


def _own() -> Select[Any]:
    """The accounts on which the author's address stands, confirmed."""
    return select(_a.account).where(_a.key == param("author"), _a.confirmed_at.is_not(None))


def _claimed(*columns: Any) -> Select[Any]:
    """The accounts that the author's address waits to be confirmed on."""
    waiting = (_a.confirmed_at.is_(None), _a.asked_at.is_not(None))
    return select(*columns).where(_a.key == param("author"), *waiting)


def _author(asked: Asked) -> dict[str, Any]:
    return {"author": asked.clues.author_key}


def _named() -> CTE:
    """The numbers that the mail names, by token, subject or Message-ID, with merges followed."""
    known = schema.known_messages.c
    first = union_all(
        named_in("ticket", _t.number, _t.number.label("number")),
        named_in("message", known.message_id, known.ticket),
    ).subquery()
    named = select(first.c.number).cte("named", recursive=True)
    merged = schema.tickets.alias("merged").c
    into = select(merged.merged_into).where(merged.number == named.c.number).scalar_subquery()
    return named.union(select(into).where(named.c.number.is_not(None)))  # ends with a NULL


def _naming(asked: Asked) -> dict[str, Any]:
    return {
        "ticket": listed(asked.clues.tickets),
        "message": listed(asked.clues.message_ids),
    }


def _tickets() -> Question:
    named = _named()
    statement = select(schema.tickets).where(_t.number.in_(select(named.c.number)))
    return Question(Prepared(statement), _naming)


def account_columns() -> Select[Any]:
    """An account with its official address and those that get notices, a row an address."""
    c = schema.accounts.c
    notified = and_(_a.kinds != const("[]"), _a.confirmed_at.is_not(None))
    columns = (c.number, c.name, c.language, c.state, _a.address, _a.role, _a.kinds)
    dates = (_a.confirmed_at, _a.bounced_at, _a.domain_changed_at)
    shown = and_(_a.account == c.number, or_(_a.role == const("primary"), notified))
    return select(*columns, *dates).select_from(schema.accounts.join(schema.addresses, shown))


def _accounts() -> Question:
    named = _named()
    owners = select(_t.account).where(
        _t.number.in_(select(named.c.number)), _t.account.is_not(None)
    )
    concerned = union(_own(), _claimed(_a.account), owners)
    statement = (
        account_columns()
        .where(schema.accounts.c.number.in_(concerned))
        .order_by(schema.accounts.c.number, _a.id)
    )
    return Question(Prepared(statement), lambda asked: {**_naming(asked), **_author(asked)})


def _registrations() -> Question:
    statement = (
        select(_a.account, _a.role, _a.kinds, _a.confirmed_at, _a.domain_changed_at)
        .where(_a.key == param("author"), _a.confirmed_at.is_not(None))
        .order_by(_a.account)
    )
    return Question(Prepared(statement), _author)


def _open_tickets() -> Question:
    statement = (
        select(schema.tickets)
        .where(
            _t.account.in_(_own()),
            or_(_t.state != const("closed"), _t.closed_at > param("since")),
            _t.merged_into.is_(None),
        )
        .order_by(_t.updated_at.desc())
        .limit(OPEN_TICKETS)
    )
    return Question(
        Prepared(statement),
        lambda asked: {**_author(asked), "since": micros(asked.clues.now) - asked.window},
    )


def _services() -> Question:
    statement = (
        select(_s.account, _s.name, _s.kind, _s.order_number, _s.ips)
        .where(_s.account.in_(_own()))
        .order_by(_s.id)
    )
    return Question(Prepared(statement), _author)


def _owners() -> Question:
    """Whose the orders and addresses are that the mail says."""
    ips = schema.service_ips.c
    statement = union_all(
        named_in("order", _s.order_number, const("order"), _s.order_number, _s.account),
        named_in("ip", ips.ip, const("ip"), ips.ip, ips.account),
    )
    return Question(
        Prepared(statement),
        lambda asked: {
            "order": listed(asked.clues.orders),
            "ip": listed(asked.clues.ips),
        },
    )


def _messages() -> Question:
    c = schema.known_messages.c
    columns = (c.message_id, c.ticket, c.sent, c.automatic)
    statement = named_in("message", c.message_id, *columns)
    return Question(
        Prepared(statement),
        lambda asked: {"message": listed(asked.clues.message_ids)},
    )


def _sent() -> Question:
    named = _named()
    c = schema.outbox.c
    statement = (
        select(c.text, c.kind, c.created_at, c.notice)
        .where(
            c.ticket.in_(select(named.c.number)),
            c.state.in_((const("due"), const("held"), const("sent"))),
        )
        .order_by(c.id.desc())
        .limit(SENT_TEXTS)
    )
    return Question(Prepared(statement), _naming)


def _replays() -> Question:
    c = schema.replays.c
    columns = (c.digest, c.content_digest, c.first_seen)
    statement = named_in("signature", c.digest, *columns).where(c.first_seen > param("since"))
    fortnight = 14 * 24 * HOUR
    return Question(
        Prepared(statement),
        lambda asked: {
            "signature": listed(asked.clues.signature_digests),
            "since": micros(asked.clues.now) - fortnight,
        },
    )


def _seen() -> Question:
    """The very same mail, the same content, or one author's same words under one Message-ID."""
    c = schema.mails.c
    columns = (c.mail, c.key, c.proof, c.ticket, c.state, c.received_at)
    statement = union_all(
        select(*columns).where(c.key == param("key")),
        select(*columns).where(c.content_digest == param("content")),
        select(*columns).where(
            c.message_id == param("message_id"),
            c.author_key == param("author"),
            c.body_digest == param("body"),
        ),
    )
    return Question(
        Prepared(statement),
        lambda asked: {
            **_author(asked),
            "key": asked.clues.mail_key,
            "content": asked.clues.content_digest,
            "message_id": asked.clues.message_id,
            "body": asked.clues.body_digest,
        },
    )


def _spending() -> Question:
    """Units of 24 hours by ledger: of the author's accounts, himself, his domain, and all."""
    c = schema.ledger.c
    recent = c.hour >= param("since")
    fixed = (param("author"), param("domain"), const(""))
    statement = union_all(
        *(
            select(c.ledger, c.key, func.sum(c.n)).where(recent, mine).group_by(c.ledger, c.key)
            for mine in (c.key.in_(fixed), c.key.in_(_own()))
        )
    )
    return Question(
        Prepared(statement),
        lambda asked: {
            **_author(asked),
            "domain": asked.clues.author_domain,
            "since": micros(asked.clues.now) // HOUR - 24,
        },
    )


def _waiting() -> Question:
    c = schema.waiting.c
    statement = select(c.priority, func.sum(c.n)).group_by(c.priority)
    return Question(Prepared(statement), lambda _: {})


def _taken() -> Question:
    statement = named_in("free", _t.number, _t.number)
    return Question(Prepared(statement), lambda asked: {"free": listed(asked.numbers)})


def _announcements() -> Question:
    c = schema.announcements.c
    statement = select(c.slug, c.title, c.text, c.services).where(
        c.starts_at <= param("now"),
        or_(c.ends_at.is_(None), c.ends_at > param("now")),
    )
    return Question(Prepared(statement), lambda asked: {"now": micros(asked.clues.now)})


def _parked() -> Question:
    c = schema.parked.c
    statement = (
        select(c.mail, c.account, c.ticket)
        .where(c.account.in_(_own()), text(schema.PARKED), c.expires > param("now"))
        .order_by(c.created_at)
        .limit(PARKED)
    )
    return Question(
        Prepared(statement), lambda asked: {**_author(asked), "now": micros(asked.clues.now)}
    )


def _claims() -> Question:
    statement = _claimed(_a.account, _a.address, _a.key, _a.asked_at).order_by(_a.account)
    return Question(Prepared(statement), _author)


TICKETS_NAMED = _tickets()
ACCOUNTS = _accounts()
REGISTRATIONS = _registrations()
OPEN = _open_tickets()
SERVICES = _services()
OWNERS = _owners()
KNOWN = _messages()
SENT = _sent()
REPLAYS = _replays()
SEEN = _seen()
SPENDING = _spending()
WAITING = _waiting()
TAKEN = _taken()
ANNOUNCED = _announcements()
PARKED_MAIL = _parked()
CLAIMS = _claims()

ALL = (
    TICKETS_NAMED,
    ACCOUNTS,
    REGISTRATIONS,
    OPEN,
    SERVICES,
    OWNERS,
    KNOWN,
    SENT,
    REPLAYS,
    SEEN,
    SPENDING,
    WAITING,
    TAKEN,
    ANNOUNCED,
    PARKED_MAIL,
    CLAIMS,
)
