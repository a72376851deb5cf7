"""The writer: groups, savepoints, the same mail twice, moved tickets, caps, late parents."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text
from store_values import NOW, digest, entry, mail_row, new_ticket, opening, outgoing

from gateway import errors
from gateway.core.model import (
    Attachment,
    Effects,
    Known,
    Moved,
    Parked,
    Spend,
    TicketChange,
    TicketState,
)
from gateway.store import changes, mails, outbox, rows, schema, tickets
from gateway.store.blobs import INLINE
from gateway.store.engine import Store
from gateway.store.prepared import Link, Prepared
from gateway.store.writer import Writer


def counted(store: Store, table: Any) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def waiting(store: Store) -> dict[str, int]:
    c = schema.waiting.c
    statement = select(c.priority, func.sum(c.n)).group_by(c.priority)
    with store.reading() as connection:
        return {priority: int(n) for priority, n in connection.execute(statement) if n}


def really_waiting(store: Store) -> dict[str, int]:
    c = schema.tickets.c
    statement = select(c.priority, func.count()).where(text(schema.WAITING)).group_by(c.priority)
    with store.reading() as connection:
        return {priority: int(n) for priority, n in connection.execute(statement)}


def held_up(writer: Writer) -> tuple[threading.Event, threading.Event]:
    """Keep the writer's thread busy, so that what comes next gathers into one group."""
    started, go_on = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        started.set()
        go_on.wait(10)

    writer.run(wait)
    assert started.wait(10)
    return started, go_on


def test_a_committed_mail_is_there_with_all_its_rows(store: Store, writer: Writer) -> None:
    """Mail, ticket, entry, reply, raw bytes and remembered ids are one commit."""
    done = writer.commit(opening()).result(10)
    assert (done.mail_id, done.duplicate) == ("m1", False)
    traced = mails.trace(store, "m1")
    assert traced is not None
    assert traced["facts"] == {"sender": "primary", "token": False}
    assert [out["message_id"] for out in traced["outgoing"]] == ["<r-m1@support.example>"]
    with store.reading() as connection:
        shown = tickets.show(connection, "482913")
        assert shown is not None
        assert [(one["by"], one["proof"]) for one in shown["entries"]] == [("customer", "strong")]
        assert mails.raw(connection, store.blobs, "m1") == mail_row().raw


def test_the_same_key_has_no_second_effect(store: Store, writer: Writer) -> None:
    """A client that sends again is told of the earlier arrival, and nothing else happens."""
    writer.commit(opening("m1")).result(10)
    again = opening("other", "777777", mail=mail_row("other", key=mail_row("m1").key))
    done = writer.commit(again).result(10)
    assert (done.mail_id, done.duplicate) == ("m1", True)
    assert counted(store, schema.tickets) == counted(store, schema.outbox) == 1


def test_one_mail_that_fails_does_not_take_its_group_along(store: Store, writer: Writer) -> None:
    """Each mail of a group stands or falls alone; the group is one transaction."""
    _, go_on = held_up(writer)
    futures = [writer.commit(opening(f"m{n}", f"{n:06}")) for n in range(1, 8)]
    bad = writer.commit(Effects(mail_row("bad"), entries=(entry("nowhere"),)))
    also = writer.commit(opening("last", "900001"))
    go_on.set()
    assert [f.result(10).mail_id for f in futures] == [f"m{n}" for n in range(1, 8)]
    with pytest.raises(errors.Defect):
        bad.result(10)
    assert also.result(10).mail_id == "last"
    assert counted(store, schema.mails) == counted(store, schema.tickets) == 8


def test_the_same_mail_twice_in_one_group_is_one_mail(store: Store, writer: Writer) -> None:
    """Two connections may deliver the same mail at the same moment."""
    _, go_on = held_up(writer)
    twice = [writer.commit(opening("m1")), writer.commit(opening("m1"))]
    go_on.set()
    assert sorted(f.result(10).duplicate for f in twice) == [False, True]
    assert counted(store, schema.outbox) == 1


def test_a_taken_number_is_moved(store: Store, writer: Writer) -> None:
    """Two mails decided with the same free number cannot both open a ticket under it."""
    writer.commit(opening("m1")).result(10)
    with pytest.raises(Moved):
        writer.commit(opening("m2")).result(10)
    assert counted(store, schema.mails) == 1


def changing(name: str, version: int, **fields: Any) -> Effects:
    change = TicketChange("482913", version, NOW + timedelta(minutes=5), **fields)
    return Effects(mail_row(name, ticket="482913"), changes=(change,), entries=(entry("482913"),))


def test_a_change_at_an_old_version_is_moved(store: Store, writer: Writer) -> None:
    """Of two decisions that rest on the same version one is decided again."""
    writer.commit(opening("m1")).result(10)
    _, go_on = held_up(writer)
    first = writer.commit(changing("m2", 1, state=TicketState.STAFF))
    second = writer.commit(changing("m3", 1, state=TicketState.CLOSED))
    go_on.set()
    assert first.result(10).mail_id == "m2"
    with pytest.raises(Moved):
        second.result(10)
    assert writer.commit(changing("m3", 2, state=TicketState.CLOSED)).result(10)


def test_an_expected_version_that_moved_is_moved(store: Store, writer: Writer) -> None:
    """Tickets that a decision looked at but does not change are held to their version too."""
    writer.commit(opening("m1")).result(10)
    still = Effects(mail_row("m2"), expects={"482913": 1})
    assert writer.commit(still).result(10)
    with pytest.raises(Moved):
        writer.commit(Effects(mail_row("m3"), expects={"482913": 2})).result(10)
    with pytest.raises(Moved):
        writer.commit(Effects(mail_row("m4"), expects={"111111": 1})).result(10)


def test_reopening_queues_from_the_reopening_and_other_changes_move_nothing(
    store: Store, writer: Writer
) -> None:
    """H2: adding text does not move a ticket; a closed one queues from its reopening."""
    writer.commit(opening("m1")).result(10)
    writer.commit(changing("m2", 1, state=TicketState.STAFF)).result(10)
    with store.reading() as connection:
        assert tickets.find(connection, "482913").queued_at == NOW
    writer.commit(changing("m3", 2, state=TicketState.CLOSED)).result(10)
    writer.commit(changing("m4", 3, state=TicketState.STAFF)).result(10)
    with store.reading() as connection:
        ticket = tickets.find(connection, "482913")
    assert ticket.queued_at == NOW + timedelta(minutes=5)
    assert ticket.opened_at == NOW
    assert ticket.closed_at is None


def test_what_waits_is_counted_exactly(store: Store, writer: Writer) -> None:
    """The honest place of a new ticket: the counter equals the tickets after any change."""
    for n in range(5):
        writer.commit(opening(f"m{n}", f"48291{n}")).result(10)
    states = (TicketState.CLOSED, TicketState.CUSTOMER, TicketState.STAFF)
    for n, state in enumerate(states):
        change = TicketChange(f"48291{n}", 1, NOW, state=state)
        writer.commit(Effects(mail_row(f"c{n}"), changes=(change,))).result(10)
    raised = TicketChange("482913", 1, NOW, priority="high")
    writer.commit(Effects(mail_row("c9"), changes=(raised,))).result(10)
    lost = Effects(mail_row("c10"), tickets=(new_ticket("555555"),), entries=(entry("0"),))
    with pytest.raises(errors.Defect):
        writer.commit(lost).result(10)
    assert waiting(store) == really_waiting(store) == {"normal": 2, "high": 1}


def test_a_cap_used_up_meanwhile_is_moved(store: Store, writer: Writer) -> None:
    """Two mails that both saw the last free unit of a cap do not both spend it."""
    one = Spend("unproven", "A-1001", NOW, limit=1)
    writer.commit(Effects(mail_row("m1"), spends=(one,))).result(10)
    with pytest.raises(Moved):
        writer.commit(Effects(mail_row("m2"), spends=(one,))).result(10)
    tomorrow = replace(one, at=NOW + timedelta(hours=25))
    assert writer.commit(Effects(mail_row("m3"), spends=(tomorrow,))).result(10)


def test_two_strong_mails_under_one_signature_are_not_both_strong(
    store: Store, writer: Writer
) -> None:
    """A replay that was decided at the same moment as its original is decided again."""
    writer.commit(Effects(mail_row("m1"), replays=("b1",))).result(10)
    with pytest.raises(Moved):
        writer.commit(Effects(mail_row("m2"), replays=("b1",))).result(10)
    weaker = Effects(mail_row("m2", proof="medium"), replays=("b1",))
    assert writer.commit(weaker).result(10)


def test_a_parent_that_comes_late_is_told_once_to_look_again(store: Store, writer: Writer) -> None:
    """An answer committed first has opened a ticket that knows the parent's Message-ID."""
    answer = opening("answer", known=(Known("<parent@cliente.example>", "482913", sent=False),))
    writer.commit(answer).result(10)
    parent = opening("parent", "600000")
    with pytest.raises(Moved):
        writer.commit(parent).result(10)
    assert writer.commit(parent).result(10).mail_id == "parent"


def test_another_accounts_claim_on_a_message_id_delays_nobody(
    store: Store, writer: Writer
) -> None:
    """Only a ticket of the same account can be the one that a late parent belongs to."""
    theirs = opening("x", known=(Known("<m9@cliente.example>", "482913", sent=False),))
    other = (new_ticket(account="A-1002"),)
    writer.commit(replace(theirs, tickets=other)).result(10)
    assert writer.commit(opening("m9", "600000")).result(10)


def test_a_failed_mail_is_kept_and_decided_again_under_its_id(
    store: Store, writer: Writer
) -> None:
    """A defect of ours loses nothing: the raw mail stays, and deciding again replaces the row."""
    failed = Effects(mail_row("m1", error="Traceback …", outcome="failed", facts={}))
    writer.commit(failed).result(10)
    with store.reading() as connection:
        assert [one["mail"] for one in mails.list_failed(connection)] == ["m1"]
        (again,) = mails.to_decide(connection, store.blobs, ["m1"])
    assert (again.raw, again.envelope) == (mail_row().raw, mail_row().envelope)
    resent = writer.commit(opening("m2", mail=mail_row("m2", key=mail_row("m1").key))).result(10)
    assert (resent.mail_id, resent.duplicate) == ("m1", True)
    assert writer.commit(opening("m1")).result(10).duplicate is False
    assert writer.commit(opening("m1")).result(10).duplicate is True
    with store.reading() as connection:
        assert mails.list_failed(connection) == []


def test_parked_mail_is_released_and_decided_again(store: Store, writer: Writer) -> None:
    """A release takes parked mail out of the list and hands it over to be decided as confirmed."""
    parked = Parked("A-1001", NOW + timedelta(days=14), network="192.0.2.0/24")
    writer.commit(Effects(mail_row("p1", outcome="hold"), parked=parked)).result(10)
    with store.reading() as connection:
        assert [one["mail"] for one in mails.list_parked(connection, "A-1001")] == ["p1"]
    writer.commit(Effects(mail_row("yes"), release=("p1", "unknown"))).result(10)
    with store.reading() as connection:
        assert mails.list_parked(connection) == []
        assert [one.mail for one in mails.to_decide(connection, store.blobs)] == ["p1"]
    writer.commit(opening("p1")).result(10)
    with store.reading() as connection:
        assert mails.to_decide(connection, store.blobs) == []


def test_large_content_lies_in_the_blob_store_before_its_row(store: Store, writer: Writer) -> None:
    """Over 64 KB the bytes are durable outside the database, and are found by digest again."""
    raw = b"Subject: big\r\n\r\n" + b"x" * (INLINE + 1)
    content = b"y" * (INLINE + 10)
    attached = Attachment(
        "a.png", "image/png", "image/png", len(content), digest(content), False, content
    )
    big = Effects(mail_row("big", raw=raw), attachments=(attached,))
    assert writer.commit(big).result(10).mail_id == "big"
    assert store.blobs.get(digest(raw)) == raw
    with store.reading() as connection:
        assert mails.raw(connection, store.blobs, "big") == raw
        assert mails.content(connection, store.blobs, digest(content)) == content
        inline = select(schema.blobs.c.content).where(schema.blobs.c.digest == digest(raw))
        assert connection.execute(inline).scalar() is None


def test_text_that_an_engine_cannot_hold_does_not_lose_the_mail(
    store: Store, writer: Writer
) -> None:
    """NUL and lone surrogates of a hostile mail are replaced, the raw bytes stay as they are."""
    nasty = "a\0b\ud800c"
    row = mail_row("m1", raw=b"\0raw", subject=nasty, author_key=nasty, message_id=f"<{nasty}>")
    writer.commit(Effects(row, tickets=(new_ticket(subject=nasty),))).result(10)
    with store.reading() as connection:
        assert tickets.find(connection, "482913").subject == "a\ufffdb?c"
        assert mails.raw(connection, store.blobs, "m1") == b"\0raw"


def test_a_merge_stays_within_one_account(store: Store, writer: Writer) -> None:
    """Mail cannot move a ticket into another account's."""
    writer.commit(opening("m1", "111111")).result(10)
    writer.commit(opening("m2", "222222")).result(10)
    other = Effects(mail_row("m3"), tickets=(new_ticket("333333", account="A-1002"),))
    writer.commit(other).result(10)
    with pytest.raises(errors.Permanent):
        writer.commit(Effects(mail_row("m4"), merges=(("111111", "333333"),))).result(10)
    writer.commit(Effects(mail_row("m5"), merges=(("111111", "222222"),))).result(10)
    with store.reading() as connection:
        merged = tickets.find(connection, "111111")
    assert (merged.merged_into, merged.state) == ("222222", TicketState.CLOSED)


def test_a_delivery_report_raises_the_ticket_and_doubts_the_address(
    store: Store, writer: Writer
) -> None:
    """The reply is marked undelivered, staff see the ticket, and text about the account waits."""
    first = opening("m1")
    closed = (new_ticket(state=TicketState.CUSTOMER),)
    writer.commit(replace(first, tickets=closed)).result(10)
    report = mail_row("b1", automatic="bounce", account=None)
    twice = ("<r-m1@support.example>", "<r-m1@support.example>")
    writer.commit(Effects(report, undelivered=twice)).result(10)
    with store.reading() as connection:
        shown = tickets.show(connection, "482913")
    assert shown is not None
    assert shown["state"] == "waiting for staff"
    assert [one["by"] for one in shown["entries"]] == ["customer", "system"]
    assert shown["sent"][0]["undelivered_at"] == NOW


def test_other_writes_share_the_thread_and_fail_alone(store: Store, writer: Writer) -> None:
    """What commands write goes through the same transactions; an error of theirs is theirs."""

    def wrong(_: Connection) -> None:
        raise errors.BadInput("no")

    assert writer.run(lambda connection: tickets.counts(connection)).result(10) == {}
    with pytest.raises(errors.BadInput):
        writer.run(wrong).result(10)


def test_closing_commits_what_was_handed_over(store: Store) -> None:
    """Draining loses nothing; afterwards nothing is taken."""
    one = Writer(store)
    _, go_on = held_up(one)
    futures = [one.commit(opening(f"m{n}", f"48{n:04}")) for n in range(150)]
    go_on.set()
    one.close()
    assert {f.result(0).duplicate for f in futures} == {False}
    assert counted(store, schema.mails) == 150
    with pytest.raises(errors.Temporary):
        one.commit(opening("late"))


def test_many_callers_lose_nothing_and_double_nothing(store: Store, writer: Writer) -> None:
    """Sixteen threads that also send each mail twice leave one row each."""

    def send(n: int) -> None:
        for _ in range(2):
            writer.commit(opening(f"m{n}", f"{100000 + n}")).result(20)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(100)))
    assert counted(store, schema.mails) == counted(store, schema.outbox) == 100
    assert waiting(store) == {"normal": 100}


def test_an_unsent_row_of_the_same_merge_key_is_replaced_and_keeps_its_time(
    store: Store, writer: Writer
) -> None:
    """Receipts within the window become one, which goes out when the first would have."""
    writer.commit(opening("m1")).result(10)
    for n, minutes in ((2, 10), (3, 20)):
        receipt = outgoing(
            f"r{n}", merge_key="receipt:482913", due=NOW + timedelta(minutes=minutes)
        )
        writer.commit(Effects(mail_row(f"m{n}"), outgoing=(receipt,))).result(10)
    with store.reading() as connection:
        shown = tickets.show(connection, "482913")
    assert shown is not None
    receipts = [(s["message_id"], s["state"], s["due"]) for s in shown["sent"][1:]]
    first = NOW + timedelta(minutes=10)
    assert receipts == [
        ("<r2@support.example>", "replaced", first),
        ("<r3@support.example>", "due", first),
    ]


def prepared_in(module: Any) -> dict[str, Prepared]:
    return {name: one for name, one in vars(module).items() if isinstance(one, Prepared)}


@pytest.mark.parametrize("module", [rows, changes, outbox], ids=lambda module: module.__name__)
def test_no_statement_of_the_writer_scans_a_table(tmp_path: Path, module: Any) -> None:
    """Whatever the size of the database, a commit looks up what it needs."""
    store = Store.open(f"sqlite:///{tmp_path / 'p.db'}")
    with store.engine.begin() as connection:
        link = Link.of(connection)
        for name, prepared in prepared_in(module).items():
            sql, order, _ = prepared.text(link.dialect)
            plan = link.dbapi.execute(f"EXPLAIN QUERY PLAN {sql}", ["[]" for _ in order or ()])
            scans = [row[3] for row in plan if row[3].startswith("SCAN")]
            assert all(
                "anon_" in scan or "ripe" in scan or "CONSTANT" in scan for scan in scans
            ), (name, scans)
    store.close()
