"""`portiere keys`: the keys by which thread tokens are made and read."""

from typing import Annotated

import typer

from gateway import config as configuration
from gateway import keyring
from gateway.cli import output
from gateway.cli.config import ConfigOption

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
    """Make a new current key; the old ones still read. Restart or reload the gateway after it."""
    keys = keyring.rotate(configuration.load(config).paths.secrets)
    output.say(f"key {keys.current} is the current one now")


@app.command()
def retire(key_id: int, config: ConfigOption = None) -> None:
    """Forget an old key: tokens that it made no longer verify."""
    keyring.retire(configuration.load(config).paths.secrets, key_id)
    output.say(f"key {key_id} is forgotten")
