"""The outbox: leases, fencing, order, held rows, and what ops do with rows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from store_values import NOW, mail_row, new_ticket, opening, outgoing

from gateway.core.model import Effects, Outgoing, TicketState
from gateway.store import accounts, outbox, schema, tickets
from gateway.store.engine import Store
from gateway.store.outbox import Lease, Outbox
from gateway.store.writer import Writer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def box(store: Store, writer: Writer) -> Outbox:
    return Outbox(store, writer)


def queued(writer: Writer, *mails: Outgoing) -> None:
    """One ticket with these mails in its outbox."""
    effects = Effects(
        mail_row("m1"), tickets=(new_ticket(state=TicketState.CUSTOMER),), outgoing=mails
    )
    writer.commit(effects).result(10)


def ids(leases: list[Lease]) -> list[str]:
    return [lease.message_id.split("@")[0].lstrip("<") for lease in leases]


def test_a_due_row_is_claimed_once(box: Outbox, writer: Writer) -> None:
    """A second gateway gets nothing while the first holds the lease."""
    queued(writer, outgoing("r1", raw=b"bytes \0 as they are"))
    (lease,) = box.claim("one", NOW, 10)
    assert (lease.to, lease.raw, lease.tries) == (
        "anna@cliente.example",
        b"bytes \0 as they are",
        1,
    )
    assert not lease.maybe_twice
    assert box.claim("two", NOW, 10) == []
    assert box.sent(lease, NOW)
    assert box.claim("two", NOW + timedelta(days=1), 10) == []
    assert box.counts() == {}


def test_rows_are_not_claimed_before_they_are_due(box: Outbox, writer: Writer) -> None:
    """A receipt that waits to be merged waits."""
    queued(writer, outgoing("r1", due=NOW + 10 * MINUTE))
    assert box.claim("one", NOW, 10) == []
    assert box.next_due() == NOW + 10 * MINUTE
    assert ids(box.claim("one", NOW + 10 * MINUTE, 10)) == ["r1"]


def test_a_dead_gateways_row_comes_back_and_its_late_word_counts_for_nothing(
    box: Outbox, writer: Writer
) -> None:
    """Finishing is fenced by the owner; a row taken over may have been sent, and says so."""
    queued(writer, outgoing("r1"))
    (dead,) = box.claim("dead", NOW, 10, MINUTE)
    (again,) = box.claim("heir", NOW + 2 * MINUTE, 10, MINUTE)
    assert (again.tries, again.maybe_twice) == (2, True)
    assert not box.sent(dead, NOW + 2 * MINUTE)
    assert not box.retry(dead, NOW, NOW, "late")
    assert not box.failed(dead, NOW, "late")
    assert box.sent(again, NOW + 2 * MINUTE)


def test_a_lease_that_is_renewed_keeps_others_away(box: Outbox, writer: Writer) -> None:
    """Until the new end, and only for whoever has the row."""
    queued(writer, outgoing("r1"))
    (lease,) = box.claim("one", NOW, 10, MINUTE)
    assert box.renew(lease, NOW, NOW + 3 * MINUTE)
    assert box.claim("two", NOW + 2 * MINUTE, 10, MINUTE) == []
    (other,) = box.claim("two", NOW + 4 * MINUTE, 10, MINUTE)
    assert not box.renew(lease, NOW + 4 * MINUTE, NOW + 9 * MINUTE)
    assert box.sent(other, NOW + 4 * MINUTE)
    assert not box.renew(other, NOW + 4 * MINUTE, NOW + 9 * MINUTE)


def test_a_retried_row_comes_back_at_its_time(box: Outbox, writer: Writer) -> None:
    """The error is kept for ops; nobody died, so nothing was sent twice."""
    queued(writer, outgoing("r1"))
    (lease,) = box.claim("one", NOW, 10)
    assert box.retry(lease, NOW, NOW + 5 * MINUTE, "450 later")
    assert box.claim("one", NOW + 4 * MINUTE, 10) == []
    (again,) = box.claim("one", NOW + 5 * MINUTE, 10)
    assert (again.tries, again.maybe_twice) == (2, False)


def test_order_is_kept_for_a_reader_of_a_ticket(box: Outbox, writer: Writer) -> None:
    """The second mail of a ticket waits for the first, also while that is being retried."""
    queued(
        writer, outgoing("r1"), outgoing("r2"), outgoing("s1", to="desk@h.example", notice=True)
    )
    first = box.claim("one", NOW, 10)
    assert ids(first) == ["r1", "s1"]
    box.retry(first[0], NOW, NOW + 5 * MINUTE, "450 later")
    box.sent(first[1], NOW)
    assert box.claim("one", NOW + MINUTE, 10) == []
    later = NOW + 5 * MINUTE
    assert ids(box.claim("one", later, 10)) == ["r1"]
    queued_again = box.claim("two", later + 10 * MINUTE, 10)
    assert ids(queued_again) == ["r1"]
    box.sent(queued_again[0], later)
    assert ids(box.claim("one", later + 10 * MINUTE, 10)) == ["r2"]


def test_a_receipt_that_waits_goes_out_before_the_answer_that_follows_it(
    box: Outbox, writer: Writer
) -> None:
    """A staff answer does not wait for the merging of receipts, and does not overtake one."""
    queued(writer, outgoing("r1", due=NOW + 10 * MINUTE, merge_key="receipt:482913"))
    answer = Effects(mail_row("m2"), outgoing=(outgoing("a1", kind="answer"),))
    writer.commit(answer).result(10)
    (first,) = box.claim("one", NOW, 10)
    assert ids([first]) == ["r1"]
    box.sent(first, NOW)
    assert ids(box.claim("one", NOW, 10)) == ["a1"]


def test_held_rows_are_never_claimed_until_ops_release_them(
    store: Store, box: Outbox, writer: Writer
) -> None:
    """Text to a doubtful address waits; it does not hold up what goes elsewhere."""
    queued(writer, outgoing("r1", held="bounced"), outgoing("r2"))
    assert ids(box.claim("one", NOW, 10)) == ["r2"]
    with store.reading() as connection:
        (held,) = outbox.list_rows(connection, states=["held"])
    assert held["held"] == "bounced"
    assert "raw" not in held
    done = writer.run(lambda link: outbox.act(link, "release", [held["id"]], NOW)).result(10)
    assert done == 1
    assert box.counts() == {"due": 2}


def test_a_row_given_up_raises_its_ticket(store: Store, box: Outbox, writer: Writer) -> None:
    """Staff see that the customer was not told; a refused address is in doubt from then on."""
    queued(writer, outgoing("r1"))
    (lease,) = box.claim("one", NOW, 10)
    assert box.failed(lease, NOW + MINUTE, "550 no such user", bounced=True)
    with store.reading() as connection:
        shown = tickets.show(connection, "482913")
        account = accounts.show(connection, "A-1001")
    assert shown is not None
    assert account is not None
    assert shown["state"] == "waiting for staff"
    assert shown["entries"][-1]["by"] == "system"
    assert account["addresses"][0]["bounced_at"] == NOW + MINUTE
    assert box.counts() == {"failed": 1}


def test_ops_cannot_touch_a_row_that_is_being_sent(
    store: Store, box: Outbox, writer: Writer
) -> None:
    """Dropping it would say that it did not go out."""
    queued(writer, outgoing("r1"))
    (lease,) = box.claim("one", NOW, 10)
    act = lambda action: writer.run(  # noqa: E731  (said four times below)
        lambda link: outbox.act(link, action, [lease.id], NOW)
    ).result(10)
    assert act("drop") == 0
    box.retry(lease, NOW, NOW, "450")
    assert act("hold") == 1
    assert act("drop") == 1
    assert act("requeue") == 1
    with store.reading() as connection:
        row = outbox.show(connection, lease.id)
    assert row is not None
    assert (row["state"], row["raw"][:5]) == ("due", b"From:")


def test_a_new_official_address_takes_the_unsent_mail_along(
    store: Store, box: Outbox, writer: Writer
) -> None:
    """Retargeted in the same transaction, envelope and To; what others get stays theirs."""
    queued(writer, outgoing("r1"), outgoing("s1", to="anna@cliente.example", notice=True))
    moved = writer.run(
        lambda link: accounts.set_primary(link, "A-1001", "tech@cliente.example", NOW)
    ).result(10)
    assert moved == accounts.MovedAddress("A-1001", "anna@cliente.example", "tech@cliente.example")
    sent = {lease.message_id: lease for lease in box.claim("one", NOW, 10)}
    reply = sent["<r1@support.example>"]
    assert reply.to == "tech@cliente.example"
    assert b"\r\nTo: tech@cliente.example\r\n" in reply.raw
    assert sent["<s1@support.example>"].to == "anna@cliente.example"


def test_several_gateways_share_the_work(store: Store, writer: Writer) -> None:
    """Two writers on one database claim each row once."""
    for n in range(20):
        effects = opening(f"m{n}", f"{500000 + n}")
        writer.commit(replace(effects, outgoing=(outgoing(f"r{n}", f"{500000 + n}"),))).result(10)
    with Writer(store) as second:
        boxes = [Outbox(store, writer), Outbox(store, second)]
        claimed = [
            lease.id
            for turn in range(10)
            for owner, one in enumerate(boxes)
            for lease in one.claim(f"{owner}", NOW, 3)
        ]
    assert len(claimed) == len(set(claimed)) == 20
    with store.reading() as connection:
        rows = connection.execute(select(schema.outbox.c.tries)).scalars()
        assert set(rows) == {1}


def test_a_clock_put_back_holds_no_row_up(store: Store, box: Outbox, writer: Writer) -> None:
    """A row of the day that has not come yet is due; one that waits for its time still waits."""
    day = timedelta(days=1)
    queued(writer, outgoing("new"))
    (lease,) = box.claim("one", NOW, 10)
    assert box.retry(lease, NOW, NOW + MINUTE, "later")
    before = NOW - day
    assert box.claim("one", before, 10) == []
    assert writer.run(lambda link: outbox.brought_near(link, before)).result(10) == 1
    assert ids(box.claim("one", before, 10)) == ["new"]


def test_what_waits_for_its_time_is_not_hastened(box: Outbox, writer: Writer) -> None:
    """Rows that were put off today, for minutes or for hours, are let be."""
    queued(writer, outgoing("merged", due=NOW + 20 * 60 * MINUTE))
    assert writer.run(lambda link: outbox.brought_near(link, NOW)).result(10) == 0
    assert box.claim("one", NOW, 10) == []


def test_a_lease_of_the_future_ends_as_soon_as_a_new_one_would(
    box: Outbox, writer: Writer
) -> None:
    """Its owner died, and the clock was put back: the row comes back in minutes."""
    queued(writer, outgoing("r1"))
    assert box.claim("one", NOW, 10)
    before = NOW - timedelta(days=1)
    assert writer.run(lambda link: outbox.brought_near(link, before)).result(10) > 0
    assert box.claim("two", before + MINUTE, 10) == []
    (again,) = box.claim("two", before + 6 * MINUTE, 10)
    assert again.maybe_twice


def test_a_row_that_its_owner_carries_still_is_not_claimed_by_it(
    box: Outbox, writer: Writer
) -> None:
    """Its lease ended while the database was away; it is out of reach until it is let go."""
    queued(writer, outgoing("r1"))
    (first,) = box.claim("one", NOW, 10, MINUTE)
    later = NOW + 2 * MINUTE
    assert box.claim("one", later, 10, MINUTE, carried={first.id, 77}) == []
    (again,) = box.claim("one", later, 10, MINUTE, carried={77})
    assert (again.id, again.maybe_twice) == (first.id, True)


def test_the_first_word_of_an_owner_that_claimed_twice_counts_for_nothing(
    box: Outbox, writer: Writer
) -> None:
    """The same name is no proof: a claim is known by its attempt, too."""
    queued(writer, outgoing("r1"))
    (first,) = box.claim("one", NOW, 10, MINUTE)
    later = NOW + 2 * MINUTE
    (again,) = box.claim("one", later, 10, MINUTE)
    assert not box.renew(first, later, later + MINUTE)
    assert not box.sent(first, later)
    assert not box.failed(first, later, "late")
    assert box.renew(again, later, later + MINUTE)
    assert box.sent(again, later)
