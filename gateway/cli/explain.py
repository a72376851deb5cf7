"""`portiere explain`: everything but the writing, for one mail or for a file of cases.

It shows what the gateway would do, from the same pipeline; it has no way to write or to send.
"""

import asyncio
import json as jsonlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway import config as configuration
from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.errors import BadInput, PortiereError

if TYPE_CHECKING:
    from gateway.explainer import Explainer

app = typer.Typer()


@app.command()
def explain(
    mail: Annotated[Path | None, typer.Argument(help="The mail, as a file.")] = None,
    config: ConfigOption = None,
    client_ip: Annotated[str | None, typer.Option(help="The address of the sending host.")] = None,
    helo: Annotated[str | None, typer.Option(help="What it said in EHLO.")] = None,
    mail_from: Annotated[str | None, typer.Option(help="MAIL FROM; empty is null.")] = None,
    rcpt: Annotated[list[str] | None, typer.Option(help="RCPT TO; may be repeated.")] = None,
    zone: Annotated[Path | None, typer.Option(help="A JSON zone that replaces DNS.")] = None,
    now: Annotated[str | None, typer.Option(help="The moment to judge at, RFC 3339.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The public JSON form.")] = False,
    batch: Annotated[Path | None, typer.Option(help="JSONL: one case a line.")] = None,
) -> None:
    """Show what would be decided for a mail, and why; nothing is written or sent."""
    if (mail is None) == (batch is None):
        raise typer.BadParameter("give either MAIL.eml or --batch FILE.jsonl")
    case = {"client_ip": client_ip, "helo": helo, "mail_from": mail_from, "rcpt": rcpt or None}
    if mail is not None:
        case |= {"id": mail.name, "path": str(mail.resolve()), "now": now}
        case["zone"] = str(zone.resolve()) if zone else None
        found = asyncio.run(_one(config, case))
        output.as_json(found) if json else _page(found)
        return
    assert batch is not None
    common = {**case, "zone": str(zone.resolve()) if zone else None, "now": now}
    asyncio.run(_all(config, _lines(batch), batch.resolve().parent, common))


async def _one(config: Path | None, case: dict[str, Any]) -> dict[str, Any]:
    from gateway.explainer import Explainer, Unspeakable

    with Explainer(configuration.load(config)) as explainer:
        try:
            return await explainer.explain(case, Path("/"))
        except Unspeakable as error:
            raise typer.BadParameter(output.visible(error)) from None


async def _all(
    config: Path | None,
    lines: Iterator[tuple[int, str]],
    folder: Path,
    common: dict[str, Any],
) -> None:
    """One line out for one line in, in order; an unreadable case is an error of its own."""
    from gateway.explainer import Explainer

    with Explainer(configuration.load(config)) as explainer:
        for number, line in lines:
            found = await _case(explainer, number, line, folder, common)
            sys.stdout.write(jsonlib.dumps(found, ensure_ascii=True) + "\n")
            sys.stdout.flush()


async def _case(
    explainer: "Explainer", number: int, line: str, folder: Path, common: dict[str, Any]
) -> dict[str, Any]:
    identifier: object = number
    try:
        case = jsonlib.loads(line)
        if not isinstance(case, dict):
            raise BadInput("a case is a JSON object")
        identifier = case.get("id", number)
        given = {key: value for key, value in case.items() if value is not None}
        return await _explained(explainer, {"id": number, **common, **given}, folder)
    except (PortiereError, ValueError) as error:
        return {"id": identifier, "error": str(error)}
    except Exception as error:  # a defect of ours in one case must not cost the others
        return {"id": identifier, "error": f"a defect of ours: {type(error).__name__}: {error}"}


async def _explained(explainer: "Explainer", case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The public form; with an `error` beside it where the dialogue ends before the mail."""
    from gateway.explainer import NotTaken

    try:
        return await explainer.explain(case, folder)
    except NotTaken as refused:
        return await explainer.not_taken(case, folder, refused)


def _lines(batch: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers in the file."""
    try:
        file = batch.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"cannot read the cases: {error.strerror}", str(batch)) from None
    with file:
        yield from ((at, line) for at, line in enumerate(file, 1) if line.strip())


def _asked(policy: str | None) -> str:
    return f" (the domain asks for {policy})" if policy else ""


def _page(found: dict[str, Any]) -> None:
    """The page for people."""
    decision, proof = found["decision"], found["proof"]
    rows: list[tuple[str, object]] = [
        ("author", found["author"] or f"none ({found['wire']['defect']})"),
        ("spf", f"{found['spf']['result']} {found['spf']['domain'] or ''}"),
        *(
            ("dkim", f"{one['result']} {one['domain']} {one['problem'] or ''}")
            for one in found["dkim"]
        ),
        ("dmarc", f"{found['dmarc']['result']}{_asked(found['dmarc']['policy'])}"),
        ("proof", proof["level"]),
        *(("", reason) for reason in proof["because"]),
        ("sender", f"{found['sender']['kind']} {found['sender']['account'] or ''}"),
        ("ticket", f"{found['ticket']['match']} {found['ticket']['number'] or ''}"),
        ("request", f"{found['request']['kind']}: {', '.join(found['request']['because'])}"),
        ("decision", f"{decision['outcome']} by rule {decision['rule']}"),
        ("", decision["because"]),
        ("smtp", f"{found['smtp']['code']} {found['smtp']['enhanced']}"),
        *(
            ("reply", f"{one['kind']} ({one['language']}) to {one['to']}")
            for one in found["replies"]
        ),
        *(("notice", f"{one['kind']} to {one['to']}") for one in found["notices"]),
    ]
    output.table(str(found["id"]), ("", ""), rows)
    words = (found["mail"] or {}).get("new_text")
    if words:
        output.say(f"\nwritten now:\n{words}")
