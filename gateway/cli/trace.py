"""`portiere trace`: everything about one mail, by its id, its Message-ID, or a reply's Message-
ID."""

from typing import Any

import typer

from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office
from gateway.errors import BadInput
from gateway.store import mails

app = typer.Typer()
HEAD = ("mail", "received_at", "subject", "author_key", "account", "ticket", "state", "error")
DECIDED = ("proof", "outcome", "rule", "because", "policy_digest")


@app.command()
def trace(mail: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show a mail's session, evidence, facts, rule, effects and deliveries."""
    with Office(config) as office:
        found = mails.trace(office.rooms.store, mail)
    if found is None:
        raise BadInput(f"there is no mail `{mail}`")
    if json:
        output.as_json(found)
        return
    _page(found)


def _page(found: dict[str, Any]) -> None:
    output.table("mail", ("", ""), ((key, found.get(key)) for key in HEAD))
    output.table("session", ("", ""), found["envelope"].items())
    output.table("evidence", ("", ""), found["evidence"].items())
    output.table("facts", ("fact", "value"), found["facts"].items())
    output.table("decision", ("", ""), ((key, found.get(key)) for key in DECIDED))
    keys = ("ticket", "by", "kind", "proof", "pending")
    output.table("entries", keys, ([row[key] for key in keys] for row in found["entries"]))
    sent = ("id", "kind", "recipient", "state", "tries", "due", "sent_at", "error")
    output.table("went out", sent, ([row[key] for key in sent] for row in found["outgoing"]))
    if found["copies"]:
        output.say(f"came again as {', '.join(found['copies'])}, without a second effect")
