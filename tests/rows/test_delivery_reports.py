"""A delivery report to a return path of ours: it counts once, for the address that it names, and a
return path that has leaked is worth next to nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from row_house import House, Sent, Village

from gateway.store import accounts, tickets

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA = "anna@studio-rossi.example"


@pytest.fixture
def house(village: Village) -> Iterator[House]:
    """A gateway with an untouched database."""
    with village.house(START) as one:
        yield one


def written(house: House, service: str = "vps-12") -> Sent:
    """A ticket of Anna's, and our acknowledgement."""
    body = f"Buongiorno, vorrei sapere il costo del rinnovo di {service}."
    return put(house, {"from": ANNA, "subject": f"Rinnovo {service}", "body": body})[0]


def put(house: House, mail: dict[str, Any]) -> list[Sent]:
    """One mail, and what goes out for it."""
    before = len(house.sent)
    house.receive(house.envelope(mail), house.compose(mail))
    return house.sent[before:]


def report(verp: str, to: str = ANNA, action: str = "failed", status: str = "5.1.1") -> Any:
    """A report from anywhere."""
    body = (
        "--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.curious.example\n\nFinal-Recipient: rfc822; {to}\n"
        f"Action: {action}\nStatus: {status}\n\n--b--"
    )
    kind = 'multipart/report; report-type=delivery-status; boundary="b"'
    return {
        "from": "mailer-daemon@curious.example",
        "mail_from": "",
        "to": verp,
        "body": body,
        "subject": "Undelivered",
        "headers": {"Content-Type": kind},
    }


def shown(house: House, number: str | None) -> dict[str, Any]:
    """The ticket."""
    found: dict[str, Any] = house.read(lambda one: tickets.show(one, str(number)))
    return found


def closed(house: House, number: str | None) -> None:
    """By a command."""
    house.write(lambda one: tickets.close(one, str(number), "marta", house.now))
    house.deliver()


def states(house: House, sent: Sent) -> list[Any]:
    """What a report could change."""
    one = shown(house, sent.ticket)
    return [one["state"], len(one["entries"]), [row["undelivered_at"] for row in one["sent"]]]


def test_a_report_that_names_the_address_counts_once(house: House) -> None:
    """The reply is marked, staff are told one time, and text about the account waits."""
    sent = written(house)
    told = [put(house, report(sent.envelope_from, ANNA.upper())) for _ in range(6)]
    assert [one.kind for mails in told for one in mails] == ["staff-undelivered"]
    one = shown(house, sent.ticket)
    assert one["sent"][0]["undelivered_at"] is not None


@pytest.mark.parametrize(
    "told",
    [
        {"to": "archivio@altrove.example"},
        {"to": "archivio@altrove.example", "status": "4.2.2"},
        {"action": "delayed", "status": "4.4.7"},
        {"action": "delivered", "status": "2.0.0"},
    ],
)
def test_a_report_of_another_address_or_of_no_failure_changes_nothing(
    house: House, told: dict[str, str]
) -> None:
    """Neither ticket nor reply, and nobody is told."""
    sent = written(house)
    before = states(house, sent)
    assert put(house, report(sent.envelope_from, **told)) == []
    assert states(house, sent) == before


def test_a_return_path_that_leaked_long_ago_is_worth_nothing(house: House) -> None:
    """Servers give up within days."""
    sent = written(house)
    house.wait(timedelta(days=15))
    before = states(house, sent)
    assert put(house, report(sent.envelope_from)) == []
    assert states(house, sent) == before


def test_a_closed_ticket_stays_closed_for_a_receipt(house: House) -> None:
    """Its acknowledgement came back: that is written down, and opens nothing."""
    sent = written(house)
    closed(house, sent.ticket)
    put(house, report(sent.envelope_from))
    assert shown(house, sent.ticket)["state"] == "closed"


def test_a_closed_ticket_whose_answer_came_back_waits_for_staff(house: House) -> None:
    """The customer has not read it."""
    body = "Buongiorno, vorrei sapere il costo del rinnovo di vps-12."
    sent = put(house, {"from": ANNA, "subject": "Rinnovo vps-12", "body": body})
    notice = next(one for one in sent if one.kind == "staff-new")
    answer = {
        "from": "marta@desk.example",
        "to": str(notice.mail["Reply-To"]),
        "subject": f"Re: {notice.mail['Subject']}",
        "body": "Costa 120 euro.",
        "headers": {"In-Reply-To": str(notice.mail["Message-ID"])},
    }
    replied = next(one for one in put(house, answer) if one.kind == "staff-reply")
    closed(house, sent[0].ticket)
    put(house, report(replied.envelope_from))
    assert shown(house, sent[0].ticket)["state"] == "waiting for staff"


@pytest.mark.parametrize(("status", "waits"), [("5.1.1", True), ("4.4.7", False)])
def test_only_a_permanent_failure_makes_text_about_the_account_wait(
    house: House, status: str, waits: bool
) -> None:
    """A server that gave up for now says nothing against the address; staff are told anyway."""
    sent = written(house)
    told = put(house, report(sent.envelope_from, status=status))
    assert [one.kind for one in told] == ["staff-undelivered"]
    house.wait(timedelta(hours=1))
    body = "Buongiorno, il backup di mail-7 manca."
    after = put(house, {"from": ANNA, "subject": "Backup", "body": body})
    assert (ANNA in [one.to for one in after]) is not waits


def test_an_address_that_was_confirmed_since_is_not_doubted_for_an_older_mail(
    house: House,
) -> None:
    """What leaked before somebody looked cannot cut the customer off again."""
    first, second = written(house), written(house, "mail-7")
    put(house, report(first.envelope_from))
    house.now += timedelta(hours=1)
    house.write(lambda one: accounts.confirm_address(one, "A-1001", ANNA, house.now))
    house.deliver()
    put(house, report(second.envelope_from))
    house.wait(timedelta(hours=1))
    body = "Buongiorno, il backup di mail-7 manca."
    after = put(house, {"from": ANNA, "subject": "Backup", "body": body})
    assert ANNA in [one.to for one in after]
