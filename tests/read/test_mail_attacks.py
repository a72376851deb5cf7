"""The attack suite at the level of reading: nothing raises, names are safe, automatic mail is
seen.
"""

import importlib.util
import json
from typing import Any

import pytest
from read_support import INSTANCE
from tests_support import SUITES, needs_suites

from gateway.core.model import Automatic
from gateway.core.read import automatic, mime, wire

pytestmark = needs_suites
FOLDER = SUITES / "attacks"


def _cases() -> list[dict[str, Any]]:
    file = FOLDER / "cases.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def _raw(case: dict[str, Any]) -> bytes:
    if "eml" in case:
        return (FOLDER / case["eml"]).read_bytes()
    spec = importlib.util.spec_from_file_location("attack_builder", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.build(case["gen"])
    assert isinstance(made, bytes)
    return made


def _is_mail(case: dict[str, Any]) -> bool:
    """Not a script of an SMTP session, nor a sequence of mails."""
    return "eml" in case or not case.get("gen", {}).get("kind", "smtp").startswith(("smtp", "seq"))


def _ids(*groups: str) -> list[Any]:
    cases = [c for c in _cases() if _is_mail(c) and (not groups or c["group"] in groups)]
    return [pytest.param(case, id=case["id"]) for case in cases]


def _read(case: dict[str, Any]) -> tuple[mime.Parsed, Automatic]:
    raw = _raw(case)
    headers = wire.read(raw).headers
    parsed = mime.read(raw, headers)
    sender = case.get("env", {}).get("mail_from", "")
    return parsed, automatic.classify(headers, parsed, sender, INSTANCE)[0]


@pytest.mark.parametrize("case", _ids())
def test_every_case_is_read(case: dict[str, Any]) -> None:
    """Whatever is sent, there is a reading; its texts can be stored and shown on one line."""
    parsed, _ = _read(case)
    for text in (parsed.subject, parsed.from_name):
        assert len((text + "x").splitlines()) == 1
        assert not any(ord(char) < 32 or 0x202A <= ord(char) <= 0x202E for char in text)
    assert "\0" not in (parsed.body_text or "") + (parsed.body_html or "")
    (parsed.body_text or "").encode("utf-8")


@pytest.mark.parametrize("case", _ids("attachment"))
def test_names_are_safe(case: dict[str, Any]) -> None:
    """No path, drive, control or direction character, device or hidden name."""
    found = _read(case)
    assert found[0].attachments
    for file in found[0].attachments:
        assert not set(file.filename) & set('/\\:\0<>"|?*')
        assert file.filename.isprintable()
        assert not file.filename.startswith(".")
        assert file.filename.split(".")[0].lower() not in ("con", "nul", "aux", "prn")
        assert len(file.filename.encode()) < 255


@pytest.mark.parametrize("case", _ids("loop", "bounce"))
def test_automatic_mail_is_seen(case: dict[str, Any]) -> None:
    """What must not be answered is automatic; the control is not."""
    found = _read(case)
    assert (found[1] is not Automatic.NO) == bool(case["must"].get("no_auto_reply"))


@pytest.mark.parametrize("case", _ids("nested"))
def test_what_is_nested_is_data(case: dict[str, Any]) -> None:
    """Headers and words of a mail inside the mail are in no field of the reading."""
    found = _read(case)
    parsed = found[0]
    assert parsed.subject == "Fwd"
    assert (parsed.in_reply_to, parsed.references) == ((), ())
    assert "non risponde" not in (parsed.body_text or "")
