"""What was said to be committed is there after the process was killed, whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from gateway.store import mails, schema
from gateway.store.engine import Store


@pytest.mark.parametrize("said_before_the_kill", [1, 6, 23])
def test_nothing_that_was_said_is_lost(
    database_url: str, tmp_path: Path, said_before_the_kill: int
) -> None:
    """kill -9 right after a word: every mail told of is there with its ticket and its bytes."""
    script = Path(__file__).with_name("store_crash.py")
    blobs = tmp_path / "blobs"
    environment = {**os.environ, "PYTHONPATH": f"{script.parent}:{script.parents[2]}"}
    with subprocess.Popen(
        [sys.executable, script, database_url, blobs],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(said_before_the_kill)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    store = Store.open(database_url, blobs)
    with store.reading() as connection:
        kept = connection.execute(select(schema.mails.c.mail)).scalars().all()
        assert set(said) <= set(kept)
        assert len(kept) <= len(said) + 1
        for name in kept:
            assert mails.raw(connection, store.blobs, name)
        numbers = connection.execute(select(schema.tickets.c.number)).scalars().all()
        assert sorted(numbers) == sorted(str(100000 + int(name[1:])) for name in kept)
        if store.sqlite:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store.close()
