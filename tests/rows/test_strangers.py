"""Somebody who knows everything about a ticket and is not its owner: to him it does not exist.
He adds nothing, sees nothing, learns nothing, and opens nothing again.

Two houses live side by side. In one his mail names a standing ticket of Anna's, in the other one
that nobody has; code, outbox and every row that he could learn from must be the same.
"""

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_house import House, Village
from sqlalchemy import Select, select

from gateway.core.know.token import (
    Keys,
    Purpose,
    bounce_address,
    make,
    message_id,
    reply_address,
)
from gateway.store import schema, tickets

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA = "anna@studio-rossi.example"
SUPPORT = "support@host.example"
FORGED = {"host": "forger.example", "mail_from": "eve@forger.example", "signed": False}
NUMBER = re.compile(r"#[0-9]+")  # of a ticket of his own: drawn at random
ELSEWHERE = Keys(0, ((0, b"not the key of this house" + b"." * 7),))

# Any author but the account's own, at every proof; and the account's own addresses unproven.
AUTHORS: dict[str, dict[str, Any]] = {
    "stranger, strong": {"from": "mario@curious.example"},
    "stranger, medium": {"from": "mario@curious.example", "signed": False},
    "stranger, forged": {"from": "mario@curious.example", **FORGED},
    "forger, strong": {"from": "eve@forger.example"},
    "other customer, strong": {"from": "carlo@bianchi-srl.example"},
    "other customer, medium": {"from": "carlo@bianchi-srl.example", "signed": False},
    "other customer, forged": {"from": "carlo@bianchi-srl.example", **FORGED},
    "official address, forged": {"from": ANNA, **FORGED},
    "secondary address, forged": {"from": "tecnico@posta.example", **FORGED},
    "former member of staff": {"from": "luca@desk.example"},
    "staff, forged": {"from": "marta@desk.example", **FORGED},
}


@dataclass(frozen=True)
class Knowledge:
    """All that can be known of a ticket from outside."""

    number: str
    subject: str
    words: str  # what Anna wrote
    own_id: str  # the Message-ID of her mail
    our_id: str
    reply_to: str
    verp: str
    copy: str  # our acknowledgement, as it was forwarded


WORDS = "Buongiorno,\nsul servizio mail-7 manca il backup di oggi, e anche quello di ieri."
OTHERS = "Buongiorno,\nsul servizio mail-7 vorrei aumentare lo spazio per le caselle di posta."


def of_anna(house: House, closed: bool, words: str = WORDS) -> Knowledge:
    """A ticket of hers, and everything about it."""
    mail = {"from": ANNA, "subject": "Backup", "body": words, "message_id": "<a1@studio-rossi>"}
    house.receive(house.envelope(mail), house.compose(mail))
    sent = next(one for one in house.told if one.kind == "open")
    assert sent.ticket is not None
    if closed:
        number = sent.ticket
        house.write(lambda one: tickets.close(one, number, "marta", house.now))
    return Knowledge(
        number=sent.ticket,
        subject=f"Re: [#{sent.ticket}] Backup",
        words=words,
        own_id="<a1@studio-rossi>",
        our_id=str(sent.mail["Message-ID"]),
        reply_to=str(sent.mail["Reply-To"]),
        verp=sent.envelope_from,
        copy=sent.words.replace(sent.ticket, "482913"),
    )


def of_nobody(known: Knowledge, at: datetime) -> Knowledge:
    """The same of a ticket that does not exist, in the same forms."""
    number = "999999" if known.number != "999999" else "999998"
    token = make(ELSEWHERE, number, "A-9", at, Purpose.AUTOMATIC)
    verp = make(ELSEWHERE, number, "A-9", at, Purpose.BOUNCE, b"12345")
    return Knowledge(
        number=number,
        subject=f"Re: [#{number}] Backup",
        words=known.words,  # which Anna has never written in the other house
        own_id="<never@studio-rossi>",
        our_id=message_id(token, b"12345", "host.example"),
        reply_to=reply_address(token, SUPPORT),
        verp=bounce_address(verp, "host.example"),
        copy=known.copy,
    )


# By which of them he names the ticket.
WAYS = ("subject", "hash", "reply address", "verp", "in-reply-to", "references", "own id",
        "same words", "copy below", "copy attached", "same subject")  # fmt: skip
TEXTS = (
    "Ecco il dato che mancava.",
    "Chiudete pure, grazie.",
    "/close",
    "CONFERMO",
    "A che punto siamo con la richiesta?",
    "Qual è l'indirizzo ufficiale di questo account?",
)


def mail_of(author: dict[str, Any], ways: frozenset[str], text: str, known: Knowledge) -> Any:
    """His mail, naming the ticket by these ways."""
    head: dict[str, str] = {}
    told: dict[str, Any] = {**author, "subject": "Una cosa", "to": SUPPORT, "body": text}
    if "same subject" in ways:
        told["subject"] = "Backup"
    if "hash" in ways:
        told["subject"] = f"Richiesta #{known.number}"
    if "subject" in ways:
        told["subject"] = known.subject
    if "verp" in ways:
        told["to"] = known.verp
    if "reply address" in ways:
        told["to"] = known.reply_to
    ids = [known.our_id] * ("in-reply-to" in ways) + [known.own_id] * ("own id" in ways)
    if ids:
        head["In-Reply-To"] = ids[0]
    if "references" in ways or len(ids) > 1:
        head["References"] = f"{known.own_id} {known.our_id}"
    if "same words" in ways:
        told["body"] = known.words
    if "copy below" in ways:
        told["body"] += f"\n\n-----Messaggio originale-----\n{known.copy} [#{known.number}]"
    if "copy attached" in ways:
        told["body"] = (
            f"--b\nContent-Type: text/plain; charset=utf-8\n\n{told['body']}\n--b\n"
            f"Content-Type: message/rfc822\n\nMessage-ID: {known.our_id}\n"
            f"Subject: [#{known.number}]\n\n{known.copy}\n--b--"
        )
        head["Content-Type"] = 'multipart/mixed; boundary="b"'
    return {**told, "headers": head}


# ---- what he could learn from


def all_of(house: House, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Rows as plain tuples."""
    found: list[Any] = house.read(lambda one: [tuple(row) for row in one.execute(statement)])
    return found


def of_the_ticket(house: House, number: str) -> list[Any]:
    """The ticket itself, its history, the ids that lead to it, and its place."""
    t, e, k = schema.tickets.c, schema.entries.c, schema.known_messages.c
    return [
        all_of(house, select(schema.tickets).where(t.number == number)),
        all_of(house, select(e.id, e.text, e.kind).where(e.ticket == number)),
        sorted(all_of(house, select(k.message_id).where(k.ticket == number))),
        [one["place"] for one in house.read(tickets.queue) if one["number"] == number],
    ]


def seen(house: House) -> list[Any]:
    """What left the house, and what it counts: without ids and numbers, which are chance."""
    o, led, w = schema.outbox.c, schema.ledger.c, schema.waiting.c
    columns = (o.recipient, o.kind, o.language, o.held, o.automatic, o.notice, o.text)
    sent = [  # staff read the sender's own words, so a notice is compared without them
        (*row, notice, "" if notice else NUMBER.sub("#N", text))
        for *row, notice, text in all_of(house, select(*columns).order_by(o.id))
    ]
    units = select(led.ledger, led.key, led.hour, led.n)
    return [sent, sorted(all_of(house, units)), all_of(house, select(w.priority, w.n))]


class Sides:
    """The two houses, at the same time of the same day."""

    def __init__(self, one: House, two: House, closed: bool) -> None:
        """Anna's ticket stands in both."""
        self.one, self.two = one, two
        self.known = of_anna(one, closed)
        of_anna(two, closed, OTHERS)
        self.nobodys = of_nobody(self.known, one.now)
        self.before = of_the_ticket(one, self.known.number)
        self.sent = [len(all_of(one, select(schema.outbox.c.id)))] * 2

    def plays(self, author: str, ways: frozenset[str], text: str, later: timedelta) -> None:
        """One mail of his on either side."""
        for house in (self.one, self.two):
            house.now += later
        mine = mail_of(AUTHORS[author], ways, text, self.known)
        other = mail_of(AUTHORS[author], ways, text, self.nobodys)
        codes = [
            house.receive(house.envelope(mail), house.compose(mail)).code
            for house, mail in ((self.one, mine), (self.two, other))
        ]
        named = (author, sorted(ways), text, self.one.trace()["because"])
        assert codes[0] == codes[1], named
        assert of_the_ticket(self.one, self.known.number) == self.before, named
        left, right = seen(self.one), seen(self.two)
        left[0], right[0] = left[0][self.sent[0] :], right[0][self.sent[1] :]
        assert left == right, named
        said = all_of(self.one, select(schema.outbox.c.text, schema.outbox.c.notice))
        told = [text for text, notice in said[self.sent[0] :] if not notice]
        assert not any(self.known.number in text for text in told), named


@pytest.fixture
def sides(village: Village) -> Iterator[Any]:
    """Makes the two houses."""
    with ExitStack() as stack:

        def make_them(closed: bool) -> Sides:
            one, two = (stack.enter_context(village.house(START)) for _ in range(2))
            return Sides(one, two, closed)

        yield make_them


@pytest.mark.parametrize(
    ("way", "closed"),
    [*((way, False) for way in WAYS), ("subject", True), ("reply address", True)],
)
def test_no_single_way_leads_a_stranger_to_a_ticket(sides: Any, way: str, closed: bool) -> None:
    """Each author by each way: as if the ticket did not exist."""
    both = sides(closed)
    for author in AUTHORS:
        both.plays(author, frozenset({way}), TEXTS[0], timedelta(hours=3))


REPORT = (
    "--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n"
    "Reporting-MTA: dns; mx.curious.example\n\nFinal-Recipient: rfc822; {to}\n"
    "Action: {action}\nStatus: {status}\n\n--b--"
)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize(
    ("to", "action", "status"),
    [
        ("archivio@altrove.example", "failed", "5.1.1"),
        ("archivio@altrove.example", "failed", "4.2.2"),
        (ANNA, "delayed", "4.2.2"),
    ],
)
def test_a_delivery_report_of_a_stranger_changes_no_ticket(
    sides: Any, closed: bool, to: str, action: str, status: str
) -> None:
    """He has the return path and nothing that went wrong: as if the ticket did not exist."""
    both = sides(closed)
    body = REPORT.format(to=to, action=action, status=status)
    kind = 'multipart/report; report-type=delivery-status; boundary="b"'
    for house, known in ((both.one, both.known), (both.two, both.nobodys)):
        mail = {
            "from": "mailer-daemon@curious.example",
            "mail_from": "",
            "to": known.verp,
            "subject": "Undelivered",
            "body": body,
            "headers": {"Content-Type": kind},
        }
        house.receive(house.envelope(mail), house.compose(mail))
    assert of_the_ticket(both.one, both.known.number) == both.before
    left, right = seen(both.one), seen(both.two)
    assert left[0][both.sent[0] :] == right[0][both.sent[1] :] == []
    assert left[1:] == right[1:]


_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def at_random(sides: Any, seed: int, count: int) -> None:
    """So many mails of strangers, each by some of the ways."""
    chance = random.Random(seed)
    both = sides(chance.random() < 0.5)
    for _ in range(count):
        ways = frozenset(chance.sample(WAYS, chance.randint(1, 5)))
        later = timedelta(minutes=chance.choice((0, 1, 20, 700)))
        both.plays(chance.choice(list(AUTHORS)), ways, chance.choice(TEXTS), later)


@settings(max_examples=1, deadline=None, suppress_health_check=_QUIET)
@given(st.integers(0, 2**32))
def test_no_ways_together_lead_a_stranger_to_a_ticket(sides: Any, seed: int) -> None:
    """Number, ids, token, words and a forwarded copy at once, one mail after the other."""
    at_random(sides, seed, 40)


def test_a_token_beside_an_enquiry_of_his_own_says_nothing(sides: Any) -> None:
    """His own enquiry remembers her ids; under another subject he names it and her token."""
    both = sides(False)
    hour = timedelta(hours=1)
    both.plays("stranger, medium", frozenset({"own id"}), "/close", hour)
    ways = frozenset({"own id", "references", "same subject", "verp"})
    both.plays("stranger, medium", ways, "Chiudete pure, grazie.", 12 * hour)


@pytest.mark.drill
@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@given(st.integers(0, 2**32))
def test_two_thousand_mails_of_strangers_are_told_nothing(sides: Any, seed: int) -> None:
    """The same at length."""
    at_random(sides, seed, 80)
