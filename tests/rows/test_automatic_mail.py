"""Automatic mail of all kinds in, no reply out; people who look like machines are answered."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from machines import ANNA, MACHINES, Thread, machine, person
from row_house import House, Village
from sqlalchemy import func, select

from gateway.store import schema, tickets

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")


def rows(house: House) -> int:
    """Everything that the outbox has ever held for customers and authors."""
    c = schema.outbox.c
    statement = select(func.count()).select_from(schema.outbox).where(c.notice.is_(False))
    found: int = house.read(lambda one: one.execute(statement).scalar_one())
    return found


def answered_once(house: House) -> Thread:
    """A customer's ticket, and what our acknowledgement can be answered by."""
    mail = {"from": ANNA, "subject": "Backup", "body": "Su mail-7 manca il backup di oggi."}
    house.receive(house.envelope(mail), house.compose(mail))
    (sent,) = house.told
    return Thread(str(sent.mail["Message-ID"]), str(sent.mail["Reply-To"]))


def machines(village: Village, count: int, seed: int) -> Counter[str]:
    """So many automatic mails; nothing but the acknowledgement from before ever stood in the
    outbox."""
    chance, kinds = random.Random(seed), Counter[str]()
    with village.house(START) as house:
        ours = answered_once(house)
        before, standing = rows(house), house.read(tickets.counts)
        for serial in range(count):
            kind, told = machine(chance, ours, serial)
            kinds[kind] += 1
            house.now += timedelta(seconds=chance.choice((1, 40, 900)))
            answer = house.receive(house.envelope(told), house.compose(told))
            assert answer.code in (250, 550), (kind, told)
            assert rows(house) == before, (kind, told, house.trace())
            assert answer.code == 550 or house.trace()["automatic"] != "no", (kind, told)
        house.wait(timedelta(hours=1))
        assert rows(house) == before
        assert sum(house.read(tickets.counts).values()) == sum(standing.values())
    return kinds


def people(village: Village, count: int, seed: int) -> None:
    """So many people; each is told something."""
    chance = random.Random(seed)
    with village.house(START) as house:
        for serial in range(count):
            name, told = person(chance, serial)
            house.now += timedelta(hours=2)
            before = rows(house)
            house.receive(house.envelope(told), house.compose(told))
            assert rows(house) > before, (name, told, house.trace()["because"])
            assert house.trace()["automatic"] == "no"


def test_three_hundred_automatic_mails_set_off_no_reply(village: Village) -> None:
    """Responders, lists, help desks, reports, challenges, receipts, from whomever they come."""
    assert set(machines(village, 300, 1)) == set(MACHINES)


def test_sixty_people_who_look_like_machines_are_answered(village: Village) -> None:
    """By their subject, their fields or their reverse-path."""
    people(village, 60, 2)


@pytest.mark.drill
def test_ten_thousand_automatic_mails_set_off_no_reply(village: Village) -> None:
    """The same at full size."""
    assert set(machines(village, 10_000, 3)) == set(MACHINES)


@pytest.mark.drill
def test_a_thousand_people_are_answered(village: Village) -> None:
    """The same at full size."""
    people(village, 1_000, 4)
