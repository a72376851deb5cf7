"""What many rows cost: the rate of mail, the queue and a ticket's page over a small and a large
database, in turn in one run; what counts is the ratio.

`python benchmarks/growth.py [TICKETS [ACCOUNTS [ARTICLES]]] [--url postgresql://…]`: so many in
the large one, 1,000 of each in the small one. With `--url` the server holds both, in two databases
of its own making.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Table, insert, select
from store_rate import NOW, effects

from gateway.core.model import Clues, Effects
from gateway.load.texts import load_knowledge
from gateway.store import rows, schema, tickets
from gateway.store.articles import ArticleIndex
from gateway.store.columns import micros
from gateway.store.engine import Store
from gateway.store.prepared import Link
from gateway.store.reader import Reader
from gateway.store.writer import Writer

ROOT = Path(__file__).resolve().parent.parent
SMALL, CALLERS, ROUNDS, MAILS = 1_000, 16, 5, 1_000
BATCH, OPEN = 2_000, 10  # every so many tickets one waits for staff
BASE = micros(NOW - timedelta(days=300))


class World:
    """A filled database with what reads and writes it."""

    def __init__(self, url: str, folder: Path, size: tuple[int, int, int], name: str) -> None:
        """Fill it; `size` is tickets, accounts, articles."""
        self.name = name
        self.tickets, self.accounts, articles = size
        self.store = Store.open(url, folder / f"blobs-{name}")
        begun = time.perf_counter()
        with self.store.engine.begin() as connection:
            _fill(connection, self.tickets, self.accounts)
        if not self.store.sqlite:
            with self.store.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("SET statement_timeout = 0")
                connection.exec_driver_sql("VACUUM ANALYZE")
        print(f"{name}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
        self.index = _articles(articles)
        self.writer = Writer(self.store)
        self.reader = Reader(self.store, dict, self.index.search)
        self.number = 0

    def close(self) -> None:
        """Give back everything."""
        self.writer.close()
        self.store.close()

    def mails(self, count: int) -> list[Effects]:
        """New mails of accounts all over the table."""
        made = []
        for _ in range(count):
            self.number += 1
            one = effects("9" * 4, self.number)
            account = f"A{self.number * 7919 % self.accounts}"
            mail = replace(one.mail, account=account, author_key=f"u{account}@c.example")
            opened = tuple(replace(each, account=account) for each in one.tickets)
            made.append(replace(one, mail=mail, tickets=opened))
        return made


def _articles(count: int) -> ArticleIndex:
    """The shipped ones, again and again, each time with words of its own."""
    shipped = load_knowledge(ROOT / "knowledge")
    index = ArticleIndex(
        replace(
            shipped[n % len(shipped)],
            slug=f"{shipped[n % len(shipped)].slug}-{n // len(shipped)}",
            title=f"{shipped[n % len(shipped)].title} modello{n // len(shipped)}",
        )
        for n in range(count)
    )
    index.warm()
    return index


# ---- filling


def _fill(connection: Connection, number: int, accounts: int) -> None:
    """One mail is written as every mail is, and its rows are copied with other names."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    pattern = _pattern(connection)
    _insert(connection, schema.accounts, _accounts(accounts))
    _insert(connection, schema.addresses, _addresses(accounts))
    _insert(connection, schema.services, _services(accounts))
    for table in ("tickets", "entries", "mails", "blobs", "outbox", "known_messages", "replays"):
        _insert(
            connection, schema.metadata.tables[table], _copies(table, pattern, number, accounts)
        )
    waiting = {"shard": 0, "priority": "normal", "n": (number + OPEN - 1) // OPEN}
    connection.execute(insert(schema.waiting).values(waiting))


def _pattern(connection: Connection) -> dict[str, dict[str, Any]]:
    """The rows of one mail; they are gone afterwards."""
    mail = effects("pattern", 1)
    place = connection.begin_nested()
    rows.apply(Link.of(connection), mail, mail.mail.content_digest, 0)
    Link.of(connection).flush()
    found = {}
    for table in schema.metadata.sorted_tables:
        row = connection.execute(select(table)).mappings().first()
        if row is not None:
            found[table.name] = {k: v for k, v in row.items() if k != "id"}
    place.rollback()
    return found


def _insert(connection: Connection, table: Table, made: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in made:
        batch.append(row)
        if len(batch) == BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _accounts(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        yield {
            "number": f"A{n}", "name": f"Cliente {n}", "language": "it", "state": "active",
            "created_at": BASE, "updated_at": BASE,
        }  # fmt: skip


def _addresses(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        address = f"uA{n}@c.example"
        yield {
            "account": f"A{n}", "address": address, "key": address, "role": "primary",
            "kinds": "[]", "confirmed_at": BASE, "created_at": BASE,
        }  # fmt: skip


def _services(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        yield {
            "account": f"A{n}", "name": f"vps-{n}", "name_key": f"vps-{n}", "kind": "vps",
            "order_number": f"{n:08}", "ips": "[]",
        }  # fmt: skip


def _copies(
    table: str, pattern: dict[str, dict[str, Any]], count: int, accounts: int
) -> Iterator[dict[str, Any]]:
    row = pattern[table]
    for n in range(count):
        yield row | _changed(table, n, f"A{n % accounts}", waits=n % OPEN == 0)


def _changed(table: str, n: int, account: str, *, waits: bool) -> dict[str, Any]:
    ticket, mail, at = f"B{n:09}", f"m{n}", BASE + n * 20_000_000
    digest = f"{n:064x}"
    if table == "tickets":
        state: dict[str, Any] = {"state": "new" if waits else "closed"}
        state |= {"closed_at": None if waits else at, "reply_due": at if waits else None}
        dates = {"opened_at": at, "queued_at": at, "updated_at": at, "escalated_at": at}
        return {"number": ticket, "account": account, "body_digest": digest, **state, **dates}
    if table == "mails":
        names = {"key": digest, "message_id": f"<{mail}@c.example>", "content_digest": digest}
        whose = {"author_key": f"u{account}@c.example", "account": account, "ticket": ticket}
        return {
            "mail": mail, "received_at": at, "body_digest": digest, "raw_digest": digest,
            **names, **whose,
        }  # fmt: skip
    changed: dict[str, dict[str, Any]] = {
        "entries": {"ticket": ticket, "at": at, "mail": mail, "text": f"It is down, line {n}"},
        "blobs": {"digest": digest, "created_at": at, "content": b"Subject: x\r\n\r\n" * 8},
        "outbox": {
            "ticket": ticket, "account": account, "message_id": f"<o{n}@h.example>",
            "mail": mail, "state": "sent", "due": at, "created_at": at, "sent_at": at,
            "text": f"We have it, {n}", "raw": b"Subject: x\r\n\r\n" * 8,
        },
        "known_messages": {
            "message_id": f"<{mail}@c.example>", "ticket": ticket, "created_at": at,
        },
        "replays": {"digest": digest, "content_digest": digest, "first_seen": at},
    }  # fmt: skip
    return changed[table]


# ---- measuring


def _clues(one: Effects, question: str) -> Clues:
    mail = one.mail
    return Clues(
        author_key=mail.author_key,
        author_domain="c.example",
        mail_key=mail.key,
        content_digest=mail.content_digest,
        body_digest=mail.body_digest,
        message_id=mail.message_id,
        tickets=("B000000077",),
        message_ids=("<m77@c.example>",),
        ips=("192.0.2.7",),
        orders=("00000077",),
        words=(),
        signature_digests=mail.content_digest and (mail.content_digest,),
        query=question,
        language="it",
        now=NOW,
    )


def rate(world: World, question: str) -> float:
    """Mails a second: the one read with its search, then the commit, for sixteen callers."""
    mails = world.mails(MAILS)

    def one(mail: Effects) -> None:
        world.reader.candidates(_clues(mail, question))
        world.writer.commit(mail).result()

    with ThreadPoolExecutor(CALLERS) as pool:
        begun = time.perf_counter()
        list(pool.map(one, mails))
        return len(mails) / (time.perf_counter() - begun)


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """The median."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def _read(world: World, page: Callable[[Connection], object]) -> float:
    def once() -> None:
        with world.store.reading() as connection:
            page(connection)

    return milliseconds(once)


def _measured(small: World, large: World) -> None:
    lines = (ROOT / "tests" / "knowledge" / "questions.jsonl").read_text().splitlines()
    questions = [str(json.loads(line)["text"]) for line in lines[:50]]
    for label, asked in (("without a question", ""), ("with a question", questions[0])):
        found: dict[str, list[float]] = {"small": [], "large": []}
        for turn in range(ROUNDS + 1):
            for world in (small, large) if turn % 2 else (large, small):
                one = rate(world, asked)
                if turn:  # the first is to warm up
                    found[world.name].append(one)
        rates = {name: statistics.median(values) for name, values in found.items()}
        ratio = rates["large"] / rates["small"]
        print(
            f"mails {label}: {rates['small']:,.0f}/s in the small one,"
            f" {rates['large']:,.0f}/s in the large one: {ratio:.2f} (goal 0.85)"
        )
    for name, page in (
        ("queue", lambda one: tickets.queue(one, limit=200)),
        ("queue of 1,000", tickets.queue),
        ("ticket", lambda one: tickets.show(one, "B000000077")),
        ("tickets of an account", lambda one: tickets.list_tickets(one, account="A7")),
    ):
        print(f"{name}: {_read(small, page):.1f} ms, {_read(large, page):.1f} ms (goal 50)")
    spent = [_searching(world.index, questions) for world in (small, large)]
    print(f"one question to the articles: {spent[0]:.2f} ms, {spent[1]:.2f} ms")


def _searching(index: ArticleIndex, questions: list[str]) -> float:
    """Milliseconds a question."""
    return milliseconds(lambda: [index.search(one, "it") for one in questions], 3) / len(questions)


@contextmanager
def _urls(server: str | None, folder: Path) -> Iterator[tuple[str, str]]:
    if server is None:
        yield f"sqlite:///{folder / 'small.db'}", f"sqlite:///{folder / 'large.db'}"
        return
    url = sqlalchemy.make_url(server).set(drivername="postgresql+psycopg")
    admin = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    names = ("growth_small", "growth_large")
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    shown = [url.set(database=name).render_as_string(hide_password=False) for name in names]
    yield shown[0], shown[1]
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


def main() -> None:
    """Fill both, measure, throw away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tickets", type=int, nargs="?", default=200_000)
    parser.add_argument("accounts", type=int, nargs="?", default=50_000)
    parser.add_argument("articles", type=int, nargs="?", default=10_000)
    parser.add_argument("--url", help="a PostgreSQL server instead of SQLite files")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _urls(asked.url, Path(name)) as (first, second):
        folder = Path(name)
        small = World(first, folder, (SMALL, SMALL, SMALL), "small")
        large = World(second, folder, (asked.tickets, asked.accounts, asked.articles), "large")
        kind = small.store.engine.dialect.name
        print(f"{kind}: {SMALL:,} of each beside {asked.tickets:,} tickets, {asked.accounts:,}"
              f" accounts, {asked.articles:,} articles")  # fmt: skip
        _measured(small, large)
        large.close()
        small.close()


if __name__ == "__main__":
    main()
