"""Whether articles help: each answer is remembered by its article, without a word of the question.

A reply that says it did not help, and a ticket that its author opens within three days, are noted
in the transaction of that mail. Every mail runs the same two statements, whoever writes and
whatever it says, and nothing that is decided or sent depends on them.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, or_, select, update

from gateway.core.model import Effects
from gateway.store import schema
from gateway.store.columns import micros
from gateway.store.prepared import Prepared, Step, insert_into, listed, named_in, param

SOON = timedelta(hours=72)  # a ticket within this says that the answer did not help
REPLIES = timedelta(days=90)  # so long the Message-ID of an answer is known

_a = schema.answers.c
_ANSWERED = Prepared(insert_into(schema.answers))
_UNSOLVED = Prepared(
    update(schema.answers)
    .where(_a.id.in_(named_in("ids", _a.message_id, _a.id)), _a.unsolved_at.is_(None))
    .values(unsolved_at=param("now"))
)
_TICKETED = Prepared(
    update(schema.answers)
    .where(
        _a.author_key == param("author"),
        _a.at > param("since"),
        _a.at <= param("now"),
        _a.ticket_at.is_(None),
    )
    .values(ticket_at=param("now"))
)


class Helped(NamedTuple):
    """How often an article was sent as an answer, and how often that did not help."""

    article: str
    sent: int
    unsolved: int  # a reply says so
    ticketed: int  # its author opened a ticket within 72 hours
    failed: int  # either

    @property
    def share(self) -> float:
        """Of the answers that did not help, 0 to 1."""
        return round(self.failed / self.sent, 3) if self.sent else 0.0


def answered(effects: Effects) -> list[Step]:
    """The row of an answer that goes out."""
    one = effects.answered
    if one is None:
        return []
    values = {
        "article": one.article,
        "language": one.language,
        "at": micros(effects.mail.received_at),
        "author_key": effects.mail.author_key,
        "message_id": one.message_id,
        "unsolved_at": None,
        "ticket_at": None,
    }
    return [Step(_ANSWERED, values)]


def heard(effects: Effects) -> tuple[Step, Step]:
    """What this mail says of earlier answers: that they did not help, and that a ticket opens.

    Without either the statements are the same, and find nothing.
    """
    now = effects.mail.received_at
    opens = bool(effects.tickets) and bool(effects.mail.author_key)
    author = effects.mail.author_key if opens else None
    when = {"now": micros(now), "since": micros(now - SOON), "author": author}
    return (
        Step(_UNSOLVED, {"now": micros(now), "ids": listed(effects.unsolved)}),
        Step(_TICKETED, when),
    )


def helped(connection: Connection, since: datetime | None = None) -> list[Helped]:
    """By article, those that helped least first."""
    failed = or_(_a.unsolved_at.is_not(None), _a.ticket_at.is_not(None))
    counted = select(
        _a.article,
        func.count(),
        func.count(_a.unsolved_at),
        func.count(_a.ticket_at),
        func.sum(case((failed, 1), else_=0)),
    ).group_by(_a.article)
    if since is not None:
        counted = counted.where(_a.at >= micros(since))
    found = [Helped(row[0], *(int(n) for n in row[1:])) for row in connection.execute(counted)]
    return sorted(found, key=lambda one: (-one.share, -one.sent, one.article))


def forget(connection: Connection, now: datetime) -> int:
    """Who asked, once no ticket of his can count; then by which mail he was answered."""
    asked = and_(_a.author_key.is_not(None), _a.at < micros(now - SOON))
    replied = and_(_a.message_id.is_not(None), _a.at < micros(now - REPLIES))
    counts = (
        connection.execute(update(schema.answers).where(asked).values(author_key=None)).rowcount,
        connection.execute(update(schema.answers).where(replied).values(message_id=None)).rowcount,
    )
    return sum(counts)
