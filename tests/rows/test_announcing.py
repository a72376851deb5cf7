"""Copies of an announcement: each account gets one, whatever dies, and no mail waits for them."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from row_house import House, Village
from test_again import MONDAY

from gateway.core.model import Account
from gateway.store import accounts, announcements
from gateway.store.announcements import Notice

MANY = 260


def crowd(house: House) -> None:
    """More accounts than the outbox takes copies at once."""
    rows = [
        accounts.AccountRow(
            line=n, number=f"B-{n:04}", name=f"Cliente {n}", language="it", state="active",
            primary=accounts.AddressRow(f"c{n}@clienti.example", f"c{n}@clienti.example"),
            secondary=(),
        )
        for n in range(MANY)
    ]  # fmt: skip
    house.write(lambda one: accounts.apply(one, rows, house.now))
    notice = Notice("tutti", "Manutenzione", "Stasera si riavvia tutto.", house.now)
    house.write(lambda one: announcements.add(one, notice))


def feed(house: House, account: Callable[[str], Account | None] | None = None) -> int:
    rooms = house.rooms
    chosen = account or rooms.reader.account
    return announcements.feed(rooms.store, house.writer, chosen, rooms.post, house.now)


def copies(house: House) -> list[str]:
    """Whoever got one, as often as he got it."""
    return [one.to for one in house.sent if one.kind == "announcement"]


def test_everybody_gets_one_copy_a_part_at_a_time(village: Village) -> None:
    """The outbox never holds more than a part of them, so a customer's mail goes out between."""
    with village.house(MONDAY) as house:
        crowd(house)
        assert feed(house) == announcements.WAITING
        assert feed(house) == 0  # the outbox is full of them
        rounds = 0
        while announcements.owing(house.rooms.store):
            house.wait(timedelta(minutes=1))
            feed(house)
            rounds += 1
            assert rounds < 20
        house.wait(timedelta(minutes=1))
        got = copies(house)
        assert len(got) == len(set(got)) >= MANY


def test_a_crash_between_two_parts_neither_loses_nor_doubles_one(village: Village) -> None:
    """The part that was not committed is owed still; the same command again goes on."""
    with village.house(MONDAY) as house:
        crowd(house)
        feed(house)
        house.wait(timedelta(minutes=1))
        seen: list[str] = []

        def dies(number: str) -> Account | None:
            seen.append(number)
            if len(seen) == 20:
                raise KeyboardInterrupt
            return house.rooms.reader.account(number)

        before = house.read(lambda one: announcements.owed(one, "tutti"))
        with contextlib.suppress(KeyboardInterrupt):
            feed(house, dies)
        assert house.read(lambda one: announcements.owed(one, "tutti")) == before
        notice = Notice(
            "tutti", "Manutenzione", "Stasera si riavvia tutto.", datetime.now().astimezone()
        )
        assert house.write(lambda one: announcements.add(one, notice)) == before
        while announcements.owing(house.rooms.store):
            feed(house)
            house.wait(timedelta(minutes=1))
        got = copies(house)
        assert len(got) == len(set(got)) >= MANY


def test_two_that_feed_at_once_send_each_copy_once(village: Village) -> None:
    """Striking off and queuing are one transaction: the second finds nothing to strike off."""
    with village.house(MONDAY) as house:
        crowd(house)

        def twice(number: str) -> Account | None:
            if number == "B-0000":
                feed(house)  # another gateway does the same part meanwhile
            return house.rooms.reader.account(number)

        assert feed(house, twice) == 0
        house.wait(timedelta(minutes=1))
        got = copies(house)
        assert len(got) == len(set(got))
