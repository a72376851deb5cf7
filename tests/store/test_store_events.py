"""Events for followers: written with what they tell of, delivered by leases, in order."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from store_values import NOW, opening
from tests_support import ROOT

from gateway.core.model import Event, TicketState
from gateway.core.model.event import KINDS
from gateway.store import events, schema, tickets, webhooks
from gateway.store.engine import Store
from gateway.store.webhooks import HookLease, Hooks
from gateway.store.writer import Writer

MINUTE = timedelta(minutes=1)
PANEL = "https://panel.example/hook"
DESK = "https://desk.example/in"


def opened(writer: Writer, name: str = "m1", number: str = "482913", *kinds: str) -> None:
    """A mail that opens a ticket, with its events."""
    told = tuple(Event(kind, number, NOW, {}) for kind in kinds or ("ticket.opened",))
    writer.commit(opening(name, number, events=told)).result(10)


@pytest.fixture
def hooks(store: Store, writer: Writer) -> Hooks:
    """The panel follows everything, the desk only what is closed."""
    wanted: dict[str, list[str]] = {PANEL: [], DESK: ["ticket.closed"]}
    writer.run(lambda one: events.follow(one, wanted, NOW)).result(10)
    return Hooks(store, writer, PANEL)


def kinds(leases: list[HookLease]) -> list[str]:
    return [lease.kind for lease in leases]


def listed(store: Store, **chosen: Any) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return webhooks.list_rows(connection, **chosen)


def test_an_event_says_how_its_ticket_stood_and_what_was_said(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """The body of one delivery: ticket, entry, times in RFC 3339; later changes alter nothing."""
    opened(writer)
    writer.run(lambda one: tickets.close(one, "482913", "marta", NOW + MINUTE)).result(10)
    (first,) = hooks.claim("one", NOW + MINUTE)
    said = json.loads(first.raw)
    assert first.message_id == said["id"]
    assert (said["version"], said["kind"], said["at"]) == (
        1, "ticket.opened", "2026-11-22T12:00:00Z",
    )  # fmt: skip
    assert said["ticket"]["number"] == "482913"
    assert (said["ticket"]["account"], said["ticket"]["state"]) == ("A-1001", "new")
    assert (said["entry"]["by"], said["entry"]["kind"]) == ("customer", "mail")
    assert said["entry"]["internal"] is False
    assert hooks.sent(first, NOW)
    (second,) = hooks.claim("one", NOW + MINUTE)
    said = json.loads(second.raw)
    assert (said["kind"], said["ticket"]["state"]) == ("ticket.closed", "closed")
    assert said["entry"]["text"] == "closed"
    assert said["entry"]["internal"] is True


def test_secrets_are_masked_in_what_followers_get(store: Store, writer: Writer) -> None:
    """A password in a note stays in the database."""
    opened(writer)
    writer.run(
        lambda one: tickets.add_note(one, "482913", "marta", "password: Tr0ub4dor", NOW)
    ).result(10)
    with store.reading() as connection:
        last = events.newest(connection, 1)[0]
    assert last["kind"] == "entry.added"
    assert "Tr0ub4dor" not in last["entry"]["text"]
    assert last["entry"]["masked"] is True
    assert last["entry"]["internal"] is True


def test_each_follower_gets_the_kinds_that_it_asked_for(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """One row an endpoint, in the transaction of the event; none where nobody follows."""
    opened(writer)
    writer.run(lambda one: tickets.close(one, "482913", "marta", NOW)).result(10)
    found = sorted((row["endpoint"], row["kind"]) for row in listed(store))
    assert found == [(DESK, "ticket.closed"), (PANEL, "ticket.closed"), (PANEL, "ticket.opened")]


def test_who_is_not_configured_any_more_is_told_no_more(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """What was due to it is dropped, and says why."""
    opened(writer)
    writer.run(lambda one: events.follow(one, {DESK: []}, NOW)).result(10)
    (row,) = listed(store, states=["dropped"])
    assert (row["endpoint"], row["error"]) == (PANEL, "the endpoint is not configured any more")
    opened(writer, "m2", "482914")
    assert [row["endpoint"] for row in listed(store)] == [DESK]


def test_an_event_that_is_rolled_back_is_told_to_nobody(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """The delivery stands in the same transaction as what it tells of."""

    def broken(connection: Any) -> None:
        tickets.close(connection, "482913", "marta", NOW)
        raise ZeroDivisionError

    opened(writer)
    with pytest.raises(ZeroDivisionError):
        writer.run(broken).result(10)
    assert [row["kind"] for row in listed(store)] == ["ticket.opened"]
    with store.reading() as connection:
        assert [one["kind"] for one in events.read(connection)] == ["ticket.opened"]


def test_order_is_kept_for_each_ticket_and_endpoint(writer: Writer, hooks: Hooks) -> None:
    """While the first is being retried its ticket waits, and other tickets go on."""
    opened(writer, "m1", "482913", "ticket.opened", "entry.added")
    opened(writer, "m2", "482914")
    first = hooks.claim("one", NOW)
    assert [(one.kind, json.loads(one.raw)["ticket"]["number"]) for one in first] == [
        ("ticket.opened", "482913"),
        ("ticket.opened", "482914"),
    ]
    assert hooks.retry(first[0], NOW, NOW + 5 * MINUTE, "500", uncertain=False)
    assert hooks.sent(first[1], NOW)
    assert hooks.claim("one", NOW + MINUTE) == []
    (again,) = hooks.claim("one", NOW + 5 * MINUTE)
    assert (again.kind, again.tries, again.message_id) == (
        "ticket.opened", 2, first[0].message_id,
    )  # fmt: skip
    assert again.raw == first[0].raw
    assert hooks.sent(again, NOW)
    assert kinds(hooks.claim("one", NOW + 5 * MINUTE)) == ["entry.added"]


def test_a_dead_gateways_delivery_comes_back_and_its_late_word_counts_for_nothing(
    writer: Writer, hooks: Hooks
) -> None:
    """Finishing is fenced by the owner; the event keeps its id."""
    opened(writer)
    (dead,) = hooks.claim("dead", NOW, 10, MINUTE)
    assert hooks.claim("heir", NOW, 10, MINUTE) == []
    (again,) = hooks.claim("heir", NOW + 2 * MINUTE, 10, MINUTE)
    assert (again.tries, again.message_id) == (2, dead.message_id)
    assert not hooks.sent(dead, NOW)
    assert not hooks.failed(dead, NOW, "late", bounced=False)
    assert hooks.sent(again, NOW)
    assert hooks.next_due() is None


def test_a_new_start_takes_over_what_the_dead_one_held(writer: Writer, hooks: Hooks) -> None:
    """One gateway on one file: nobody else can be sending."""
    opened(writer)
    hooks.claim("dead", NOW)
    assert hooks.abandoned(NOW) == 1
    assert kinds(hooks.claim("new", NOW)) == ["ticket.opened"]


def test_several_gateways_share_the_deliveries(store: Store, writer: Writer, hooks: Hooks) -> None:
    """Two writers on one database claim each row once."""
    for n in range(12):
        opened(writer, f"m{n}", f"{500000 + n}")
    with Writer(store) as second:
        both = [hooks, Hooks(store, second, PANEL)]
        claimed = [
            one.id
            for _ in range(4)
            for owner, box in enumerate(both)
            for one in box.claim(f"{owner}", NOW, 2)
        ]
    assert len(claimed) == len(set(claimed)) == 12


def test_what_was_given_up_is_shown_and_can_be_sent_again(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """With its error; a requeued one has its whole time again; one being sent is left alone."""
    opened(writer)
    (lease,) = hooks.claim("one", NOW)
    act = lambda action, at: writer.run(  # noqa: E731  (said four times below)
        lambda link: webhooks.act(link, action, [lease.id], at)
    ).result(10)
    assert act("drop", NOW) == 0
    assert hooks.failed(lease, NOW, "given up: 500", bounced=False)
    (row,) = listed(store, states=["failed"])
    assert (row["kind"], row["error"]) == ("ticket.opened", "given up: 500")
    with store.reading() as connection:
        assert webhooks.counts(connection) == {"due": 0, "failed": 1}
    later = NOW + timedelta(days=9)
    assert act("requeue", later) == 1
    (again,) = hooks.claim("one", later)
    assert again.created_at == later
    hooks.retry(again, later, later + MINUTE, "500", uncertain=False)
    assert act("retry", later) == 1
    assert act("drop", later) == 1
    assert hooks.next_due() is None


def test_events_are_read_in_order_from_a_moment_on(store: Store, writer: Writer) -> None:
    """By time, ticket and kind, more than a batch at a time; one can be found by its id."""
    opened(writer)
    later = NOW + timedelta(hours=1)

    def many(connection: Any) -> None:
        for n in range(events.BATCH + 20):
            tickets.add_note(connection, "482913", "marta", f"note {n}", later)

    writer.run(many).result(30)
    with store.reading() as connection:
        every = list(events.read(connection))
        assert len(every) == events.BATCH + 21
        assert len({one["id"] for one in every}) == len(every)
        since = list(events.read(connection, since=later, limit=events.BATCH + 5))
        assert len(since) == events.BATCH + 5
        assert {one["kind"] for one in since} == {"entry.added"}
        only = list(events.read(connection, kinds=["ticket.opened"], until=later))
        assert [one["ticket"]["number"] for one in only] == ["482913"]
        assert list(events.read(connection, ticket="000000")) == []
        assert events.find(connection, every[0]["id"]) == every[0]
        assert events.find(connection, "none") is None


def test_whatever_is_done_to_a_ticket_is_told(store: Store, writer: Writer) -> None:
    """Note, priority, link, closing, reopening, merging: each has its kind and names its entry."""
    opened(writer)
    opened(writer, "m2", "482914")

    def work(connection: Any) -> None:
        tickets.add_note(connection, "482913", "marta", "seen", NOW)
        tickets.set_priority(connection, "482913", "high", "marta", NOW)
        tickets.link(connection, "482913", "482914", "marta", NOW)
        tickets.close(connection, "482913", "marta", NOW)
        tickets.reopen(connection, "482913", "marta", NOW)
        tickets.merge(connection, "482913", "482914", "marta", NOW)

    writer.run(work).result(10)
    with store.reading() as connection:
        told = [(one["kind"], one["ticket"]["number"]) for one in events.read(connection)][2:]
        named = {one["entry"]["id"] for one in events.read(connection)}
        entries = set(connection.execute(select(schema.entries.c.id)).scalars())
    assert told == [
        ("entry.added", "482913"),
        ("ticket.changed", "482913"),
        ("ticket.changed", "482913"),
        ("ticket.closed", "482913"),
        ("ticket.reopened", "482913"),
        ("ticket.merged", "482913"),
        ("ticket.changed", "482914"),
    ]
    assert named == entries


def test_a_ticket_is_closed_in_the_events_that_say_so(store: Store, writer: Writer) -> None:
    """The state in the event is the one at the end of its transaction."""
    opened(writer)
    writer.run(lambda one: tickets.close(one, "482913", "marta", NOW)).result(10)
    with store.reading() as connection:
        states = [one["ticket"]["state"] for one in events.read(connection)]
    assert states == [TicketState.NEW.value, TicketState.CLOSED.value]


def test_the_page_of_webhooks_names_every_kind_and_every_key(
    store: Store, writer: Writer, hooks: Hooks
) -> None:
    """What followers rely on is written down, and the example in it has the keys that are sent."""
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in page] == []
    example = json.loads(page.split("```json")[1].split("```")[0])
    opened(writer)
    (lease,) = hooks.claim("one", NOW)
    said = json.loads(lease.raw)
    assert list(said) == list(example)
    assert list(said["ticket"]) == list(example["ticket"])
    assert list(said["entry"]) == list(example["entry"])
