"""No statement of a mail, of the outbox, of the clock's work or of a page for people reads a whole
table that grows, on either engine.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from store_values import NOW, opening

from gateway import store as room
from gateway.core.model import TicketState
from gateway.store import (
    accounts,
    accountview,
    announcements,
    events,
    fleet,
    leases,
    mails,
    outbox,
    questions,
    retention,
    schema,
    tickets,
    waits,
    webhooks,
)
from gateway.store.engine import Store
from gateway.store.prepared import Link, Prepared
from gateway.store.writer import Writer

# Tables with a row a process, a priority, an announcement in force, a follower, a key.
SMALL = frozenset({"waiting", "announcements", "jobs", "gateways", "followers", "meta"})
PARTIAL = frozenset(
    str(index.name)
    for table in schema.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
)
# Of staff's answers to people without an account alone: which domains belong to a customer.
MEANT = frozenset({"naming._DOMAINS"})
_SQLITE = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
_SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")

Page = Callable[[Connection], object]


def prepared() -> Iterator[tuple[str, Prepared]]:
    """Every statement that is compiled once: those of a mail, the outbox and the webhooks."""
    for question in questions.ALL:
        yield "question", question.prepared
    for module in pkgutil.iter_modules(room.__path__):
        if module.name == "migrations":
            continue
        found = importlib.import_module(f"gateway.store.{module.name}")
        for name, value in vars(found).items():
            if isinstance(value, Prepared) and f"{module.name}.{name}" not in MEANT:
                yield f"{module.name}.{name}", value


PAGES: dict[str, Page] = {
    "queue": lambda one: tickets.queue(one),
    "queue of a department": lambda one: tickets.queue(one, department="technical"),
    "ticket": lambda one: tickets.show(one, "482913"),
    "tickets": lambda one: tickets.list_tickets(one),
    "tickets of an account": lambda one: tickets.list_tickets(one, account="A-1001"),
    "overdue": lambda one: tickets.overdue(one, NOW),
    "escalated": lambda one: tickets.escalated(one, ["482913"], NOW),
    "answer": lambda one: tickets.add_note(one, "482913", "marta", "seen", NOW),
    "outbox": lambda one: outbox.list_rows(one),
    "a row": lambda one: outbox.show(one, 1),
    "hold": lambda one: outbox.act(one, "hold", [1], NOW),
    "doubts": outbox.doubts,
    "brought near": lambda one: outbox.brought_near(one, NOW),
    "webhooks counted": webhooks.counts,
    "failed": mails.list_failed,
    "parked": mails.list_parked,
    "mails counted": mails.counts,
    "expire": lambda one: mails.expire(one, NOW),
    "forget": lambda one: retention.forget(one, NOW),
    "account": lambda one: accountview.show(one, "A-1001"),
    "account by address": lambda one: accountview.find(one, "anna@cliente.example"),
    "add address": lambda one: accounts.add_address(one, "A-1001", "x@cliente.example", NOW),
    "announcements": lambda one: announcements.listed(one),
    "events": lambda one: events.newest(one, 100),
    "lease": lambda one: leases.claim(one, "job", "me", NOW, timedelta(hours=1)),
    "gateways": lambda one: fleet.alive(one, NOW),
    "waits": lambda one: waits.waits(one, NOW),
}


@pytest.fixture
def filled(store: Store, writer: Writer) -> Store:
    """One ticket, answered and waiting again, so that pages have something to show."""
    writer.commit(opening("m1")).result(10)
    return store


def complaints(rows: list[str], *, sqlite: bool) -> list[str]:
    """The lines of a plan that read a whole table that grows."""
    bad = []
    for line in rows:
        found = (_SQLITE if sqlite else _SEQUENTIAL).search(line.strip())
        if found is None or found[1] not in schema.metadata.tables or found[1] in SMALL:
            continue
        if not (sqlite and found[2] in PARTIAL):
            bad.append(line)
    return bad


def stops_early(sql: str, lines: list[str]) -> bool:
    """The first of all, in the order of an index: it ends with the limit."""
    sorts = any(line.startswith("USE TEMP B-TREE FOR ORDER BY") for line in lines)
    return "LIMIT" in sql and "WHERE" not in sql and not sorts


def plan(link: Link, sql: str, count: int) -> list[str]:
    """The lines of the engine's plan, for whatever the parameters are."""
    if not link.postgres:
        rows = link.dbapi.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * count).fetchall()
        return [str(row[3]) for row in rows]
    with link.dbapi.cursor() as cursor:
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {sql}".encode())
        return [str(row[0]) for row in cursor.fetchall()]


def test_no_statement_of_a_mail_reads_a_whole_table(filled: Store) -> None:
    """All that are prepared: each finds its rows by an index."""
    bad, seen = {}, 0
    with filled.engine.begin() as connection:
        link = Link.of(connection)
        for name, one in prepared():
            spelling = one.text(link.dialect)
            seen += 1
            if wrong := complaints(
                plan(link, spelling.sql, len(spelling.order)), sqlite=filled.sqlite
            ):
                bad[name] = wrong
    assert seen > 40
    assert bad == {}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_and_no_job_reads_a_whole_table(filled: Store, name: str) -> None:
    """What staff look at, and what the clock does."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, values: Any, _x: Any, many: bool) -> None:
        said.append((sql, values[0] if many else values))

    with filled.engine.begin() as connection:
        event.listen(filled.engine, "before_cursor_execute", note)
        PAGES[name](connection)
        event.remove(filled.engine, "before_cursor_execute", note)
        bad = []
        for sql, values in said:
            rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()  # type: ignore[attr-defined]  # sqlite3's own
            lines = [str(row[3]) for row in rows]
            if not stops_early(sql, lines):
                bad += [(line, sql) for line in complaints(lines, sqlite=True)]
    assert said or name == "queue"
    assert bad == []


def test_the_judge_of_plans_knows_a_scan() -> None:
    """A whole table, or a whole index of it; not a partial index, a list, or a small table."""
    lines = ["SCAN tickets", "SCAN mails USING INDEX ix_mails_received_at"]
    assert complaints(lines, sqlite=True) == lines
    fine = [
        "SEARCH tickets USING INDEX x (number=?)",
        "SCAN tickets USING INDEX ix_tickets_queue",
        "SCAN json_each VIRTUAL TABLE INDEX 1:",
        "SCAN waiting",
    ]
    assert complaints(fine, sqlite=True) == []
    assert complaints(["  ->  Seq Scan on mails  (cost=1)"], sqlite=False)
    assert not complaints(["  ->  Index Scan using pk on mails"], sqlite=False)
    assert TicketState.NEW in schema.WAITING
