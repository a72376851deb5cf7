"""What happens by the clock: expiry, escalation, erasure; each once, whoever asks."""

from datetime import UTC, datetime, timedelta

from row_house import House, Village
from sqlalchemy import func, select
from test_again import ANNA, FORGER, MONDAY, park

from gateway import metrics
from gateway.jobs import Job, Jobs
from gateway.store import mails, retention, schema, tickets

MARTA = "marta@desk.example"
OPENING = {"from": ANNA, "subject": "Certificato", "body": "Il certificato di vps-12 scade."}


def opened(house: House, **more: str) -> str:
    """The number of a new ticket of Anna's."""
    mail = {**OPENING, **more}
    house.receive(house.envelope(mail), house.compose(mail))
    number = house.trace()["ticket"]
    assert isinstance(number, str)
    return number


def test_parked_mail_expires_and_is_erased(village: Village) -> None:
    """After 14 days nobody can release it, and its content is gone."""
    with village.house(MONDAY) as house:
        parked = park(house)
        house.wait(timedelta(days=13))
        assert len(house.read(mails.list_parked)) == 1
        house.wait(timedelta(days=1))
        assert house.read(mails.list_parked) == []
        assert house.write(lambda connection: mails.release(connection, [parked])) == 0
        house.wait(timedelta(hours=1))
        assert mails.trace(house.rooms.store, parked) is None
        left = select(func.count()).select_from(schema.blobs)
        assert house.read(lambda connection: connection.execute(left).scalar()) == 0


def test_an_overdue_ticket_is_escalated_once(village: Village) -> None:
    """Thirty office minutes without an answer: staff are told, and the history says so."""
    with village.house(MONDAY) as house:
        number = opened(house)
        house.wait(timedelta(minutes=29))
        assert not [one for one in house.sent if one.kind == "staff-overdue"]
        house.wait(timedelta(minutes=2))
        house.wait(timedelta(hours=5))
        told = [one for one in house.sent if one.kind == "staff-overdue"]
        assert [(one.to, one.ticket) for one in told] == [(MARTA, number)]
        shown = house.read(lambda connection: tickets.show(connection, number))
        assert shown["escalated_at"] == MONDAY + timedelta(minutes=31)
        assert "overdue" in shown["entries"][-1]["text"]


def test_a_ticket_that_was_answered_is_never_overdue(village: Village) -> None:
    """Closed in time: nothing is due any more."""
    with village.house(MONDAY) as house:
        number = opened(house)
        house.write(lambda one: tickets.close(one, number, "marta", house.now))
        house.wait(timedelta(days=3))
        assert not [one for one in house.sent if one.kind == "staff-overdue"]


def test_at_night_nothing_is_overdue(village: Village) -> None:
    """Office minutes stand still from Friday evening to Monday morning."""
    friday = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
    with village.house(friday) as house:
        opened(house)
        house.wait(timedelta(days=2, hours=12))  # Monday, 9:00 in Rome
        assert not [one for one in house.sent if one.kind == "staff-overdue"]
        house.wait(timedelta(minutes=31))
        assert [one.to for one in house.sent if one.kind == "staff-overdue"] == [MARTA]


def test_memory_is_kept_as_long_as_it_matters(village: Village) -> None:
    """Signatures are remembered for 14 days, shares for two."""
    with village.house(MONDAY) as house:
        opened(house)
        replays = select(func.count()).select_from(schema.replays)
        shares = select(func.count()).select_from(schema.ledger)

        def counted() -> tuple[int, int]:
            return house.read(
                lambda one: (one.execute(replays).scalar(), one.execute(shares).scalar())
            )

        assert counted() == (1, 2)
        house.wait(timedelta(days=3))
        assert counted() == (1, 0)
        house.wait(timedelta(days=12))
        assert counted() == (0, 0)


def test_automatic_mail_goes_and_the_history_of_tickets_stays(village: Village) -> None:
    """Old records are erased whole; raw mail of closed tickets where the configuration says so."""
    note = {"from": ANNA, "subject": "Fuori ufficio", "body": "Sono assente."}
    note["headers"] = {"Auto-Submitted": "auto-replied"}  # type: ignore[assignment]
    with village.house(MONDAY) as house:
        number = opened(house)
        kept = house.last
        house.receive(house.envelope(note), house.compose(note))
        recorded = house.last
        house.write(lambda one: tickets.close(one, number, "marta", house.now))
        house.wait(timedelta(days=89))
        assert mails.trace(house.rooms.store, recorded) is not None
        house.wait(timedelta(days=2))
        assert mails.trace(house.rooms.store, recorded) is None
        blobs = house.rooms.store.blobs
        assert house.read(lambda one: mails.raw(one, blobs, kept)) is not None
        assert house.write(lambda one: retention.erase_raw(one, house.now)) == 1
        assert house.read(lambda one: mails.raw(one, blobs, kept)) is None
        shown = house.read(lambda connection: tickets.show(connection, number))
        assert "certificato" in shown["entries"][0]["text"]


def test_of_two_gateways_one_does_a_job(village: Village) -> None:
    """A lease that another one holds is left alone; a dead one's job is done when it ends."""
    did: list[str] = []

    def jobs(house: House, owner: str) -> Jobs:
        def work(_link: object, _now: datetime) -> int:
            did.append(owner)
            return 1

        listed = [Job("count", timedelta(hours=1), work)]
        return Jobs(house.rooms.store, house.writer, owner, lambda: house.now, listed)

    with village.house(MONDAY) as house:
        one, other = jobs(house, "one"), jobs(house, "other")
        assert one.run_due() == {"count": 1}
        assert other.run_due() == {}
        house.now += timedelta(hours=1)
        held = "UPDATE jobs SET owner = 'dead', lease_until = done_at + 4200000000"
        house.write(lambda connection: connection.exec_driver_sql(held))
        assert other.run_due() == {}
        house.now += timedelta(minutes=11)
        assert other.run_due() == {"count": 1}
        assert did == ["one", "other"]


def test_a_job_that_fails_is_tried_again_and_the_others_go_on(village: Village) -> None:
    """The lease is given back; what the job wrote is rolled back."""
    asked: list[int] = []

    def broken(connection: object, _now: datetime) -> int:
        asked.append(1)
        raise ZeroDivisionError

    with village.house(MONDAY) as house:
        listed = [
            Job("broken", timedelta(hours=1), broken),
            Job("sound", timedelta(hours=1), lambda _link, _now: 7),
        ]
        jobs = Jobs(house.rooms.store, house.writer, "rows", lambda: house.now, listed)
        assert jobs.run_due() == {"sound": 7}
        assert jobs.run_due() == {}
        assert len(asked) == 2


def test_the_gauges_say_what_waits(village: Village) -> None:
    """Parked and failed mail, and rows of the outbox."""
    with village.house(MONDAY) as house:
        park(house, mail_from=FORGER)
        house.jobs.run_due()
        assert metrics.REGISTRY.get_sample_value("portiere_parked_mails") == 1
        assert metrics.REGISTRY.get_sample_value("portiere_failed_mails") == 0
        waiting = metrics.REGISTRY.get_sample_value
        assert waiting("portiere_outbox_waiting", {"state": "due"}) == 0
