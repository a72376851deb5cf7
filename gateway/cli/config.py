"""`portiere config`: check the file, show what is in force, print an example."""

from pathlib import Path
from typing import Annotated

import typer

from gateway import config
from gateway.cli import output
from gateway.configdoc import example as example_text

app = typer.Typer(no_args_is_help=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="PORTIERE_CONFIG",
        help="The configuration file; else portiere.toml of this folder.",
        show_default=False,
    ),
]


@app.command()
def check(config_file: ConfigOption = None) -> None:
    """Read the configuration and everything that it names; exit 1 with the place of a mistake.

    What a start would refuse is refused here in the same words; nothing is opened for writing.
    """
    from gateway import service
    from gateway.house import Rooms

    loaded = config.load(config_file)
    rooms = Rooms.open(loaded, read_only=True)
    try:
        rooms.house()
        service.checked(loaded)
    finally:
        rooms.close()
    output.say("the configuration is right")


@app.command()
def show(
    config_file: ConfigOption = None, json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Show every key with the value in force."""
    values = config.load(config_file).model_dump(mode="json")
    if json:
        output.as_json(values)
        return
    rows = ((key, value) for key, value in _flat(values, ""))
    output.table("configuration in force", ("key", "value"), rows)


def _flat(values: object, path: str) -> list[tuple[str, object]]:
    if isinstance(values, dict):
        inner = values.items()
        return [row for key, value in inner for row in _flat(value, f"{path}.{key}".lstrip("."))]
    if isinstance(values, list) and values and isinstance(values[0], dict):
        return [row for at, value in enumerate(values) for row in _flat(value, f"{path}[{at}]")]
    return [(path, values)]


@app.command()
def example() -> None:
    """Print a configuration with every key, its default and its meaning."""
    typer.echo(example_text(), nl=False)
