"""`portiere doctor`: what it finds in a healthy world, and in one that lacks something."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import ailments, doctor
from gateway.cli.ailments import Finding
from gateway.config import ListenerConfig
from gateway.demo import run
from gateway.demo.sink import Sink
from gateway.demo.world import World, build


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The demo's files; DNS is a zone, and the smarthost's port is closed."""
    return build(tmp_path / "world", 0, 9, 0)


def asked(world: World, *words: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(doctor.app, ["--config", str(world.config), *words])


def found(world: World) -> tuple[int, dict[str, dict[str, Any]]]:
    """Its exit status, and what it found by thing."""
    done = asked(world, "--json")
    return done.exit_code, {one["thing"]: one for one in json.loads(done.stdout)}


def test_a_healthy_world_has_nothing_wrong(tmp_path: Path) -> None:
    """Exit 0; notes say what could be better."""
    made = run.new_world(tmp_path / "world")
    with Sink(made.sink_port, tmp_path / "sent"):
        status, things = found(made)
    assert (status, things["smarthost"]["state"]) == (0, "ok"), things
    assert {one["state"] for one in things.values()} <= {"ok", "note"}
    assert {"configuration", "policy", "database", "clock", "disk", "dns"} <= set(things)
    assert things["daemon"]["do"] == "start it by `portiere serve`"


def test_a_smarthost_out_of_reach_is_wrong(world: World) -> None:
    """Exit 1, and what to look at; for people it is a table."""
    status, things = found(world)
    assert (status, things["smarthost"]["state"]) == (1, "wrong")
    assert "[smarthost]" in things["smarthost"]["do"]
    page = asked(world)
    assert page.exit_code == 1
    assert "what to do" in page.stdout


def test_dns_that_does_not_answer_is_wrong(world: World) -> None:
    """Nothing more is asked of it."""
    (world.folder / "zone.json").write_text(json.dumps({"host.example": {"status": "servfail"}}))
    _, things = found(world)
    assert things["dns"]["state"] == "wrong"
    assert "servfail" in things["dns"]["said"]
    assert not [name for name in things if name.startswith("v=spf1")]


def test_a_wrong_configuration_is_the_only_finding(world: World) -> None:
    """The rest rests on it."""
    text = world.config.read_text().replace('zone = "zone.json"', 'zone = "nowhere.json"')
    world.config.write_text(text)
    status, things = found(world)
    assert (status, list(things)) == (1, ["configuration"])
    assert "nowhere.json" in things["configuration"]["said"]


def certificate(folder: Path, **more: Any) -> ListenerConfig:
    """A listener with a certificate for gate.example."""
    issued = trustme.CA().issue_cert("gate.example", **more)
    issued.cert_chain_pems[0].write_to_path(str(folder / "c.pem"))
    issued.private_key_pem.write_to_path(str(folder / "k.pem"))
    return ListenerConfig(
        address="127.0.0.1:25", tls="starttls", certificate=folder / "c.pem", key=folder / "k.pem"
    )


def test_a_certificate_that_ends_soon_is_wrong(tmp_path: Path) -> None:
    """Fourteen days are left to renew it; a name that is not ours is a note."""
    settings = certificate(tmp_path, not_after=datetime.now(UTC) + timedelta(days=13))
    assert ailments._certificate(settings, "gate.example").state == "wrong"
    settings = certificate(tmp_path, not_after=datetime.now(UTC) + timedelta(days=90))
    assert ailments._certificate(settings, "gate.example").state == "ok"
    assert ailments._certificate(settings, "other.example").state == "note"
    (tmp_path / "c.pem").write_text("nothing")
    assert ailments._certificate(settings, "gate.example").state == "wrong"


@pytest.mark.parametrize(
    "latest,theirs,state",
    [
        (None, None, "ok"),
        (timedelta(minutes=-5), timedelta(), "ok"),
        (timedelta(minutes=5), None, "wrong"),
        (None, timedelta(minutes=-5), "wrong"),
    ],
)
def test_a_clock_that_others_contradict_is_wrong(
    latest: timedelta | None, theirs: timedelta | None, state: str
) -> None:
    """A mail from the future, or another time on the database's machine."""
    now = datetime.now(UTC)
    moments = [None if one is None else now + one for one in (latest, theirs)]
    judged: Finding = ailments._clock(*moments)
    assert judged.state == state
