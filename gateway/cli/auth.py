"""`portiere auth`: how the author of one mail is proven, on one page that a person can read."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway import config as configuration
from gateway.authenticate.lookup import Answer, Resolver
from gateway.cli import output
from gateway.cli.accounts import JsonOption
from gateway.cli.config import ConfigOption
from gateway.core.model import Dmarc, Signature, Spf
from gateway.pipeline import Course

app = typer.Typer()
Row = tuple[str, str]
LONGEST_RECORD = 500  # characters of a record that are shown


class Listening:
    """A resolver that keeps what was asked and answered, in order."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.heard: dict[tuple[str, str], Answer] = {}

    async def query(self, name: str, rtype: str) -> Answer:
        """The other resolver's answer."""
        answer = await self._resolver.query(name, rtype)
        self.heard[name, rtype] = answer
        return answer


@app.command()
def auth(
    mail: Annotated[Path, typer.Argument(help="The mail, as a file.")],
    config: ConfigOption = None,
    client_ip: Annotated[str | None, typer.Option(help="The address of the sending host.")] = None,
    helo: Annotated[str | None, typer.Option(help="What it said in EHLO.")] = None,
    mail_from: Annotated[str | None, typer.Option(help="MAIL FROM; empty is null.")] = None,
    rcpt: Annotated[list[str] | None, typer.Option(help="RCPT TO; may be repeated.")] = None,
    zone: Annotated[Path | None, typer.Option(help="A JSON zone that replaces DNS.")] = None,
    listener: Annotated[str | None, typer.Option(help="`edge` or `relay`.")] = None,
    now: Annotated[str | None, typer.Option(help="The moment to judge at, RFC 3339.")] = None,
    json: JsonOption = False,
) -> None:
    """Show each signature, each SPF term tried, the records, the alignment, the level and why."""
    from gateway.explainer import Explainer, checked, raw_of
    from gateway.house import zone_from

    case = {
        "client_ip": client_ip,
        "helo": helo,
        "mail_from": mail_from,
        "rcpt": rcpt or None,
        "listener": listener,
        "now": now,
    }
    checked(case)
    raw = raw_of({"path": str(mail)}, Path.cwd())
    with Explainer(configuration.load(config)) as explainer:
        resolver = Listening(zone_from(zone) if zone else explainer.rooms.resolver())
        course = asyncio.run(explainer.course(explainer.envelope(case, raw), raw, resolver))
    if json:
        output.as_json(as_dict(course, resolver))
        return
    for title, rows in (*page(course), ("records", _records(resolver)), ("reply", _reply(course))):
        _section(title, rows)


def as_dict(course: Course, resolver: Listening) -> dict[str, Any]:
    """The same for programs: the evidence whole, the level with its reasons, what DNS said."""
    arrival, proof, defect = course.arrival, course.proof, course.wire.defect
    return {
        "author": str(course.wire.author) if course.wire.author else None,
        "defect": {"kind": defect.kind, "detail": defect.detail} if defect else None,
        "evidence": asdict(arrival.evidence) if arrival else None,
        "proof": {"level": proof.level.value, "because": list(proof.because)} if proof else None,
        "records": [
            {"name": name, "type": rtype, "status": answer.status, "records": _texts(answer)}
            for (name, rtype), answer in resolver.heard.items()
        ],
        "smtp": {"code": course.answer.code, "enhanced": course.answer.enhanced},
    }


def _section(title: str, rows: list[Row]) -> None:
    """A heading, and lines `word  text`; nothing of a mail can begin a line of its own."""
    if not rows:
        return
    output.say(f"\n{title}")
    width = max(len(word) for word, _text in rows)
    for word, text in rows:
        output.say(f"  {word:<{width}}  {text.translate(_ONE_LINE)}")


_ONE_LINE = {ord("\n"): "\\n", ord("\t"): "\\t"}


def _records(resolver: Listening) -> list[Row]:
    """What DNS was asked, and said."""
    rows = []
    for (name, rtype), answer in resolver.heard.items():
        texts = [text[:LONGEST_RECORD] for text in _texts(answer)] or [answer.status.value]
        rows += [(f"{name} {rtype}" if not at else "", text) for at, text in enumerate(texts)]
    return rows


def _texts(answer: Answer) -> list[str]:
    """The records as text; TXT may hold any bytes."""
    shown = []
    for record in answer.records:
        match record:
            case bytes():
                shown.append(record.decode("utf-8", "backslashreplace"))
            case (preference, host):
                shown.append(f"{preference} {host}")
            case _:
                shown.append(str(record))
    return shown


def _reply(course: Course) -> list[Row]:
    said = f"{course.answer.code} {course.answer.enhanced}"
    if course.decision is None:
        return [("SMTP", said)]
    return [("SMTP", said), ("by rule", f"{course.decision.rule}: {course.decision.because}")]


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
    if evidence.relay_says:
        yield "trusted relay", [("says", "an aligned SPF or DKIM passed: at most medium")]
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
