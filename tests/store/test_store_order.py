"""A thousand tickets, and the order in which staff find them."""

import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_plan import START, Plan
from store_values import ANNA, BRUNO

from gateway.store import accounts
from gateway.store.engine import Store
from gateway.store.writer import Writer

SEEDS = st.integers(0, 2**32)
LIVES = int(os.environ.get("PORTIERE_QUEUES", "1"))


def live(store: Store, writer: Writer, seed: int, size: int, every: int) -> None:
    """One life of a queue."""
    Plan(store, writer, random.Random(seed)).run(size, every)


def in_a_new_file(seed: int, size: int, every: int) -> None:
    """On SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/portiere.db", Path(folder) / "blobs")
        with store.engine.begin() as connection:
            accounts.apply(connection, [ANNA, BRUNO], START)
        with Writer(store) as writer:
            live(store, writer, seed, size, every)
        store.close()


@settings(max_examples=LIVES, deadline=None)
@given(SEEDS)
def test_a_thousand_tickets_keep_their_order(seed: int) -> None:
    """Additions, twins, thanks, answers, closings, reopenings, departments, merges: by opening."""
    in_a_new_file(seed, 1_000, 50)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_small_queue_is_in_order_after_every_doing(seed: int) -> None:
    """The same, looked at each time, where a wrong one is easy to read."""
    in_a_new_file(seed, 8, 1)


def test_the_order_is_the_same_on_each_engine(store: Store, writer: Writer) -> None:
    """A hundred and fifty tickets, looked at every tenth doing."""
    live(store, writer, 20261122, 150, 10)


@pytest.mark.drill
@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_order_holds_over_many_lives(seed: int) -> None:
    """Forty thousand tickets."""
    in_a_new_file(seed, 1_000, 50)
