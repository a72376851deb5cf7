"""`portiere events`: what happened to tickets, as followers get it; one JSON a line for others."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, moment_or_none
from gateway.core.model.event import KINDS
from gateway.errors import BadInput
from gateway.store import events, tickets, webhooks

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "at", "kind", "ticket", "state", "by")
SinceOption = Annotated[str | None, typer.Option(help="From this moment on, RFC 3339.")]
UntilOption = Annotated[str | None, typer.Option(help="Before this moment, RFC 3339.")]
TicketOption = Annotated[str | None, typer.Option(help="Of this ticket.")]
KindOption = Annotated[list[str] | None, typer.Option("--kind", help="Of these kinds.")]


@app.command("list")
def list_events(
    ticket: TicketOption = None,
    limit: Annotated[int, typer.Option(min=1, help="So many.")] = 100,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the last events, the newest first."""

    def work(connection: Connection) -> list[dict[str, Any]]:
        if ticket is not None:
            tickets.find(connection, ticket)
        return events.newest(connection, limit, ticket)

    with Office(config) as office:
        found = office.read(work)
    if json:
        output.as_json(found)
        return
    output.listed("events", [_row(one) for one in found], COLUMNS)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    """What people see of it in a line."""
    ticket, entry = one["ticket"] or {}, one["entry"] or {}
    said = {"ticket": ticket.get("number"), "state": ticket.get("state"), "by": entry.get("by")}
    return {**one, **said}


@app.command()
def show(event: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show one event as followers get it."""
    with Office(config) as office:
        found = office.read(lambda connection: events.find(connection, event))
    if found is None:
        raise BadInput(f"there is no event `{event}`; its time may be over (`retention`)")
    if json:
        output.as_json(found)
        return
    for name in ("ticket", "entry", "data"):
        output.table(name, ("", ""), (found[name] or {}).items())


@app.command()
def export(
    since: SinceOption = None,
    until: UntilOption = None,
    ticket: TicketOption = None,
    kind: KindOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write events as followers get them, one JSON a line, in the order of their commits."""
    for name in kind or ():
        if name not in KINDS:
            said = f"`{output.visible(name)}` is no event; there are {', '.join(KINDS)}"
            raise typer.BadParameter(said, param_hint="--kind")
    begins, ends = _moment(since, "--since"), _moment(until, "--until")

    def work(connection: Connection) -> None:
        if ticket is not None:
            tickets.find(connection, ticket)
        found = events.read(connection, since=begins, until=ends, ticket=ticket, kinds=kind or ())
        for one in found:
            sys.stdout.write(webhooks.body(one).decode() + "\n")

    with Office(config) as office:
        office.read(work)


def _moment(text: str | None, option: str) -> datetime | None:
    """A moment of an option; what is none is a wrong call, as a word that is no event."""
    try:
        return moment_or_none(text)
    except BadInput as error:
        raise typer.BadParameter(output.visible(error), param_hint=option) from None
