"""Staff answer from their own mail client, against the real gateway: proof and token are looked at
when they are used, and a member who was removed can do nothing with yesterday's token."""

import email
import email.policy
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from running import Gateway, gateway, portiere, until
from test_daemon import page, scene
from tests_support import ROOT

from gateway import control
from gateway.core.model import Envelope, Listener
from gateway.core.say import effects
from gateway.demo.scenes import ANNA, Scene
from gateway.demo.world import SUPPORT, World
from gateway.store.engine import Store
from gateway.store.writer import Writer

MARTA = "marta@posta.example"
STAFF = f'\n[[staff]]\nname = "Marta"\naddress = "{MARTA}"\n'
STAFF += 'departments = ["technical", "general", "commercial", "financial", "abuse"]\n'
RULES = "policies/routing.toml"


def with_staff(world: World) -> None:
    """This world's own policies, with one member of staff."""
    shutil.copytree(ROOT / "policies", world.folder / "policies")
    text = world.config.read_text().replace("[paths]\n", '[paths]\npolicies = "policies"\n')
    world.config.write_text(text)
    with (world.folder / RULES).open("a") as routing:
        routing.write(STAFF)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway; the last test takes its member of staff away."""
    with gateway(tmp_path_factory.mktemp("staff") / "world", with_staff) as started:
        yield started


def got(running: Gateway, to: str, number: str, words: str = "") -> EmailMessage:
    """The newest mail to somebody about a ticket."""

    def there() -> list[bytes]:
        found = [raw for rcpt, raw in running.sink.mails if rcpt == to and number.encode() in raw]
        return [raw for raw in found if words in plain(read(raw))]

    found = until(there)
    assert found, f"nothing to {to} about {number}"
    return read(found[-1])


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def plain(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return str(part.get_content()) if part else ""


def asked(running: Gateway, words: str) -> str:
    """A customer's mail; the number of its ticket."""
    mail = replace(scene("open"), kind=f"c{running.number}", subject=words, body=f"{words}?\n")
    _codes, identifier = running.send(mail)
    number = running.trace(identifier)["ticket"]
    assert isinstance(number, str)
    return number


def by_marta(running: Gateway, notice: EmailMessage, body: str, **more: Any) -> dict[str, Any]:
    """Her answer to a notice, as her mail client makes it; what came of it."""
    headers = {"In-Reply-To": str(notice["Message-ID"]), "References": str(notice["Message-ID"])}
    mail = Scene(
        f"s{running.number}", "", "posta.example", MARTA, f"Re: {notice['Subject']}", body,
        "staff", (), headers=headers,
    )  # fmt: skip
    codes, identifier = running.send(replace(mail, **more))
    return {"code": codes[0], **running.trace(identifier)}


def test_an_answer_goes_out_without_quotes_and_without_her_address(running: Gateway) -> None:
    """From support@ to the official address; what the mail client quoted stays inside."""
    number = asked(running, "Contratto del notaio")
    notice = got(running, MARTA, number)
    body = (
        "La pratica e' partita. Scrivetemi pure a MARTA@posta.example.\n\n"
        "Il giorno 22/11/2026 alle 12:00 Host Example <support@host.example> ha scritto:\n"
        "> Conto: A-1001 (Studio Rossi)\n> Contratto del notaio?\n"
    )
    done = by_marta(running, notice, body)
    assert done["outcome"] == "staff"
    answer = got(running, ANNA, number, "La pratica")
    assert str(answer["From"]).endswith(f"<{SUPPORT}>")
    raw = answer.as_string()
    assert "marta@" not in raw.lower()
    assert "A-1001" not in plain(answer)
    assert "ha scritto" not in plain(answer)
    assert answer["Auto-Submitted"] is None
    assert running.ticket(number)["state"] == "waiting for customer"


def test_commands_are_obeyed_and_a_wrong_one_is_answered_with_help(running: Gateway) -> None:
    """/assign and /priority change the ticket, /note stays inside, a slip changes nothing."""
    number = asked(running, "Fattura di Giovanni")
    notice = got(running, MARTA, number)
    by_marta(running, notice, "/assign marta\n/priority high\n/note\nCliente importante.\n")
    ticket = running.ticket(number)
    assert (ticket["assignee"], ticket["priority"]) == ("marta", "high")
    assert [one["text"] for one in ticket["entries"] if one["kind"] == "note"] == [
        "Cliente importante."
    ]
    before = len([to for to, _raw in running.sink.mails if to == ANNA])
    by_marta(running, notice, "/prioritty high\nFatto.\n")
    told = got(running, MARTA, number, "/prioritty")
    assert "/priority high" in plain(told)
    assert len([to for to, _raw in running.sink.mails if to == ANNA]) == before
    by_marta(running, notice, "/close\n")
    assert running.ticket(number)["state"] == "closed"
    assert got(running, ANNA, number, "chius")


def test_a_token_alone_and_a_proof_alone_do_nothing(running: Gateway) -> None:
    """A forger with the notice in hand, Marta without a token, and Marta on another ticket."""
    number = asked(running, "Riga quattro dell'ordine")
    other = asked(running, "Appuntamento con la signora Verdi")
    notice, theirs = got(running, MARTA, number), got(running, MARTA, other)
    entries = running.ticket(number)["entries"]
    forged = by_marta(
        running, notice, "Fatto.\n", host="forger.example", mail_from="eve@forger.example",
        signed_by="",
    )  # fmt: skip
    assert forged["outcome"] != "staff"
    customer = by_marta(
        running, notice, "/close\n", host="studio-rossi.example", author=ANNA, mail_from=ANNA
    )
    assert customer["outcome"] != "staff"
    by_marta(running, notice, "Fatto.\n", headers={}, subject=f"Re: [#{number}] Riga")
    ticket = running.ticket(number)
    assert [one["by"] for one in ticket["entries"]].count("staff") == 0
    assert ticket["state"] != "closed"
    assert len(ticket["entries"]) >= len(entries)
    by_marta(running, theirs, "Questo e' per l'altro.\n", subject=f"Re: [#{number}] Riga")
    assert [one["by"] for one in running.ticket(number)["entries"]].count("staff") == 0
    assert running.ticket(other)["entries"][-1]["text"].startswith("Questo e' per l'altro")


def test_the_daemon_decides_what_commands_hand_to_it(running: Gateway) -> None:
    """Over the control socket: mail that ops released, and mail that a defect kept back."""
    parked = replace(
        scene("forged"), kind="parked", subject="Da liberare", body="Riavviate vps-12, grazie.\n"
    )
    _codes, identifier = running.send(parked)
    held = running.trace(identifier)
    assert held["state"] == "parked"
    at = ("--config", str(running.world.config))
    released = portiere("queue", "release-parked", held["mail"], *at)
    assert released.returncode == 0, released.stderr
    decided = until(lambda: running.trace(identifier)["state"] == "decided")
    assert decided, running.log[-2000:]
    number = running.trace(identifier)["ticket"]
    assert running.ticket(number)["entries"][0]["proof"] == "confirmed"
    path = running.world.folder / "control.sock"
    answer = control.call(path, "retry", mails=["00none"])
    assert answer["stayed"] == {"00none": "there is no failed mail of this id"}
    assert answer["outcomes"] == {}
    failed = Envelope(
        "127.0.0.66", "mx", "mario@curious.example", (SUPPORT,), Listener.EDGE, datetime.now(UTC)
    )
    raw = b"From: <mario@curious.example>\r\nSubject: x\r\n\r\nBuongiorno a tutti.\r\n"
    store = Store.open(f"sqlite:///{running.world.folder / 'portiere.db'}", None)
    with closing(store), Writer(store) as writer:
        writer.commit(effects.undecided(failed, raw, "00failed", "KeyError: 'x'")).result(10)
    assert control.call(path, "retry")["outcomes"] == {"00failed": "refuse"}
    again = portiere("queue", "retry", "00none", *at)
    assert (again.returncode, "could not be decided" in again.stderr) == (1, True)
    assert control.call(path, "status")["troubles"] == {}


def test_whoever_was_removed_yesterday_cannot_answer_today(running: Gateway) -> None:
    """The same mailbox, the same valid signature, a token that is days from its end."""
    number = asked(running, "Accordo firmato a Trieste")
    notice = got(running, MARTA, number)
    rules = running.world.folder / RULES
    rules.write_text(rules.read_text().replace(STAFF, ""))
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    assert until(lambda: 'reloads_total{result="done"}' in page(running, "metrics"))
    before = [raw for to, raw in running.sink.mails if to == ANNA and number.encode() in raw]
    entries = running.ticket(number)["entries"]
    for body in ("Fatto, cordiali saluti.\n", "/close\n", "/accept\n"):
        done = by_marta(running, notice, body)
        assert (done["outcome"] == "staff", done["ticket"] == number) == (False, False)
    assert running.ticket(number)["entries"] == entries
    assert running.ticket(number)["state"] == "new"
    assert [
        raw for to, raw in running.sink.mails if to == ANNA and number.encode() in raw
    ] == before
