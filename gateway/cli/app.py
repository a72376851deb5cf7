"""`portiere`: the groups of commands, each in its own module, loaded when it is asked for."""

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

# command -> (module, what it is for). A group has `app`, a single command has `command`.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve", "Run the gateway until SIGTERM."),
    "explain": ("explain", "Everything but the writing, for one mail or many."),
    "auth": ("auth", "How the author of a mail is proven, on one page."),
    "accounts": ("accounts", "Accounts, their addresses and services."),
    "tickets": ("tickets", "Tickets: list, show, reply, close, import, …"),
    "queue": ("queue", "Failed mail, parked mail, the outbox, webhooks."),
    "events": ("events", "What happened to tickets: list, show, export."),
    "announce": ("announce", "Announce maintenance, news, an outage."),
    "announcements": ("announcements", "What is announced: list, end."),
    "trace": ("trace", "Everything about one mail."),
    "policy": ("policy", "Check, prove, compare and reload the rules."),
    "kb": ("kb", "The knowledge base alone."),
    "doctor": ("doctor", "Check DNS, smarthost, database, clock, certificates, policy."),
    "config": ("config", "Check, show, or print an example configuration."),
    "keys": ("keys", "Token keys: list, rotate, retire."),
    "db": ("db", "Upgrade, back up, restore the database."),
    "import": ("importer", "Old mail from mbox and .eml files."),
    "export": ("export", "Everything that is held about an account or an address."),
    "erase": ("erase", "Erase what is held about an account or an address."),
    "demo": ("demo", "A small world on loopback to watch the gateway at work."),
}


class LazyGroup(TyperGroup):
    """Imports a group's module only when one of its commands runs: `explain` starts fast."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """The words of COMMANDS, in their order."""
        return list(COMMANDS)

    def get_command(self, _ctx: Any, name: str) -> Any:
        """A name and a purpose, for help and for *did you mean*; nothing is imported."""
        return TyperCommand(name, help=COMMANDS[name][1]) if name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is run, imported now."""
        name = args[0]
        if name not in COMMANDS:
            return super().resolve_command(ctx, args)
        module, purpose = COMMANDS[name]
        command: Any = get_command(importlib.import_module(f"gateway.cli.{module}").app)
        command.name, command.help = name, command.help or purpose
        return name, command, args[1:]


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    help="An inbound e-mail gateway for support desks that proves who is writing.",
    pretty_exceptions_enable=False,
)


@app.callback()
def _portiere() -> None:
    """An inbound e-mail gateway for support desks that proves who is writing."""
