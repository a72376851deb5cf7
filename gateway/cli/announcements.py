"""`portiere announcements`: what is announced, how many copies are still owed, and its end."""

import typer

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, now
from gateway.store import announcements

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("slug", "title", "services", "starts_at", "ends_at", "owed")


@app.command("list")
def list_announcements(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List every announcement, the newest first."""
    with Office(config) as office:
        found = office.read(announcements.listed)
    output.listed("announcements", found, COLUMNS, json)


@app.command()
def end(slug: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """It is over: acknowledgements carry it no longer, and what is owed is not sent."""
    with Office(config) as office:
        left = office.write(lambda connection: announcements.end(connection, slug, now()))
    output.done({"slug": slug, "not_sent": left}, f"`{slug}` is over", json)
