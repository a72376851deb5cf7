"""Requests of data subjects: what is shown is what is erased, on both engines."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, func, select
from store_values import NOW, digest, entry, mail_row, new_ticket, opening, outgoing

from gateway.core.model import Attachment, Effects, ProvenAuthor, TicketKind
from gateway.errors import BadInput
from gateway.store import mails, schema, subject, tickets
from gateway.store.engine import Store
from gateway.store.writer import Writer

SECRET = "zaffiro-delle-ande"
STRANGER = "stranger@other.example"
OTHERS = b"Subject: x\r\n\r\nText\r\n"


def pdf(content: bytes) -> Attachment:
    """A file that came with a mail."""
    return Attachment(
        "a.pdf",
        "application/pdf",
        "application/pdf",
        len(content),
        digest(content),
        False,
        content,
    )


@pytest.fixture
def house(store: Store, writer: Writer) -> Store:
    """Two accounts with a ticket each, an enquiry of a stranger who also wrote into the first."""
    words = f"Subject: m1\r\n\r\n{SECRET}\r\n".encode()
    first = opening(mail=mail_row("m1", ticket="482913", raw=words))
    said = entry(text=SECRET)
    writer.commit(replace(first, entries=(said,), attachments=(pdf(b"%PDF shared"),))).result()
    other = mail_row("m2", author_key="bruno@altro.example", account="B-1002", ticket="555555")
    second = Effects(
        mail=other,
        tickets=(new_ticket("555555", account="B-1002"),),
        entries=(entry("555555", author="bruno@altro.example"),),
        outgoing=(
            outgoing("r2", "555555", account="B-1002", to="bruno@altro.example", raw=OTHERS),
        ),
        attachments=(pdf(b"%PDF shared"),),
    )
    writer.commit(second).result()
    asked = mail_row("m3", author_key=STRANGER, account=None, ticket="777777")
    enquiry = new_ticket(
        "777777",
        kind=TicketKind.ENQUIRY,
        account=None,
        enquirer=ProvenAuthor("Stranger@other.example"),
    )
    writer.commit(
        Effects(
            mail=asked,
            tickets=(enquiry,),
            entries=(
                entry("777777", author="Stranger@other.example", text=SECRET),
                entry("482913", author="Stranger@other.example", text=SECRET),
            ),
            outgoing=(
                outgoing("r3", "777777", account=None, to="Stranger@other.example", raw=OTHERS),
            ),
        )
    ).result()
    return store


def erased(store: Store, writer: Writer, word: str) -> dict[str, int]:
    """What an erasure took away."""

    def work(connection: Connection) -> dict[str, int]:
        return subject.erase(connection, subject.find(connection, word))

    return writer.run(work).result()


def numbers(store: Store) -> set[str]:
    """The tickets that are there."""
    with store.reading() as connection:
        return set(connection.execute(select(schema.tickets.c.number)).scalars())


def test_an_account_s_export_holds_its_rows_and_mails_and_no_other_s(house: Store) -> None:
    """Tickets, words, mails; nothing of another account, and no bytes of ours."""
    with house.reading() as connection:
        found = subject.find(connection, "A-1001")
        held = subject.export(connection, found)
        letters = dict(subject.letters(connection, house.blobs, found))
    assert [row["number"] for row in held["accounts"]] == ["A-1001"]
    assert {row["number"] for row in held["tickets"]} == {"482913"}
    assert {row["text"] for row in held["entries"]} == {SECRET}
    assert held["mails"][0]["received_at"] == NOW
    assert held["mails"][0]["facts"] == {"sender": "primary", "token": False}
    assert set(letters) == {"m1"}
    assert SECRET.encode() in letters["m1"]
    assert "bruno" not in repr(held)


def test_an_erased_account_leaves_nothing_and_takes_nothing_of_others(
    house: Store, writer: Writer
) -> None:
    """Its rows, its content, its place in the queue; a file that another one has too stays."""
    rows = erased(house, writer, "A-1001")
    assert rows["tickets"] == 1
    assert rows["mails"] == 1
    assert numbers(house) == {"555555", "777777"}
    with house.reading() as connection:
        assert len(tickets.queue(connection)) == 2
        waiting = select(func.sum(schema.waiting.c.n))
        assert connection.execute(waiting).scalar_one() == 2
        assert mails.content(connection, house.blobs, digest(b"%PDF shared")) is not None
        assert mails.raw(connection, house.blobs, "m1") is None
        with pytest.raises(BadInput):
            subject.find(connection, "A-1001")
    dump = everything(house)
    assert "A-1001" not in dump
    assert "anna@cliente.example" not in dump


def test_an_erased_mailbox_loses_its_enquiries_and_its_words_elsewhere(
    house: Store, writer: Writer
) -> None:
    """In an account's ticket its entry keeps the place; the account's own words stay."""
    rows = erased(house, writer, "stranger@OTHER.example")
    assert rows["tickets"] == 1
    assert rows["words"] == 1
    assert numbers(house) == {"482913", "555555"}
    with house.reading() as connection:
        shown = tickets.show(connection, "482913")
    assert shown is not None
    assert [(one["author"], one["text"]) for one in shown["entries"]] == [
        ("anna@cliente.example", SECRET),
        (None, subject.ERASED),
    ]
    assert "stranger" not in everything(house).lower()


def test_an_official_address_is_erased_with_its_account_only(house: Store, writer: Writer) -> None:
    """Else the account's next reply would have nowhere to go."""
    with pytest.raises(BadInput, match="official address of A-1001"):
        erased(house, writer, "anna@cliente.example")


def test_a_word_that_is_neither_account_nor_address_is_refused(house: Store) -> None:
    """The word is named."""
    with house.reading() as connection, pytest.raises(BadInput, match="nonsense"):
        subject.find(connection, "nonsense")


def test_counts_say_before_what_an_erasure_says_after(house: Store, writer: Writer) -> None:
    """A dry run is no guess."""
    for word in (STRANGER, "A-1001"):
        with house.reading() as connection:
            before = subject.counts(connection, subject.find(connection, word))
        after = erased(house, writer, word)
        # Rows below a service go with it, whoever counts them.
        assert {name: n for name, n in after.items() if name != "content"} == before


def test_every_table_that_names_people_is_looked_at(house: Store) -> None:
    """A new table is either looked at, or said here to name nobody."""
    with house.reading() as connection:
        looked = {
            place.table.name
            for word in ("A-1001", STRANGER)
            for place in subject.places(connection, subject.find(connection, word))
        }
    nobody = {"waiting", "replays", "jobs", "gateways", "followers", "announcements", "meta"}
    assert set(schema.metadata.tables) - looked - nobody == {"blobs"}  # erased by their digest


def test_the_same_mail_may_come_again_after_an_erasure(house: Store, writer: Writer) -> None:
    """Nothing remembers that it was there."""
    erased(house, writer, "A-1001")
    late = opening("m9", "888888")
    done = writer.commit(replace(late, mail=replace(late.mail, key=digest("key m1")))).result()
    assert not done.duplicate


def everything(store: Store) -> str:
    """Every row of every table, as text."""
    with store.reading() as connection:
        return repr(
            [
                list(connection.execute(select(table)).all())
                for table in schema.metadata.tables.values()
            ]
        )
