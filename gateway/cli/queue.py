"""`portiere queue`: mail that a defect of ours kept back, parked mail, and the outbox."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from gateway import config as configuration
from gateway import control, log
from gateway.again import Again, Decided
from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, now
from gateway.core.model import Committed, Effects
from gateway.errors import BadInput
from gateway.pipeline import Pipeline
from gateway.store import mails, outbox, webhooks

app = typer.Typer(no_args_is_help=True)
hooks_app = typer.Typer(no_args_is_help=True, help="Events on their way to followers.")
app.add_typer(hooks_app, name="webhooks")
Columns = tuple[str, ...]
FAILED: Columns = ("mail", "received_at", "author_key", "subject", "error")
PARKED: Columns = ("mail", "account", "author_key", "subject", "created_at", "expires")
ROWS: Columns = ("id", "state", "kind", "recipient", "ticket", "tries", "due", "held", "error")
HOOKS: Columns = ("id", "state", "kind", "endpoint", "ticket", "tries", "due", "error")
Mails = Annotated[list[str], typer.Argument(help="Ids of mails.")]
Hooks = Annotated[list[int], typer.Argument(help="Rows of `queue list --webhooks`.")]
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
    hooks: Annotated[
        bool, typer.Option("--webhooks", help="Events that followers have not taken.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the outbox; or failed or parked mail, or what followers have not been told."""
    before = now() - timedelta(hours=older) if older is not None else None

    def rows(connection: Connection) -> list[dict[str, Any]]:
        return outbox.list_rows(connection, kind=kind, recipient=address, older_than=before)

    def told(connection: Connection) -> list[dict[str, Any]]:
        return webhooks.list_rows(connection, endpoint=address, older_than=before)

    chosen, columns, title = rows, ROWS, "outbox"
    if hooks:
        chosen, columns, title = told, HOOKS, "webhooks"
    elif failed:
        chosen, columns, title = mails.list_failed, FAILED, "failed mail"
    elif parked:
        chosen, columns, title = mails.list_parked, PARKED, "parked mail"
    with Office(config) as office:
        found = office.read(chosen)
    shown = [{key: value for key, value in row.items() if key != "raw"} for row in found]
    output.listed(title, shown, columns, json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A row of the outbox, or the id of a mail.")],
    config: ConfigOption = None,
) -> None:
    """Show one row of the outbox, or one failed or parked mail, with its text."""
    with Office(config) as office:
        found = office.read(lambda connection: _shown(office, connection, name))
    if found is None:
        raise BadInput(f"there is no row `{name}` in the outbox, and no failed or parked mail")
    raw = found.pop("raw")
    output.table(f"queue {name}", ("", ""), found.items())
    output.say(bytes(raw or b"").decode("utf-8", "replace"))


def _shown(office: Office, connection: Connection, name: str) -> dict[str, Any] | None:
    if name.isascii() and name.isdigit() and len(name) < 12:
        return outbox.show(connection, int(name))
    for list_them in (mails.list_failed, mails.list_parked):
        for row in list_them(connection):
            if row["mail"] == name:
                return {**row, "raw": mails.raw(connection, office.rooms.store.blobs, name)}
    return None


@app.command()
def retry(
    chosen: Annotated[list[str] | None, typer.Argument(help="Failed mails; all without.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Decide failed mail once more; by the daemon where it runs, else here."""
    path = configuration.load(config).paths.control
    if control.running(path):
        found = control.call(path, "retry", mails=chosen or None)
        outcomes, stayed = found["outcomes"], found["stayed"]
    else:
        decided = asyncio.run(_retried(config, chosen or None))
        outcomes, stayed = decided.outcomes, decided.stayed
    if json:
        output.as_json({"outcomes": outcomes, "stayed": stayed})
    else:
        output.table("decided", ("mail", "outcome"), outcomes.items())
        if stayed:
            output.table("as before", ("mail", "why"), stayed.items())
    if stayed and (chosen or not outcomes):
        tried = len(chosen) if chosen else len(stayed)
        raise BadInput(f"{len(stayed)} of {tried} could not be decided")


async def _retried(config: Path | None, chosen: list[str] | None) -> Decided:
    with Office(config) as office:
        logged = office.config.log
        log.configure(logged.level, logged.format, logged.addresses)

        async def commit(effects: Effects) -> Committed:
            return await asyncio.wrap_future(office.writer.commit(effects))

        pipeline = Pipeline(office.rooms.house())
        return await Again(office.rooms.store, pipeline, commit).retry(chosen)


@app.command("release-parked")
def release_parked(chosen: Mails, config: ConfigOption = None) -> None:
    """The customer has confirmed parked mail by another way: it is decided as confirmed."""
    _parked(mails.release, "released", chosen, config)
    path = configuration.load(config).paths.control
    if control.running(path):
        control.call(path, "released")


@app.command("drop-parked")
def drop_parked(chosen: Mails, config: ConfigOption = None) -> None:
    """Parked mail that nobody wants: it is never decided."""
    _parked(mails.drop_parked, "dropped", chosen, config)


@app.command("drop-failed")
def drop_failed(chosen: Mails, config: ConfigOption = None) -> None:
    """Failed mail that nobody wants: it stays stored, and is never decided."""
    _parked(mails.drop_failed, "dropped", chosen, config)


def _parked(
    work: Callable[[Connection, list[str]], int],
    word: str,
    chosen: list[str],
    config: Path | None,
) -> None:
    with Office(config) as office:
        done = office.write(lambda connection: work(connection, chosen))
    output.say(f"{word}: {done} of {len(chosen)}")
    if done < len(chosen):
        raise BadInput("the others are not there, or were dealt with already")


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


def _tell(action: str, numbers: list[int], config: ConfigOption) -> None:
    with Office(config) as office:
        done = office.write(lambda connection: webhooks.act(connection, action, numbers, now()))
    output.say(f"{action}: {done} of {len(numbers)}")
    if done < len(numbers):
        raise BadInput("the others are not there, are being sent, or are in another state")


@hooks_app.command("retry")
def retry_hooks(numbers: Hooks, config: ConfigOption = None) -> None:
    """Try deliveries that wait now."""
    _tell("retry", numbers, config)


@hooks_app.command("requeue")
def requeue_hooks(numbers: Hooks, config: ConfigOption = None) -> None:
    """Deliver once more what was given up, dropped, or sent."""
    _tell("requeue", numbers, config)


@hooks_app.command("drop")
def drop_hooks(numbers: Hooks, config: ConfigOption = None) -> None:
    """Never deliver these."""
    _tell("drop", numbers, config)
