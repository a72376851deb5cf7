"""The queue is in strict order, whatever customers and staff do: by priority, then by the time of
opening or, for a reopened ticket, of its reopening."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_house import House, Village

from gateway.store import tickets

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AUTHORS = ("anna@studio-rossi.example", "carlo@bianchi-srl.example")
DOINGS = ("open", "open", "add", "twin", "close", "answer", "high", "assign")
PLANS = st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(0, 10_000)), max_size=25)


@dataclass
class Model:
    """What must be true, kept by hand: when each queued, its priority, whether it waits."""

    house: House
    queued: dict[str, datetime] = field(default_factory=dict)
    high: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)  # author and words

    def expected(self) -> list[str]:
        """The queue as it must be."""
        waiting = [number for number in self.queued if number not in self.closed]
        return sorted(waiting, key=lambda one: (one not in self.high, self.queued[one]))

    def do(self, doing: str, chosen: int) -> None:
        """One doing, a minute after the one before."""
        self.house.now += timedelta(minutes=1)
        known = list(self.queued)
        if doing == "open" or not known:
            self._open(chosen)
            return
        number = known[chosen % len(known)]
        act: Callable[[str], None] = getattr(self, f"_{doing}")
        act(number)

    def _mail(self, author: str, subject: str, body: str) -> str:
        mail = {"from": author, "subject": subject, "body": body}
        self.house.receive(self.house.envelope(mail), self.house.compose(mail))
        found = self.house.trace()["ticket"]
        assert isinstance(found, str)
        return found

    def _open(self, chosen: int) -> None:
        author, count = AUTHORS[chosen % 2], len(self.queued)
        words = f"Buongiorno,\nnella pagina {count} del mio account vedo un valore strano."
        number = self._mail(author, f"Pagina {count}", words)
        assert number not in self.queued
        self.queued[number], self.told[number] = self.house.now, (author, words)

    def _add(self, number: str) -> None:
        author, _ = self.told[number]
        assert (
            self._mail(author, f"Re: [#{number}]", f"Aggiungo un dato: {self.house.now}") == number
        )
        if number in self.closed:
            self.closed.remove(number)
            self.queued[number] = self.house.now

    def _twin(self, number: str) -> None:
        if number not in self.closed:
            author, words = self.told[number]
            assert self._mail(author, "Un'altra volta", words) == number

    def _close(self, number: str) -> None:
        now = self.house.now
        self.house.write(lambda one: tickets.close(one, number, "marta", now))
        self.closed.add(number)

    def _answer(self, number: str) -> None:
        """Staff close it, and open it again by themselves."""
        now = self.house.now
        self.house.write(lambda one: tickets.reopen(one, number, "marta", now))
        if number in self.closed:
            self.closed.remove(number)
            self.queued[number] = now

    def _high(self, number: str) -> None:
        now = self.house.now
        self.house.write(lambda one: tickets.set_priority(one, number, "high", "marta", now))
        self.high.add(number)

    def _assign(self, number: str) -> None:
        now = self.house.now
        self.house.write(lambda one: tickets.set_department(one, number, "technical", "m", now))


def check(village: Village, plan: list[tuple[str, int]]) -> None:
    """Play a plan; the queue is right after every doing."""
    with village.house(NOW) as house:
        model = Model(house)
        for doing, chosen in plan:
            model.do(doing, chosen)
            found = house.read(tickets.queue)
            assert [row["number"] for row in found] == model.expected()


_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=12, deadline=None, suppress_health_check=_QUIET)
@given(plan=PLANS)
def test_the_queue_is_in_the_order_of_opening(
    village: Village, plan: list[tuple[str, int]]
) -> None:
    """Random openings, additions, twins, closings and reopenings."""
    check(village, plan)


@pytest.mark.drill
@settings(max_examples=150, deadline=None, suppress_health_check=_QUIET)
@given(plan=PLANS)
def test_the_queue_is_in_order_at_length(village: Village, plan: list[tuple[str, int]]) -> None:
    """The same, many times."""
    check(village, plan)
