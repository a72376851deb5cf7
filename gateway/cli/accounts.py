"""`portiere accounts`: import and export, list and show, and the addresses of an account."""

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from gateway.cli import output
from gateway.cli.asking import Asking
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, moment, now, queue
from gateway.core.model import Account
from gateway.core.read import addresses
from gateway.core.say import letters
from gateway.core.say.desk import Post
from gateway.errors import BadInput
from gateway.store import accounts

app = typer.Typer(no_args_is_help=True)
address = typer.Typer(no_args_is_help=True, help="Add, ask, confirm, remove, or make official.")
app.add_typer(address, name="address")

ADDRESS = (
    *("address", "role", "kinds", "confirmed_at", "asked_at", "bounced_at"),
    "domain_changed_at",
)

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="FILE.csv or FILE.jsonl")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take accounts, addresses and services from a file; all of it, or nothing of it.

    The same file twice changes nothing. Where an official address changes, the old one is told.
    """
    with Office(config) as office:
        rows = accounts.load_file(file, office.ours)
        before = {row.number: office.rooms.reader.account(row.number) for row in rows}
        post = office.post()

        def work(connection: Connection) -> accounts.Applied:
            done = accounts.apply(connection, rows, now())
            for moved in done.moved:
                _tell_old(connection, before[moved.account], post)
            return done

        done = office.write(work)
    said = {"created": done.created, "changed": done.changed, "unchanged": done.unchanged}
    if json:
        output.as_json({**said, "warnings": done.warnings})
        return
    output.say(", ".join(f"{count} {what}" for what, count in said.items()))
    for warning in done.warnings:
        output.say(f"warning: {warning}")


def _tell_old(connection: Connection, before: Account | None, post: Post) -> None:
    if before is not None:
        queue(connection, letters.official_changed(post, before))


@app.command()
def export(config: ConfigOption = None) -> None:
    """Print every account as JSONL, in the form that `import` reads."""
    with Office(config) as office:
        for row in office.read(lambda connection: list(accounts.export(connection))):
            sys.stdout.write(jsonlib.dumps(row, ensure_ascii=False) + "\n")


@app.command("list")
def list_accounts(
    matching: Annotated[str | None, typer.Argument(help="Part of number, name, address.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List accounts with their official addresses."""
    with Office(config) as office:
        found = office.read(
            lambda connection: accounts.list_accounts(connection, matching=matching)
        )
    output.listed("accounts", found, ("account", "name", "state", "primary"), json)


@app.command()
def show(number: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show one account with all its addresses and services."""
    with Office(config) as office:
        found = office.read(lambda connection: accounts.show(connection, number))
    if found is None:
        raise BadInput(f"there is no account `{number}`")
    if json:
        output.as_json(found)
        return
    output.say(f"{found['account']}  {found['name']}  ({found['state']}, {found['language']})")
    output.listed("addresses", found["addresses"], ADDRESS)
    for row in found["addresses"]:
        if row["doubt"]:
            output.say(_in_doubt(number, row["address"], row["doubt"]))
    output.listed("services", found["services"], ("name", "kind", "order", "ip"))


def _in_doubt(number: str, official: str, why: str) -> str:
    return (
        f"{why}; mail about the account waits.\nOnce it is known to be the customer's own:"
        f" portiere accounts address confirm {number} {official}\nOnce he has another one:"
        f" portiere accounts address primary {number} ADDRESS"
    )


@app.command("domain-changed")
def domain_changed(
    domain: Annotated[str, typer.Argument(help="The domain; what lies below it counts too.")],
    at: Annotated[str | None, typer.Option(help="When it was, RFC 3339; now without it.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """A domain was transferred or expired: its addresses prove `medium` at most.

    The cap ends where an address is confirmed again after that moment.
    """
    name = _domain(domain)
    when = now() if at is None else moment(at)
    if when > now():
        raise BadInput(f"`{at}` lies in the future")
    with Office(config) as office:
        touched = office.write(lambda connection: accounts.domain_changed(connection, name, when))
    if json:
        output.as_json({"domain": name, "at": when, "addresses": touched})
        return
    output.say(f"`{name}` changed hands at {when.isoformat()}: {touched} addresses use it")


def _domain(text: str) -> str:
    """An A-label in lower case, of at least two labels."""
    read = addresses.parse(f"postmaster@{text}")
    if read is None or "." not in read.domain:
        raise BadInput(f"`{text}` is not a domain")
    return read.domain


@address.command("add")
def add(
    number: str,
    new: str,
    kinds: Annotated[str, typer.Option(help="Departments, with commas; empty is all.")] = "",
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Counted at once: ops vouch for it.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Add a secondary address. It is asked by mail, and counts once it has confirmed itself."""
    chosen = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    with Office(config) as office:
        asking = Asking(office)

        def work(connection: Connection) -> str | None:
            accounts.add_address(
                connection,
                number,
                new,
                now(),
                kinds=chosen,
                confirmed=confirmed,
                ours=office.ours,
            )
            return None if confirmed else asking.send(connection, number, new)

        unsent = office.write(work)
    if confirmed:
        output.say(f"`{new}` is a secondary address of {number} now")
        return
    output.say(f"`{new}` stands on {number}, and counts once it has confirmed itself")
    output.say(unsent or f"`{new}` is asked by mail")


@address.command("ask")
def ask(number: str, unconfirmed: str, config: ConfigOption = None) -> None:
    """Ask an unconfirmed address once more; what it was asked before no longer counts."""
    with Office(config) as office:
        asking = Asking(office)

        def work(connection: Connection) -> str | None:
            accounts.ask_address(connection, number, unconfirmed, now())
            return asking.send(connection, number, unconfirmed)

        unsent = office.write(work)
    output.say(unsent or f"`{unconfirmed}` is asked by mail")


@address.command("confirm")
def confirm(number: str, known: str, config: ConfigOption = None) -> None:
    """Ops have looked at an address: it counts, is in doubt no longer, and what waited goes."""
    with Office(config) as office:
        gone = office.write(
            lambda connection: accounts.confirm_address(connection, number, known, now())
        )
    waited = f"; {gone} mails that waited go out" if gone else ""
    output.say(f"`{known}` of {number} is confirmed{waited}")


@address.command("remove")
def remove(number: str, old: str, config: ConfigOption = None) -> None:
    """Take a secondary address from an account."""
    with Office(config) as office:
        office.write(lambda connection: accounts.remove_address(connection, number, old))
    output.say(f"`{old}` is no address of {number} any more")


@address.command("primary")
def primary(number: str, new: str, config: ConfigOption = None) -> None:
    """Make an address the official one; unsent mail goes there, and the old one is told."""
    with Office(config) as office:
        before, post = office.rooms.reader.account(number), office.post()

        def work(connection: Connection) -> accounts.MovedAddress | None:
            moved = accounts.set_primary(connection, number, new, now(), ours=office.ours)
            if moved is not None:
                _tell_old(connection, before, post)
            return moved

        moved = office.write(work)
    was = f"; `{moved.old}` is told" if moved else " already"
    output.say(f"`{new}` is the official address of {number}{was}")
