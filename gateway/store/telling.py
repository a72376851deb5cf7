"""An event is written with the commit that it tells of, and so is its delivery to each follower.

It says how its ticket stands at the end of the transaction, and which entry it is about.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, cast, func, insert, literal_column, select

from gateway.core.model import Event, NewEntry
from gateway.store import schema
from gateway.store.columns import dump, micros, micros_or_none
from gateway.store.prepared import Prepared, Step, const, param

_t = schema.tickets.c
_v, _e = schema.events.c, schema.entries.c
_one = select(literal_column("1").label("one")).subquery("one")
_EVENT = Prepared(  # with how its ticket stands now, at the end of what the transaction does to it
    insert(schema.events).from_select(
        [
            _v.event, _v.kind, _v.ticket, _v.at, _v.data, _v.entry,
            _v.account, _v.ticket_state, _v.department, _v.priority, _v.assignee,
        ],
        select(
            cast(param("event"), Text),
            cast(param("kind"), Text),
            cast(param("ticket"), Text),
            cast(param("at"), BigInteger),
            cast(param("data"), Text),
            select(func.max(_e.id))
            .where(
                _e.ticket == param("ticket"),
                _e.at == param("entry_at"),
                _e.by == param("entry_by"),
                _e.kind == param("entry_kind"),
            )
            .scalar_subquery(),
            _t.account,
            _t.state,
            _t.department,
            _t.priority,
            _t.assignee,
        ).select_from(_one.outerjoin(schema.tickets, _t.number == param("ticket"))),
    )
)  # fmt: skip
_w, _f = schema.webhooks.c, schema.followers.c
_FOLLOW = Prepared(  # a delivery for each follower, in the same transaction
    insert(schema.webhooks).from_select(
        [_w.endpoint, _w.event, _w.kind, _w.ticket, _w.due, _w.state, _w.tries, _w.created_at],
        select(
            _f.endpoint,
            cast(param("event"), Text),
            cast(param("kind"), Text),
            cast(param("ticket"), Text),
            cast(param("at"), BigInteger),
            const("due"),
            literal_column("0"),
            cast(param("at"), BigInteger),
        ).where(_f.kind.in_((cast(param("kind"), Text), literal_column("'*'")))),
    )
)


def steps(new: Event, entries: Sequence[NewEntry] = ()) -> list[Step]:
    """Something for those who follow, to be run last: with what was said, and how the ticket is.

    `entries` are those of the same transaction; the one that the event is about is named by it.
    """
    said = _told(new, entries)
    values = {
        "event": f"{micros(new.at):014x}{secrets.token_hex(8)}",
        "kind": new.kind,
        "ticket": new.ticket,
        "at": micros(new.at),
        "data": dump(new.data),
        "entry_at": micros_or_none(said.at if said else None),
        "entry_by": said.by if said else None,
        "entry_kind": said.kind if said else None,
    }
    return [Step(_EVENT, values), Step(_FOLLOW, values)]


def _told(new: Event, entries: Sequence[NewEntry]) -> NewEntry | None:
    """The entry that an event is about: what was said, else the last line of history."""
    own = [one for one in entries if one.ticket == new.ticket]
    said = [one for one in own if one.kind != "event"]
    if said and new.kind in ("ticket.opened", "entry.added"):
        return said[0]
    return own[-1] if own else None
