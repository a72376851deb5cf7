"""`portiere doctor`: looks at all that a gateway needs, and says what to do where it lacks."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from gateway import config as configuration
from gateway.cli import output
from gateway.cli.config import ConfigOption

app = typer.Typer()


@app.command()
def doctor(
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check DNS, smarthost, database, clock, certificates and policy; exit 1 if one is wrong."""
    from gateway.cli.ailments import Finding, examine

    loaded = configuration.load(config)

    async def all_of_it() -> list[Finding]:
        return [finding async for finding in examine(loaded)]

    found = asyncio.run(all_of_it())
    if json:
        output.as_json([asdict(one) for one in found])
    else:
        rows = ((one.thing, one.state, one.said, one.do) for one in found)
        output.table("doctor", ("what", "state", "found", "what to do"), rows)
    if any(one.state == "wrong" for one in found):
        raise typer.Exit(1)
