"""Machines that answer our mail: each gets nothing back, however often it answers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from row_house import House, Sent, Village

from gateway.store import tickets

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA, MARTA = "anna@studio-rossi.example", "marta@desk.example"
WORK = {"from": ANNA, "subject": "Backup", "body": "Su mail-7 manca il backup di oggi."}


@pytest.fixture
def house(village: Village) -> Iterator[House]:
    """An untouched gateway with one ticket, acknowledged."""
    with village.house(START) as one:
        one.receive(one.envelope(WORK), one.compose(WORK))
        yield one


def last(house: House, kind: str) -> Sent:
    """The latest mail of this kind."""
    return next(one for one in reversed(house.sent) if one.kind == kind)


def answered(house: House, sent: Sent, **told: Any) -> None:
    """A machine answers a mail of ours, an hour later."""
    mail = {
        "from": sent.to,
        "to": str(sent.mail["Reply-To"]),
        "subject": "Re",
        "body": "x",
        **told,
    }
    house.wait(timedelta(hours=1))
    house.receive(house.envelope(mail), house.compose(mail))


def customers(house: House) -> list[str]:
    """What has gone to customers."""
    return [one.kind for one in house.told]


MARKED = {"Auto-Submitted": "auto-replied"}


@pytest.mark.parametrize("headers", [MARKED, {}], ids=["marked", "without a mark"])
def test_a_customers_responder_gets_one_mail(house: House, headers: dict[str, str]) -> None:
    """It answers our acknowledgement ten times in its own words; nothing more goes out."""
    ack = last(house, "open")
    for number in range(10):
        said = f"Grazie, siamo chiusi fino a lunedì. ({number})"
        head = {**headers, "In-Reply-To": str(ack.mail["Message-ID"])}
        answered(house, ack, subject="Studio Rossi: chiusura", body=said, headers=head)
    assert customers(house) == ["open"]
    assert sum(house.read(tickets.counts).values()) == 1


def test_a_help_desk_with_numbers_of_its_own_gets_one_mail(house: House) -> None:
    """It drops our ids and puts its own number into the subject; our reply address is enough."""
    ack = last(house, "open")
    for number in range(10):
        subject = f"[HD-{99_000 + number}] Ricevuto: {ack.mail['Subject']}"
        body = f"La vostra richiesta ha il numero {99_000 + number}. Non rispondete sotto la riga."
        answered(house, ack, subject=subject, body=body)
    assert customers(house) == ["open"]
    assert sum(house.read(tickets.counts).values()) == 1


def test_a_help_desk_that_knows_our_number_alone_is_bounded(house: House) -> None:
    """It writes to our plain address at once, each time: a receipt in ten minutes at the most,
    and no ticket."""
    for number in range(40):
        ack = house.told[-1]
        mail = {
            "from": ANNA,
            "subject": f"[HD-{99_000 + number}] {ack.mail['Subject']}",
            "body": f"La vostra richiesta ha il numero {99_000 + number}.",
        }
        house.receive(house.envelope(mail), house.compose(mail))
        house.wait(timedelta(minutes=1))
    assert len(customers(house)) <= 1 + 40 // 10 + 1
    assert sum(house.read(tickets.counts).values()) == 1


@pytest.mark.parametrize("headers", [MARKED, {"X-Auto-Response-Suppress": "All"}])
def test_staff_out_of_office_says_nothing_to_a_customer(
    house: House, headers: dict[str, str]
) -> None:
    """Her responder answers the notice, with proof and staff token: recorded, and no answer."""
    notice = last(house, "staff-new")
    for number in range(3):
        head = {**headers, "In-Reply-To": str(notice.mail["Message-ID"])}
        answered(house, notice, body=f"Sono in ferie fino a lunedì. {number}", headers=head)
        assert house.trace()["outcome"] == "record"
    assert customers(house) == ["open"]
