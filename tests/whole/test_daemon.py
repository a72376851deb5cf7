"""The real daemon over SMTP: what it promises holds when mail comes twice, when it is killed,
when it reloads."""

import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running import Gateway, gateway, until
from tests_support import ROOT

from gateway.demo.scenes import ANNA, FORGER, SCENES, Scene
from gateway.demo.world import TICKET, World


def scene(kind: str) -> Scene:
    """The demo's mail of this kind."""
    return next(one for one in SCENES if one.kind == kind)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the tests that leave it as it is."""
    with gateway(tmp_path_factory.mktemp("world")) as started:
        yield started


def test_a_signed_mail_of_a_customer_gets_a_ticket_and_a_reply(running: Gateway) -> None:
    """The reply goes to the official address, with the ticket's number and our marks."""
    words = "Vorrei sapere se il contratto comprende anche il secondo indirizzo.\n"
    codes, identifier = running.send(replace(scene("open"), body=words))
    assert codes == [250]
    traced = running.trace(identifier)
    assert traced["outcome"] == "open"
    sent = until(lambda: [r for to, r in running.sink.mails if traced["ticket"].encode() in r])
    assert len(sent) == 1
    assert b"\r\nAuto-Submitted: auto-replied\r\n" in sent[0]
    assert [to for to, raw in running.sink.mails if raw == sent[0]] == [ANNA]


def test_the_same_mail_twice_has_one_entry_and_one_reply(running: Gateway) -> None:
    """The second is accepted, and has no second effect."""
    codes, identifier = running.send(scene("twice"))
    assert codes == [250, 250]
    traced = running.trace(identifier)
    ticket = running.ticket(traced["ticket"])
    assert [entry["by"] for entry in ticket["entries"]] == ["customer"]
    assert [row["recipient"] for row in ticket["sent"] if not row["notice"]] == [ANNA]


def test_a_secondary_address_reaches_its_ticket_and_the_primary_gets_the_answer(
    running: Gateway,
) -> None:
    """A reply reopens the customer's own closed ticket."""
    codes, identifier = running.send(scene("thread"))
    assert codes == [250]
    assert running.trace(identifier)["ticket"] == TICKET
    assert running.ticket(TICKET)["state"] == "waiting for staff"
    assert until(lambda: any(to == ANNA for to, raw in running.sink.mails))


def test_a_stranger_adds_nothing_to_a_ticket_whose_number_he_knows(running: Gateway) -> None:
    """He gets the constant refusal; the ticket does not change."""
    before = running.ticket(TICKET)
    _codes, identifier = running.send(scene("guess"))
    assert running.trace(identifier)["outcome"] == "refuse"
    assert running.ticket(TICKET)["entries"] == before["entries"]


def test_a_forger_is_refused_or_parked(running: Gateway) -> None:
    """p=reject is answered in the dialogue; else the official address hears of a parked mail."""
    assert running.send(scene("forged-reject"))[0] == [550]
    codes, identifier = running.send(scene("forged"))
    assert codes == [250]
    assert running.trace(identifier)["state"] == "parked"


@pytest.mark.parametrize(
    "name",
    ["Reply-To", "Sender", "Errors-To", "Cc", "Return-Path", "Resent-From", "Return-Receipt-To"],
)
def test_no_header_of_a_mail_becomes_a_destination(running: Gateway, name: str) -> None:
    """Whatever header names another address, mail goes to the official one alone."""
    words = f"Vorrei una copia del contratto numero {len(name)}, grazie. Parola: {name}\n"
    mail = replace(
        scene("open"), kind=name.lower(), body=words, subject=name, headers={name: FORGER}
    )
    _codes, identifier = running.send(mail)
    assert until(lambda: all(r["state"] == "sent" for r in running.trace(identifier)["outgoing"]))
    assert {row["recipient"] for row in running.trace(identifier)["outgoing"]} <= {ANNA}
    assert not [to for to, _raw in running.sink.mails if to == FORGER]


def test_a_mail_outlives_a_kill_right_after_its_250(tmp_path: Path) -> None:
    """kill -9 as soon as 250 is heard: the ticket and its one reply exist after the restart."""
    with gateway(tmp_path / "world") as killed:
        codes, identifier = killed.send(scene("open"))
        killed.kill()
        assert codes == [250]
        killed.start()
        traced = killed.trace(identifier)
        assert traced["outcome"] == "open"
        assert until(lambda: killed.trace(identifier)["outgoing"][0]["state"] == "sent")
        assert killed.stop() == 0
        # Killed between the smarthost's 250 and our own note of it, the same mail goes once more.
        assert {to for to, _raw in killed.sink.mails} == {ANNA}
        assert len({raw for _to, raw in killed.sink.mails}) == 1
        ticket = killed.ticket(traced["ticket"])
        assert len(ticket["entries"]) == 1
        assert [row["state"] for row in ticket["sent"]] == ["sent"]
        killed.start()


def own_policies(world: World) -> None:
    """Give this world a copy of the policies that the test may break."""
    shutil.copytree(ROOT / "policies", world.folder / "policies")
    text = world.config.read_text().replace("[paths]\n", '[paths]\npolicies = "policies"\n')
    world.config.write_text(text)


def test_a_broken_policy_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    """A reload with a slip is logged with its place and counted; mended, it takes over."""
    with gateway(tmp_path / "world", own_policies) as running:
        assert running.process is not None
        rules = running.world.folder / "policies" / "disclosure.toml"
        right = rules.read_text()
        rules.write_text(right.replace("when.sender", "when.sendr", 1))
        running.process.send_signal(signal.SIGHUP)
        assert until(lambda: 'result="refused"' in page(running, "metrics"))
        assert "did you mean `sender`" in running.log
        assert running.send(scene("open"))[0] == [250]
        rules.write_text(right)
        running.process.send_signal(signal.SIGHUP)
        assert until(lambda: 'result="done"' in page(running, "metrics"))


def page(running: Gateway, name: str) -> str:
    """One of the three pages."""
    url = f"http://127.0.0.1:{running.world.http_port}/{name}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_pages_say_alive_and_ready(running: Gateway) -> None:
    """/healthz and /readyz answer 200 where nothing is wrong; an unknown page is 404."""
    assert page(running, "healthz") == "alive\n"
    assert page(running, "readyz") == "ready\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        page(running, "secrets")


def test_every_line_of_the_log_about_a_mail_has_its_id(running: Gateway) -> None:
    """One summary line a mail; no words of the mail stand in the log."""
    _codes, identifier = running.send(
        replace(scene("open"), kind="logged", subject="Parola-Zaffiro")
    )
    mail = running.trace(identifier)["mail"]
    lines = [line for line in running.log.splitlines() if mail in line]
    assert len([line for line in lines if '"event": "mail"' in line]) == 1
    assert "Parola-Zaffiro" not in running.log
