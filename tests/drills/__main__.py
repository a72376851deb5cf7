"""`python -m drills [NAME…]`: run drills, each with its safeguards and then without one, and write
docs/drills.md. Ends with 1 where one that must be green is red, or one that must be red is green.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drills import (
    abuse,
    bombs,
    bucket,
    clock,
    crash,
    database,
    drain,
    fronts,
    gateways,
    load,
    loops,
    names,
    power_cut,
    smarthost,
    soak,
    sync_order,
    table,
    trouble,
)
from drills.crash import Plan
from fakes_s3 import FakeS3

Options = argparse.Namespace
Run = Callable[[Path, Options, str | None], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Drill:
    """What is run, and the safeguard that is switched off to see it fail."""

    promise: str
    run: Run
    unsafe: str


def _crash(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    plan = Plan(kills=6 if unsafe else 20, seed=options.seed, unsafe=unsafe)
    if options.long:
        plan = Plan(
            kills=1000,
            mails=250_000,
            minutes=options.minutes or 1e9,
            each=250,
            people=10_000,
            seed=options.seed,
        )
    return crash.drill(folder, plan)


async def _gateways(folder: Path, options: Options, unsafe: str | None) -> Any:
    with gateways.postgres() as url:
        kills = 4 if unsafe else 100 if options.long else 6
        return await gateways.drill(folder, url, kills, seed=options.seed, unsafe=unsafe)


async def _bucket(folder: Path, _options: Options, unsafe: str | None) -> Any:
    with FakeS3() as fake:
        os.environ.update(fake.environment)  # for the audit, which reads the bucket too
        return await bucket.drill(folder, fake, 1 if unsafe else 2, unsafe)


async def _frozen(folder: Path, _options: Options, unsafe: str | None) -> Any:
    with gateways.postgres() as url:
        return await gateways.frozen(folder, url, unsafe)


def _database(what: database.Trouble, seconds: float) -> Run:
    async def run(folder: Path, _options: Options, unsafe: str | None) -> Any:
        with gateways.postgres() as url:
            return await database.drill(folder, url, what, 9.0 if unsafe else seconds, unsafe)

    return run


def _sync(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    mails = 10_000 if options.long else 200 if unsafe else 1_000
    return sync_order.drill(folder, mails, unsafe=unsafe)


def _load(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    return load.drill(folder, 120.0 if options.long else 2.0 if unsafe else 10.0, unsafe=unsafe)


def _smarthost(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    if options.long:  # an hour by the gateway's clock in six minutes
        return smarthost.drill(folder, 60.0, unsafe, hours=1.0)
    return smarthost.drill(folder, unsafe=unsafe)


def _soak(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    plan = soak.Plan(mails=600 if unsafe else 3_000, seed=options.seed, unsafe=unsafe)
    if options.long:
        minutes = options.minutes or 1e9
        plan = soak.Plan(1_000_000, restarts=24, minutes=minutes, seed=options.seed)
    return soak.drill(folder, plan)


def _power(folder: Path, options: Options, unsafe: str | None) -> Coroutine[Any, Any, Any]:
    points = 1_000 if options.long else 40
    return power_cut.drill(folder, points, options.seed, unsafe)


def _trouble(what: trouble.Trouble, seconds: float) -> Run:
    return lambda folder, _options, unsafe: trouble.drill(folder, what, seconds, unsafe)


DRILLS = {
    "crash": Drill("kill -9 at any time: 0 lost, 0 doubled", _crash, "250-before-commit"),
    "sync-order": Drill("each 250 has a flush of its mail before it", _sync, "normal-sync"),
    "power-cut": Drill("250 means: on the disk, whatever it does then", _power, "normal-sync"),
    "clock": Drill(
        "an hour, a day, ten years, summer time: timers, caps and office hours right",
        lambda folder, _options, unsafe: clock.drill(folder, unsafe),
        "believes-the-future",
    ),
    "load": Drill("10,000 idle connections and 50 mails a second", _load, "wait-for-smarthost"),
    "abuse": Drill(
        "clients that misbehave are cut by rule, a good one is served",
        lambda folder, _options, unsafe: abuse.drill(folder, unsafe),
        "no-limits",
    ),
    "bombs": Drill(
        "hostile mails: 256 MB, 1 s of processor time each, all answered",
        lambda folder, _options, unsafe: bombs.drill(folder, unsafe),
        "no-bounds",
    ),
    "soak": Drill("a million mails: memory, descriptors and log stay as they are", _soak, "leaks"),
    "loops": Drill(
        "two gateways that face each other: at most one mail each",
        lambda folder, _options, unsafe: loops.drill(folder, unsafe=unsafe),
        "no-marker",
    ),
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
        _smarthost,
        "no-order",
    ),
    "dns": Drill(
        "never proven, never 5xx",
        lambda folder, _options, unsafe: names.drill(folder, unsafe=unsafe),
        "old-dns",
    ),
    "database-killed": Drill(
        "PostgreSQL killed -9: 451 within 10 s, 0 lost, no restart",
        _database(database.KILLED, 5.0),
        "250-to-failure",
    ),
    "database-away": Drill(
        "PostgreSQL stands still for 60 s: the same",
        _database(database.PAUSED, 60.0),
        "5xx-to-failure",
    ),
    "bucket": Drill(
        "killed between blob and commit: 0 lost, orphans swept", _bucket, "250-before-commit"
    ),
    "frozen": Drill(
        "who wakes after his lease neither finishes nor doubles", _frozen, "never-lets-go"
    ),
    "gateways": Drill("in exactly once, out 0 lost", _gateways, "250-before-commit"),
    "fronts": Drill(
        "two fronts and their office killed at random: 0 lost, 0 doubled",
        lambda folder, options, unsafe: fronts.drill(
            folder, 300 if options.long else 12, unsafe, options.seed
        ),
        "250-early",
    ),
    "sigterm": Drill(
        "mails in DATA are finished",
        lambda folder, _options, unsafe: drain.sigterm(folder, unsafe),
        "no-drain",
    ),
}


def main() -> int:
    """Run what was asked for."""
    options = _parser().parse_args()
    if options.list:
        for name, drill in DRILLS.items():
            print(f"{name:16} {drill.promise}; red with `{drill.unsafe}`")
        return 0
    if unknown := [name for name in options.name if name not in DRILLS]:
        print(f"there is no drill {unknown}; --list shows them all")
        return 2
    wrong = [name for name in options.name or DRILLS if not _drilled(name, options)]
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="drills")
    parser.add_argument("name", nargs="*", help="none is all of them, one after the other")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--long", action="store_true", help="the long form, without the control")
    parser.add_argument("--control", action="store_true", help="the control too, after a long one")
    parser.add_argument("--minutes", type=float, help="stop a long form then, and say how far")
    parser.add_argument("--folder", type=Path, help="a long form's own; goes on where it stopped")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _drilled(name: str, options: Options) -> bool:
    """Whether it is green with its safeguards and red without one."""
    drill = DRILLS[name]
    load = os.getloadavg()[0]
    green = _once(name, options, None)
    result = ("" if green.clean else "RED: ") + green.words
    print(f"{name}: {result}", flush=True)
    short = replace_options(options, long=False)
    red = _once(name, short, drill.unsafe) if options.control or not options.long else None
    control = "as in the short form"
    if red is not None:
        control = f"`{drill.unsafe}`: " + ("GREEN: " if red.clean else "red: ") + red.words
        print(f"  {control}", flush=True)
    table.write(table.Row(name, options.long, drill.promise, result, control, options.seed, load))
    return bool(green.clean and (red is None or not red.clean))


def replace_options(options: Options, **changes: object) -> Options:
    """A copy with other values."""
    return argparse.Namespace(**{**vars(options), **changes})


def _once(name: str, options: Options, unsafe: str | None) -> Any:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        kept = options.folder if options.long and not unsafe else None
        world = kept / name if kept else Path(folder) / "world"  # it is emptied at the start
        return asyncio.run(DRILLS[name].run(world, options, unsafe))


if __name__ == "__main__":
    raise SystemExit(main())
