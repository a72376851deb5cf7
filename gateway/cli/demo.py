"""`portiere demo`: the demo's world played through, left running, or fed one mail by hand."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import output
from gateway.errors import BadInput

app = typer.Typer(invoke_without_command=True)

FolderOption = Annotated[Path, typer.Option("--folder", help="Where the world lies.")]
OwnFolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Where the world lies; else as before the command.")
]
DEFAULT = Path("var/demo")


@app.callback()
def demo(context: typer.Context, folder: FolderOption = DEFAULT) -> None:
    """Play every mail of the demo through the real daemon; exit 1 if anything differs."""
    context.obj = folder
    if context.invoked_subcommand:
        return
    from gateway.demo import run

    shown = run.run(folder.resolve())
    rows = (
        (
            one.scene.story,
            one.scene.author,
            one.proof,
            one.rule,
            one.outcome,
            ", ".join(one.out_to) or "nobody",
        )
        for one in shown
    )
    columns = ("mail", "author", "proof", "rule", "outcome", "out to")
    output.table("what was decided, and what went out", columns, rows)
    output.say("\nwhy:")
    for one in shown:
        output.say(f"  {one.scene.kind}: {one.because}")
    output.say(f"\nmails that came in: {folder}/received\nmails that went out: {folder}/sent")
    wrong = [f"{one.scene.kind}: {what}" for one in shown for what in one.wrong]
    if wrong:
        raise BadInput("the demo differs from what must happen:\n  " + "\n  ".join(wrong))
    output.say(f"all {len(shown)} mails went as they must")


@app.command()
def serve(context: typer.Context, folder: OwnFolderOption = None) -> None:
    """Build the world and leave its gateway and its smarthost running until Ctrl-C."""
    from gateway.demo import run
    from gateway.demo.sink import Sink

    world = run.new_world((folder or context.obj).resolve())
    with Sink(world.sink_port, world.folder / "sent"), run.daemon(world):
        output.say(f"listening smtp 127.0.0.1:{world.smtp_port}; configuration {world.config}")
        output.say("send a mail by `portiere demo send KIND`; stop with Ctrl-C")
        sys.stdout.flush()
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            output.say("stopped")


@app.command()
def send(context: typer.Context, kind: str, folder: OwnFolderOption = None) -> None:
    """Send one of the demo's mails, signed, to the world that `demo serve` runs."""
    from gateway.demo import send as sending
    from gateway.demo.scenes import SCENES
    from gateway.demo.world import reopen

    scene = next((each for each in SCENES if each.kind == kind), None)
    if scene is None:
        known = ", ".join(each.kind for each in SCENES)
        raise BadInput(f"there is no mail `{kind}`; there are {known}")
    world = reopen((folder or context.obj).resolve())
    now = datetime.now(UTC)
    raw = sending.compose(world, scene, now, int(now.timestamp()))
    for code, text in sending.send_all(world, scene, raw):
        output.say(f"{code} {text}")
