"""`portiere serve`: the daemon in the foreground, until SIGTERM."""

import asyncio
import sys

import typer

from gateway import config as configuration
from gateway import log
from gateway.cli.config import ConfigOption

app = typer.Typer()


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Run the gateway until SIGTERM; one line `listening …` for each listener when ready."""
    import uvloop

    from gateway.service import Service

    loaded = configuration.load(config)
    log.configure(loaded.log.level, loaded.log.format, loaded.log.addresses)

    async def run() -> None:
        await Service(loaded).run(_ready)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _ready(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
