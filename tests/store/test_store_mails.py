"""Mails for ops: traces, parked mail and its shares, facts for a replay."""

from datetime import timedelta

from store_values import NOW, mail_row, opening

from gateway.core.model import Effects, Parked
from gateway.store import mails
from gateway.store.engine import Store
from gateway.store.writer import Writer

DAY = timedelta(days=1)


def park(writer: Writer, name: str, network: str | None, account: str = "A-1001") -> None:
    parked = Parked(account, NOW + DAY, network=network)
    writer.commit(Effects(mail_row(name, outcome="hold"), parked=parked)).result(10)


def test_a_mail_is_traced_by_any_of_its_names(store: Store, writer: Writer) -> None:
    """Its id, its Message-ID with or without brackets, or that of a reply to it."""
    writer.commit(opening("m1")).result(10)
    for name in ("m1", "<m1@cliente.example>", "m1@cliente.example", "<r-m1@support.example>"):
        traced = mails.trace(store, name)
        assert traced is not None
        assert (traced["mail"], traced["received_at"]) == ("m1", NOW)
        assert traced["envelope"]["recipients"] == ["s@h.example"]
        assert traced["entries"][0]["ticket"] == "482913"
    assert mails.trace(store, "unknown") is None


def test_parked_mail_is_shown_by_shares_of_its_networks(store: Store, writer: Writer) -> None:
    """A flood from one network does not push the genuine mail off the page."""
    for n in range(5):
        park(writer, f"flood{n}", "203.0.113.0/24")
    park(writer, "genuine", "192.0.2.0/24")
    with store.reading() as connection:
        shown = mails.list_parked(connection, "A-1001", per_network=2)
        assert [one["mail"] for one in shown] == ["flood0", "flood1", "genuine"]
        assert len(mails.list_parked(connection, per_network=None)) == 6
        assert mails.list_parked(connection, "A-1002") == []
        assert mails.counts(connection) == {"parked": 6}


def test_parked_mail_is_released_dropped_or_expires(store: Store, writer: Writer) -> None:
    """Each once; what is over cannot be released any more."""
    for name in ("p1", "p2", "p3"):
        park(writer, name, None)
    assert writer.run(lambda c: mails.release(c, ["p1", "unknown"])).result(10) == 1
    assert writer.run(lambda c: mails.drop_parked(c, ["p2", "p1"])).result(10) == 1
    assert writer.run(lambda c: mails.expire(c, NOW)).result(10) == 0
    assert writer.run(lambda c: mails.expire(c, NOW + DAY)).result(10) == 1
    assert writer.run(lambda c: mails.release(c, ["p1", "p2", "p3"])).result(10) == 0
    with store.reading() as connection:
        assert [one.mail for one in mails.to_decide(connection, store.blobs)] == ["p1"]


def test_a_failed_mail_may_be_dropped(store: Store, writer: Writer) -> None:
    """It stays stored, and is not listed any more."""
    writer.commit(Effects(mail_row("m1", error="defect"))).result(10)
    with store.reading() as connection:
        assert mails.to_decide(connection, store.blobs) == []
        assert mails.counts(connection) == {"failed": 1}
    assert writer.run(lambda c: mails.drop_failed(c, ["m1"])).result(10) == 1
    with store.reading() as connection:
        assert mails.list_failed(connection) == []
        assert mails.raw(connection, store.blobs, "m1") == mail_row().raw
        assert mails.raw(connection, store.blobs, "m9") is None


def test_facts_come_back_in_order_and_in_batches(store: Store, writer: Writer) -> None:
    """Every decided mail since the moment; those without facts (a defect) are left out."""
    size, mails.BATCH = mails.BATCH, 7
    try:
        futures = [
            writer.commit(Effects(mail_row(f"m{n}", received_at=NOW + n * DAY))) for n in range(30)
        ]
        writer.commit(Effects(mail_row("bad", facts={}, error="defect"))).result(10)
        assert all(f.result(10) for f in futures)
        found = list(mails.iter_facts(store, NOW + 10 * DAY))
    finally:
        mails.BATCH = size
    assert [one.mail for one in found] == [f"m{n}" for n in range(10, 30)]
    assert found[0].facts == {"sender": "primary", "token": False}
    assert (found[0].rule, found[0].outcome, found[0].policy_digest) == ("open", "open", "p1")
    with store.reading() as connection:
        assert mails.count_since(connection, NOW + 10 * DAY) == 20
