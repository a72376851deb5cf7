"""The one read: what it finds, of whom it says nothing, and that it is the same whoever writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from store_values import NOW, clues, mail_row, new_ticket, opening, outgoing

from gateway.core.model import (
    Candidates,
    Effects,
    Known,
    NotificationAddress,
    OfficialAddress,
    Parked,
    ProvenAuthor,
    Role,
    Spend,
    StaffAddress,
    TicketKind,
    TicketState,
)
from gateway.store import accounts, questions, schema
from gateway.store.columns import micros
from gateway.store.engine import Store
from gateway.store.prepared import Link
from gateway.store.questions import Asked
from gateway.store.reader import Reader
from gateway.store.writer import Writer

STAFF = StaffAddress("luca@desk.example", "Luca", ("technical",))


@pytest.fixture
def reader(store: Store) -> Reader:
    return Reader(store, lambda: {STAFF.address: STAFF}, lambda _text, _language: ())


def ask(reader: Reader, author: str = "anna@cliente.example", **named: Any) -> Candidates:
    return reader.candidates(clues(author, **named))


def change(store: Store, **values: Any) -> None:
    """Alter the official address of A-1001 by hand."""
    a = schema.addresses.c
    with store.engine.begin() as connection:
        connection.execute(
            update(schema.addresses).where(a.key == "anna@cliente.example").values(**values)
        )


def test_a_registered_author_is_found_with_his_account(reader: Reader) -> None:
    """Role, official address and services come with the registration."""
    found = ask(reader)
    (one,) = found.registrations
    assert (one.account.number, one.role) == ("A-1001", Role.PRIMARY)
    assert one.account.official == OfficialAddress("anna@cliente.example", "A-1001")
    assert one.account.doubtful is None
    assert [(s.name, s.order, s.ips) for s in found.services] == [
        ("vps-12", "123456", ("192.0.2.7",))
    ]
    secondary = ask(reader, "tech@cliente.example").registrations
    assert [(r.account.number, r.role) for r in secondary] == [("A-1001", Role.SECONDARY)]
    assert secondary[0].account.official.address == "anna@cliente.example"


def test_an_unconfirmed_address_is_not_fetched(store: Store, reader: Reader) -> None:
    """Until its link was followed an address is a stranger's."""
    with store.engine.begin() as connection:
        accounts.add_address(connection, "A-1001", "new@c.example", NOW, confirmed=False)
    assert ask(reader, "new@c.example").registrations == ()
    with store.engine.begin() as connection:
        accounts.confirm_address(connection, "A-1001", "new@c.example", NOW)
    assert len(ask(reader, "new@c.example").registrations) == 1


def test_an_address_on_several_accounts_is_found_on_each(store: Store, reader: Reader) -> None:
    """Which one is meant is not for the store to say."""
    with store.engine.begin() as connection:
        accounts.add_address(connection, "A-1002", "anna@cliente.example", NOW)
    assert [r.account.number for r in ask(reader).registrations] == ["A-1001", "A-1002"]


def test_notices_of_a_kind_go_to_confirmed_addresses_of_that_kind(
    store: Store, reader: Reader
) -> None:
    """I7: a secondary address with kinds is one that gets notices of those kinds."""
    with store.engine.begin() as connection:
        accounts.add_address(connection, "A-1001", "pay@c.example", NOW, kinds=["billing"])
        accounts.add_address(
            connection, "A-1001", "no@c.example", NOW, kinds=["abuse"], confirmed=False
        )
    account = reader.account("A-1001")
    assert account is not None
    assert account.notify == (NotificationAddress("pay@c.example", "A-1001", "billing"),)
    assert ask(reader, "pay@c.example").registrations[0].kinds == ("billing",)


@pytest.mark.parametrize(
    "values, word",
    [
        ({"bounced_at": micros(NOW)}, "bounced"),
        ({"domain_changed_at": micros(NOW + timedelta(days=1))}, "changed hands"),
        ({"confirmed_at": None}, "never confirmed"),
    ],
)
def test_a_destination_in_doubt_is_said(
    store: Store, reader: Reader, values: dict[str, Any], word: str
) -> None:
    """A mailbox that bounced, or whose domain changed hands since, gets no text of the account."""
    change(store, **values)
    account = reader.account("A-1001")
    assert account is not None
    assert word in str(account.doubtful)


def test_a_domain_that_changed_before_the_confirmation_is_no_doubt(
    store: Store, reader: Reader
) -> None:
    """What was confirmed afterwards is the new owner's."""
    change(store, domain_changed_at=micros(NOW - timedelta(days=1)))
    account = reader.account("A-1001")
    assert account is not None
    assert account.doubtful is None


def test_named_tickets_are_found_and_merges_followed(
    store: Store, reader: Reader, writer: Writer
) -> None:
    """By number or by Message-ID, whoever owns them; a merged one brings the one it went into."""
    writer.commit(opening("m1", "111111")).result(10)
    writer.commit(opening("m2", "222222")).result(10)
    known = (Known("<m3@cliente.example>", "333333", sent=False),)
    third = Effects(mail_row("m3"), tickets=(new_ticket("333333"),), known=known)
    writer.commit(third).result(10)
    pairs = (("111111", "222222"), ("222222", "333333"))
    for n, pair in enumerate(pairs):
        into = Effects(mail_row(f"x{n}"), merges=(pair,))
        if n == 0:
            writer.commit(into).result(10)
    found = ask(reader, "stranger@x.example", tickets=("111111", "999999"))
    assert {t.number for t in found.tickets} == {"111111", "222222"}
    assert [a.number for a in found.ticket_accounts] == ["A-1001"]
    assert found.registrations == ()
    by_id = ask(reader, message_ids=("<m3@cliente.example>",))
    assert [(m.ticket, m.sent) for m in by_id.messages] == [("333333", False)]
    assert [t.number for t in by_id.tickets] == ["333333"]


def test_what_we_sent_in_a_named_ticket_is_known(reader: Reader, writer: Writer) -> None:
    """Our own words are subtracted from quotes; notices to staff are not among them."""
    first = opening("m1")
    notice = outgoing("n1", to="desk@h.example", notice=True, text="inner")
    writer.commit(replace(first, outgoing=(*first.outgoing, notice))).result(10)
    assert ask(reader, tickets=("482913",)).sent_texts == ("Text",)
    assert ask(reader).sent_texts == ()


def test_open_tickets_are_those_of_the_author_within_the_window(
    reader: Reader, writer: Writer
) -> None:
    """Closed longer ago than the window, or somebody else's: not a candidate for a twin."""
    old = NOW - timedelta(hours=49)
    closed = (
        new_ticket("200001", state=TicketState.CLOSED, opened_at=NOW - timedelta(hours=1)),
        new_ticket("200002", state=TicketState.CLOSED, opened_at=old),
        new_ticket("200003", opened_at=old),
        new_ticket("200004", account="A-1002"),
    )
    writer.commit(Effects(mail_row("m1"), tickets=closed)).result(10)
    assert {t.number for t in ask(reader).open_tickets} == {"200001", "200003"}


@pytest.mark.parametrize(
    "named, foreign",
    [
        ({}, False),
        ({"orders": ("123456",), "ips": ("192.0.2.7",), "words": ("vps-12",)}, False),
        ({"orders": ("654321",)}, True),
        ({"orders": ("000000",)}, True),
        ({"ips": ("198.51.100.9",)}, True),
        ({"ips": ("203.0.113.1",)}, True),
        ({"words": ("srv-altro",)}, False),
        ({"words": ("nothing-of-ours",)}, False),
    ],
)
def test_foreign_things_are_others_or_nobodys(
    reader: Reader, named: dict[str, Any], foreign: bool
) -> None:
    """An order or address that is nobody's counts as somebody else's; a plain word does not."""
    assert ask(reader, **named).foreign is foreign


def test_a_ticket_number_is_not_taken_for_an_order(reader: Reader, writer: Writer) -> None:
    """`[#482913]` in a subject names the ticket, and nobody's order."""
    writer.commit(opening("m1")).result(10)
    assert ask(reader, orders=("482913",), tickets=("482913",)).foreign is False
    assert ask(reader, orders=("999999",), tickets=("999999",)).foreign is True


def test_the_number_of_an_enquiry_is_nobodys_order_to_staff(
    reader: Reader, writer: Writer
) -> None:
    """Each of their answers has it in the subject; a stranger learns nothing by it."""
    asked = new_ticket(kind=TicketKind.ENQUIRY, account=None, enquirer=ProvenAuthor("x@y.example"))
    writer.commit(Effects(mail_row("m1"), tickets=(asked,))).result(10)
    named = {"orders": ("482913",), "tickets": ("482913",)}
    assert ask(reader, "luca@desk.example", **named).foreign is False
    assert ask(reader, "mario@curious.example", **named).foreign is True


def test_earlier_arrivals_are_seen(reader: Reader, writer: Writer) -> None:
    """The very same mail; the same content; the same words of the same author; nobody else's."""
    row = mail_row("m1", ticket="482913")
    writer.commit(opening("m1", mail=row)).result(10)
    (same,) = ask(reader, mail_key=row.key, content_digest=row.content_digest).seen
    assert (same.mail_id, same.same, same.ticket, same.proof) == ("m1", True, "482913", "strong")
    (copy,) = ask(reader, content_digest=row.content_digest).seen
    assert copy.same is False
    words = {"message_id": row.message_id, "body_digest": row.body_digest}
    assert len(ask(reader, **words).seen) == 1
    assert ask(reader, "mallory@evil.example", **words).seen == ()
    assert ask(reader, message_id=row.message_id).seen == ()


def test_a_mail_that_is_decided_again_does_not_see_itself(reader: Reader, writer: Writer) -> None:
    """A failed or released mail is not its own earlier arrival."""
    failed = mail_row("m1", error="defect")
    writer.commit(Effects(failed)).result(10)
    parked = Parked("A-1001", NOW + timedelta(days=1))
    writer.commit(Effects(mail_row("p1"), parked=parked)).result(10)
    assert ask(reader, mail_key=failed.key).seen == ()
    assert len(ask(reader, mail_key=mail_row("p1").key).seen) == 1
    assert [p.mail for p in ask(reader).parked] == ["p1"]
    assert ask(reader, "bruno@altro.example").parked == ()
    writer.commit(Effects(mail_row("yes"), release=("p1",))).result(10)
    assert ask(reader, mail_key=mail_row("p1").key).seen == ()
    assert ask(reader).parked == ()


def test_replays_are_remembered_for_a_fortnight(reader: Reader, writer: Writer) -> None:
    """The digest of a signature comes back with the content that it came with."""
    row = mail_row("m1")
    writer.commit(Effects(row, replays=("b1",))).result(10)
    (replay,) = ask(reader, signature_digests=("b1", "b2")).replays
    assert (replay.digest, replay.content_digest, replay.first_seen) == (
        "b1",
        row.content_digest,
        NOW,
    )
    later = NOW + timedelta(days=15)
    assert ask(reader, signature_digests=("b1",), now=later).replays == ()


def test_spending_is_counted_by_ledger_over_a_day(reader: Reader, writer: Writer) -> None:
    """Forgeries use up their own ledger, and nobody else's."""
    spends = (
        Spend("unproven", "A-1001", NOW),
        Spend("strong", "A-1001", NOW - timedelta(hours=30)),
        Spend("strong", "A-1002", NOW),
        Spend("author", "x@y.example", NOW),
        Spend("domain", "y.example", NOW),
    )
    writer.commit(Effects(mail_row("m1"), spends=spends)).result(10)
    mine = ask(reader).spending
    assert (mine.unproven_today, mine.strong_today, mine.medium_today) == (1, 0, 0)
    assert mine.global_today == {"unproven": 1, "strong": 1, "author": 1, "domain": 1}
    theirs = ask(reader, "x@y.example").spending
    assert (theirs.author_today, theirs.domain_today, theirs.unproven_today) == (1, 1, 0)


def test_the_queue_and_a_free_number_come_along(reader: Reader, writer: Writer) -> None:
    """A new ticket knows its place and its number, which is random and of six digits."""
    for n in range(3):
        writer.commit(opening(f"m{n}", f"30000{n}")).result(10)
    found = ask(reader)
    assert found.queue.waiting == {"normal": 3}
    assert len(found.free_number) == 6
    assert len({ask(reader).free_number for _ in range(20)}) > 10


def test_staff_are_known_by_their_address_alone(reader: Reader) -> None:
    """The list is the one of this moment."""
    assert ask(reader, "luca@desk.example").staff == STAFF
    assert ask(reader).staff is None


def test_an_enquirer_comes_back_as_a_proven_author(reader: Reader, writer: Writer) -> None:
    """Only an enquiry's row brings one back."""
    author = ProvenAuthor("q@x.example")
    asked = new_ticket(kind=TicketKind.ENQUIRY, account=None, enquirer=author)
    writer.commit(Effects(mail_row("m1"), tickets=(asked,))).result(10)
    ticket = reader.ticket("482913")
    assert ticket is not None
    assert (ticket.enquirer, ticket.kind) == (author, TicketKind.ENQUIRY)
    assert reader.ticket("000000") is None
    assert reader.account("A-9") is None


def test_active_announcements_come_along(store: Store, reader: Reader) -> None:
    """Over, or not begun: not told."""

    def row(slug: str, start: datetime, end: datetime | None) -> dict[str, Any]:
        return {
            "slug": slug,
            "title": "Works",
            "text": "…",
            "services": '["vps"]',
            "starts_at": micros(start),
            "ends_at": None if end is None else micros(end),
        }

    day = timedelta(days=1)
    rows = [
        row("now", NOW - day, None),
        row("over", NOW - 2 * day, NOW - day),
        row("later", NOW + day, None),
    ]
    with store.engine.begin() as connection:
        connection.execute(insert(schema.announcements), rows)
    found = ask(reader).announcements
    assert [(one.slug, one.services) for one in found] == [("now", ("vps",))]


class NotingStore:
    """A store that writes down the statements of each read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.statements: list[str] = []

    @contextmanager
    def read(self) -> Iterator[Link]:
        statements = self.statements

        class Noting(Link):
            __slots__ = ()

            def statement(self, prepared: Any, values: Any) -> Any:
                said = super().statement(prepared, values)
                statements.append(said.sql)
                return said

        with self.store.read() as link:
            yield Noting(link.dbapi, self.store.engine.dialect)


def test_the_same_statements_run_whoever_writes(store: Store, writer: Writer) -> None:
    """Neither number nor shape of the queries tells whether an address or a ticket exists."""
    writer.commit(opening("m1")).result(10)
    noting: Any = NotingStore(store)
    reader = Reader(noting, dict, lambda _text, _language: ())
    askers = [
        clues(),
        clues("stranger@x.example"),
        clues("tech@cliente.example", tickets=("482913",), orders=("1", "2", "3")),
        clues("\0\ud800@x", words=("a", "b"), message_ids=("<\0>",)),
    ]
    runs = []
    for asked in askers:
        reader.candidates(asked)
        runs.append(list(noting.statements))
        noting.statements.clear()
    assert len(runs[0]) == len(questions.ALL)
    assert all(run == runs[0] for run in runs)


def test_no_question_scans_a_table_that_grows(tmp_path: Any) -> None:
    """Every look-up of the one read goes through an index, whatever the size of the database."""
    store = Store.open(f"sqlite:///{tmp_path / 'p.db'}")
    small = {"waiting", "announcements", "named"}
    with store.read() as link:
        for question in questions.ALL:
            sql, order, constants = question.prepared.text(link.dialect)
            values = {**constants, **question.values(Asked(clues(), 0, ("1",)))}
            plan = link.dbapi.execute(
                f"EXPLAIN QUERY PLAN {sql}", [values[n] for n in order or ()]
            )
            scans = [row[3].split()[1] for row in plan if row[3].startswith("SCAN")]
            assert {s for s in scans if not s.startswith("anon_")} <= small, sql
    store.close()
