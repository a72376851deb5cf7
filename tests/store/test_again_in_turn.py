"""Released mail that cannot be decided keeps no other from its turn, and is said."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from store_values import NOW, mail_row

from gateway.again import GONE, Again
from gateway.core.model import Effects, Parked
from gateway.errors import Temporary
from gateway.store import mails, schema
from gateway.store.engine import Store
from gateway.store.writer import Writer

NAMES = ["p1", "p2", "p3"]


class Unable:
    """A pipeline whose every proof is out of reach."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    async def again(self, kept: Any, commit: Any) -> Any:
        self.tried.append(kept.id)
        raise Temporary("DNS is silent")


@pytest.fixture
def freed(store: Store, writer: Writer) -> Store:
    """Three mails that their account has released."""
    for name in NAMES:
        parked = Parked("A-1001", NOW + timedelta(days=1))
        writer.commit(Effects(mail_row(name, outcome="hold"), parked=parked)).result(10)
    writer.run(lambda one: mails.release(one, NAMES)).result(10)
    return store


def again(store: Store, pipeline: Any) -> Again:
    async def commit(_effects: Effects) -> Any:
        raise AssertionError("nothing was decided")

    return Again(store, pipeline, commit, batch=2)


def test_what_stays_is_tried_after_all_the_others(freed: Store) -> None:
    """Two in a round: the third has its turn in the second round, then all come again."""
    pipeline = Unable()
    one = again(freed, pipeline)

    async def rounds() -> None:
        for _ in range(3):
            await one.released()

    asyncio.run(rounds())
    assert pipeline.tried == ["p1", "p2", "p3", "p1", "p2"]


def test_a_mail_without_its_bytes_is_said(freed: Store, writer: Writer) -> None:
    """It is not passed over in silence."""
    c = schema.mails.c
    lost = update(schema.mails).where(c.mail == "p1").values(raw_digest="0" * 64)
    writer.run(lambda one: one.execute(lost)).result(10)
    decided = asyncio.run(again(freed, Unable()).released())
    assert decided.stayed == {"p1": GONE, "p2": "DNS is silent"}
