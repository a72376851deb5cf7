"""The settings of sender authentication reach the proof: signers, pools, keys, engines, time,
relays, and what they write about a mail."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from auth_house import (
    ALICE,
    CLIENT,
    EVIL_CLIENT,
    NOW,
    SUPPORT,
    ZONE,
    House,
    house,
    level,
    mail,
    signed,
)
from dkim_signing import ed_key, record, sign
from running import Gateway, gateway, portiere, until

from gateway.authenticate.evidence import Authenticator
from gateway.authenticate.resolver import read_zone
from gateway.core.model import DkimResult
from gateway.demo.run import free_port
from gateway.demo.scenes import ANNA, SCENES, Scene
from gateway.demo.send import compose, message_id, send
from gateway.demo.world import World, build
from gateway.house import auth_settings
from gateway.pipeline import Pipeline

FORWARDED = {"mail_from": "list@fwd.example", "client_ip": "198.51.100.9", "helo": "fwd.example"}


def taken(folder: Path, settings: str, raw: bytes, **session: object) -> str:
    """The level of one mail in a house with these settings."""
    with house(folder, settings) as opened:
        zone = session.pop("zone", ZONE)
        assert isinstance(zone, dict)
        return level(opened.take(raw, zone, **session))


@pytest.mark.parametrize("key", ["own_signers", "weak_signers"])
def test_who_signs_for_every_tenant_proves_medium_unless_we_vouch(
    tmp_path: Path, key: str
) -> None:
    """A neighbour may have made the signature; our submission server knows its logins."""
    with house(tmp_path, f'[proof]\n{key} = ["victim.example"]\n') as opened:
        assert level(opened.take(signed(mail()), **FORWARDED)) == "medium"
        assert level(opened.take(signed(mail()), vouched=True, **FORWARDED)) == "strong"


def test_wide_pools_are_listed(tmp_path: Path) -> None:
    """A match wider than /16 proves nothing, unless the provider's record is listed."""
    include = {"TXT": ["v=spf1 include:pool.wide.example -all"]}
    zone = {**ZONE, "victim.example": include}
    zone["pool.wide.example"] = {"TXT": ["v=spf1 ip4:192.0.0.0/15 -all"]}
    assert taken(tmp_path, "", mail(), zone=zone) == "none"
    (tmp_path / "listed").mkdir()
    listed = '[proof]\nwide_pools = ["wide.example"]\n'
    assert taken(tmp_path / "listed", listed, mail(), zone=zone) == "medium"


def test_our_own_pool_proves_nothing(tmp_path: Path) -> None:
    """Every tenant of ours sends from it."""
    pool = f'[proof]\nown_shared_outbound = ["{CLIENT}/32"]\n'
    assert taken(tmp_path, pool, mail()) == "none"


def test_short_keys_are_refused_by_setting(tmp_path: Path) -> None:
    """A key of 1,024 bits proves by default, and nothing where 2,048 are asked for."""
    assert taken(tmp_path, "", signed(mail()), **FORWARDED) == "strong"
    (tmp_path / "longer").mkdir()
    longer = "[proof]\nmin_rsa_bits = 2048\n"
    assert taken(tmp_path / "longer", longer, signed(mail()), **FORWARDED) == "fail"


@pytest.mark.parametrize("engine", ["native", "dkimpy"])
def test_both_engines_verify(tmp_path: Path, engine: str) -> None:
    """The same mail, the same level."""
    settings = f'[proof]\ndkim_engine = "{engine}"\n'
    assert taken(tmp_path, settings, signed(mail()), **FORWARDED) == "strong"


def test_a_wrong_network_is_named_with_its_place(tmp_path: Path) -> None:
    """`own_shared_outbound` and relays are checked when the file is read."""
    file = tmp_path / "portiere.toml"
    file.write_text('[proof]\nown_shared_outbound = ["192.0.2.0/24", "192.0.2.0/33"]\n')
    done = portiere("config", "check", "--config", str(file))
    assert done.returncode == 1
    assert "portiere.toml:2:" in done.stderr
    assert "192.0.2.0/33" in done.stderr
    assert "Traceback" not in done.stderr


RELAYS = {
    "overlap": (
        '[[trusted_relays]]\nnetworks = ["192.0.2.0/24"]\nmethod = "xforward"\n'
        '[[trusted_relays]]\nnetworks = ["192.0.2.7"]\nmethod = "proxy"\n',
        "overlap",
    ),
    "wide": ('[[trusted_relays]]\nnetworks = ["0.0.0.0/0"]\nmethod = "proxy"\n', "too wide"),
    "none": ('[[trusted_relays]]\nnetworks = []\nmethod = "none"\n', "names no network"),
    "method": ('[[trusted_relays]]\nnetworks = ["192.0.2.7"]\nmethod = "guess"\n', "method"),
    "twice": (
        '[[trusted_relays]]\nnetworks = ["192.0.2.7", "192.0.2.0/28"]\nmethod = "proxy"\n'
        'authserv_id = "lb.example"\n',
        "authserv_id",
    ),
    "vouches": (
        '[[trusted_relays]]\nnetworks = ["192.0.2.7"]\nmethod = "proxy"\nvouches = true\n',
        "vouches",
    ),
}


@pytest.mark.parametrize("name", RELAYS)
def test_a_start_with_relays_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, name: str
) -> None:
    """One message with the reason, exit 1, and nothing listens."""
    text, reason = RELAYS[name]
    world = build(tmp_path / "world", free_port(), free_port(), free_port())
    world.config.write_text(world.config.read_text() + text)
    done = portiere("serve", "--config", str(world.config))
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in done.stderr
    assert done.stderr.count("portiere: ") == 1
    assert "Traceback" not in done.stderr


# ---- a relay's own Authentication-Results ----

ID = "relay.host.example"
HOP = "Received: from x (x [203.0.113.66]) by relay.host.example with ESMTP; now\r\n"
SAID = f"Authentication-Results: {ID}; dkim=pass header.d=victim.example header.s=k\r\n"
RELAYED = {"client_ip": EVIL_CLIENT, "mail_from": "x@fwd.example", "listener": "relay"}


@pytest.fixture
def relayed(tmp_path: Path) -> Iterator[House]:
    """A house for mail of a relay."""
    with house(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("fields", "listed", "wanted"),
    [
        pytest.param(SAID + HOP, ID, "medium", id="above its Received"),
        pytest.param(SAID + HOP, None, "fail", id="off by default"),
        pytest.param(SAID + HOP, "other.example", "fail", id="of another id"),
        pytest.param(HOP + SAID, ID, "fail", id="below its Received"),
        pytest.param(SAID, ID, "fail", id="without a Received"),
        pytest.param(
            SAID.replace("victim", "evil") + HOP, ID, "fail", id="aligned again by ourselves"
        ),
        pytest.param(
            f"Authentication-Results: {ID}; dmarc=pass header.from=victim.example\r\n" + HOP,
            ID,
            "fail",
            id="raw facts alone",
        ),
        pytest.param(
            f"Authentication-Results: {ID}; spf=pass smtp.mailfrom={ALICE}\r\n" + HOP,
            ID,
            "fail",
            id="no SPF where the client is known",
        ),
    ],
)
def test_a_relays_word_counts_only_where_it_may(
    relayed: House, fields: str, listed: str | None, wanted: str
) -> None:
    """Its raw DKIM fact, above its own Received, under the id that is listed for it."""
    assert level(relayed.take(mail(fields), authserv_id=listed, **RELAYED)) == wanted


def test_a_relays_spf_counts_where_we_cannot_know_the_client(relayed: House) -> None:
    """At most medium, as SPF alone always is."""
    fields = f"Authentication-Results: {ID}; spf=pass smtp.mailfrom={ALICE}\r\n" + HOP
    unknown = {**RELAYED, "client_ip": None}
    assert level(relayed.take(mail(fields), authserv_id=ID, **unknown)) == "medium"


# ---- the daemon ----


def scene(kind: str) -> Scene:
    """The demo's mail of this kind."""
    return next(one for one in SCENES if one.kind == kind)


def with_relay(world: World) -> None:
    """127.0.0.66 is a relay that walks Received, and whose results count."""
    relay = (
        '[[trusted_relays]]\nnetworks = ["127.0.0.66"]\nmethod = "received"\n'
        f'authserv_id = "{ID}"\n'
    )
    world.config.write_text(world.config.read_text() + relay)


def test_a_relay_of_the_configuration_is_believed_over_smtp(tmp_path: Path) -> None:
    """From the listed relay a pass makes `medium`; the same bytes from elsewhere make `fail`."""
    result = f"{ID}; dkim=pass header.d=studio-rossi.example header.s=demo"
    hop = f"from x (x [203.0.113.66]) by {ID} with ESMTP; Sun, 22 Nov 2026 12:00:00 +0000"
    fields = {"From": f"<{ANNA}>"}
    with gateway(tmp_path / "world", with_relay) as running:
        levels = []
        for number, host in enumerate(("forger.example", "curious.example")):
            one = replace(
                scene("open"),
                kind=f"relayed{number}",
                host=host,
                signed_by="",
                mail_from=f"x@{host}",
                headers=fields,
            )
            levels.append(_traced(running, one, result, hop))
    assert levels == ["medium", "fail"]


def _traced(running: Gateway, one: Scene, result: str, hop: str) -> str:
    """Send a mail with the two fields on top; the level that the database holds."""
    running.number += 1
    raw = compose(running.world, one, datetime.now(UTC), running.number)
    top = f"Authentication-Results: {result}\r\nReceived: {hop}\r\n".encode()
    assert send(running.world, one, top + raw)[0] == 250
    return str(running.trace(message_id(one, running.number))["proof"])


def faulty(world: World) -> None:
    """SPF and keys of the customers cannot be fetched; we wait for two seconds."""
    zone = json.loads((world.folder / "zone.json").read_text())
    for domain in ("studio-rossi.example", "curious.example"):
        zone[domain] = {"status": "servfail"}
        zone[f"demo._domainkey.{domain}"] = {"status": "timeout"}
    (world.folder / "zone.json").write_text(json.dumps(zone))
    wait = f"[proof]\ndefer_hours = {2 / 3600}\n"
    world.config.write_text(world.config.read_text() + wait)


def unsettled(running: Gateway, host: str, author: str, signer: str | None) -> tuple[Scene, bytes]:
    """A mail that nothing can be found out about; `signer` "" leaves the signature out."""
    kind = f"{'key' if signer is None else 'spf'}.{running.number}"
    one = replace(scene("open"), kind=kind, host=host, author=author, signed_by=signer)
    return one, compose(running.world, one, datetime.now(UTC), running.number)


def test_a_failing_dns_defers_every_author_alike_and_not_for_ever(tmp_path: Path) -> None:
    """451 4.4.3 without a signature, 451 4.7.5 with one, the same words for a customer and for a
    stranger; when the time is over the mail is accepted, and proves nothing."""
    authors = {ANNA: "studio-rossi.example", "x@curious.example": "curious.example"}
    said: dict[str, set[tuple[int, str]]] = {"": set(), "signed": set()}
    with gateway(tmp_path / "world", faulty) as running:
        for author, host in authors.items():
            for signer in ("", None):
                one, raw = unsettled(running, host, author, signer)
                said["" if signer == "" else "signed"].add(send(running.world, one, raw))
                assert until(partial(accepted, running, one, raw)), "still deferred"
                traced = running.trace(message_id(one, running.number))
                assert traced["proof"] == "none"
                running.stop()  # forgets who has waited
                running.start()
    assert [len(answers) for answers in said.values()] == [1, 1]
    assert [code for ((code, _text),) in said.values()] == [451, 451]
    assert [text[:5] for ((_code, text),) in said.values()] == ["4.4.3", "4.7.5"]


def accepted(running: Gateway, one: Scene, raw: bytes) -> bool:
    """Whether the mail is taken when it comes again."""
    return send(running.world, one, raw)[0] == 250


def test_first_sights_have_a_bound(tmp_path: Path) -> None:
    """Where the table is full nobody is made to wait: the mail is taken as `none`."""
    zone = read_zone({**ZONE, "victim.example": {"status": "servfail"}})
    with house(tmp_path) as opened:
        rooms = opened.explainer.rooms
        settings = replace(auth_settings(rooms.config), first_sights_max=1)
        small = replace(rooms.house(zone), authenticator=Authenticator(zone, settings))
        pipeline = Pipeline(small)
        levels = []
        for sender in (ALICE, "bob@victim.example", ALICE):
            raw = mail(From=f"<{sender}>")
            envelope = opened.explainer.envelope({"client_ip": CLIENT, "mail_from": sender}, raw)
            levels.append(level(asyncio.run(pipeline.course(envelope, raw))))
    assert levels == ["temperror", "none", "temperror"]


# ---- the registrar ----


def test_the_registrars_word_is_a_command(tmp_path: Path) -> None:
    """`accounts domain-changed` caps what the domain's new owner can prove."""
    with gateway(tmp_path / "world") as running:
        config = ("--config", str(running.world.config))
        one = replace(scene("open"), kind="before")
        assert running.trace(running.send(one)[1])["proof"] == "strong"
        bad = portiere("accounts", "domain-changed", "not a domain", *config)
        assert (bad.returncode, "is not a domain" in bad.stderr) == (1, True)
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        future = portiere("accounts", "domain-changed", "a.example", "--at", later, *config)
        assert (future.returncode, "future" in future.stderr) == (1, True)
        done = portiere("accounts", "domain-changed", "Studio-Rossi.example", "--json", *config)
        assert json.loads(done.stdout)["addresses"] == 1
        after = replace(one, kind="after", subject="Altro", body="Buongiorno, un'altra domanda.\n")
        assert running.trace(running.send(after)[1])["proof"] == "medium"


# ---- the page ----


def shown(folder: Path, raw: bytes, *more: str) -> tuple[int, str]:
    """What `portiere auth` prints about a mail."""
    (folder / "mail.eml").write_bytes(raw)
    (folder / "zone.json").write_text(json.dumps(ZONE))
    (folder / "house.toml").write_text(
        f'[support]\naddresses = ["{SUPPORT}"]\ndomain = "host.example"\n'
    )
    words = ["auth", str(folder / "mail.eml"), "--config", str(folder / "house.toml")]
    words += ["--zone", str(folder / "zone.json"), "--now", NOW.isoformat(), *more]
    done = portiere(*words)
    return done.returncode, done.stdout + done.stderr


def test_the_page_shows_every_step_to_the_level(tmp_path: Path) -> None:
    """Signatures, SPF terms, records, alignment, level and why, the reply."""
    options = ("--client-ip", CLIENT, "--helo", "mx.victim.example", "--mail-from", ALICE)
    status, text = shown(tmp_path, signed(mail()), *options)
    assert status == 0
    for words in (
        *(f"From  {ALICE}", "DKIM signature 1", "covers      from, to, subject, date, message-id"),
        *(f"victim.example: ip4:{CLIENT}: match", "v=DMARC1; p=none", "aligned     yes"),
        *("level    STRONG", "stands in a signed To or Cc", "k._domainkey.victim.example TXT"),
        *("_dmarc.example TXT", "nxdomain", "SMTP     250 2.0.0"),
    ):
        assert words in text, text


def test_the_page_of_a_refused_mail_says_why(tmp_path: Path) -> None:
    """The wire gate's defect, and the reply."""
    status, text = shown(tmp_path, mail("From: a@evil.example\r\n"))
    assert status == 0
    assert "repeated-field" in text
    assert "550 5.6.0" in text


def test_nothing_of_a_mail_moves_the_cursor_or_begins_a_line(tmp_path: Path) -> None:
    """Control and bidirectional characters of a signature are shown escaped."""
    raw = signed(mail()).replace(b"s=k;", b"s=k\x1b[31m\xe2\x80\xae;").replace(b"i=", b"i=\x07")
    for more in ((), ("--json",)):
        _status, text = shown(tmp_path, raw, "--mail-from", "x\x1b[2J@evil.example", *more)
        assert not set(text) & set("\x1b\x07\u202e")


def test_the_page_for_programs(tmp_path: Path) -> None:
    """The evidence whole, the level, what DNS said."""
    status, text = shown(tmp_path, signed(mail()), "--client-ip", CLIENT, "--json")
    assert status == 0
    found = json.loads(text)
    assert found["proof"]["level"] == "strong"
    assert found["evidence"]["dkim"][0]["result"] == DkimResult.PASS
    asked = {(one["name"], one["status"]) for one in found["records"]}
    assert ("_dmarc.victim.example", "ok") in asked
    assert found["smtp"] == {"code": 250, "enhanced": "2.0.0"}
    wrong = shown(tmp_path, mail(), "--listener", "side")
    assert wrong[0] == 1
    assert "listener" in wrong[1]


def test_ed25519_proves_as_rsa_does(tmp_path: Path) -> None:
    """RFC 8463."""
    text = record(ed_key()).decode()
    zone = {**ZONE, "e._domainkey.victim.example": {"TXT": [text]}}
    seconds = str(int(NOW.timestamp()) - 60)
    raw = sign(mail(), ed_key(), d="victim.example", s="e", t=seconds)
    assert taken(tmp_path, "", raw, zone=zone, **FORWARDED) == "strong"
