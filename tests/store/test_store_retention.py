"""What is erased when its time is over, on both engines: events, sent mail, what is owed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from store_values import NOW, mail_row, new_ticket, opening, outgoing

from gateway.core.model import Effects, Event, TicketState
from gateway.errors import BadInput
from gateway.store import announcements, events, outbox, retention, schema, tickets, webhooks
from gateway.store.announcements import Notice
from gateway.store.engine import Store
from gateway.store.outbox import Outbox
from gateway.store.webhooks import Hooks
from gateway.store.writer import Writer

DAY = timedelta(days=1)
PANEL = "https://panel.example/hook"


def counted(store: Store, table: Any) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar() or 0


def test_events_go_when_nobody_waits_for_them(store: Store, writer: Writer) -> None:
    """With what followers were told; one that is still to be told stays, and so do new ones."""
    writer.run(lambda one: events.follow(one, {PANEL: []}, NOW)).result(10)
    for n, at in enumerate((NOW, NOW, NOW + 2 * DAY)):
        number = f"{482913 + n}"
        told = (Event("ticket.opened", number, at, {}),)
        writer.commit(opening(f"m{n}", number, events=told)).result(10)
    hooks = Hooks(store, writer, PANEL)
    first, *_rest = hooks.claim("one", NOW + 3 * DAY)
    assert hooks.sent(first, NOW)
    gone = writer.run(lambda one: retention.erase_events(one, NOW + DAY)).result(10)
    assert gone == 1
    with store.reading() as connection:
        left = [one["ticket"]["number"] for one in events.read(connection)]
        rows = webhooks.list_rows(connection, states=["due", "sent"])
    assert left == ["482914", "482915"]
    assert len(rows) == 2
    assert writer.run(lambda one: retention.erase_events(one, NOW + DAY)).result(10) == 0


def test_sent_mail_goes_with_its_closed_ticket(store: Store, writer: Writer) -> None:
    """An open ticket keeps what was said in it; what waits is never erased."""
    for n, state in enumerate((TicketState.CUSTOMER, TicketState.CUSTOMER)):
        number = f"{482913 + n}"
        ticket = new_ticket(number, state=state)
        effects = Effects(
            mail_row(f"m{n}"), tickets=(ticket,),
            outgoing=(outgoing(f"r{n}", number), outgoing(f"w{n}", number, to="b@c.example")),
        )  # fmt: skip
        writer.commit(effects).result(10)
    notice = replace(outgoing("n1"), ticket=None)
    writer.commit(Effects(mail_row("m9"), outgoing=(notice,))).result(10)
    box = Outbox(store, writer)
    for lease in box.claim("one", NOW, 10):
        if not lease.message_id.startswith("<w"):
            assert box.sent(lease, NOW)
    writer.run(lambda one: tickets.close(one, "482913", "marta", NOW)).result(10)
    assert counted(store, schema.outbox) == 5
    assert writer.run(lambda one: retention.erase_sent(one, NOW + DAY)).result(10) == 2
    with store.reading() as connection:
        left = connection.execute(select(schema.outbox.c.message_id)).scalars().all()
    assert sorted(one[1:3] for one in left) == ["r1", "w0", "w1"]


def test_what_may_have_gone_twice_stays_counted(store: Store, writer: Writer) -> None:
    """A lost answer and a dead owner, each once; restarts and erasure forget neither."""
    writer.commit(
        Effects(mail_row("m1"), outgoing=(replace(outgoing("r1"), ticket=None),))
    ).result(10)
    box = Outbox(store, writer)

    def doubts() -> int:
        with store.reading() as connection:
            return outbox.doubts(connection)

    (first,) = box.claim("one", NOW)
    assert doubts() == 0
    assert box.retry(first, NOW, NOW, "connection lost after the dot", uncertain=True)
    assert doubts() == 1
    (second,) = box.claim("dead", NOW)
    assert not second.maybe_twice
    (third,) = box.claim("heir", NOW + DAY)
    assert (third.maybe_twice, doubts()) == (True, 2)
    assert box.retry(third, NOW, NOW, "451 later")
    (last,) = box.claim("heir", NOW + DAY)
    assert box.sent(last, NOW)
    assert doubts() == 2
    for n in range(2):  # erased rows are counted together
        assert writer.run(lambda one: retention.erase_sent(one, NOW + DAY)).result(10) == 1 - n
    writer.run(lambda one: outbox.keep_doubts(one, 3)).result(10)
    assert doubts() == 5


def owe(writer: Writer, **more: Any) -> int:
    notice = Notice(**{"slug": "vps", "title": "T", "text": "x", "starts_at": NOW, **more})
    return writer.run(lambda one: announcements.add(one, notice)).result(10)


def test_an_announcement_owes_each_account_one_copy(store: Store, writer: Writer) -> None:
    """In its own transaction; the very same once more owes no more; another text is refused."""
    assert owe(writer) == 2
    assert owe(writer) == 2
    with pytest.raises(BadInput, match="announced already"):
        owe(writer, text="y")
    assert owe(writer, slug="two", services=("VPS-12",)) == 1
    with pytest.raises(BadInput, match="no account has the service `none`"):
        owe(writer, slug="three", services=("none",))
    assert counted(store, schema.announcements) == 2
    assert counted(store, schema.copies) == 3


def test_what_is_owed_ends_with_the_announcement(store: Store, writer: Writer) -> None:
    """Nobody gets a copy of what is over; it is over once."""
    owe(writer)
    assert announcements.owing(store)
    with store.reading() as connection:
        (row,) = announcements.listed(connection)
    assert (row["slug"], row["owed"], row["ends_at"]) == ("vps", 2, None)
    assert writer.run(lambda one: announcements.end(one, "vps", NOW + DAY)).result(10) == 2
    assert not announcements.owing(store)
    with pytest.raises(BadInput, match="is in force"):
        writer.run(lambda one: announcements.end(one, "vps", NOW + DAY)).result(10)


def test_an_account_without_an_official_address_is_struck_off(
    store: Store, writer: Writer
) -> None:
    """Nothing is queued for it, and nothing is owed to it for ever."""
    owe(writer)
    fed = announcements.feed(store, writer, lambda _: None, lambda _: None, NOW)  # type: ignore[arg-type,return-value]
    assert (fed, announcements.owing(store), counted(store, schema.outbox)) == (0, False, 0)
