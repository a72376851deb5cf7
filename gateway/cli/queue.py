"""`portiere queue`: mail that a defect of ours kept back, parked mail, and the outbox."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, now
from gateway.errors import BadInput
from gateway.store import mails, outbox

app = typer.Typer(no_args_is_help=True)
Columns = tuple[str, ...]
FAILED: Columns = ("mail", "received_at", "author_key", "subject", "error")
PARKED: Columns = ("mail", "account", "author_key", "subject", "created_at", "expires")
ROWS: Columns = ("id", "state", "kind", "recipient", "ticket", "tries", "due", "held", "error")
Ids = Annotated[list[int], typer.Argument(help="Rows of the outbox.")]


@app.command("list")
def list_queue(
    failed: Annotated[bool, typer.Option("--failed", help="Mail kept by a defect.")] = False,
    parked: Annotated[
        bool, typer.Option("--parked", help="Mail that waits to be confirmed.")
    ] = False,
    kind: Annotated[str | None, typer.Option(help="Outbox: of this kind.")] = None,
    address: Annotated[str | None, typer.Option(help="Outbox: to this address.")] = None,
    older: Annotated[float | None, typer.Option(help="Outbox: older than so many hours.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the outbox, or with --failed or --parked what has come in and waits."""
    before = now() - timedelta(hours=older) if older is not None else None

    def rows(connection: Connection) -> list[dict[str, Any]]:
        return outbox.list_rows(connection, kind=kind, recipient=address, older_than=before)

    chosen, columns, title = rows, ROWS, "outbox"
    if failed:
        chosen, columns, title = mails.list_failed, FAILED, "failed mail"
    elif parked:
        chosen, columns, title = mails.list_parked, PARKED, "parked mail"
    with Office(config) as office:
        found = office.read(chosen)
    if json:
        output.as_json([{k: v for k, v in row.items() if k != "raw"} for row in found])
        return
    output.table(title, columns, ([row.get(key) for key in columns] for row in found))


@app.command()
def show(number: int, config: ConfigOption = None) -> None:
    """Show one row of the outbox with its mail."""
    with Office(config) as office:
        found = office.read(lambda connection: outbox.show(connection, number))
    if found is None:
        raise BadInput(f"there is no row `{number}` in the outbox")
    raw = found.pop("raw")
    output.table(f"outbox {number}", ("", ""), found.items())
    output.say(bytes(raw).decode("utf-8", "replace"))


def _act(action: str, numbers: list[int], config: ConfigOption) -> None:
    with Office(config) as office:
        done = office.write(lambda connection: outbox.act(connection, action, numbers, now()))
    output.say(f"{action}: {done} of {len(numbers)}")
    if done < len(numbers):
        raise BadInput("the others are not there, are being sent, or are in another state")


@app.command()
def hold(numbers: Ids, config: ConfigOption = None) -> None:
    """Keep rows back until they are released."""
    _act("hold", numbers, config)


@app.command()
def release(numbers: Ids, config: ConfigOption = None) -> None:
    """Let held rows go."""
    _act("release", numbers, config)


@app.command()
def drop(numbers: Ids, config: ConfigOption = None) -> None:
    """Never send these rows."""
    _act("drop", numbers, config)


@app.command()
def requeue(numbers: Ids, config: ConfigOption = None) -> None:
    """Try failed rows again, from now."""
    _act("requeue", numbers, config)
