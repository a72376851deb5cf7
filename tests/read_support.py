"""What the tests of reading share: mails written as text, and the real mails of the suite."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests_support import SUITES

from gateway.core.model import Automatic, Report
from gateway.core.read import automatic, mime, wire

INSTANCE = "c1d2e3f4"


def crlf(text: str | bytes) -> bytes:
    """Lines ended as on the wire."""
    raw = text if isinstance(text, bytes) else text.encode()
    return raw if b"\r" in raw else raw.replace(b"\n", b"\r\n")


def parsed(text: str | bytes, budget: mime.Budget | None = None) -> mime.Parsed:
    """A whole mail, read."""
    raw = crlf(text)
    headers = wire.read(raw).headers
    return mime.read(raw, headers, budget) if budget else mime.read(raw, headers)


def classified(
    text: str | bytes, mail_from: str = "anna@cliente.example"
) -> tuple[Automatic, str, Report | None]:
    """A whole mail, judged."""
    raw = crlf(text)
    headers = wire.read(raw).headers
    return automatic.classify(headers, mime.read(raw, headers), mail_from, INSTANCE)


def from_anna(fields: str, body: str = "ciao") -> str:
    """A mail of a person with these fields beside the usual ones."""
    return (
        "From: Anna <anna@cliente.example>\n"
        "To: support@support.host.example\n"
        "Date: Mon, 02 Mar 2026 10:00:00 +0100\n"
        "Message-ID: <a1@cliente.example>\n"
        f"{fields.strip()}\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n\n"
        f"{body}\n"
    )


@dataclass(frozen=True)
class SuiteMail:
    """One row of the manifest with its mail."""

    path: str
    raw: bytes
    row: dict[str, str]
    facts: dict[str, object]

    @property
    def reverse_path(self) -> str:
        """What the Return-Path says, as far as the mail has one."""
        value = wire.read(self.raw).headers.first("return-path")
        if value is None:
            return "unknown@envelope.example"
        return value.strip().decode("latin-1").strip("<>")


def suite_mails() -> Iterator[SuiteMail]:
    """Every real mail of the suite, in the manifest's order."""
    folder = SUITES / "mail"
    with (folder / "MANIFEST.tsv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            raw = crlf(Path(folder / row["path"]).read_bytes())
            yield SuiteMail(row["path"], raw, row, json.loads(row["facts_json"]))
