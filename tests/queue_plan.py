"""A long life of a queue, through `core` and the store: what customers and staff do to a thousand
tickets at random, and beside it a model of the order that must come of it, kept by hand.

Mails become effects by the real `core.say`, and rows by the real writer; only what stands before
them (evidence, words) is given. Shares are spent, so that nothing is rendered.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from gateway.core.know.token import Keys
from gateway.core.model import (
    Account,
    Address,
    Arc,
    Ask,
    Automatic,
    Candidates,
    Confidence,
    Decision,
    Department,
    Dmarc,
    DmarcResult,
    Effects,
    Envelope,
    Evidence,
    Hours,
    Incident,
    Knowledge,
    Listener,
    Mail,
    Office,
    OfficialAddress,
    Open,
    Proof,
    ProofLevel,
    ProvenAuthor,
    Queue,
    Reference,
    Registration,
    Request,
    RequestKind,
    Role,
    Routing,
    Sender,
    SenderKind,
    Situation,
    Spending,
    Spf,
    SpfResult,
    Thread,
    Ticket,
    TicketMatch,
)
from gateway.core.say.desk import Desk
from gateway.core.say.effects import effects
from gateway.core.say.templates import Templates
from gateway.store import schema, tickets
from gateway.store.engine import Store
from gateway.store.reader import Reader
from gateway.store.writer import Writer

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DEPARTMENTS = ("technical", "financial", "commercial", "abuse", "general")
HIGH, NORMAL = "high", "normal"
NOTHING = Incident()
ROUTING = Routing(
    departments=tuple(Department(one, {}) for one in DEPARTMENTS),
    default_department="general",
    office=Office("Europe/Rome", dict.fromkeys(range(5), ((time(9), time(17, 30)),))),
)
DESK = Desk("h.example", ("s@h.example",), "i", "", "H", ("it",), Keys(0, ((0, b"k" * 32),)))
EVIDENCE = Evidence(
    Spf(SpfResult.PASS, "cliente.example"), (), Dmarc(DmarcResult.PASS, True), Arc()
)
# What happens, and how often: mails of customers, then doings of staff.
DOINGS = {
    "open": 6,
    "critical": 1,
    "add": 6,
    "twin": 3,
    "thanks": 1,
    "medium": 2,
    "close": 4,
    "answer": 3,
    "staff_reopen": 1,
    "department": 2,
    "priority": 1,
    "assign": 1,
    "note": 1,
    "merge": 1,
    "complete": 1,
}


@dataclass
class Waits:
    """One ticket as it must be."""

    account: str
    queued: datetime
    priority: str = NORMAL
    state: str = "new"
    merged: bool = False
    asked: bool = False

    @property
    def waiting(self) -> bool:
        """It stands in the queue."""
        return self.state in ("new", "waiting for staff")


@dataclass
class Plan:
    """Plays in one store. Every choice comes from `chance`."""

    store: Store
    writer: Writer
    chance: random.Random
    now: datetime = START
    known: dict[str, Waits] = field(default_factory=dict)
    mails: int = 0

    def __post_init__(self) -> None:
        self.reader = Reader(self.store, dict, lambda _query, _language: ())

    def run(self, size: int, every: int) -> None:
        """Until so many tickets were opened; the queue is looked at every so many doings."""
        names, weights = tuple(DOINGS), tuple(DOINGS.values())
        done = 0
        while len(self.known) < size:
            self._moves()
            name = self.chance.choices(names, weights)[0] if self.known else "open"
            getattr(self, f"_{name}")()
            done += 1
            if done % every == 0:
                self.check()
        self.check()

    def check(self) -> None:
        """Strictly by the time of opening or reopening, within each priority, and counted so."""
        with self.store.reading() as connection:
            found = [one["number"] for one in tickets.queue(connection, limit=100_000)]
            counted = _counted(connection)
        waiting = {number: one for number, one in self.known.items() if one.waiting}
        order = sorted(waiting, key=lambda n: (waiting[n].priority != HIGH, waiting[n].queued, n))
        assert found == order
        for priority in (HIGH, NORMAL):
            there = sum(one.priority == priority for one in waiting.values())
            assert counted.get(priority, 0) == there

    def _moves(self) -> None:
        """The clock; several mails may come in one microsecond."""
        self.now += timedelta(microseconds=self.chance.choice((0, 1, 40_000_000, 3_600_000_000)))

    def _chosen(self) -> tuple[str, Waits]:
        number = self.chance.choice(list(self.known))
        return number, self.known[number]

    def _ticket(self, number: str) -> Ticket:
        found = self.reader.ticket(number)
        assert found is not None
        return found

    # ---- mails of customers

    def _mail(
        self,
        account: str,
        decision: Decision,
        ticket: Ticket | None = None,
        twin: Ticket | None = None,
        level: ProofLevel = ProofLevel.STRONG,
        kind: RequestKind = RequestKind.ACCOUNT,
        incident: Incident = NOTHING,
    ) -> Effects:
        self.mails += 1
        number = str(100_000_000 + self.mails)
        situation = _situation(account, self.mails, self.now, number)
        match = TicketMatch.OWN if ticket else TicketMatch.NONE
        situation = replace(
            situation,
            proof=replace(situation.proof, level=level),
            reference=Reference(match, ticket),
            repeat=twin,
            request=Request(kind, ()),
            incident=incident,
            department=self.chance.choice(DEPARTMENTS),
        )
        nonce = self.mails.to_bytes(16)
        made = effects(situation, decision, _TEMPLATES, DESK, ROUTING, nonce, "p", {})
        self.writer.commit(made).result()
        for new in made.tickets:
            self.known[new.number] = Waits(account, self.now, new.priority, asked=new.asked)
        return made

    def _open(self) -> None:
        account = self.chance.choice(("A-1001", "A-1002"))
        asks = self.chance.random() < 0.3
        self._mail(account, Ask("r", "b") if asks else Open("r", "b"))

    def _critical(self) -> None:
        self._mail("A-1001", Open("r", "b", priority=HIGH), incident=Incident(is_incident=True))

    def _add(self) -> None:
        """More text by its own customer: a closed one queues anew, any other stays in place."""
        number, one = self._chosen()
        if one.merged:
            return
        self._mail(one.account, Thread("r", "b"), self._ticket(number))
        self._wakes(one)

    def _twin(self) -> None:
        """A second mail about the same thing, from another address of the account."""
        number, one = self._chosen()
        if one.state == "closed":
            return
        self._mail(one.account, Thread("r", "b"), twin=self._ticket(number))
        self._wakes(one)

    def _complete(self) -> None:
        """The answer to our question may raise the priority, and keeps the time."""
        number, one = self._chosen()
        if one.merged:
            return
        told = Incident(is_incident=True)
        self._mail(one.account, Thread("r", "b"), self._ticket(number), incident=told)
        if one.asked:
            one.priority = HIGH
        self._wakes(one)

    def _thanks(self) -> None:
        number, one = self._chosen()
        if not one.merged:
            ticket = self._ticket(number)
            self._mail(one.account, Thread("r", "b"), ticket, kind=RequestKind.THANKS)

    def _medium(self) -> None:
        """What only SPF proves waits inside; a closed ticket stays closed, another one opens."""
        number, one = self._chosen()
        if not one.merged:
            self._mail(
                one.account, Thread("r", "b"), self._ticket(number), level=ProofLevel.MEDIUM
            )

    def _wakes(self, one: Waits) -> None:
        if one.state == "closed":
            one.queued = self.now
        if not one.waiting:
            one.state = "waiting for staff"

    # ---- staff

    def _staff(self, work: object, *words: str) -> tuple[str, Waits]:
        number, one = self._chosen()
        if not one.merged:
            self.writer.run(
                lambda c: work(c, number, *words, "marta", self.now)  # type: ignore[operator]
            ).result()
        return number, one

    def _close(self) -> None:
        _, one = self._staff(tickets.close)
        one.state = "closed"

    def _answer(self) -> None:
        number, one = self._chosen()
        if one.merged or one.state == "closed":
            return
        state = tickets.TicketState.CUSTOMER
        self.writer.run(
            lambda c: tickets.change(c, number, self.now, "marta", "answered", state=state)
        ).result()
        one.state = state.value

    def _staff_reopen(self) -> None:
        _, one = self._staff(tickets.reopen)
        if one.state == "closed" and not one.merged:
            one.state, one.queued = "waiting for staff", self.now

    def _department(self) -> None:
        self._staff(tickets.set_department, self.chance.choice(DEPARTMENTS))

    def _priority(self) -> None:
        wanted = self.chance.choice((HIGH, NORMAL))
        _, one = self._staff(tickets.set_priority, wanted)
        if not one.merged:
            one.priority = wanted

    def _assign(self) -> None:
        self._staff(tickets.assign, "marta")

    def _note(self) -> None:
        number, _ = self._chosen()
        now = self.now
        self.writer.run(lambda c: tickets.add_note(c, number, "marta", "visto", now)).result()

    def _merge(self) -> None:
        """Within an account; what is merged leaves the queue for good."""
        (number, one), (into, other) = self._chosen(), self._chosen()
        if number == into or one.account != other.account or one.merged or other.merged:
            return
        if other.state == "closed" != one.state:  # refused: nobody would see the open one again
            return
        now = self.now
        self.writer.run(lambda c: tickets.merge(c, number, into, "marta", now)).result()
        one.merged, one.state = True, "closed"


_TEMPLATES = Templates.load({})


def _counted(connection: Connection) -> dict[str, int]:
    """What acknowledgements state the place by."""
    c = schema.waiting.c
    rows = connection.execute(select(c.priority, func.sum(c.n)).group_by(c.priority))
    return {priority: int(n) for priority, n in rows}


def _situation(account: str, count: int, now: datetime, number: str) -> Situation:
    """A customer's mail whose share of automatic mail is spent."""
    author = "anna@cliente.example"
    holder = Account(account, "Cliente", "it", False, OfficialAddress(author, account))
    registration = Registration(holder, Role.PRIMARY, (), START - timedelta(days=90))
    envelope = Envelope("192.0.2.1", "mx", author, ("s@h.example",), Listener.EDGE, now)
    digest = f"{count:064x}"
    mail = Mail(
        *("Posta", "", "Ancora lenta.", (), False, "it", Automatic.NO, ""),
        *(f"<{count}@cliente.example>", (), (), None, (), (), (), None, digest, digest, ()),
    )
    return Situation(
        envelope=envelope,
        author=Address(*author.split("@")),
        mail=mail,
        evidence=EVIDENCE,
        proof=Proof(ProofLevel.STRONG, (), ProvenAuthor(author), frozenset({"*"})),
        sender=Sender(SenderKind.PRIMARY, registration, (registration,)),
        reference=Reference(TicketMatch.NONE),
        request=Request(RequestKind.ACCOUNT, ()),
        incident=Incident(),
        knowledge=Knowledge(Confidence.NONE),
        hours=Hours(True, now + timedelta(minutes=30)),
        candidates=Candidates(
            *((registration,), None, (), (), (), (), False, (), (), (), (), ()),
            *(Spending(), Queue(), number),
        ),
        repeat=None,
        spent=True,
        scope=True,
        department="general",
        language="it",
        bilingual=False,
        mail_id=f"mail-{count}",
        raw=b"From: anna@cliente.example\r\n\r\nx\r\n",
    )
