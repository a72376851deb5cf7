"""`portiere keys`: the keys by which thread tokens are made and read."""

from typing import Annotated

import typer

from gateway import config as configuration
from gateway import keyring
from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.cli.office import now

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_keys(
    config: ConfigOption = None, json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Show every key's id and age; never a secret."""
    keys = keyring.describe(configuration.load(config).paths.secrets)
    if json:
        output.as_json(keys)
        return
    rows = ((key["id"], key["made"], "current" if key["current"] else "reads") for key in keys)
    output.table("token keys", ("id", "made", "use"), rows)


@app.command()
def rotate(config: ConfigOption = None) -> None:
    """Make a new current key; the old ones still read. Reload the gateway, and it uses it too."""
    keys = keyring.rotate(configuration.load(config).paths.secrets)
    output.say(
        f"key {keys.current} is the current one now; `portiere policy reload` puts it to use"
    )


@app.command()
def retire(
    key_id: int,
    config: ConfigOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Though mail made with it may still be answered.")
    ] = False,
) -> None:
    """Forget an old key: tokens that it made no longer verify. Reload the gateway after it."""
    path = configuration.load(config).paths.secrets
    keyring.retire(path, key_id, now(), force=force)
    output.say(f"key {key_id} is forgotten")
