"""The wire gate over the suites: whole attacks on From, look-alikes, and real mail."""

import csv
import json
from pathlib import Path

import pytest
from tests_support import SUITES, needs_suites

from gateway.core.read import wire

REGISTERED = {"anna@cliente.example", "tech@cliente.example", "anka@cliente.example"}
PLAINLY_SAID = {"from-case"}  # the address itself; only DNS can tell who sent it


def _cases() -> list[dict[str, str]]:
    file = SUITES / "attacks" / "cases.jsonl"
    if not file.is_file():
        return []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [row for row in rows if row["group"] in ("from", "homograph") and "eml" in row]


@needs_suites
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in _cases()])
def test_no_trick_with_from_names_a_registered_address(case: dict[str, str]) -> None:
    """A mail of these groups is refused, or its author is the attacker, or it says so plainly."""
    found = wire.read((SUITES / "attacks" / case["eml"]).read_bytes(), smtputf8=True)
    if case["id"] in PLAINLY_SAID:
        assert str(found.author).lower() == "anna@cliente.example"
    elif found.author is not None:
        assert found.author.key not in REGISTERED
    else:
        assert found.defect is not None
        assert found.defect.kind in wire.DEFECTS


@needs_suites
def test_real_mail_is_read_without_an_exception_and_mostly_accepted() -> None:
    """Of real mails with a From field at most one in ten is malformed by its maker."""
    refused: dict[str, list[str]] = {}
    count = 0
    for path in _real_mail():
        raw = path.read_bytes()
        if b"\r" not in raw:
            raw = raw.replace(b"\n", b"\r\n")
        if raw.startswith(b"From "):  # kept from an mbox
            raw = raw.partition(b"\r\n")[2]
        found = wire.read(raw, smtputf8=True)
        count += 1
        assert (found.author is None) == (found.defect is not None)
        if found.defect is not None:
            refused.setdefault(found.defect.kind, []).append(path.name)
    assert count > 400
    fragments = len(refused.pop("no-from"))
    assert sum(map(len, refused.values())) < (count - fragments) * 0.10, refused


@needs_suites
def test_fields_and_body_of_real_mail_are_the_whole_mail() -> None:
    """Nothing is lost between the fields and the body of a mail that is accepted."""
    for path in _real_mail():
        raw = path.read_bytes()
        found = wire.read(raw)
        if found.defect is None:
            fields = b"".join(field.raw for field in found.headers.fields)
            rest = raw[len(fields) :]
            assert raw.startswith(fields)
            assert rest in (b"", b"\r\n" + raw[found.headers.body_start :])


def _real_mail() -> list[Path]:
    folder = SUITES / "mail"
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [folder / row["path"] for row in rows]
