"""Mail that is decided once more: released by its account, or failed by a fault of ours."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from row_house import House, Village

from gateway.again import came_as
from gateway.core.say import effects as said
from gateway.store import mails, tickets

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA, FORGER = "anna@studio-rossi.example", "eve@forger.example"
UNPROVEN: dict[str, Any] = {
    "from": ANNA,
    "host": "forger.example",
    "mail_from": FORGER,
    "subject": "Spazio su disco",
    "body": "Buongiorno,\nvorrei sapere quanto spazio resta sul mio server.\nGrazie\nAnna\n",
    "signed": False,
}


def park(house: House, **more: Any) -> str:
    """A mail that claims to be Anna's is parked; its id."""
    mail = {**UNPROVEN, **more}
    assert house.receive(house.envelope(mail), house.compose(mail)).code == 250
    assert house.trace()["state"] == "parked"
    return house.last


def confirm(house: House, word: str = "CONFERMO", **more: Any) -> None:
    """Anna answers the notice of parked mail by one word."""
    notice = next(one for one in reversed(house.sent) if one.kind == "hold")
    mail = {
        "from": ANNA,
        "subject": f"Re: {notice.mail['Subject']}",
        "body": word,
        "headers": {"In-Reply-To": notice.mail["Message-ID"]},
        **more,
    }
    house.receive(house.envelope(mail), house.compose(mail))


def test_a_confirmed_mail_joins_the_account_at_its_own_time(village: Village) -> None:
    """It opens the ticket that it would have opened, dated when it came; Anna gets the reply."""
    with village.house(MONDAY) as house:
        parked = park(house)
        assert [(one.to, one.kind) for one in house.told] == [(ANNA, "hold")]
        house.wait(timedelta(hours=3))
        confirm(house)
        row = mails.trace(house.rooms.store, parked)
        assert row is not None
        assert (row["state"], row["outcome"], row["proof"]) == ("decided", "open", "confirmed")
        ticket = house.read(lambda connection: tickets.show(connection, row["ticket"]))
        assert ticket["opened_at"] == MONDAY
        assert ticket["account"] == "A-1001"
        assert [entry["proof"] for entry in ticket["entries"]] == ["confirmed"]
        assert {one.to for one in house.told} == {ANNA}
        assert [one.kind for one in house.told] == ["hold", "confirm", "open"]


def test_the_word_in_another_mail_releases_nothing(village: Village) -> None:
    """A mail of its own that begins with it goes its way, and so does a reply that says more."""
    with village.house(MONDAY) as house:
        parked = park(house)
        more = {"subject": "Ordine", "headers": {}}
        confirm(house, "Confermo l'ordine 123456, procedete pure con calma.", **more)
        assert house.trace()["ticket"]
        confirm(house, "Confermo ricezione, grazie", **more)
        assert house.trace()["outcome"] != "confirm"
        confirm(house, "Confermo, ma non ho chiesto io questa cosa!")
        assert house.trace()["ticket"]
        assert (mails.trace(house.rooms.store, parked) or {})["state"] == "parked"


def test_another_account_releases_nothing(village: Village) -> None:
    """A strong CONFERMO from somebody else leaves the mail parked."""
    with village.house(MONDAY) as house:
        parked = park(house)
        confirm(house, **{"from": "carlo@bianchi-srl.example"})
        assert (mails.trace(house.rooms.store, parked) or {})["state"] == "parked"


def test_a_released_mail_releases_nothing(village: Village) -> None:
    """A forged CONFERMO that Anna releases sets no other parked mail free."""
    with village.house(MONDAY) as house:
        forged = park(house, subject="CONFERMO", body="CONFERMO")
        other = park(house, subject="Altro", body="Mandatemi il codice del dominio.")
        house.write(lambda connection: mails.release(connection, [forged]))
        asyncio.run(house.again.released())
        assert (mails.trace(house.rooms.store, forged) or {})["outcome"] == "open"
        assert (mails.trace(house.rooms.store, other) or {})["state"] == "parked"


def test_a_release_counts_for_its_account_alone(village: Village) -> None:
    """A row that names an account with which the author has nothing to do proves nothing."""
    with village.house(MONDAY) as house:
        parked = park(house)
        change = "UPDATE parked SET account = 'A-1002'"
        house.write(lambda connection: connection.exec_driver_sql(change))
        house.write(lambda connection: mails.release(connection, [parked]))
        asyncio.run(house.again.released())
        row = mails.trace(house.rooms.store, parked)
        assert row is not None
        assert (row["outcome"], row["state"]) == ("hold", "parked")
        assert not row["ticket"]


def test_a_stored_mail_is_given_back_as_it_came(village: Village) -> None:
    """Our own results are taken off, and foreign ones get their name back."""
    lie = {"Authentication-Results": "gateway.host.example;\n\tdkim=pass header.d=x.example"}
    with village.house(MONDAY) as house:
        parked = park(house, headers=lie)
        house.write(lambda connection: mails.release(connection, [parked]))
        stored = house.read(lambda one: mails.to_decide(one, house.rooms.store.blobs))[0]
        assert stored.account == "A-1001"
        assert stored.raw.startswith(b"Authentication-Results: gateway.host.example;")
        assert b"X-Original-Authentication-Results" in stored.raw
        raw = came_as(stored)
        assert raw.startswith(b"From: <anna@")
        assert b"\r\nAuthentication-Results: gateway.host.example;\r\n\tdkim=pass" in raw


def fail(house: House, **more: Any) -> str:
    """A mail of Anna's that a defect of ours kept from being decided; its id."""
    mail = {"from": ANNA, "subject": "Domanda", "body": UNPROVEN["body"], **more}
    kept = said.undecided(house.envelope(mail), house.compose(mail), "0000failed", "KeyError: 'x'")
    house.writer.commit(kept).result()
    return kept.mail.id


def test_a_failed_mail_is_decided_at_its_own_time_and_answered_once(village: Village) -> None:
    """`queue retry` proves, opens and answers as on the first day; once more does nothing."""
    with village.house(MONDAY) as house:
        failed = fail(house)
        house.wait(timedelta(days=2))
        decided = asyncio.run(house.again.retry())
        assert decided.outcomes == {failed: "open"}
        row = mails.trace(house.rooms.store, failed)
        assert row is not None
        assert (row["state"], row["proof"], row["error"]) == ("decided", "strong", None)
        again = asyncio.run(house.again.retry([failed]))
        assert again.stayed == {failed: "there is no failed mail of this id"}
        house.deliver()
        assert [(one.to, one.kind) for one in house.told] == [(ANNA, "open")]


def test_a_failed_mail_without_an_author_stays_failed(village: Village) -> None:
    """What the gate refuses cannot be decided; ops see why, and may drop it."""
    with village.house(MONDAY) as house:
        failed = fail(house, headers={"From": "<a@posta.example>\nFrom: <b@posta.example>"})
        decided = asyncio.run(house.again.retry())
        assert "its header is refused" in decided.stayed[failed]
        assert house.write(lambda connection: mails.drop_failed(connection, [failed])) == 1
