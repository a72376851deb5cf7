"""`portiere export`: what is held about somebody (GDPR articles 15 and 20)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.cli.office import Office
from gateway.errors import BadInput
from gateway.store import subject

app = typer.Typer()

Word = Annotated[str, typer.Argument(help="The number of an account, or a mail address.")]
Folder = Annotated[
    Path | None, typer.Option("--to", help="A new folder for data.json and the mails.")
]


@app.command()
def export(word: Word, to: Folder = None, config: ConfigOption = None) -> None:
    """Everything that is held about an account or an address, as JSON; with --to the mails too."""
    with Office(config) as office, office.rooms.store.reading() as connection:
        found = subject.find(connection, word)
        held = subject.export(connection, found)
        if to is None:
            output.as_json(held)
            return
        _new(to)
        text = json.dumps(held, ensure_ascii=False, indent=2, default=output.plain)
        (to / "data.json").write_text(text + "\n", encoding="utf-8")
        number = 0
        for mail, raw in subject.letters(connection, office.rooms.store.blobs, found):
            (to / f"{mail}.eml").write_bytes(raw)
            number += 1
    output.say(f"{sum(map(len, held.values()))} rows and {number} mails in {to}")


def _new(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise BadInput(f"cannot make the folder: {error.strerror}", str(folder)) from None
