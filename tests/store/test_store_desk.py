"""What staff put right: wrong joins are split, what waits is taken over or declined."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from store_values import NOW, entry, mail_row, new_ticket, opening

from gateway.core.model import Effects, Known, TicketState
from gateway.errors import BadInput
from gateway.store import events, pending, schema, splitting, tickets
from gateway.store.engine import Store
from gateway.store.writer import Writer

HOUR = timedelta(hours=1)
NUMBER = "482913"


def joined(writer: Writer, name: str, at: datetime, **more: Any) -> None:
    """A mail that joins the ticket."""
    row = replace(mail_row(name, ticket=NUMBER), received_at=at)
    line = replace(entry(NUMBER), at=at, text=f"words of {name}", **more)
    known = (Known(f"<{name}@cliente.example>", NUMBER, False),)
    writer.commit(Effects(row, entries=(line,), known=known)).result(10)


def three(writer: Writer) -> None:
    """A ticket with the mail that opened it, and two that joined it."""
    writer.commit(opening("m1", NUMBER)).result(10)
    joined(writer, "m2", NOW + HOUR)
    joined(writer, "m3", NOW + 2 * HOUR)


def shown(store: Store, number: str = NUMBER) -> dict[str, Any]:
    with store.reading() as connection:
        found = tickets.show(connection, number)
    assert found is not None
    return found


def due(start: datetime) -> datetime:
    return start + timedelta(minutes=30)


def split(writer: Writer, entries: Iterable[int], at: datetime = NOW + 3 * HOUR) -> str:
    chosen = list(entries)
    return writer.run(lambda one: splitting.split(one, NUMBER, chosen, "marta", at, due)).result(
        10
    )


def test_entries_that_do_not_belong_become_a_ticket_of_their_own(
    store: Store, writer: Writer
) -> None:
    """Opened when the first of them came, linked, of the same account; both histories say it."""
    three(writer)
    ids = [one["id"] for one in shown(store)["entries"]]
    fresh = split(writer, ids[1:])
    old, new = shown(store), shown(store, fresh)
    assert [one["text"] for one in new["entries"]] == [
        "words of m2", "words of m3", f"split from {NUMBER}",
    ]  # fmt: skip
    assert old["entries"][0]["id"] == ids[0]
    assert fresh in old["entries"][-1]["text"]
    assert old["entries"][-1]["author"] == "marta"
    assert (new["opened_at"], new["queued_at"]) == (NOW + HOUR, NOW + HOUR)
    assert new["reply_due"] == NOW + HOUR + timedelta(minutes=30)
    assert (new["account"], new["state"], new["linked_to"]) == ("A-1001", "new", NUMBER)
    assert new["subject"] == "m2"
    with store.reading() as connection:
        last = [(one["kind"], one["ticket"]["number"]) for one in events.newest(connection, 2)]
    assert last == [("ticket.split", fresh), ("ticket.split", NUMBER)]


def test_a_split_ticket_has_the_place_that_its_time_gives_it(store: Store, writer: Writer) -> None:
    """Before one that was opened later, though it was split after that."""
    three(writer)
    late = replace(new_ticket("600000"), opened_at=NOW + HOUR + HOUR / 2)
    writer.commit(Effects(mail_row("m9"), tickets=(late,))).result(10)
    ids = [one["id"] for one in shown(store)["entries"]]
    fresh = split(writer, ids[1:2])
    with store.reading() as connection:
        order = [(one["place"], one["number"]) for one in tickets.queue(connection)]
        waits = connection.execute(schema.waiting.select()).all()
    assert order == [(1, NUMBER), (2, fresh), (3, "600000")]
    assert sum(row.n for row in waits) == 3


def test_replies_to_what_was_moved_find_the_new_ticket(store: Store, writer: Writer) -> None:
    """Its mails and their Message-IDs went along; the others stayed."""
    three(writer)
    ids = [one["id"] for one in shown(store)["entries"]]
    fresh = split(writer, [ids[2]])
    known, mails = schema.known_messages, schema.mails
    with store.reading() as connection:
        found = dict(
            connection.execute(
                known.select().with_only_columns(known.c.message_id, known.c.ticket)
            ).all()  # type: ignore[arg-type]
        )
        where = dict(
            connection.execute(
                mails.select().with_only_columns(mails.c.mail, mails.c.ticket)
            ).all()  # type: ignore[arg-type]
        )
    assert found["<m3@cliente.example>"] == fresh
    assert found["<m2@cliente.example>"] == NUMBER
    assert where == {"m1": NUMBER, "m2": NUMBER, "m3": fresh}


def test_what_cannot_be_split_is_said(store: Store, writer: Writer) -> None:
    """The first entry, a line of history, one of another ticket, none; nothing is changed."""
    three(writer)
    writer.commit(opening("m5", "482914")).result(10)
    other = shown(store, "482914")["entries"][0]["id"]
    ids = [one["id"] for one in shown(store)["entries"]]
    writer.run(lambda one: tickets.add_note(one, NUMBER, "marta", "seen", NOW + 3 * HOUR)).result()
    note = shown(store)["entries"][-1]["id"]
    writer.run(lambda one: tickets.set_priority(one, NUMBER, "high", "marta", NOW)).result(10)
    line = next(one["id"] for one in shown(store)["entries"] if one["kind"] == "event")
    before = shown(store)
    for wrong, words in [
        ([ids[0]], "opened ticket"),
        ([line], "no entry"),
        ([other], "no entry"),
        ([], "say which"),
        ([note], "customer's own"),
        ([ids[1], 999999], "no entry 999999"),
    ]:
        with pytest.raises(BadInput, match=words):
            split(writer, wrong)
    with pytest.raises(BadInput, match="no ticket"):
        writer.run(lambda one: splitting.split(one, "1", [1], "marta", NOW, due)).result(10)
    writer.run(lambda one: tickets.merge(one, "482914", NUMBER, "marta", NOW)).result(10)
    with pytest.raises(BadInput, match="is merged"):
        writer.run(lambda one: splitting.split(one, "482914", [other], "m", NOW, due)).result(10)
    after = {one["id"] for one in shown(store)["entries"]}
    assert after > {one["id"] for one in before["entries"]}


def waiting(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return pending.listed(connection)


def test_a_pending_entry_is_taken_over_by_a_member_of_staff(store: Store, writer: Writer) -> None:
    """It counts from then on, its ticket waits for staff, and the history says who did it."""
    first = new_ticket(NUMBER, state=TicketState.CUSTOMER)
    writer.commit(Effects(mail_row("m1"), tickets=(first,), entries=(entry(NUMBER),))).result(10)
    joined(writer, "m2", NOW + HOUR, pending=True, proof="medium")
    (one,) = waiting(store)
    assert (one["what"], one["ticket"], one["proof"]) == ("entry", NUMBER, "medium")
    took = writer.run(lambda c: pending.accept(c, NUMBER, (), "marta", NOW + 2 * HOUR))
    assert took.result(10) == 1
    found = shown(store)
    assert found["state"] == "waiting for staff"
    moved = found["entries"][1]
    assert (moved["pending"], moved["settled"], moved["text"]) == (
        False, "accepted", "words of m2",
    )  # fmt: skip
    assert (found["entries"][-1]["author"], waiting(store)) == ("marta", [])
    with pytest.raises(BadInput, match="nothing waits"):
        writer.run(lambda c: pending.accept(c, NUMBER, (), "marta", NOW)).result(10)


def test_a_declined_entry_stays_and_counts_for_nothing(store: Store, writer: Writer) -> None:
    """It is listed no more; another one that waits is left as it is."""
    writer.commit(opening("m1", NUMBER)).result(10)
    joined(writer, "m2", NOW + HOUR, pending=True)
    joined(writer, "m3", NOW + 2 * HOUR, pending=True)
    ids = [one["entry"] for one in waiting(store)]
    declined = writer.run(lambda c: pending.decline(c, NUMBER, ids[:1], "marta", NOW + 3 * HOUR))
    assert declined.result(10) == 1
    assert [one["entry"] for one in waiting(store)] == ids[1:]
    moved = shown(store)["entries"][1]
    assert (moved["pending"], moved["settled"]) == (True, "declined")
    with pytest.raises(BadInput, match="does not wait"):
        writer.run(lambda c: pending.accept(c, NUMBER, ids[:1], "marta", NOW)).result(10)


def test_a_ticket_to_be_verified_may_be_acted_upon_once_staff_took_it_over(
    store: Store, writer: Writer
) -> None:
    """Until then it is listed; it has no entries to decline."""
    asked = new_ticket(NUMBER, verified=False)
    writer.commit(Effects(mail_row("m1"), tickets=(asked,), entries=(entry(NUMBER),))).result(10)
    assert [(one["what"], one["ticket"]) for one in waiting(store)] == [("panel", NUMBER)]
    with pytest.raises(BadInput, match="no entry waits"):
        writer.run(lambda c: pending.decline(c, NUMBER, (), "marta", NOW)).result(10)
    writer.run(lambda c: pending.accept(c, NUMBER, (), "marta", NOW)).result(10)
    assert shown(store)["verified"] is True
    assert waiting(store) == []
    with pytest.raises(BadInput, match="no ticket"):
        writer.run(lambda c: pending.accept(c, "1", (), "marta", NOW)).result(10)


def test_a_mail_of_staff_settles_what_waits(store: Store, writer: Writer) -> None:
    """In the transaction of the mail; what was judged before stays as it was."""
    writer.commit(opening("m1", NUMBER)).result(10)
    joined(writer, "m2", NOW + HOUR, pending=True)
    (first,) = [one["entry"] for one in waiting(store)]
    writer.run(lambda c: pending.decline(c, NUMBER, [first], "marta", NOW)).result(10)
    joined(writer, "m3", NOW + 2 * HOUR, pending=True)
    writer.commit(Effects(mail_row("m4"), settles=((NUMBER, True),))).result(10)
    judged = {one["mail"]: (one["pending"], one["settled"]) for one in shown(store)["entries"]}
    assert judged["m2"] == (True, "declined")
    assert judged["m3"] == (False, "accepted")
