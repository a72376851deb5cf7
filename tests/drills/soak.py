"""Mail without end: the shuffled corpus of real mail among mail of our own, with restarts in
between. Memory must not grow with the number of mails, descriptors must stay, and nothing may
raise where nobody handles it.

The long form may be stopped, and goes on where it was.
"""

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from drills import gauges, ground
from drills.bombs import count_mails
from drills.ground import CUSTOMERS, STRANGERS, customer
from drills.process import Daemon, daemon
from drills.senders import Client, Post, compose
from drills.trouble import emptied
from fakes_smarthost import Sink, Taken
from tests_support import SUITES

from gateway.demo.world import World

PEOPLE = 2_000
LINES = 8
BATCH = 250  # mails between two looks
MAILS_A_LINE = 90
LARGEST = 200_000  # bytes of a mail of the corpus; larger ones are for the bombs
WARM = 0.25  # of a life of the gateway, which do not count for the slope
JUDGED = 20_000  # mails of a life from which its slope is judged, and not only told
SLOPE = 1.0  # MB for 100,000 mails
SPARE = 24  # descriptors of pools that fill with the first mails
_IDENT = re.compile(rb"^message-id:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much."""

    mails: int = 3_000
    restarts: int = 2
    minutes: float = 1e9
    seed: int = 1
    unsafe: str | None = None


@dataclass(slots=True)
class Life:
    """One run of the gateway between two restarts: what it took, by how many mails it had had."""

    memory: list[tuple[int, float]] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def mails(self) -> int:
        """How many it took."""
        return self.memory[-1][0] if self.memory else 0

    @property
    def slope(self) -> float:
        """MB for 100,000 mails, by least squares, once it was warm."""
        seen = [(n, mb) for n, mb in self.memory if n >= WARM * self.mails]
        if len(seen) < 2:
            return 0.0
        middle = sum(n for n, _ in seen) / len(seen)
        mean = sum(mb for _, mb in seen) / len(seen)
        spread = sum((n - middle) ** 2 for n, _ in seen)
        return 1e5 * sum((n - middle) * (mb - mean) for n, mb in seen) / spread


@dataclass
class Progress:
    """What a drill that was stopped has seen."""

    sent: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    lives: list[Life] = field(default_factory=list)
    errors: int = 0
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures."""

    plan: Plan
    progress: Progress
    corpus: int
    failed: int
    waiting: int

    @property
    def slope(self) -> float:
        """Of the longest life."""
        return max(self.progress.lives, key=lambda life: life.mails).slope

    @property
    def grown(self) -> int:
        """Descriptors more at the end of a life than at its beginning, at most."""
        ends = [life.descriptors for life in self.progress.lives if len(life.descriptors) > 1]
        return max((seen[-1] - seen[0] for seen in ends), default=0)

    @property
    def judged(self) -> bool:
        """Whether a life was long enough to say something of its slope."""
        return max(life.mails for life in self.progress.lives) >= JUDGED

    @property
    def clean(self) -> bool:
        """Whether it lives for ever."""
        taken = all(code in ("250", "550", "451", "554") for code in self.progress.codes)
        quiet = not (self.progress.errors or self.failed or self.waiting)
        level = not self.judged or self.slope < SLOPE
        return taken and quiet and level and self.grown <= SPARE

    @property
    def words(self) -> str:
        """One line for the table."""
        done, plan = self.progress, self.plan
        early = f"stopped early, of {plan.mails:,} mails: " if done.sent < plan.mails else ""
        codes = ", ".join(f"{count:,} times {code}" for code, count in sorted(done.codes.items()))
        longest = max(self.progress.lives, key=lambda life: life.mails)
        told = f"{self.slope:+.1f} MB for 100,000 mails over {longest.mails:,} mails of one life"
        aside = "" if self.judged else " (too few to judge)"
        last = longest.memory[-1][1] if longest.memory else 0.0
        return (
            f"{early}{done.sent:,} mails ({self.corpus} of the corpus, shuffled, among our own):"
            f" {codes}; {len(done.lives) - 1} restarts; memory {last:.0f} MB, {told}{aside};"
            f" {max(0, self.grown)} descriptors more; {done.errors} unhandled exceptions,"
            f" {self.failed} failed, {self.waiting} waiting; {done.minutes:.0f} minutes"
        )


async def drill(folder: Path, plan: Plan) -> Outcome:
    """Mails until there were enough, or until the time is over."""
    state = folder / "soak.json"
    progress = _read(state)
    made = ground.reopen(folder) if progress.sent else _world(folder)
    corpus = _corpus()
    begun, before = time.perf_counter(), progress.minutes
    async with _Forgetful(port=made.sink_port), daemon(made.config) as held:
        source = _mails(corpus, random.Random(plan.seed + progress.sent), progress.sent)
        each = max(BATCH, plan.mails // (plan.restarts + 1))

        def over() -> bool:
            late = time.perf_counter() - begun > plan.minutes * 60
            return late or progress.sent >= plan.mails

        while not over():
            await held.start(unsafe=plan.unsafe, hurry=True)
            progress.lives.append(Life())
            await _lived(held, made.smtp_port, source, progress, each, over)
            await emptied(made.folder)
            await held.stop()
            progress.minutes = before + (time.perf_counter() - begun) / 60
            progress.errors += held.log.count('"level": "error"')
            (made.folder / "log.jsonl").write_text("")
            state.write_text(json.dumps(asdict(progress)))
    path = made.folder / "portiere.db"
    failed = count_mails(path, "WHERE state = 'failed'")
    return Outcome(plan, progress, len(corpus), failed, await emptied(made.folder, 1.0))


def _world(folder: Path) -> World:
    made = ground.build(folder, PEOPLE)
    ground.configure(made, ('format = "json"', 'format = "json"\nlevel = "warning"'))
    return made


def _read(state: Path) -> Progress:
    if not state.exists():
        return Progress()
    said = json.loads(state.read_text())
    lives = [
        Life([(int(n), float(mb)) for n, mb in one["memory"]], one["descriptors"])
        for one in said["lives"]
    ]
    return Progress(said["sent"], said["codes"], lives, said["errors"], said["minutes"])


class _Forgetful(Sink):
    """A smarthost that keeps nothing."""

    def take(self, mail: Taken) -> None:
        """It went."""


async def _lived(
    held: Daemon,
    port: int,
    source: Iterator[Post],
    progress: Progress,
    each: int,
    over: Callable[[], bool],
) -> None:
    """One life of the gateway."""
    life, count = progress.lives[-1], 0
    life.descriptors.append(gauges.descriptors(held.pid))
    while count < each and not over():
        posts = [next(source) for _ in range(min(BATCH, each - count))]
        shared = iter(posts)
        lines = (_line(port, shared, progress) for _ in range(LINES))
        await asyncio.gather(*lines)
        count += len(posts)
        await asyncio.sleep(0.05)
        life.memory.append((count, round(gauges.rss(held.pid), 2)))
        life.descriptors.append(gauges.descriptors(held.pid))


async def _line(port: int, shared: Iterator[Post], progress: Progress) -> None:
    """One sender; a line that was closed is opened again for the next mail."""
    clients: dict[str, tuple[Client, int]] = {}
    for post in shared:
        client, used = clients.pop(post.domain, (None, 0))
        try:
            client = client or await Client.open(port, post.domain)
            code = await client.mail(post)
        except (OSError, ValueError, TimeoutError):
            code = 0
        progress.sent += 1
        progress.codes[str(code)] = progress.codes.get(str(code), 0) + 1
        if client is not None and code == 250 and used < MAILS_A_LINE:
            clients[post.domain] = (client, used + 1)
        elif client is not None:
            client.close()
    for client, _ in clients.values():
        client.close()


def _corpus() -> list[bytes]:
    """Real mails with CRLF lines; none where the suites are absent."""
    if not SUITES.is_dir():
        return []
    found = []
    for path in sorted((SUITES / "mail").glob("*/*")):
        raw = path.read_bytes()
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\0", b"")
        raw = raw.replace(b"\n", b"\r\n")
        if 0 < len(raw) <= LARGEST:
            found.append(raw if raw.endswith(b"\r\n") else raw + b"\r\n")
    return found


def _mails(corpus: list[bytes], chance: random.Random, number: int) -> Iterator[Post]:
    """Every second one of the corpus, each round in another order; each with an id of its own."""
    deck: list[bytes] = []
    kinds = ("open", "open", "thread", "question", "automatic")
    while True:
        number += 1
        if not corpus or number % 2:
            yield compose(f"soak{number}", chance.choice(kinds), chance.randrange(PEOPLE))
            continue
        if not deck:
            deck = list(corpus)
            chance.shuffle(deck)
        raw, ident = deck.pop(), f"<soak{number}@{STRANGERS}>"
        line = b"Message-ID: " + ident.encode()
        said, changed = _IDENT.subn(line, raw, count=1)
        domain = chance.choice((CUSTOMERS, STRANGERS))
        author = customer(chance.randrange(PEOPLE)) if domain == CUSTOMERS else f"a@{STRANGERS}"
        whole = said if changed else line + b"\r\n" + raw
        yield Post(ident, "corpus", domain, author, whole)
