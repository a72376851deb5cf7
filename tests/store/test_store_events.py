"""Events for followers."""

from store_values import NOW, opening

from gateway.core.model import Event
from gateway.store import events
from gateway.store.engine import Store
from gateway.store.writer import Writer


def test_followers_are_told_once(store: Store, writer: Writer) -> None:
    """In order, until they have taken it."""
    both = tuple(Event(kind, "482913", NOW, {"n": 1}) for kind in ("opened", "added"))
    writer.commit(opening("m1", events=both)).result(10)
    with store.reading() as connection:
        due = events.due(connection)
    assert [(one["kind"], one["at"], one["data"]) for one in due] == [
        ("opened", NOW, '{"n":1}'),
        ("added", NOW, '{"n":1}'),
    ]
    first = [due[0]["id"]]
    assert writer.run(lambda c: events.told(c, first)).result(10) == 1
    assert writer.run(lambda c: events.told(c, first)).result(10) == 0
    with store.reading() as connection:
        assert [one["kind"] for one in events.due(connection)] == ["added"]
