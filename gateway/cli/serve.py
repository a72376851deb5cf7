"""`portiere serve`: the daemon in the foreground, until SIGTERM."""

import asyncio
import sys
from threading import Thread

import typer

from gateway import config as configuration
from gateway import log
from gateway.cli.config import ConfigOption
from gateway.core.read import language

app = typer.Typer()


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Run the gateway until SIGTERM; one line `listening …` for each listener when ready."""
    loaded = configuration.load(config)
    log.configure(loaded.log.level, loaded.log.format, loaded.log.addresses)
    # Unpacking the model of languages holds no lock: it goes on beside the imports.
    reading = Thread(target=language.warm, name="languages", daemon=True)
    reading.start()

    def warm() -> None:
        reading.join()
        language.warm()  # done already, or the error is told here

    if loaded.fronts > 1:
        from gateway.fronts import Fronts

        started = Fronts(loaded, _ready)
        warm()  # before the forks: no thread may run then, and all share it
        sys.exit(started.run())
    import uvloop

    from gateway.service import Service

    async def run() -> None:
        await Service(loaded, warm).run(_ready)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _ready(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
