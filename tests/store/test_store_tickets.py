"""Tickets for staff and ops: the strict order of the queue, changes, moving from elsewhere."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection
from store_values import NOW, entry, mail_row, new_ticket, opening, outgoing

from gateway.core.model import Effects, Event, Moved, TicketChange, TicketKind, TicketState
from gateway.errors import BadInput
from gateway.store import changes, tickets
from gateway.store.engine import Store
from gateway.store.writer import Writer

T = TypeVar("T")
MINUTE = timedelta(minutes=1)

MOVED_IN = {
    "number": "700001",
    "account": "A-1001",
    "subject": "Old one",
    "state": "closed",
    "department": "technical",
    "opened": "2025-01-02T10:00:00+01:00",
    "entries": [
        {"at": "2025-01-02T10:00:00+01:00", "by": "customer", "text": "Help"},
        {"at": "2025-01-03T10:00:00Z", "by": "staff", "text": "Done"},
    ],
}


def write(store: Store, work: Callable[[Connection], T]) -> T:
    with store.engine.begin() as connection:
        return work(connection)


def numbers(store: Store, work: Callable[[Connection], list[dict[str, Any]]]) -> list[str]:
    with store.reading() as connection:
        return [row["number"] for row in work(connection)]


def opened(writer: Writer, number: str, minutes: int, **changed: Any) -> None:
    at = NOW + minutes * MINUTE
    one = new_ticket(number, opened_at=at, reply_due=at + 30 * MINUTE, **changed)
    writer.commit(Effects(mail_row(f"m{number}"), tickets=(one,))).result(10)


def test_the_queue_is_strictly_chronological_within_a_priority(
    store: Store, writer: Writer
) -> None:
    """High first; without priorities by time alone; closed and answered ones do not wait."""
    opened(writer, "100003", 3)
    opened(writer, "100001", 1)
    opened(writer, "100002", 2, priority="high")
    opened(writer, "100004", 0, state=TicketState.CLOSED)
    opened(writer, "100005", 0, state=TicketState.CUSTOMER)
    opened(writer, "100006", 0, department="financial")
    assert numbers(store, tickets.queue) == ["100002", "100006", "100001", "100003"]
    by_time = numbers(store, lambda c: tickets.queue(c, ()))
    assert by_time == ["100006", "100001", "100002", "100003"]
    with store.reading() as connection:
        assert [q["place"] for q in tickets.queue(connection)] == [1, 2, 3, 4]
    financial = numbers(store, lambda c: tickets.queue(c, department="financial"))
    assert financial == ["100006"]


def test_no_addition_moves_a_ticket(store: Store, writer: Writer) -> None:
    """A note, another department, an assignment: the place stays."""
    opened(writer, "100001", 1)
    opened(writer, "100002", 2)
    later = NOW + 60 * MINUTE
    write(store, lambda c: tickets.add_note(c, "100001", "luca", "looked at it", later))
    write(store, lambda c: tickets.set_department(c, "100001", "financial", "luca", later))
    write(store, lambda c: tickets.assign(c, "100002", "luca", "luca", later))
    assert numbers(store, tickets.queue) == ["100001", "100002"]


def test_closing_and_reopening_are_lines_of_history(store: Store, writer: Writer) -> None:
    """A reopened ticket queues from its reopening; doing either twice is once."""
    opened(writer, "100001", 0)
    opened(writer, "100002", 5)
    later = NOW + 60 * MINUTE
    for _ in range(2):
        write(store, lambda c: tickets.close(c, "100001", "luca", later))
    for _ in range(2):
        write(store, lambda c: tickets.reopen(c, "100001", "luca", later))
    assert numbers(store, tickets.queue) == ["100002", "100001"]
    with store.reading() as connection:
        shown = tickets.show(connection, "100001")
    assert shown is not None
    assert [e["text"] for e in shown["entries"]] == ["closed", "reopened"]
    assert shown["closed_at"] is None


def test_a_change_with_all_that_goes_with_it_is_one_transaction(
    store: Store, writer: Writer
) -> None:
    """A staff answer from a command: state, entry, reply and event; Moved leaves nothing."""
    opened(writer, "100001", 0)
    change = TicketChange("100001", 1, NOW, state=TicketState.CUSTOMER)
    said = [entry("100001", by="staff", text="Try again")]
    sent = [outgoing("a1", "100001", kind="answer")]
    event = [Event("entry.added", "100001", NOW, {})]
    writer.run(lambda c: changes.apply_change(c, change, said, sent, event)).result(10)
    with pytest.raises(Moved):
        writer.run(lambda c: changes.apply_change(c, change, said, sent, event)).result(10)
    with store.reading() as connection:
        shown = tickets.show(connection, "100001")
    assert shown is not None
    assert (shown["state"], shown["reply_due"]) == ("waiting for customer", None)
    assert (len(shown["entries"]), len(shown["sent"])) == (1, 1)


def test_tickets_are_listed_by_filters(store: Store, writer: Writer) -> None:
    """Each filter narrows; the one changed last comes first."""
    opened(writer, "100001", 0, subject="Disk full")
    opened(writer, "100002", 1, account="A-1002", state=TicketState.CLOSED)
    every = numbers(store, tickets.list_tickets)
    assert every == ["100002", "100001"]
    for filters, expected in (
        ({"account": "A-1001"}, ["100001"]),
        ({"states": ["closed"]}, ["100002"]),
        ({"matching": "DISK"}, ["100001"]),
        ({"matching": "1000"}, ["100002", "100001"]),
        ({"assignee": "nobody"}, []),
    ):
        assert numbers(store, lambda c, f=filters: tickets.list_tickets(c, **f)) == expected


def test_only_a_candidate_account_gets_a_ticket_to_be_sorted(store: Store, writer: Writer) -> None:
    """Staff choose among the accounts on which the author stands, and no other."""
    opened(writer, "100001", 0, kind=TicketKind.SORT, account=None, candidates=("A-1001",))
    with pytest.raises(BadInput, match="it may be A-1001"):
        write(store, lambda c: tickets.assign_account(c, "100001", "A-1002", "luca", NOW))
    done = write(store, lambda c: tickets.assign_account(c, "100001", "A-1001", "luca", NOW))
    assert (done.account, done.kind) == ("A-1001", TicketKind.ACCOUNT)
    with pytest.raises(BadInput):
        write(store, lambda c: tickets.assign_account(c, "100001", "A-1001", "luca", NOW))


def test_reopening_sets_when_the_answer_is_due(store: Store, writer: Writer) -> None:
    """Else nobody would be told that it is late."""
    opened(writer, "100001", 0)
    due = NOW + 90 * MINUTE
    write(store, lambda c: tickets.close(c, "100001", "luca", NOW))
    write(store, lambda c: tickets.reopen(c, "100001", "luca", NOW, due))
    with store.reading() as connection:
        assert [one["number"] for one in tickets.overdue(connection, due + MINUTE)] == ["100001"]


def test_merging_and_linking_say_what_is_wrong(store: Store, writer: Writer) -> None:
    """Other accounts' tickets, unknown numbers, itself, and twice."""
    opened(writer, "100001", 0)
    opened(writer, "100002", 0)
    opened(writer, "200001", 0, account="A-1002")
    for into in ("200001", "999999", "100001"):
        with pytest.raises(BadInput):
            write(store, lambda c, i=into: tickets.merge(c, "100001", i, "luca", NOW))
    write(store, lambda c: tickets.merge(c, "100001", "100002", "luca", NOW))
    with pytest.raises(BadInput, match="merged"):
        write(store, lambda c: tickets.merge(c, "100002", "100001", "luca", NOW))
    with pytest.raises(BadInput, match="merged into `100002`"):
        write(store, lambda c: tickets.reopen(c, "100001", "luca", NOW))
    with pytest.raises(BadInput, match="not linked to itself"):
        write(store, lambda c: tickets.link(c, "100002", "100002", "luca", NOW))
    assert numbers(store, tickets.queue) == ["100002", "200001"]


def test_an_open_ticket_is_not_merged_into_a_closed_one(store: Store, writer: Writer) -> None:
    """It would leave the queue unanswered; a closed one may go into an open one."""
    opened(writer, "100001", 0)
    opened(writer, "100002", 0)
    write(store, lambda c: tickets.close(c, "100002", "luca", NOW))
    with pytest.raises(BadInput, match="reopen `100002` first"):
        write(store, lambda c: tickets.merge(c, "100001", "100002", "luca", NOW))
    write(store, lambda c: tickets.merge(c, "100002", "100001", "luca", NOW))
    assert numbers(store, tickets.queue) == ["100001"]


def test_overdue_tickets_are_escalated_once(store: Store, writer: Writer) -> None:
    """Due in 30 minutes and nobody answered: listed until staff were told."""
    opened(writer, "100001", 0)
    opened(writer, "100002", 10)
    later = NOW + 35 * MINUTE
    assert numbers(store, lambda c: tickets.overdue(c, later)) == ["100001"]
    assert write(store, lambda c: tickets.escalated(c, ["100001"], later)) == 1
    assert numbers(store, lambda c: tickets.overdue(c, later)) == []
    assert write(store, lambda c: tickets.escalated(c, ["100001"], later)) == 0


def jsonl(folder: Path, *rows: object) -> Path:
    file = folder / "tickets.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def test_tickets_move_in_with_their_history(store: Store, tmp_path: Path) -> None:
    """Created, then unchanged; a longer history is added to, never rewritten."""
    rows = tickets.load_file(jsonl(tmp_path, MOVED_IN))
    counts = {"created": 1, "changed": 0, "unchanged": 0}
    assert write(store, lambda c: tickets.apply(c, rows)) == counts
    assert write(store, lambda c: tickets.apply(c, rows)) == {
        **counts,
        "created": 0,
        "unchanged": 1,
    }
    more = {"at": "2025-01-04T10:00:00Z", "by": "customer", "text": "Thanks"}
    longer = {**MOVED_IN, "entries": [*MOVED_IN["entries"], more]}
    again = tickets.load_file(jsonl(tmp_path, longer))
    assert write(store, lambda c: tickets.apply(c, again))["changed"] == 1
    with store.reading() as connection:
        shown = tickets.show(connection, "700001")
    assert shown is not None
    assert [e["text"] for e in shown["entries"]] == ["Help", "Done", "Thanks"]
    assert shown["opened_at"] == datetime.fromisoformat("2025-01-02T09:00:00+00:00")
    assert shown["closed_at"] == datetime.fromisoformat("2025-01-03T10:00:00+00:00")
    assert numbers(store, tickets.queue) == []


def test_open_tickets_that_move_in_wait_in_the_queue(store: Store, tmp_path: Path) -> None:
    """By the time at which they were opened in the other system."""
    rows = tickets.load_file(jsonl(tmp_path, {**MOVED_IN, "state": "open"}))
    write(store, lambda c: tickets.apply(c, rows))
    assert numbers(store, tickets.queue) == ["700001"]


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"numbr": "1"}, "did you mean `number`"),
        ({"number": "abc"}, "1 to 18 digits"),
        ({"opened": "yesterday"}, "`opened` is `yesterday`"),
        ({"state": "clsed"}, "did you mean `closed`"),
        ({"entries": ["x"]}, "not a list of objects"),
        ({"entries": [{"at": "2025-01-01", "by": "me"}]}, "`by` is `me`"),
        ({"opened": "2025-01-02T10:00:00"}, "`opened` is `2025-01-02T10:00:00`"),
        ({"entries": [{"at": "2025-01-02", "text": "x"}]}, "`at` is `2025-01-02`"),
        ({"entries": [{"at": "2025-01-02T10:00:00Z", "text": 7}]}, "is not a text"),
        ({"entries": [{"at": "2025-01-02T10:00:00Z", "text": ["x"]}]}, "is not a text"),
        ({"entries": [{"at": "2025-01-02T10:00:00Z", "text": "\ud800"}]}, "is not a text"),
        ({"subject": "a\nBcc: b"}, "`subject` holds control characters"),
        ({"department": "tecnical"}, "did you mean `technical`"),
        ({"account": None}, "`account` is missing"),
    ],
)
def test_a_bad_ticket_is_named_by_line(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    """Nothing of the file is taken."""
    file = jsonl(tmp_path, MOVED_IN, {**MOVED_IN, "number": "700002", **change})
    with pytest.raises(BadInput) as raised:
        tickets.load_file(file, ("technical", "general"))
    assert f"{file}:2: " in str(raised.value)
    assert "nothing of the file was applied" in str(raised.value)
    assert complaint in str(raised.value)


@pytest.mark.parametrize("account", ["A-9999", "A-1002"])
def test_nothing_of_a_file_is_applied_when_the_database_refuses_a_row(
    store: Store, writer: Writer, tmp_path: Path, account: str
) -> None:
    """An unknown account, or a number that is another account's ticket: named by line."""
    opened(writer, "700002", 0)
    rows = tickets.load_file(
        jsonl(tmp_path, MOVED_IN, {**MOVED_IN, "number": "700002", "account": account})
    )
    with pytest.raises(BadInput, match=r"tickets\.jsonl:2: (.*\n)nothing of the"):
        writer.run(lambda c: tickets.apply(c, rows)).result(10)
    assert numbers(store, tickets.list_tickets) == ["700002"]


def test_a_ticket_page_shows_attachments(store: Store, writer: Writer) -> None:
    """Names, types and sizes come with the entry of their mail; there is no ticket 0."""
    writer.commit(opening("m1")).result(10)
    with store.reading() as connection:
        assert tickets.show(connection, "000000") is None
        with pytest.raises(BadInput, match="no ticket"):
            tickets.find(connection, "000000")
        shown = tickets.show(connection, "482913")
    assert shown is not None
    assert shown["entries"][0]["attachments"] == []
