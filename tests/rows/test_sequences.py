"""Several mails after each other, as the suite of attacks says them in words: floods, loops and
redeliveries, through pipeline, store and outbox."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from row_house import HOSTS, House, Sent, Village
from tests_support import SUITES, needs_suites

from gateway.core.model import Envelope, Listener
from gateway.store import tickets

pytestmark = needs_suites
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = "anna@studio-rossi.example"
SECRETS = ("198.51.100.7", "123456", "vps-12", "Studio Rossi", "A-1001")


def must(identifier: str) -> dict[str, Any]:
    """What the suite demands of a sequence."""
    lines = (SUITES / "attacks" / "cases.jsonl").read_text().splitlines()
    case = next(one for one in map(json.loads, lines) if one["id"] == identifier)
    demanded: dict[str, Any] = case["must"]
    return demanded


def test_every_sequence_of_the_suite_is_played_here() -> None:
    """A sequence that is added to the suite fails here until it has a test."""
    lines = (SUITES / "attacks" / "cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    found = {one["id"] for one in cases if one.get("gen", {}).get("kind") == "sequence"}
    assert found == {
        "seq-two-of-ours",
        "seq-1000-senders-1-victim",
        "seq-dup-incident-50",
        "seq-same-msgid-redelivery",
    }


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.drill)])
def test_forged_mail_sets_off_one_notice_a_day(village: Village, count: int) -> None:
    """A victim cannot be bombed through us, and his own mail is answered all the same."""
    demanded = must("seq-1000-senders-1-victim")
    with village.house(NOW) as house:
        for number in range(count):
            mail = {
                "from": ANNA,
                "host": "forger.example",
                "mail_from": f"attacker{number}@forger.example",
                "subject": f"Richiesta {number}",
                "body": f"Buongiorno, mandatemi il codice numero {number}.",
                "signed": False,
            }
            house.now += timedelta(seconds=20)
            assert house.receive(house.envelope(mail), house.compose(mail)).code == 250
        assert len(house.sent) <= demanded["max_out"]
        assert house.read(tickets.counts) == {}
        said = b"".join(one.raw for one in house.sent).decode()
        assert not [secret for secret in SECRETS if secret in said]
        own = {"from": ANNA, "subject": "Backup", "body": "Su mail-7 manca il backup di oggi."}
        house.receive(house.envelope(own), house.compose(own))
        assert [one.kind for one in house.told][-1] == "open"


def test_one_incident_fifty_times_is_one_ticket(village: Village) -> None:
    """In ten minutes, each with a Message-ID of its own: one ticket, at most three mails out."""
    demanded = must("seq-dup-incident-50")
    with village.house(NOW) as house:
        for number in range(50):
            mail = {
                "from": ANNA,
                "subject": "Server lento" if number % 2 else "Problema con vps-12",
                "body": f"Buongiorno,\nil servizio vps-12 risponde con lentezza ({number}).",
            }
            house.now += timedelta(seconds=12)
            house.receive(house.envelope(mail), house.compose(mail))
            house.deliver()
        house.wait(timedelta(minutes=20))
        assert sum(house.read(tickets.counts).values()) == demanded["max_new_tickets"]
        assert 1 <= len(house.told) <= demanded["max_out"]


def test_a_mail_delivered_twenty_times_has_one_effect(village: Village) -> None:
    """The sender's server never saw our 250: one ticket, one entry, one mail out."""
    demanded = must("seq-same-msgid-redelivery")
    with village.house(NOW) as house:
        mail = {"from": ANNA, "subject": "Backup", "body": "Su mail-7 manca il backup di oggi."}
        raw = house.compose(mail)
        for _ in range(20):
            assert house.receive(house.envelope(mail), raw).code == 250
            house.now += timedelta(minutes=3)
        house.wait(timedelta(hours=1))
        found = house.read(tickets.list_tickets)
        assert len(found) == demanded["max_new_tickets"]
        shown = house.read(lambda one: tickets.show(one, found[0]["number"]))
        assert len([one for one in shown["entries"] if one["kind"] == "mail"]) == 1
        assert len(house.told) == demanded["max_out"]


def _facing(domain: str, other: str) -> Any:
    """A gateway of this domain on which the other's address is a customer's official one."""

    def edit(folder: Path) -> None:
        config = folder / "portiere.toml"
        config.write_text(config.read_text().replace("host.example", domain))
        accounts = folder / "accounts.jsonl"
        accounts.write_text(accounts.read_text().replace(ANNA, f"support@{other}"))

    return edit


def _passed_on(sent: Sent, by: House, domain: str, to: House) -> int:
    """What one gateway sends to the other arrives there, signed by its own domain."""
    envelope = Envelope(
        client_ip=HOSTS[domain],
        helo=f"mx.{domain}",
        mail_from=sent.envelope_from,
        recipients=(sent.to,),
        listener=Listener.EDGE,
        received_at=to.now,
    )
    return to.receive(envelope, by.signed(sent.raw, domain)).code


@pytest.mark.parametrize("marked", [True, False], ids=["as they are", "marks stripped"])
def test_two_gateways_send_each_other_one_mail(tmp_path: Path, marked: bool) -> None:
    """Each is a customer of the other; also where a relay strips what says `automatic`."""
    demanded = must("seq-two-of-ours")
    names = ("host.example", "other.example")
    folders = [tmp_path / name for name in names]
    for folder in folders:
        folder.mkdir()
    ours = Village(folders[0], _facing("host.example", "other.example"))
    theirs = Village(folders[1], _keyed(folders[0], _facing("other.example", "host.example")))
    with ours.house(NOW) as one, theirs.house(NOW) as two:
        houses = dict(zip(names, (one, two), strict=True))
        for name, other in (names, names[::-1]):
            seed = {
                "from": f"support@{other}",
                "to": f"support@{name}",
                "subject": "Una domanda",
                "body": "Buongiorno,\nsul mio account non trovo il valore dello spazio libero.",
            }
            houses[name].receive(houses[name].envelope(seed), houses[name].compose(seed))
        passed = dict.fromkeys(names, 0)
        for _ in range(10):
            for name, other in (names, names[::-1]):
                for sent in houses[name].told[passed[name] :]:
                    passed[name] += 1
                    raw = sent.raw if marked else _stripped(sent.raw)
                    again = Sent(sent.to, sent.kind, raw, None, False, sent.envelope_from)
                    assert _passed_on(again, houses[name], name, houses[other]) == 250
            for house in houses.values():
                house.wait(timedelta(minutes=11))
        assert all(count <= 1 for count in passed.values()), passed
        assert 1 <= sum(passed.values()) <= demanded["max_out"]


def _keyed(first: Path, edit: Any) -> Any:
    """The same key and zone as the first gateway's world, so that each verifies the other."""

    def both(folder: Path) -> None:
        edit(folder)
        for name in ("key.pem", "zone.json"):
            (folder / name).write_bytes((first / "pattern" / name).read_bytes())

    return both


def _stripped(raw: bytes) -> bytes:
    """Without the fields that say that a machine wrote it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    marks = (b"auto-submitted:", b"x-auto-response-suppress:", b"x-portiere", b"precedence:")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(marks)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
