"""`portiere auth`: how the author of one mail is proven, on one page that a person can read."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configuration
from gateway.cli import output
from gateway.cli.config import ConfigOption
from gateway.core.model import Dmarc, Signature, Spf
from gateway.pipeline import Course

app = typer.Typer()
Row = tuple[str, str]


@app.command()
def auth(
    mail: Annotated[Path, typer.Argument(help="The mail, as a file.")],
    config: ConfigOption = None,
    client_ip: Annotated[str | None, typer.Option(help="The address of the sending host.")] = None,
    helo: Annotated[str | None, typer.Option(help="What it said in EHLO.")] = None,
    mail_from: Annotated[str | None, typer.Option(help="MAIL FROM; empty is null.")] = None,
    rcpt: Annotated[list[str] | None, typer.Option(help="RCPT TO; may be repeated.")] = None,
    zone: Annotated[Path | None, typer.Option(help="A JSON zone that replaces DNS.")] = None,
    now: Annotated[str | None, typer.Option(help="The moment to judge at, RFC 3339.")] = None,
) -> None:
    """Show each signature, each SPF term tried, the records, the alignment, the level and why."""
    from gateway.explainer import Explainer, raw_of
    from gateway.house import zone_from

    case = {
        "client_ip": client_ip,
        "helo": helo,
        "mail_from": mail_from,
        "rcpt": rcpt or None,
        "now": now,
    }
    raw = raw_of({"path": str(mail)}, Path.cwd())
    with Explainer(configuration.load(config)) as explainer:
        resolver = zone_from(zone) if zone else None
        course = asyncio.run(explainer.course(explainer.envelope(case, raw), raw, resolver))
    for title, rows in page(course):
        output.table(title, ("", ""), rows)


def page(course: Course) -> Iterator[tuple[str, list[Row]]]:
    """The sections of the page, in the order in which a proof is made."""
    wire = course.wire
    defect = wire.defect
    author = str(wire.author) if wire.author else f"none: {defect.detail if defect else ''}"
    yield "author", [("From", author), *([("defect", defect.kind)] if defect else [])]
    if course.arrival is None:
        return
    evidence = course.arrival.evidence
    for number, signature in enumerate(evidence.dkim, 1):
        yield f"DKIM signature {number}", _signature(signature)
    if not evidence.dkim:
        yield "DKIM", [("", "not signed")]
    yield "SPF", _spf(evidence.spf)
    yield "DMARC", _dmarc(evidence.dmarc)
    yield "ARC (for the log only)", [("result", evidence.arc.result)]
    if course.proof:
        reasons = [
            ("because" if not at else "", why) for at, why in enumerate(course.proof.because)
        ]
        yield "proof", [("level", course.proof.level.value.upper()), *reasons]


def _signature(one: Signature) -> list[Row]:
    return [
        ("result", one.result.value + (f": {one.problem}" if one.problem else "")),
        ("d=, s=, i=", f"{one.domain}, {one.selector}, {one.identity or '-'}"),
        ("algorithm", one.algorithm or "-"),
        ("covers", ", ".join(one.signed) or "-"),
        ("aligned", "yes" if one.aligned else "no"),
        *([("signer", "signs for many tenants: at most medium")] if one.weak_signer else []),
    ]


def _spf(spf: Spf) -> list[Row]:
    matched = f"{spf.term} in {spf.term_domain}" if spf.term else "-"
    return [
        ("result", spf.result.value + (f": {spf.problem}" if spf.problem else "")),
        ("domain", spf.domain or "-"),
        ("HELO", spf.helo_result.value),
        *((("tried" if not at else ""), term) for at, term in enumerate(spf.tried)),
        ("matched", matched + (f" (/{spf.prefix})" if spf.prefix is not None else "")),
        ("narrow", "yes" if spf.narrow else "no: proves nothing"),
        *([("explanation", spf.explanation)] if spf.explanation else []),
    ]


def _dmarc(dmarc: Dmarc) -> list[Row]:
    return [
        ("result", dmarc.result.value + (f": {dmarc.problem}" if dmarc.problem else "")),
        *((("walked" if not at else ""), step) for at, step in enumerate(dmarc.walked)),
        ("record", dmarc.record or "none"),
        ("asks for", dmarc.policy or "-"),
        ("organisational domain", dmarc.org_domain or "-"),
        ("something is aligned", "yes" if dmarc.aligned else "no"),
        ("SPF is aligned", "yes" if dmarc.spf_aligned else "no"),
    ]
