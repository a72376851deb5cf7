"""`portiere import`: old mail from mbox and .eml files, with tickets of its own time."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway import log
from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, now
from gateway.core.model import Committed, Effects
from gateway.errors import BadInput
from gateway.oldmail import Imported, Importer, count, mails
from gateway.pipeline import Pipeline

app = typer.Typer()


@app.command("import")
def import_mail(
    files: Annotated[list[Path], typer.Argument(help="mbox or .eml files, or folders of them.")],
    replies: Annotated[
        bool, typer.Option("--replies/--no-replies", help="Answer and notify as for new mail.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Decide old mail, each at its own time; nothing is sent unless --replies asks for it."""
    total = sum(count(path) for path in files)
    with Office(config) as office:
        logged = office.config.log
        log.configure("error", logged.format, logged.addresses)

        async def commit(effects: Effects) -> Committed:
            return await asyncio.wrap_future(office.writer.commit(effects))

        pipeline = Pipeline(office.rooms.house())
        importer = Importer(office.config, pipeline, commit, replies, now())
        asyncio.run(_all(importer, files, total))
    _told(importer.done, json)


async def _all(importer: Importer, files: list[Path], total: int) -> None:
    with _bar(total) as step:
        for path in files:
            for old in mails(path):
                await importer.take(old)
                step()


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """On a terminal, and nothing in a pipe."""
    if not output.console.is_terminal:
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=output.console, transient=True) as bar:
        task = bar.add_task("mails", total=total)
        yield lambda: bar.advance(task)


def _told(done: Imported, json: bool) -> None:
    if json:
        output.as_json(
            {
                "outcomes": dict(done.outcomes),
                "duplicates": done.duplicates,
                "refused": done.refused,
                "later": done.later,
            }
        )
    else:
        output.table("imported", ("outcome", "mails"), sorted(done.outcomes.items()))
        if done.duplicates:
            output.say(f"{done.duplicates} were here already")
        for title, group in (("refused", done.refused), ("not now: try again", done.later)):
            if group:
                output.table(title, ("mail", "why"), group.items())
    if done.refused or done.later:
        wrong = len(done.refused) + len(done.later)
        raise BadInput(f"{wrong} of the mails were not taken")
