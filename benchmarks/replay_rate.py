"""How long `portiere policy replay` takes over 100,000 stored mails: at most 2 s; exits 1 beyond.

The whole command as ops run it, its start included, and the same without the program's start.

python benchmarks/replay_rate.py [MAILS]
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from gateway import load
from gateway.config import parse, resolve
from gateway.core.decide import policy
from gateway.core.decide.facts import VOCABULARY, as_dict, from_dict
from gateway.core.decide.guard import guarded
from gateway.core.decide.replay import Replay
from gateway.core.model import outcome_of
from gateway.demo.world import build
from gateway.store import mails, schema
from gateway.store.columns import micros
from gateway.store.engine import Store

MAILS = 100_000
KINDS = 3_000  # situations that a month's mails are of; the common ones come most
MOST_SECONDS = 2.0
ROOT = Path(__file__).resolve().parent.parent


def situations() -> list[tuple[str, str, str]]:
    """Facts, rule and outcome, as the store keeps them."""
    dice = random.Random(3)
    rules = load.read_disclosure(ROOT / "policies").policy
    found = []
    for _ in range(KINDS):
        named = (one for one in VOCABULARY.values() if dice.random() < 0.4)
        facts = from_dict({one.name: dice.choice(one.values) for one in named}, assume="usual")
        decided = guarded(facts, policy.decide(rules, facts))
        found.append((json.dumps(as_dict(facts)), decided.rule, str(outcome_of(decided))))
    return found


def fill(store: Store, count: int) -> None:
    """So many mails of the last month, in one transaction."""
    dice, kinds, now = random.Random(4), situations(), datetime.now(UTC)
    columns = {c.name: _plain(c) for c in schema.mails.c if not c.nullable and c.name != "id"}
    rows = []
    for number in range(count):
        facts, rule, outcome = kinds[int(dice.paretovariate(0.6)) % KINDS]
        row = {**columns, "mail": f"m{number:09}", "key": f"k{number}", "facts": facts}
        row |= {"rule": rule, "outcome": outcome, "policy_digest": "d" * 64, "proof": "none"}
        row["received_at"] = micros(now - timedelta(seconds=25.0 * (count - number)))
        rows.append(row)
    with store.engine.begin() as connection:
        for start in range(0, count, 5_000):
            connection.execute(insert(schema.mails), rows[start : start + 5_000])


def _plain(column: object) -> object:
    kind = getattr(column, "type").python_type  # noqa: B009  untyped on purpose
    return kind() if kind in (int, str, bytes) else ""


def changed() -> str:
    """The shipped rules with one change: a customer's new mail is recorded alone."""
    text = (ROOT / "policies" / "disclosure.toml").read_text()
    before, rule, after = text.partition('id = "customer"')
    return before + rule + after.replace('then = "open"', 'then = "record"', 1)


def timed(command: list[str]) -> float:
    """Seconds of one command that must succeed."""
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begun


def main() -> int:
    """Print the figures."""
    count = int(sys.argv[1]) if sys.argv[1:] else MAILS
    with tempfile.TemporaryDirectory(prefix="replay-") as made:
        folder = Path(made)
        world = build(folder / "world", 2525, 2526, 2527)
        config = resolve(parse(world.config.read_text(), "portiere.toml"), world.folder)
        store = Store.open(config.database.url, config.paths.blobs)
        fill(store, count)
        new = folder / "disclosure.toml"
        new.write_text(changed())
        begun = time.perf_counter()
        again, moved = Replay(load.read_disclosure(new).policy), 0
        for one in mails.iter_facts(store, datetime.now(UTC) - timedelta(days=30)):
            moved += outcome_of(again.decide(one.facts)) != one.outcome
        inside = time.perf_counter() - begun
        store.close()
        command = [sys.executable, "-m", "gateway", "policy", "replay", str(new), "--days", "30"]
        runs = [timed([*command, "--config", str(world.config), "--json"]) for _ in range(3)]
    whole = min(runs)
    print(f"{count:,} mails, {moved:,} would change")
    print(f"{'reading and deciding again':<34} {inside:5.2f} s, {count / inside:,.0f} a second")
    print(f"{'the whole command, best of three':<34} {whole:5.2f} s")
    return int(whole > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
