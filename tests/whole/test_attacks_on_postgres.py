"""Attacks of the suite, every fifth of them, decided over PostgreSQL: as they must end."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from attack_world import NOW, World, build, filled
from test_attacks import FAULTS, SUITE, cases, judge, raw_of
from tests_support import needs_suites

from gateway.config import Database
from gateway.explainer import Explainer
from gateway.house import zone_from
from gateway.store import moving
from gateway.store.engine import Store

pytestmark = pytest.mark.peer


@pytest.fixture
def world(tmp_path: Path, postgres_url: str) -> World:
    """The suite's world, moved to a server."""
    if not SUITE.is_dir():
        pytest.skip("the suites are absent (PORTIERE_SUITES)")
    made = build(SUITE, tmp_path)
    places = [
        Store.open(url, made.config.paths.blobs)
        for url in (made.config.database.url, postgres_url)
    ]
    moving.move(*places)
    for place in places:
        place.close()
    there = made.config.model_copy(update={"database": Database(url=postgres_url)})
    return replace(made, config=there)


@pytest.fixture
def explainer(world: World) -> Iterator[Explainer]:
    """The house over it, without a writer."""
    with Explainer(world.config) as opened:
        assert not opened.rooms.store.sqlite
        yield opened


@needs_suites
def test_attacks_end_as_they_must_on_postgresql(world: World, explainer: Explainer) -> None:
    """Proof, disclosure, threading, destinations and the reply are as each case demands."""
    zone, wrong = zone_from(world.zone), []
    for case in cases()[::5]:
        try:
            asyncio.run(_judged(case, world, explainer, FAULTS.get(_fault(case), zone)))
        except AssertionError as error:
            wrong.append(f"{case['id']}: {error}")
    assert wrong == []


def _fault(case: dict[str, Any]) -> str:
    return str(case["env"].get("dns_fault"))


async def _judged(case: dict[str, Any], world: World, explainer: Explainer, zone: Any) -> None:
    env, raw = case["env"], raw_of(case, world, explainer)
    told = {
        "client_ip": env["ip"],
        "helo": env["helo"],
        "mail_from": env["mail_from"],
        "rcpt": [filled(one, world, explainer) for one in env["rcpt"]],
        "now": NOW.isoformat(),
    }
    course = await explainer.course(explainer.envelope(told, raw), raw, zone)
    judge(case["must"], course, world)
