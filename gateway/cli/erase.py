"""`portiere erase`: what is held about somebody, taken away for good (GDPR article 17)."""

import sys
from typing import Annotated

import typer

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.export import Word
from gateway.cli.office import Office
from gateway.errors import BadInput
from gateway.store import subject

app = typer.Typer()


@app.command()
def erase(
    word: Word,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Erase an account with its tickets and mails, or what an address has written; for good."""
    with Office(config) as office:
        with office.rooms.store.reading() as connection:
            found = subject.find(connection, word)
            rows = subject.counts(connection, found)
        if not dry_run:
            _sure(word, rows, yes)
            rows = office.write(lambda connection: subject.erase(connection, found))
    if json:
        output.as_json({"subject": word, "erased": not dry_run, "rows": rows})
        return
    title = f"held about {word}" if dry_run else f"erased of {word}"
    output.table(title, ("what", "rows"), ((name, n) for name, n in rows.items() if n))


def _sure(word: str, rows: dict[str, int], yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput("erasing is for good: say --yes, or look first with --dry-run")
    if not typer.confirm(f"Erase {sum(rows.values())} rows about {word} for good?"):
        raise typer.Exit(1)
