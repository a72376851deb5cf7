"""`portiere db`: bring the database to the newest version, and copy it while it runs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configuration
from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.errors import BadInput
from gateway.store.engine import Store

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(config: ConfigOption = None) -> None:
    """Make the database, or bring it to the newest version."""
    loaded = configuration.load(config)
    Store.open(loaded.database.url, loaded.paths.blobs).close()
    output.say("the database is at the newest version")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes.")], config: ConfigOption = None
) -> None:
    """Copy a running SQLite database into one file, whole and consistent."""
    if file.exists():
        raise BadInput(f"`{file}` is there already")
    loaded = configuration.load(config)
    store = Store.open(loaded.database.url, loaded.paths.blobs, create=False)
    try:
        store.backup(file)
    finally:
        store.close()
    output.say(f"copied to {file}; back up {loaded.paths.blobs} and {loaded.paths.secrets} too")
