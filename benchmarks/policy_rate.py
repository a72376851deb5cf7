"""How fast the policy is proved, decides, and decides again: the figures of docs/policy.md.

python benchmarks/policy_rate.py [POLICIES]
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway import load
from gateway.core.decide import policy
from gateway.core.decide.diff import compare
from gateway.core.decide.facts import VOCABULARY, Facts, as_dict, from_dict
from gateway.core.decide.guard import guarded
from gateway.core.decide.never import NEVER
from gateway.core.decide.prove import partition, prove, space_of
from gateway.core.decide.replay import Replay
from gateway.core.decide.rules import Rule, Table, conditions
from gateway.core.decide.space import Space
from gateway.core.model import Outcome

ROUNDS = 5
MAILS = 50_000


def best(work: Callable[[], object]) -> float:
    """The least of a few runs, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def every_value(table: Table) -> Space:
    """The space of a table in which no value shares its cell with another: nothing is merged."""
    told = {fact for one in space_of(table).dimensions for fact in (one.fact,)}
    apart = [conditions({fact: [value]}) for fact in told for value in table.values(fact)]
    return Space(apart, {fact: table.values(fact) for fact in told})


def facts(count: int) -> list[Facts]:
    """Facts of mails, each as likely as any other."""
    dice = random.Random(1)
    names = VOCABULARY.values()
    return [from_dict({f.name: dice.choice(f.values) for f in names}) for _ in range(count)]


def worst(table: Table) -> Table:
    """The same rules, with more among them that tell every value of every fact in use apart."""
    named = [one.fact for one in space_of(table).dimensions]
    more = [
        Rule(f"{fact}-{value}", conditions({fact: [value], "token": [True]}), Outcome.RECORD, "w")
        for fact in named
        if fact != "token"
        for value in table.values(fact)[:-1]
    ]
    # Behind the rules of the SMTP dialogue, which may not depend on any of it.
    after = [rule.id for rule in table.rules].index("automatic") + 1
    rules = (*table.rules[:after], *more, *table.rules[after:])
    return Table(rules, table.notices, table.theorems, table.signals)


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each figure with its name."""
    table = load.read_disclosure(path).policy.table
    proved = prove(table)
    seconds = best(lambda: prove(table))
    yield (
        "proof of the policy, tests included",
        f"{proved.situations:,} situations ({proved.cells:,} cells), {len(NEVER)} never-rules, "
        f"{proved.theorems} tests: {seconds * 1000:.0f} ms, "
        f"{seconds * 1e9 / proved.situations:.1f} ms a million",
    )
    space = every_value(table)
    seconds = best(lambda: partition(table, space))
    yield (
        "who decides what, with no two values in one cell",
        f"{space.cells:,} cells: {seconds * 1000:.0f} ms, "
        f"{seconds * 1e9 / space.cells:.1f} ms a million",
    )
    hard = worst(table)
    proved = prove(hard)
    seconds = best(lambda: prove(hard))
    yield (
        "proof where rules tell nearly every value apart",
        f"{proved.situations:,} situations ({proved.cells:,} cells): {seconds * 1000:.0f} ms, "
        f"{seconds * 1e9 / proved.cells:.1f} ms a million cells",
    )
    seconds = best(lambda: compare(table, Table(table.rules[1:], (), (), table.signals)))
    yield "difference from the same without its first rule", f"{seconds * 1000:.0f} ms"
    yield from rates(policy.compile(table))


def rates(compiled: policy.Policy) -> Iterator[tuple[str, str]]:
    """Decisions a second."""
    some = facts(MAILS)
    decide = policy.decide

    def deciding() -> None:
        for each in some:
            decide(compiled, each)

    def behind_the_guard() -> None:
        for each in some:
            guarded(each, decide(compiled, each))

    stored = [as_dict(each) for each in some]

    def again() -> None:
        replay = Replay(compiled)
        for each in stored:
            replay.decide(each)

    yield "decisions", f"{MAILS / best(deciding):,.0f} a second"
    yield "decisions behind the guard", f"{MAILS / best(behind_the_guard):,.0f} a second"
    yield "replay, no two mails alike", f"{MAILS / best(again):,.0f} a second"
    stored = stored[:2_000] * (MAILS // 2_000)
    yield "replay, 2,000 kinds of mail", f"{MAILS / best(again):,.0f} a second"


def main() -> None:
    """Print all figures."""
    shipped = Path(__file__).resolve().parent.parent / "policies"
    for name, figure in lines(Path(sys.argv[1]) if sys.argv[1:] else shipped):
        print(f"{name:<52} {figure}")


if __name__ == "__main__":
    main()
