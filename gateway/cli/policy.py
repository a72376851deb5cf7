"""`portiere policy`: check, prove, compare, replay and reload the rules.

Nothing here can send or write: it reads files and stored facts, and asks the daemon to reload.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import fill
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from gateway import config as configuration
from gateway import load
from gateway.cli import output, policyjson
from gateway.cli.config import ConfigOption
from gateway.core.decide import facts as vocabulary
from gateway.core.decide import policy as policies
from gateway.core.decide.diff import Difference, compare
from gateway.core.decide.facts import VOCABULARY, Value
from gateway.core.decide.guard import guarded
from gateway.core.decide.never import NEVER
from gateway.core.decide.prove import Proved, prove, vocabulary_size
from gateway.core.decide.replay import Replay
from gateway.core.decide.rules import DEFAULT, Table, word
from gateway.core.model import outcome_of
from gateway.errors import BadInput
from gateway.toml import did_you_mean

if TYPE_CHECKING:
    from gateway.store.mails import MailFacts

app = typer.Typer(no_args_is_help=True)


class Plain(TyperCommand):
    """A command whose usage shows `OLD NEW`, without braces around what is required."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER", help="A folder of policies or one disclosure file.", show_default=False
    ),
]
SHOWN = 20  # changes of a diff or replay that people are shown
BARS, SENTENCE = 15, 34  # columns of the never-rules, for a terminal of 80


@app.command()
def check(folder: Folder = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check every word, prove the never-rules, run the tests, and find rules that never decide."""
    path = _path(folder, config)
    found = load.examine(path, configuration.load(config).paths.templates)
    if json:
        output.as_json(policyjson.checked(found))
    else:
        for complaint in found.complaints:
            sys.stderr.write(f"{complaint}\n\n")
        if found.disclosure and found.proved:
            _proof_page(found.disclosure.policy.table, found.proved, found.seconds)
        output.say(_verdict(path, found))
    if found.complaints:
        raise typer.Exit(1)


@app.command("test")
def run_tests(
    folder: Folder = None, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Run the tests of a rule file; one that fails shows the situation that breaks it."""
    found = load.examine(_path(folder, config))
    if found.disclosure is None or found.proved is None:
        raise load.Refused(found.complaints)
    failing = {
        complaint.place[1]: complaint
        for complaint in found.proved.complaints
        if complaint.place[:1] == ("test",)
    }
    theorems = found.disclosure.policy.tests
    if json:
        output.as_json(policyjson.tests(theorems, failing))
    else:
        for index, complaint in failing.items():
            sys.stderr.write(f"{theorems[int(index)].where}: {complaint.message}\n")
            sys.stderr.write(f"{complaint.hint}\n\n")
        output.say(f"{len(theorems) - len(failing)} of {len(theorems)} tests hold")
    if failing:
        raise typer.Exit(1)


@app.command()
def explain(
    given: Annotated[list[str] | None, typer.Argument(metavar="FACT=VALUE…")] = None,
    policies_folder: Annotated[
        Path | None, typer.Option("--policies", help="Instead of the folder in force.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show each rule in order, with the first fact that kept it from matching."""
    table = load.read_disclosure(_path(policies_folder, config)).policy.table
    named = _situation(given or [], table)
    facts = vocabulary.from_dict(named, assume="usual")
    decided = guarded(facts, policies.decide(policies.compile(table), facts))
    if json:
        output.as_json(policyjson.explained(table, facts, named, decided))
        return
    steps = policies.explain(table, facts)
    rows = ((step.rule, step.then, _kept(step)) for step in steps)
    output.table("rules in order", ("rule", "outcome", ""), rows)
    assumed = [n for n in VOCABULARY if n not in named]
    plain = vocabulary.as_dict(facts)
    if assumed:
        output.say("assumed: " + ", ".join(f"{name}={word(plain[name])}" for name in assumed))
    output.say(f"{outcome_of(decided)} by rule {decided.rule}: {decided.because}")


@app.command(cls=Plain)
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="A folder of policies or a disclosure file.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The other one.")],
    discloses_more: Annotated[
        bool, typer.Option("--discloses-more", help="Exit 1 if any situation discloses more.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show exactly how many situations change, from which rule to which, with an example each."""
    tables = (load.read_disclosure(path).policy.table for path in (old, new))
    difference = compare(*tables)
    if difference.too_large:
        raise BadInput("the two tell too many situations apart to be compared", str(new))
    if json:
        output.as_json(policyjson.compared(difference))
    else:
        _difference_page(difference)
    if discloses_more and difference.disclosing_more:
        raise typer.Exit(1)


@app.command(cls=Plain)
def replay(
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="A folder of policies or a disclosure file.")
    ],
    days: Annotated[int, typer.Option(min=1, help="Mails of so many days.")] = 30,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Decide the stored facts of real mails again; show which mails would end differently."""
    disclosure = load.read_disclosure(new)
    _proved_or_said(disclosure, new)
    again = Replay(disclosure.policy)
    begun = perf_counter()
    total, moved = 0, []
    for mail in _stored(configuration.load(config), days):
        total += 1
        decided = again.decide(mail.facts)
        if outcome_of(decided) != mail.outcome:
            moved.append((mail, decided))
    seconds = perf_counter() - begun
    if json:
        output.as_json(policyjson.replayed(total, moved, seconds))
        return
    paths = Counter((m.outcome, m.rule, str(outcome_of(d)), d.rule) for m, d in moved)
    rows = ((count, f"{a} ({b})", f"{c} ({d})") for (a, b, c, d), count in paths.most_common())
    output.table("would change", ("mails", "was", "would be"), rows)
    for mail, decided in moved[:SHOWN]:
        output.say(f"{mail.mail}: {mail.outcome} would be {outcome_of(decided)}")
    rate = f", {total / seconds:,.0f} a second" if seconds else ""
    output.say(f"{len(moved):,} of {total:,} mails would change{rate}")


@app.command()
def invariants(json: JsonOption = False) -> None:
    """Print the never-rules in words."""
    if json:
        output.as_json(policyjson.walls())
        return
    rows = (
        (wall.id, fill(", ".join(sorted(wall.bars)), BARS), fill(wall.sentence, SENTENCE))
        for wall in NEVER
    )
    output.table("never-rules", ("id", "bars", ""), rows)


@app.command()
def reload(
    accept: Annotated[
        bool, typer.Option("--accept", help="Take a policy that discloses more, too.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have the running gateway read its tables again; if anything is wrong, the old ones stay."""
    answer = _asked(configuration.load(config).paths.control, accept)
    if json:
        output.as_json(answer)
    elif answer.get("policy") == answer.get("was"):
        output.say("reloaded; the policy is the same as before")
    else:
        output.say(f"reloaded; policy {answer.get('policy')} was {answer.get('was')}")


def _asked(control: Path, accept: bool) -> dict[str, Any]:
    """The one question to the running daemon."""
    from gateway.control import call

    return call(control, "reload", accept=accept)


def _path(folder: Path | None, config: Path | None) -> Path:
    """The folder that was given, else the one of the configuration."""
    if folder is not None:
        return folder
    configured = configuration.load(config).paths.policies
    if configured is None:
        raise BadInput("no folder of policies is configured", hint="set `paths.policies`")
    return configured


def _stored(config: configuration.Config, days: int) -> Iterator["MailFacts"]:
    """Stored facts, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    from gateway.store import mails
    from gateway.store.engine import Store

    since = datetime.now(UTC) - timedelta(days=days)
    store = Store.open(config.database.url, config.paths.blobs, read_only=True)
    try:
        rows: Iterable[MailFacts] = mails.iter_facts(store, since)
        if sys.stderr.isatty():
            with store.reading() as connection:
                total = mails.count_since(connection, since)
            rows = track(rows, "deciding again", total, console=Console(stderr=True))
        yield from rows
    finally:
        store.close()


def _proved_or_said(disclosure: load.Disclosure, path: Path) -> None:
    """Rules that are still worked on may be tried on old mails; that they are unsound is said."""
    wrong = len(disclosure.complaints(prove(disclosure.policy.table)))
    if wrong:
        sys.stderr.write(
            f"{path} is not sound: the proof has {_complaints(wrong)}; "
            f"see `portiere policy check {path}`\n"
        )


# ---- words of a command line


def _situation(given: list[str], table: Table) -> dict[str, Value]:
    """`fact=value` words as facts; a word that is not known is named with its neighbour."""
    signals = [signal.id for signal in table.signals]
    named: dict[str, Value] = dict.fromkeys(signals, False)
    for each in given:
        fact, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"`{each}` is not fact=value{_mail_hint(each)}")
        if fact not in VOCABULARY and fact not in signals:
            hint = did_you_mean(fact, (*VOCABULARY, *signals))
            raise typer.BadParameter(f"unknown fact `{fact}`{hint and f'; {hint}'}")
        known = {word(each): each for each in table.values(fact)}
        if value not in known:
            hint = did_you_mean(value, known) or f"known: {', '.join(known)}"
            raise typer.BadParameter(f"unknown value `{value}` of `{fact}`; {hint}")
        named[fact] = known[value]
    return named


def _mail_hint(word_given: str) -> str:
    """Where a file was meant, the command that takes one."""
    if not Path(word_given).is_file():
        return ""
    return f"; a mail in a file is explained by `portiere explain {word_given}`"


def _kept(step: policies.Step) -> str:
    if step.matched:
        return "decides"
    return f"{step.fact} is {step.value}, not {step.wanted}"


# ---- pages for people


def _proof_page(table: Table, proved: Proved, seconds: float) -> None:
    counts = dict(proved.counts)
    rules = [(rule.id, str(rule.then)) for rule in table.rules] + [(DEFAULT, "refuse")]
    rows = ((rule, outcome, f"{counts.get(rule, 0):,}") for rule, outcome in rules)
    output.table("rules in order", ("rule", "outcome", "situations"), rows)
    output.say(
        f"proved {len(NEVER)} never-rules and {proved.theorems} tests over "
        f"{proved.situations:,} situations ({proved.cells:,} told apart) "
        f"in {seconds * 1000:.0f} ms"
    )
    left = ", ".join(proved.left_out)
    output.say(
        f"the vocabulary makes {vocabulary_size(table):,}; nothing names {left or 'nothing'}"
    )


def _verdict(path: Path, found: load.Examined) -> str:
    wrong = len(found.complaints)
    return f"{path} is refused: {_complaints(wrong)}" if wrong else f"{path} is sound"


def _complaints(number: int) -> str:
    return "1 complaint" if number == 1 else f"{number} complaints"


def _difference_page(difference: Difference) -> None:
    rows = (
        (
            f"{change.situations:,}",
            f"{change.old} ({change.old_rule})",
            f"{change.new} ({change.new_rule})",
            "more" if change.discloses_more else "",
            _written(change.example),
        )
        for change in difference.changes[:SHOWN]
    )
    output.table("changes", ("situations", "from", "to", "discloses", "for one"), rows)
    if len(difference.changes) > SHOWN:
        output.say(f"and {len(difference.changes) - SHOWN} more; --json shows all")
    output.say(
        f"{difference.changed:,} of {difference.situations:,} situations change; "
        f"{difference.disclosing_more:,} disclose more"
    )


def _written(example: Iterable[tuple[str, Value]]) -> str:
    return " ".join(f"{fact}={word(value)}" for fact, value in example)
