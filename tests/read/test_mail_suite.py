"""The figures over real mails: facts of their origins, bounces, automatic mail, and people."""

from collections.abc import Iterator

import pytest
from read_support import INSTANCE, SuiteMail, suite_mails
from tests_support import needs_suites

from gateway.core.model import Automatic, Report
from gateway.core.read import automatic, mime, wire

pytestmark = needs_suites
Reading = tuple[SuiteMail, mime.Parsed, Automatic, Report | None]

# Its origin counts four files in m4004, whose structure is the same to the letter.
CONTRADICTED = {"smime_pgp/mail-mime-parser__m4008.txt"}


def _read() -> Iterator[Reading]:
    for mail in suite_mails():
        headers = wire.read(mail.raw).headers
        parsed = mime.read(mail.raw, headers)
        kind, _, report = automatic.classify(headers, parsed, mail.reverse_path, INSTANCE)
        yield mail, parsed, kind, report


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """Every mail of the suite, read once; that nothing raises is the first test."""
    return list(_read())


def _firm(value: str) -> str | None:
    return value if value and not value.startswith("~") else None


def test_facts_of_the_origins(
    readings: list[Reading],
) -> None:
    """Subject, number of files and name of the author as the origin's own tests say."""
    wrong = []
    for mail, parsed, _, _ in readings:
        found = {"subject": parsed.subject, "n_attachments": str(len(parsed.attachments))}
        for name, value in found.items():
            said = _firm(mail.row[name])
            if said is not None and said != value and mail.path not in CONTRADICTED:
                wrong.append((mail.path, name, said, value))
        if mail.facts.get("from_name", parsed.from_name) != parsed.from_name:
            wrong.append((mail.path, "from_name", str(mail.facts["from_name"]), parsed.from_name))
    assert wrong == []


def test_bounces(readings: list[Reading]) -> None:
    """Recall at least 98 %, specificity at least 99.5 %."""
    verdicts = {mail.path: kind is Automatic.BOUNCE for mail, _, kind, _ in readings}
    bounces = [m.path for m, *_ in readings if m.row["is_bounce"] == "1"]
    others = [m.path for m, *_ in readings if m.row["is_bounce"] == "0"]
    missed = [path for path in bounces if not verdicts[path]]
    invented = [path for path in others if verdicts[path]]
    assert len(bounces) > 100
    assert len(missed) <= 0.02 * len(bounces), missed
    assert len(invented) <= 0.005 * len(others), invented


def test_automatic_mail(
    readings: list[Reading],
) -> None:
    """Recall at least 98 %; nobody who is known to be a person is withheld."""
    programs = [(m.path, kind) for m, _, kind, _ in readings if m.row["is_auto"] == "1"]
    missed = [path for path, kind in programs if kind is Automatic.NO]
    assert len(programs) > 100
    assert len(missed) <= 0.02 * len(programs), missed
    people = [(m.path, kind) for m, _, kind, _ in readings if m.row["is_auto"] == "0"]
    assert [path for path, kind in people if kind is not Automatic.NO] == []


def test_status_classes(
    readings: list[Reading],
) -> None:
    """At least 95 % of the classes that the origins state."""
    right = wrong = 0
    for mail, _, _, report in readings:
        said = mail.row["status"].lstrip("~")
        if mail.row["is_bounce"] == "1" and said:
            same = report is not None and (report.status or "")[:1] == said[0]
            right, wrong = right + same, wrong + (not same)
    assert right + wrong > 30
    assert wrong <= 0.05 * (right + wrong)


def test_who_failed(
    readings: list[Reading],
) -> None:
    """At least 95 % of the recipients, and of the Message-IDs that came back."""
    counts = {"final_recipients": [0, 0], "original_message_id": [0, 0]}
    for mail, _, _, report in readings:
        if mail.row["is_bounce"] != "1":
            continue
        for name, count in counts.items():
            said = [value.lstrip("~").lower() for value in mail.row[name].split(",") if value]
            got = (
                (report.final_recipient if name[0] == "f" else report.original_message_id)
                if report
                else None
            )
            if said:
                count[(got or "").lower() not in said] += 1
    for right, wrong in counts.values():
        assert right > 40
        assert wrong <= 0.05 * (right + wrong)
