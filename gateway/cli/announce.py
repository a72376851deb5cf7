"""`portiere announce`: news, maintenance and outages, for those whom they concern."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office, moment_or_none, now
from gateway.errors import BadInput
from gateway.store import announcements
from gateway.store.announcements import Notice

app = typer.Typer()


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
            left = office.write(lambda connection: announcements.end(connection, file.stem, now()))
            output.say(
                f"`{file.stem}` is over" + (f"; {left} copies are not sent" if left else "")
            )
            return
        notice = _notice(file, services, starts, ends)
        owed = office.write(lambda connection: announcements.add(connection, notice))
        rooms = office.rooms
        queued = announcements.feed(
            rooms.store, office.writer, rooms.reader.account, rooms.post, now()
        )
    getting = "1 account gets" if owed == 1 else f"{owed} accounts get"
    later = f", {owed - queued} of them by and by" if owed > queued else ""
    output.say(f"`{notice.slug}` stands; {getting} a copy{later}")


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
