"""Each state in which something can wait is counted, dated, and told to people in time."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, update
from store_values import NOW, mail_row, new_ticket, opening, outgoing

from gateway import metrics
from gateway.core.model import Effects, Parked, TicketKind, TicketState
from gateway.health import Health
from gateway.store import fleet, schema
from gateway.store.columns import micros
from gateway.store.engine import Store
from gateway.store.fleet import Gateway
from gateway.store.waits import KINDS, unseen, waits
from gateway.store.writer import Writer
from gateway.watch import Watch

DAY = timedelta(days=1)
Arrange = Callable[[Writer], None]


def _committed(effects: Effects) -> Arrange:
    return lambda writer: writer.commit(effects).result(10) and None


def _state(state: str) -> Arrange:
    def arrange(writer: Writer) -> None:
        writer.commit(Effects(mail_row("m1"), outgoing=(outgoing("r1", None),))).result(10)
        change = update(schema.outbox).values(state=state)
        writer.run(lambda one: one.execute(change).rowcount).result(10)

    return arrange


def _hook(state: str) -> Arrange:
    def arrange(writer: Writer) -> None:
        row = {
            "endpoint": "https://f.example/", "event": "e1", "kind": "k", "ticket": "482913",
            "due": micros(NOW), "state": state, "tries": 0, "created_at": micros(NOW),
        }  # fmt: skip
        writer.run(lambda one: one.execute(insert(schema.webhooks).values(row)).rowcount).result()

    return arrange


def _released(writer: Writer) -> None:
    writer.commit(Effects(mail_row("m1"))).result(10)
    change = update(schema.mails).values(state="released")
    writer.run(lambda one: one.execute(change).rowcount).result(10)


PARKED = Parked("A-1001", NOW + 14 * DAY)
SORT = new_ticket(kind=TicketKind.SORT, account=None)
STATES: dict[str, Arrange] = {
    "failed mail": _committed(Effects(mail_row("m1", error="ValueError: x"))),
    "released mail": _released,
    "parked mail": _committed(Effects(mail_row("m1"), parked=PARKED)),
    "outbox due": _state("due"),
    "outbox held": _state("held"),
    "outbox failed": _state("failed"),
    "webhook due": _hook("due"),
    "webhook failed": _hook("failed"),
    "sort": _committed(Effects(mail_row("m1"), tickets=(SORT,))),
    "to be verified": _committed(Effects(mail_row("m1"), tickets=(new_ticket(verified=False),))),
    "overdue": _committed(Effects(mail_row("m1"), tickets=(new_ticket(),))),
}


def test_every_kind_is_arranged_here() -> None:
    """A new kind of waiting has a test."""
    assert STATES.keys() == KINDS.keys()


@pytest.mark.parametrize("name", STATES)
def test_what_waits_is_counted_and_dated(store: Store, writer: Writer, name: str) -> None:
    """Nothing waits before; one does afterwards, since a moment that is known."""
    with store.reading() as connection:
        assert waits(connection, NOW + DAY)[name].number == 0
    STATES[name](writer)
    with store.reading() as connection:
        found = waits(connection, NOW + DAY)
        assert found[name].number == 1
        late = 1800 if name == "overdue" else 0  # it waits since its time was over
        assert found[name].seconds == DAY.total_seconds() - late
        assert waits(connection, NOW - DAY)[name].number == 0  # the clock is before it
    told = dict(unseen(found))
    assert (name in told) == (KINDS[name].patience is not None)


def test_what_goes_on_by_itself_is_not_told(store: Store, writer: Writer) -> None:
    """A row that is due now, or a fresh ticket to be sorted, is nobody's business yet."""
    writer.commit(opening("m1")).result(10)
    writer.commit(Effects(mail_row("m2"), tickets=(replace(SORT, number="482914"),))).result(10)
    with store.reading() as connection:
        assert dict(unseen(waits(connection, NOW + timedelta(minutes=1)))) == {}


# ---- gateways


def watch(store: Store, writer: Writer, name: str, digest: str) -> Watch:
    return Watch(store, writer, name, lambda: NOW, lambda: digest)


def gauge(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_different_policies_are_an_alarm(store: Store, writer: Writer) -> None:
    """Two gateways with two digests: the gauge says 2, and /readyz names who has which."""
    one, other = (
        watch(store, writer, name, digest) for name, digest in (("a", "p1"), ("b", "p2"))
    )
    one.look()
    assert (gauge("portiere_gateways"), gauge("portiere_policy_digests")) == (1, 1)
    assert one.notes() == {}
    other.look()
    one.look()
    assert (gauge("portiere_gateways"), gauge("portiere_policy_digests")) == (2, 2)
    assert one.notes()["policies"].endswith("p1 on a; p2 on b")
    other.left()
    one.look()
    assert gauge("portiere_policy_digests") == 1
    assert one.notes() == {}


def test_a_gateway_that_died_is_no_alarm(store: Store, writer: Writer) -> None:
    """It is not seen any more after a minute, and forgotten after a day."""

    def seen(connection: Connection) -> None:
        long_ago, before = NOW - 2 * DAY, NOW - timedelta(minutes=2)
        for name, moment in (("old", long_ago), ("dead", before)):
            fleet.seen(connection, Gateway(name, "1", "p0", long_ago, moment))

    writer.run(seen).result(10)
    me = watch(store, writer, "me", "p1")
    me.look()
    assert (gauge("portiere_gateways"), gauge("portiere_policy_digests")) == (1, 1)
    with store.reading() as connection:
        rows = connection.execute(schema.gateways.select()).mappings().all()
    assert sorted(row["instance"] for row in rows) == ["dead", "me"]


async def _readyz(pages: Health) -> str:
    return (await pages._answer(b"GET /readyz HTTP/1.1\r\n\r\n")).decode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_is_on_readyz_and_in_the_metrics(store: Store, writer: Writer) -> None:
    """A failed mail does not take the gateway out of work, and is not to be overlooked."""

    async def well() -> dict[str, str]:
        return {}

    STATES["failed mail"](writer)
    me = watch(store, writer, "me", "p1")
    me.look()
    pages = Health("127.0.0.1:0", well, metrics.REGISTRY, me.notes)
    page = asyncio.run(_readyz(pages))
    assert page.startswith("HTTP/1.1 200 OK")
    assert "note: failed mail: 1, the first for 0 min: portiere queue list --failed" in page
    assert gauge("portiere_waiting", what="failed mail") == 1
    assert gauge("portiere_waiting", what="sort") == 0


def test_a_database_that_is_away_keeps_the_last_look(store: Store, writer: Writer) -> None:
    """Nothing is raised, and what was known is still shown."""
    STATES["failed mail"](writer)
    me = watch(store, writer, "me", "p1")
    me.look()
    writer.close()
    me.look()
    assert "failed mail" in me.notes()


def test_a_ticket_that_is_answered_waits_no_more(store: Store, writer: Writer) -> None:
    """Only what waits for staff counts."""
    answered = new_ticket(state=TicketState.CUSTOMER, verified=False)
    writer.commit(Effects(mail_row("m1"), tickets=(answered,))).result(10)
    with store.reading() as connection:
        assert waits(connection, NOW + DAY)["to be verified"].number == 0
