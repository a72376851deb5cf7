"""`portiere announce`: news, maintenance and outages, for those whom they concern."""

import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, moment_or_none, now, queue
from gateway.core.model import Outgoing
from gateway.core.say import letters
from gateway.errors import BadInput
from gateway.store import announcements
from gateway.store.announcements import Notice

app = typer.Typer()
BATCH = 200  # copies in one transaction, so that mail that comes in is not held up


@app.command()
def announce(
    file: Annotated[Path, typer.Argument(help="FILE.md: `# Title`, then the text.")],
    services: Annotated[str, typer.Option(help="Service names, with commas; empty is all.")] = "",
    starts: Annotated[str | None, typer.Option(help="From when, RFC 3339; now without.")] = None,
    ends: Annotated[str | None, typer.Option(help="Until when; until --end without.")] = None,
    end: Annotated[bool, typer.Option("--end", help="It is over.")] = False,
    config: ConfigOption = None,
) -> None:
    """Announce a text: copies to official addresses, and in acknowledgements while it stands."""
    with Office(config) as office:
        if end:
            office.write(lambda connection: announcements.end(connection, file.stem, now()))
            output.say(f"`{file.stem}` is over")
            return
        notice = _notice(file, services, starts, ends)
        concerned = office.write(lambda connection: announcements.add(connection, notice))
        copies = [copy for number in concerned if (copy := _copy(office, notice, number))]
        for first in range(0, len(copies), BATCH):
            batch = copies[first : first + BATCH]
            office.write(partial(_queue, copies=batch))
    output.say(f"`{notice.slug}` stands; {len(copies)} accounts get a copy")


def _notice(file: Path, services: str, starts: str | None, ends: str | None) -> Notice:
    try:
        title, _, text = file.read_text(encoding="utf-8").strip().partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the announcement: {error}", str(file)) from None
    if not title.startswith("# ") or not text.strip():
        hint = "the first line is `# Title`, the text stands below it"
        raise BadInput("this is no announcement", f"{file}:1", hint=hint)
    begins, over = moment_or_none(starts) or now(), moment_or_none(ends)
    if over is not None and over <= begins:
        raise BadInput(f"it ends at `{ends}`, before it begins")
    named = tuple(name.strip() for name in services.split(",") if name.strip())
    return Notice(file.stem, title[2:].strip(), text.strip(), begins, over, named)


def _copy(office: Office, notice: Notice, number: str) -> Outgoing | None:
    """The account's copy; None for one that has no official address."""
    account = office.rooms.reader.account(number)
    if account is None:
        return None
    post = replace(office.post(), nonce=secrets.token_bytes(16))
    return letters.announcement(post, account, notice.title, notice.text)


def _queue(connection: Connection, copies: list[Outgoing]) -> None:
    for copy in copies:
        queue(connection, copy)
