"""`python -m drills [NAME…]`: run drills, each with its safeguards and then without one, and write
docs/drills.md. Ends with 1 where one that must be green is red, or one that must be red is green.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drills import crash, drain, gateways, names, smarthost, sync_order, table, trouble
from drills.crash import Plan

Options = argparse.Namespace
Run = Callable[[Path, Options, str | None], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Drill:
    """What is run, and the safeguard that is switched off to see it fail."""

    promise: str
    run: Run
    unsafe: str


def _crash(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    plan = Plan(
        kills=6 if unsafe else options.kills,
        mails=0 if unsafe else options.mails,
        between=options.between,
        seed=options.seed,
        people=max(200, options.mails // 50),
        unsafe=unsafe,
    )
    return crash.drill(folder, plan)


async def _gateways(folder: Path, options: Options, unsafe: str | None) -> Any:
    with gateways.postgres() as url:
        kills = 4 if unsafe else max(6, options.kills // 4)
        return await gateways.drill(folder, url, kills, seed=options.seed, unsafe=unsafe)


def _sync(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    return sync_order.drill(folder, 200 if unsafe else options.flushes, unsafe=unsafe)


def _trouble(what: trouble.Trouble, seconds: float) -> Run:
    return lambda folder, _options, unsafe: trouble.drill(folder, what, seconds, unsafe)


DRILLS = {
    "crash": Drill("kill -9 at any time: 0 lost, 0 doubled", _crash, "250-before-commit"),
    "sync-order": Drill("each 250 has a flush of its mail before it", _sync, "normal-sync"),
    "disk-full": Drill(
        "only 4xx, accepted equals stored, no restart",
        _trouble(trouble.no_file_grows, 4.0),
        "250-to-failure",
    ),
    "disk-full-log": Drill(
        "the same where the log cannot be written either",
        _trouble(trouble.nothing_can_be_logged, 4.0),
        "5xx-to-failure",
    ),
    "database-locked": Drill(
        "451 within 10 s, no 5xx", _trouble(trouble.locked, 12.0), "5xx-to-failure"
    ),
    "smarthost": Drill(
        "accepting does not wait, order kept, 0 lost",
        lambda folder, _options, unsafe: smarthost.drill(folder, unsafe=unsafe),
        "no-order",
    ),
    "dns": Drill(
        "never proven, never 5xx",
        lambda folder, _options, unsafe: names.drill(folder, unsafe=unsafe),
        "old-dns",
    ),
    "gateways": Drill("in exactly once, out 0 lost", _gateways, "250-before-commit"),
    "sigterm": Drill(
        "mails in DATA are finished",
        lambda folder, _options, unsafe: drain.sigterm(folder, unsafe),
        "no-drain",
    ),
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="drills")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(DRILLS)}; none is all")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--mails", type=int, default=0, help="at least so many accepted")
    parser.add_argument("--between", type=float, default=0.5, help="seconds between two kills")
    parser.add_argument("--flushes", type=int, default=1000, help="mails whose flush is watched")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = [name for name in options.name or DRILLS if not _drilled(name, options)]
    return 1 if wrong else 0


def _drilled(name: str, options: Options) -> bool:
    """Whether it is green with its safeguards and red without one."""
    drill = DRILLS[name]
    green, red = _once(drill, options, None), _once(drill, options, drill.unsafe)
    result = ("" if green.clean else "RED: ") + green.words
    control = f"`{drill.unsafe}`: " + ("GREEN: " if red.clean else "red: ") + red.words
    print(f"{name}: {result}\n  {control}", flush=True)
    table.write(table.Row(name, drill.promise, result, control, options.seed))
    return bool(green.clean and not red.clean)


def _once(drill: Drill, options: Options, unsafe: str | None) -> Any:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        return asyncio.run(drill.run(Path(folder) / "world", options, unsafe))


if __name__ == "__main__":
    raise SystemExit(main())
