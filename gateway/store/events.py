"""Events for followers (webhooks): written with the commit that they tell of, told in order."""

from typing import Any

from sqlalchemy import Connection, select, update

from gateway.store import schema
from gateway.store.columns import moment


def due(connection: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """What followers have not been told yet, oldest first; `data` is JSON."""
    c = schema.events.c
    statement = (
        select(c.id, c.kind, c.ticket, c.at, c.data)
        .where(c.state == "due")
        .order_by(c.id)
        .limit(limit)
    )
    found = connection.execute(statement).mappings()
    return [{**row, "at": moment(row["at"])} for row in found]


def told(connection: Connection, numbers: list[int]) -> int:
    """Followers have taken these events; how many were due."""
    c = schema.events.c
    statement = update(schema.events).where(c.id.in_(numbers), c.state == "due")
    return int(connection.execute(statement.values(state="sent")).rowcount)
