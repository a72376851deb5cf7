"""Mails committed a second on SQLite with group commit, beside a commit for each mail.

`python benchmarks/store_rate.py [MAILS]`: both in turn in one run; what counts is the ratio.
`python benchmarks/store_rate.py MAILS postgresql://…`: the same there, then both engines in turn.
"""

import hashlib
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.core.model import (
    Committed,
    Effects,
    Envelope,
    Known,
    Listener,
    MailRow,
    NewEntry,
    NewTicket,
    Outgoing,
    Spend,
    TicketKind,
    TicketState,
)
from gateway.store import rows
from gateway.store.engine import Store
from gateway.store.prepared import Link
from gateway.store.writer import Writer

CALLERS = 16
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FILLER = "It has been down since this morning, see the log below.\r\n" * 32


def effects(run: str, n: int) -> Effects:
    """A mail of 2 KB that opens a ticket and is acknowledged: what most mails do."""
    number = f"{run}{n:07}"
    raw = f"Message-ID: <{number}@c.example>\r\n\r\n{FILLER}".encode()
    digest = hashlib.sha256(raw).hexdigest()
    mail = MailRow(
        id=f"mail-{number}",
        key=digest,
        received_at=NOW,
        envelope=Envelope(
            "192.0.2.1", "mx.c.example", "a@c.example", ("s@h.example",), Listener.EDGE, NOW
        ),
        raw=raw,
        author_key="a@c.example",
        message_id=f"<{number}@c.example>",
        content_digest=digest,
        body_digest=digest,
        subject="It is down",
        outcome="open",
        rule="open",
        because="a registered address opens a ticket",
        proof="strong",
        policy_digest="p",
        facts={f"fact{k}": "value" for k in range(17)},
        evidence={"spf": {"result": "pass"}, "dkim": [{"result": "pass"}]},
        account="A-1",
        ticket=number,
        automatic="no",
    )
    ticket = NewTicket(
        number=number,
        kind=TicketKind.ACCOUNT,
        account="A-1",
        subject="It is down",
        state=TicketState.NEW,
        department="technical",
        priority="normal",
        proof="strong",
        language="en",
        opened_at=NOW,
        reply_due=NOW + timedelta(minutes=30),
    )
    reply = Outgoing(
        to="a@c.example",
        envelope_from="",
        kind="open",
        language="en",
        message_id=f"<r{number}@h.example>",
        raw=raw,
        text=FILLER,
        account="A-1",
        ticket=number,
        ledger="strong",
        automatic=True,
    )
    return Effects(
        mail,
        tickets=(ticket,),
        entries=(NewEntry(number, NOW, "customer", "mail", "a@c.example", "strong", FILLER),),
        outgoing=(reply,),
        known=(Known(f"<{number}@c.example>", number, sent=False),),
        replays=(digest,),
        spends=(Spend("strong", number, NOW, 50),),
    )


def grouped(store: Store, mails: list[Effects]) -> float:
    """Sixteen callers, each waiting for its commit before it goes on; mails a second."""
    with Writer(store) as writer, ThreadPoolExecutor(CALLERS) as pool:

        def one(mail: Effects) -> Committed:
            future: Future[Committed] = writer.commit(mail)
            return future.result()

        start = time.perf_counter()
        list(pool.map(one, mails))
        return len(mails) / (time.perf_counter() - start)


def single(store: Store, mails: list[Effects]) -> float:
    """One transaction for each mail; mails a second."""
    start = time.perf_counter()
    for mail in mails:
        with store.engine.begin() as connection:
            rows.apply(Link.of(connection), mail, mail.mail.content_digest, store.shard)
    return len(mails) / (time.perf_counter() - start)


def main(count: int, url: str | None) -> None:
    """Three rounds, in turn."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        store = Store.open(url or f"sqlite:///{Path(folder) / 'bench.db'}", Path(folder))
        unique = f"{int(time.time()) % 1_000_000:06}"
        print(f"{store.engine.dialect.name}, {CALLERS} callers, 2 KB mails that open a ticket")
        for turn in range(3):
            every = [effects(f"{unique}{turn}1", n) for n in range(count)]
            few = [effects(f"{unique}{turn}2", n) for n in range(max(count // 8, 50))]
            group, alone = grouped(store, every), single(store, few)
            ratio = f"{group / alone:.1f} times"
            print(f"group commit {group:,.0f}/s, a commit a mail {alone:,.0f}/s: {ratio}")
        if url is not None:
            engines(store, Store.open(f"sqlite:///{Path(folder) / 'beside.db'}"), count, unique)
        store.close()


def engines(server: Store, file: Store, count: int, unique: str) -> None:
    """PostgreSQL beside SQLite, five rounds in turn; the ratio of the medians."""
    found: dict[str, list[float]] = {"postgresql": [], "sqlite": []}
    for turn in range(5):
        for store in (server, file):
            mails = [effects(f"{unique}{turn}3", n) for n in range(count)]
            found[store.engine.dialect.name].append(grouped(store, mails))
    rates = {name: statistics.median(values) for name, values in found.items()}
    ratio = rates["postgresql"] / rates["sqlite"]
    print(
        f"PostgreSQL {rates['postgresql']:,.0f}/s, SQLite {rates['sqlite']:,.0f}/s, group"
        f" commit: {ratio:.2f} (goal 0.5)"
    )
    file.close()


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 4000,
        sys.argv[2] if len(sys.argv) > 2 else None,
    )
