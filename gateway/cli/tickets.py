"""`portiere tickets`: what staff do from a terminal; other programs read it with `--json`."""

import getpass
import secrets
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, now
from gateway.core.know import hours
from gateway.core.know import token as tokens
from gateway.core.know.token import Purpose
from gateway.core.model import Moved, Ticket, TicketKind, TicketState
from gateway.core.model.effects import TicketChange
from gateway.core.read import clues
from gateway.core.read.tokenform import NONCE_BYTES
from gateway.core.say import letters
from gateway.core.say.letters import Said
from gateway.errors import BadInput
from gateway.store import changes, naming, splitting, ticketfile, tickets
from gateway.store import pending as waiting
from gateway.store.prepared import Link

app = typer.Typer(no_args_is_help=True)
ByOption = Annotated[str, typer.Option("--by", help="Who does it; your login as default.")]
EntryOption = Annotated[
    list[int] | None, typer.Option("--entry", help="These alone; all that wait without.")
]
PENDING = ("what", "ticket", "entry", "account", "author", "proof", "at", "subject")
COLUMNS = ("number", "account", "state", "department", "priority", "assignee", "subject")
EXPIRED = timedelta(days=4000)  # longer than any token lives


@app.command("list")
def list_tickets(
    account: Annotated[str | None, typer.Option(help="Of this account.")] = None,
    state: Annotated[list[TicketState] | None, typer.Option(help="In these states.")] = None,
    department: Annotated[str | None, typer.Option(help="Of this department.")] = None,
    matching: Annotated[str | None, typer.Option(help="With this in the subject.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List tickets, the one changed last first."""

    def work(connection: Connection) -> list[dict[str, Any]]:
        return tickets.list_tickets(
            connection,
            account=account,
            states=[one.value for one in state or ()],
            department=department,
            matching=matching,
        )

    with Office(config) as office:
        _known_department(office, department)
        if account is not None and office.rooms.reader.account(account) is None:
            raise BadInput(f"there is no account `{account}`")
        found = office.read(work)
    output.listed("tickets", found, COLUMNS, json)


@app.command()
def queue(
    department: Annotated[str | None, typer.Option(help="Of this department.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what waits for staff in strict order: by priority, then by time."""
    with Office(config) as office:
        _known_department(office, department)
        priorities = tickets.PRIORITIES if office.rooms.standing.loaded.routing.priorities else ()
        found = office.read(
            lambda connection: tickets.queue(connection, priorities, department=department)
        )
    output.listed("queue", found, ("place", *COLUMNS, "queued_at"), json)


@app.command()
def show(number: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show one ticket with its whole history and what went out."""
    with Office(config) as office:
        found = office.read(lambda connection: tickets.show(connection, number))
    if found is None:
        raise BadInput(f"there is no ticket `{number}`")
    if json:
        output.as_json(found)
        return
    output.say(f"#{found['number']}  {found['subject']}")
    keys = ("account", "state", "department", "priority", "assignee", "opened_at", "verified")
    output.table("", ("", ""), ((key, found[key]) for key in keys))
    for entry in found["entries"]:
        proof = f", proof {entry['proof']}" if entry["proof"] else ""
        pending = ", sender not proven" if entry["pending"] else ""
        who = f"{entry['by']} {entry['author'] or ''} ({entry['kind']}{proof}{pending})"
        output.say(f"\n{output.cell(entry['at'])}  {who}\n{entry['text']}")
    sent = ("kind", "recipient", "state", "created_at", "sent_at")
    output.listed("\nwent out", found["sent"], sent)


@app.command()
def reply(
    number: str,
    text: Annotated[str | None, typer.Option(help="The answer; standard input without.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Close it with the answer.")] = False,
    by: ByOption = "",
    config: ConfigOption = None,
) -> None:
    """Answer the customer: to the official address of the ticket's account, from support@."""
    words = (text if text is not None else sys.stdin.read()).strip()
    if not words:
        raise typer.BadParameter("an empty answer is not sent", param_hint="--text")
    with Office(config) as office:
        ticket = office.read(lambda connection: tickets.find(connection, number))
        account = office.rooms.reader.account(ticket.account) if ticket.account else None
        why = letters.unanswerable(ticket, account)
        if why:
            raise BadInput(f"ticket `{number}` cannot be answered: {why}")
        said = letters.answer(
            office.post(), ticket, account, words, _by(by),
            closing=close, names_an_account=_names_somebody(office, ticket, words),
        )  # fmt: skip
        _carried_out(office, said)
    for sent in said.outgoing:
        output.say(f"held back: {sent.held}" if sent.held else f"goes to {sent.to}")


def _names_somebody(office: Office, ticket: Ticket, words: str) -> bool:
    """Only an enquiry's answer is public: it must not name what belongs to an account."""
    if ticket.kind is not TicketKind.ENQUIRY:
        return False
    asked = (clues.words(words), clues.orders(words), clues.ips(words))
    named = office.read(lambda connection: naming.somebodys(Link.of(connection), *asked))
    return letters.names_somebody(office.post(), named)


def _carried_out(office: Office, said: Said) -> None:
    """A staff member's doing: the change, its history, what goes out, all in one transaction."""
    change: TicketChange | None = said.change

    def work(connection: Connection) -> None:
        if change is not None:
            changes.apply_change(connection, change, said.entries, said.outgoing, said.events)

    try:
        office.write(work)
    except Moved:
        raise BadInput("the ticket changed meanwhile; look at it and try again") from None


@app.command()
def note(number: str, text: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Add an inner note; the customer does not see it."""
    if not text.strip():
        raise typer.BadParameter("an empty note is not kept", param_hint="TEXT")
    with Office(config) as office:
        office.write(lambda link: tickets.add_note(link, number, _by(by), text, now()))
    output.say("noted")


@app.command()
def close(number: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Close a ticket; the customer is told. Closing a closed one changes nothing."""
    with Office(config) as office:
        ticket = office.read(lambda connection: tickets.find(connection, number))
        account = office.rooms.reader.account(ticket.account) if ticket.account else None
        said = letters.closing(office.post(), ticket, account, _by(by))
        _carried_out(office, said)
    output.say(f"#{number}: {said.unsent}" if said.unsent else f"#{number} is closed")


@app.command()
def reopen(number: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Open a closed ticket again; it queues from now."""
    with Office(config) as office:
        routing = office.rooms.standing.loaded.routing
        due = hours.due(routing.office, now(), routing.due_mail)
        office.write(lambda link: tickets.reopen(link, number, _by(by), now(), due))
    output.say(f"#{number} is open")


@app.command()
def assign(number: str, to: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Give a ticket to a member of staff."""
    with Office(config) as office:
        office.write(lambda link: tickets.assign(link, number, to, _by(by), now()))
    output.say(f"#{number} is with {to}")


@app.command("assign-account")
def assign_account(
    number: str, account: str, by: ByOption = "", config: ConfigOption = None
) -> None:
    """Say whose a ticket is whose author stands on several accounts: only one of those."""
    with Office(config) as office:
        office.write(lambda link: tickets.assign_account(link, number, account, _by(by), now()))
    output.say(f"#{number} belongs to {account}")


@app.command()
def verify(number: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """The customer has confirmed the change from the control panel: staff may act."""
    with Office(config) as office:
        office.write(lambda link: tickets.verify(link, number, _by(by), now()))
    output.say(f"#{number} is verified")


@app.command()
def pending(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List what somebody must take over: tickets to be verified, entries of no proven author."""
    with Office(config) as office:
        found = office.read(waiting.listed)
    output.listed("pending", found, PENDING, json)


@app.command()
def accept(
    number: str,
    entry: EntryOption = None,
    by: ByOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take over what waits in a ticket: staff vouch for it, and may act on it from now on."""
    with Office(config) as office:
        did = office.write(lambda link: waiting.accept(link, number, entry or (), _by(by), now()))
    output.done({"number": number, "accepted": did}, f"#{number}: {did} taken over", json)


@app.command()
def decline(
    number: str,
    entry: EntryOption = None,
    by: ByOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Do not take over pending entries: they stay in the history, and count for nothing."""
    with Office(config) as office:
        did = office.write(lambda link: waiting.decline(link, number, entry or (), _by(by), now()))
    output.done({"number": number, "declined": did}, f"#{number}: {did} declined", json)


@app.command()
def split(
    number: str,
    entries: Annotated[list[int], typer.Argument(help="Ids, as `tickets show --json` has them.")],
    by: ByOption = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Undo a wrong join: these entries become a ticket of their own, linked to this one."""
    with Office(config) as office:
        routing = office.rooms.standing.loaded.routing

        def due(start: datetime) -> datetime:
            return hours.due(routing.office, start, routing.due_mail)

        fresh = office.write(
            lambda link: splitting.split(link, number, entries, _by(by), now(), due)
        )
    found = {"number": fresh, "split_from": number, "entries": entries}
    output.done(found, f"{len(entries)} entries of #{number} are #{fresh} now", json)


@app.command()
def merge(number: str, into: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Close one ticket into another of the same account."""
    with Office(config) as office:
        office.write(lambda link: tickets.merge(link, number, into, _by(by), now()))
    output.say(f"#{number} is part of #{into}")


@app.command()
def link(number: str, to: str, by: ByOption = "", config: ConfigOption = None) -> None:
    """Say that two tickets belong together."""
    with Office(config) as office:
        office.write(lambda link: tickets.link(link, number, to, _by(by), now()))
    output.say(f"#{number} is linked to #{to}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="FILE.jsonl")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take tickets from another system; all of the file, or nothing.

    The same file again adds nothing.
    """
    with Office(config) as office:
        known = (one.id for one in office.rooms.standing.loaded.routing.departments)
        rows = ticketfile.load_file(file, known)
        done = office.write(lambda connection: tickets.apply(connection, rows))
    if json:
        output.as_json(done)
        return
    output.say(", ".join(f"{count} {what}" for what, count in done.items()))


@app.command()
def token(
    number: str,
    expired: Annotated[bool, typer.Option("--expired", help="One too old to be taken.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print a thread token, a reply address and a Message-ID as this gateway would make them."""
    with Office(config) as office:
        ticket = office.read(lambda connection: tickets.find(connection, number))
        desk, issued = office.rooms.desk, now() - (EXPIRED if expired else timedelta())
        made = tokens.make(desk.keys, number, ticket.account or "", issued, Purpose.THREAD)
        nonce = secrets.token_bytes(NONCE_BYTES)
        found = {
            "token": made,
            "reply_address": tokens.reply_address(made, desk.addresses[0]),
            "message_id": tokens.message_id(made, nonce, desk.domain),
        }
    if json:
        output.as_json(found)
        return
    for key, value in found.items():
        output.say(f"{key:14} {value}")


def _known_department(office: Office, named: str | None) -> None:
    """`BadInput` where the routing has no such department."""
    known = [one.id for one in office.rooms.standing.loaded.routing.departments]
    if named is not None and named not in known:
        raise BadInput(f"there is no department `{named}`; there are {', '.join(known)}")


def _by(given: str) -> str:
    return given or getpass.getuser()
