"""Addresses that must confirm themselves, and official ones that may have been stolen."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from row_house import House, Village
from row_play import Play
from sqlalchemy import select

from gateway.core.model import Moved
from gateway.store import accounts, schema

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA = "anna@studio-rossi.example"
CARLO = "carlo@bianchi-srl.example"
NEW, OTHER = "mario@curious.example", "carla@curious.example"
CONFIRM: dict[str, Any] = {"from": NEW, "answers": "address-confirm", "body": "CONFERMO"}


@pytest.fixture
def house(village: Village) -> Iterator[House]:
    """An untouched gateway on a Monday morning."""
    with village.house(START) as one:
        yield one


@pytest.fixture
def play(house: House) -> Play:
    """Plays in it; the new address has been asked."""
    house.ask("A-1001", NEW)
    house.deliver()
    return Play(house)


def confirmed(house: House, account: str = "A-1001", address: str = NEW) -> bool:
    """Whether the address counts."""
    a = schema.addresses.c
    statement = select(a.confirmed_at).where(a.account == account, a.key == address)
    row = house.read(lambda one: one.execute(statement).first())
    return row is not None and row[0] is not None


def told(house: House) -> list[tuple[str, str]]:
    """To whom which kind has gone."""
    return [(one.to, one.kind) for one in house.sent]


def test_the_question_goes_to_the_address_alone_and_tells_nothing(play: Play) -> None:
    """Null return path, automatic, two languages, nothing of the account in head or text."""
    (asked,) = play.house.sent
    assert (asked.to, asked.kind, asked.envelope_from) == (NEW, "address-confirm", "")
    assert asked.mail["Auto-Submitted"] == "auto-generated"
    assert asked.mail["To"] == NEW
    whole = asked.raw.decode("utf-8").lower() + asked.words.lower()
    for private in ("a-1001", "rossi", "anna@", "tecnico@", "vps-12", "123456", "198.51.100.7"):
        assert private not in whole


def test_its_own_proven_reply_confirms_it_and_releases_nothing(play: Play) -> None:
    """What waits for the account's word is not released by the word of a newcomer."""
    forged = {"from": ANNA, "host": "forger.example", "mail_from": "eve@forger.example"}
    play.step({"mail": {**forged, "subject": "x", "body": "Ciao"},
               "then": {"outcome": "hold", "parked": 1,
                        "out": [{"to": ANNA, "kind": "hold"}]}})  # fmt: skip
    play.step({"mail": CONFIRM,
               "then": {"outcome": "confirm", "parked": 1,
                        "out": [{"to": ANNA, "kind": "address-added"}]}})  # fmt: skip
    assert confirmed(play.house)


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "forger.example", "mail_from": "eve@forger.example"},
        {"signed": False},
        {"headers": {"Auto-Submitted": "auto-replied"}},
        {"headers": {"Precedence": "bulk"}},
        {"body": "Grazie, CONFERMO"},
        {"from": OTHER},
        {"to": "support@host.example", "no_parent": True},
    ],
    ids=["forged", "medium", "autoreply", "bulk", "not the first word", "another", "no token"],
)
def test_no_other_mail_confirms_it(play: Play, changed: dict[str, Any]) -> None:
    """Strong, from that very address, by a person, first new word, with the token: all of it."""
    mail = {**CONFIRM, **changed}
    if mail.pop("no_parent", False):
        del mail["answers"]
        mail["subject"] = "CONFERMO"
    play.receive(mail)
    assert not confirmed(play.house)
    sent = told(play.house)
    assert all(to in (NEW, OTHER) or kind.startswith("staff") for to, kind in sent)
    assert play.house.trace()["account"] is None


def test_a_reply_to_the_question_sets_off_no_automatic_mail(play: Play) -> None:
    """Whatever it says: our question was automatic mail."""
    play.step(
        {"mail": {**CONFIRM, "body": "Chi siete? Quali servizi avete?"}, "then": {"out": []}}
    )


def test_a_question_holds_for_seven_days(play: Play) -> None:
    """On the eighth it is as good as none."""
    play.step({"wait": "8d", "mail": CONFIRM, "then": {"out": []}})
    assert not confirmed(play.house)


def removed(house: House) -> None:
    """Taken off, and put there again."""
    house.write(lambda one: accounts.remove_address(one, "A-1001", NEW))
    house.now += timedelta(minutes=1)
    house.ask("A-1001", NEW)


def another_official(house: House) -> None:
    """By command."""
    new = "direzione@posta.example"
    house.write(lambda one: accounts.set_primary(one, "A-1001", new, house.now))


def imported(house: House) -> None:
    """By a file that names the official address anew, and keeps the rest."""
    one = accounts.AddressRow("capo@posta.example", "capo@posta.example")
    before = accounts.AccountRow(1, "A-1001", "Studio Rossi", "it", "active", one, (), None)

    def work(connection: Any) -> None:
        accounts.add_address(connection, "A-1002", NEW, house.now, confirmed=False)
        accounts.apply(connection, [before], house.now)

    house.write(work)


def asked_again(house: House) -> None:
    """The first mail no longer counts."""
    house.now += timedelta(minutes=1)
    house.ask("A-1001", NEW, again=True)


def domain_sold(house: House) -> None:
    """Who reads the mail now is somebody else."""
    house.write(lambda one: accounts.domain_changed(one, "curious.example", house.now))


@pytest.mark.parametrize("void", [removed, another_official, imported, asked_again, domain_sold])
def test_a_change_voids_what_was_asked_before(play: Play, void: Any) -> None:
    """In the same transaction: a reply to the old question confirms nothing, anywhere."""
    void(play.house)
    asked = play.house.sent[0]
    to = str(asked.mail["Reply-To"])
    head = {"In-Reply-To": str(asked.mail["Message-ID"])}
    mail = {"from": NEW, "to": to, "subject": "Re: x", "body": "CONFERMO", "headers": head}
    play.receive(mail)
    assert not confirmed(play.house)
    assert not confirmed(play.house, "A-1002")


def test_what_is_unsent_is_withdrawn_with_its_question(house: House) -> None:
    """Removing the address, or changing the official one, leaves no question in the outbox."""
    house.ask("A-1001", NEW)
    house.ask("A-1002", NEW)
    house.write(lambda one: accounts.remove_address(one, "A-1001", NEW))
    another = "capo@posta.example"
    house.write(lambda one: accounts.set_primary(one, "A-1002", another, house.now))
    house.deliver()
    assert house.sent == []


def test_two_accounts_may_ask_one_address_and_each_is_confirmed_by_its_own(play: Play) -> None:
    """Neither learns of the other; a reply to the one says nothing of the other."""
    play.house.now += timedelta(minutes=1)
    play.house.ask("A-1002", NEW)
    play.house.deliver()
    play.receive(CONFIRM)
    assert confirmed(play.house, "A-1002")
    assert not confirmed(play.house, "A-1001")
    assert told(play.house)[-1] == (CARLO, "address-added")


def test_a_customer_elsewhere_stays_what_he_is_until_he_confirms(play: Play) -> None:
    """An address of one account that another claims: its mail is the first one's alone."""
    house = play.house
    house.write(lambda one: accounts.add_address(one, "A-1002", NEW, house.now))
    mail = {"from": NEW, "subject": "web-40", "body": "Il servizio web-40 non va."}
    play.step({"mail": mail, "then": {"out": [{"to": CARLO, "kind": "open"}]}})
    assert house.trace()["account"] == "A-1002"


def test_questions_have_a_ledger_of_their_own(play: Play) -> None:
    """Five a day to an account and to a mailbox; acknowledgements are not counted with them."""
    house = play.house
    for n in range(4):
        house.ask("A-1001", f"n{n}@curious.example")
    with pytest.raises(Moved):
        house.ask("A-1001", "n9@curious.example")
    ledger = schema.ledger.c
    rows = house.read(lambda one: one.execute(select(ledger.ledger, ledger.key)).all())
    assert {name for name, _ in rows} == {"sign_in"}
    house.wait(timedelta(hours=26))
    house.ask("A-1001", "n9@curious.example")


# ---- destinations that may have been stolen


WORK = {"from": "tecnico@posta.example", "subject": "Backup", "body": "Il backup di mail-7 manca."}


def held(house: House) -> list[str]:
    """Why mail waits in the outbox."""
    c = schema.outbox.c
    statement = select(c.held).where(c.state == "held").order_by(c.id)
    return list(house.read(lambda one: one.execute(statement).scalars().all()))


def test_a_domain_that_changed_hands_keeps_text_from_going_until_ops_have_looked(
    house: House,
) -> None:
    """The mail is answered, and the answer waits; confirmed again it goes, once, as it was."""
    play = Play(house)
    sold = house.now - timedelta(hours=1)
    house.write(lambda one: accounts.domain_changed(one, "studio-rossi.example", sold))
    play.step({"mail": WORK, "then": {"outcome": "open", "out": [], "staff": STAFF_TOLD}})
    (why,) = held(house)
    assert "changed hands on 2026-11-23" in why
    shown = house.read(lambda one: accounts.show(one, "A-1001"))
    doubts = {one["address"]: one["doubt"] for one in shown["addresses"]}
    assert doubts == {ANNA: why, "tecnico@posta.example": None, "conti@studio-rossi.example": None}
    gone = house.write(lambda one: accounts.confirm_address(one, "A-1001", ANNA, house.now))
    assert gone == 1
    house.deliver()
    assert told(house)[-1] == (ANNA, "open")
    assert held(house) == []
    play.step({"mail": {**WORK, "subject": "vps-12", "body": "Vorrei riavviare vps-12."},
               "then": {"out": [{"to": ANNA, "kind": "open"}]}})  # fmt: skip


STAFF_TOLD = [{"to": "marta@desk.example", "kind": kind} for kind in ("staff-new", "staff-held")]


def test_another_official_address_takes_what_waited_along(house: House) -> None:
    """The stolen mailbox gets nothing of it, and the old owner is not written to there."""
    play = Play(house)
    house.write(lambda one: accounts.domain_changed(one, "studio-rossi.example", house.now))
    play.step({"mail": WORK, "then": {"out": []}})
    new = "direzione@posta.example"
    house.write(lambda one: accounts.set_primary(one, "A-1001", new, house.now))
    house.deliver()
    assert held(house) == []
    assert [to for to, kind in told(house) if kind == "open"] == [new]


def test_a_hard_bounce_makes_the_next_text_wait_and_raises_the_ticket(house: House) -> None:
    """By the VERP address of our own mail; a report without it changes nothing."""
    play = Play(house)
    play.receive(WORK)
    verp = house.sent[0].envelope_from
    report = {"from": "postmaster@studio-rossi.example", "mail_from": "",
              "host": "studio-rossi.example", "subject": "Undelivered Mail",
              "headers": {"Content-Type": REPORTS},
              "body": REPORT}  # fmt: skip
    play.step({"mail": {**report, "to": "support@host.example"}, "then": {"out": []}})
    assert house.read(lambda one: accounts.show(one, "A-1001"))["addresses"][0]["doubt"] is None
    play.step({"mail": {**report, "to": verp}, "then": {"outcome": "record", "out": []}})
    play.step({"mail": {**WORK, "subject": "vps-12", "body": "Vorrei riavviare vps-12."},
               "then": {"outcome": "open", "out": []}})  # fmt: skip
    assert "bounced on 2026-11-23" in held(house)[0]
    house.write(lambda one: accounts.confirm_address(one, "A-1001", ANNA, house.now))
    house.deliver()
    assert told(house)[-1] == (ANNA, "open")


REPORTS = 'multipart/report; report-type=delivery-status; boundary="b"'
REPORT = f"""--b
Content-Type: text/plain

I could not deliver your message.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.studio-rossi.example

Final-Recipient: rfc822; {ANNA}
Action: failed
Status: 5.1.1
--b--
"""
