"""`portiere db`: bring the database to the newest version, copy it while it runs, put a copy back,
move it to another engine."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configuration
from gateway import control
from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.config import Config
from gateway.errors import BadInput
from gateway.store import copies, fleet, moving
from gateway.store.alone import Alone
from gateway.store.blobs import BlobStore, open_blobs
from gateway.store.engine import Store, file_of

app = typer.Typer(no_args_is_help=True)
Force = Annotated[bool, typer.Option("--force", help="Replace what is there; blobs may lack.")]


@app.command()
def upgrade(config: ConfigOption = None) -> None:
    """Make the database, or bring it to the newest version."""
    loaded = configuration.load(config)
    Store.open(loaded.database.url, loaded.paths.blobs).close()
    output.say("the database is at the newest version")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes.")],
    blobs: Annotated[
        Path | None, typer.Option(help="A folder for the blobs; without it they are left.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Copy a running SQLite database into one file, whole and consistent, and its blobs."""
    if file.exists():
        raise BadInput(f"`{file}` is there already")
    loaded = configuration.load(config)
    with _progress("pages") as told:
        named = copies.backup(loaded.database.url, file, told)
    output.say(f"copied to {file}")
    if blobs is not None:
        _bring(open_blobs(loaded.paths.blobs), named, blobs)
    rest = f"{loaded.paths.secrets} (the keys of tokens)"
    if blobs is None and named:
        rest = f"{loaded.paths.blobs} ({len(named)} blobs; --blobs copies them) and {rest}"
    output.say(f"keep also {rest}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy that `db backup` made.")],
    blobs: Annotated[Path | None, typer.Option(help="The folder with its blobs.")] = None,
    force: Force = False,
    config: ConfigOption = None,
) -> None:
    """Put a copy in the place of the SQLite database; refused while the gateway runs."""
    loaded = configuration.load(config)
    _stopped(loaded)
    if blobs is not None:
        source = open_blobs(blobs)
        with _progress("blobs") as told:
            copies.copy_blobs(list(source.old(-3600.0)), source, loaded.paths.blobs, told)
    with _progress("pages") as told:
        done = copies.restore(
            file, loaded.database.url, loaded.paths.blobs, force=force, told=told
        )
    output.say(f"restored {file} (version {done.version}), which names {done.blobs} blobs")
    if done.kept is not None:
        output.say(f"the database that was there is kept as {done.kept}")


@app.command()
def move(
    source: Annotated[str, typer.Argument(help="The URL of the database that there is.")],
    target: Annotated[str, typer.Argument(help="The URL of an empty one.")],
    blobs: Annotated[
        str | None, typer.Option(help="Bring the blobs here, too: a folder or `s3://…`.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Copy all rows from one engine to the other and compare them: everything or nothing."""
    loaded = configuration.load(config)
    _stopped(loaded)
    place = loaded.paths.blobs
    Store.open(source, place, read_only=True).close()  # no upgrade of the source by the way
    with (
        Alone(source),
        Alone(target),
        closing(Store.open(source, place, create=False)) as old,
        closing(Store.open(target, blobs or place)) as new,
    ):
        _nobody_there(old)
        with old.reading() as connection:
            named = list(copies.named_blobs(connection))
        if blobs is not None:
            _bring(old.blobs, named, blobs)
        with _progress("rows", moving.total(old)) as told:
            moved = moving.move(old, new, _counting(told))
    rows = ((name, one.rows, f"{one.digest:064x}"[:16]) for name, one in moved.items())
    output.table("moved, and the same on both sides", ("table", "rows", "digest"), rows)
    words = "" if blobs is None else f' and `paths.blobs = "{blobs}"`'
    output.say(f'set `database.url = "{_shown(target)}"`{words}; the source is as it was')


def _shown(url: str) -> str:
    path = file_of(url)
    return url if path is None else f"sqlite:///{path}"


def _stopped(loaded: Config) -> None:
    if control.running(loaded.paths.control):
        raise BadInput(f"portiere runs (`{loaded.paths.control}` answers); stop it first")


def _nobody_there(store: Store) -> None:
    """Gateways on other machines show themselves in the database."""
    if store.sqlite:
        return
    with store.reading() as connection:
        found = fleet.alive(connection, datetime.now(UTC))
    if found:
        names = ", ".join(one.instance for one in found)
        raise BadInput(f"gateways work on the source: {names}; stop them first")


def _bring(source: BlobStore, named: list[str], place: Path | str) -> None:
    with _progress("blobs") as told:
        missing = copies.copy_blobs(named, source, place, told)
    output.say(f"{len(named) - len(missing)} blobs are in {place}")
    if missing:
        raise BadInput(
            f"{len(missing)} blobs that rows name are not in the blob store, such as"
            f" `{missing[0]}`"
        )


def _counting(told: copies.Told) -> moving.Told:
    """Rows so far, over all tables."""
    done = 0

    def more(_table: str, rows: int) -> None:
        nonlocal done
        done += rows
        told(done, 0)

    return more


@contextmanager
def _progress(what: str, total: int = 0) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, and nothing in a pipe."""
    if not output.console.is_terminal:
        yield lambda _done, _of: None
        return
    from rich.progress import Progress

    with Progress(console=output.console, transient=True) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda done, of: bar.update(task, completed=done, total=of or total or None)
