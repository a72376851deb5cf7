"""The RFC 7208 suite: every case and every explanation."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from authenticate_support import run
from tests_support import SUITES, needs_suites

from gateway.authenticate import spf
from gateway.authenticate.resolver import Answer, Lookup, Status, ZoneResolver

pytestmark = needs_suites

PATH = SUITES / "rfc7208" / "rfc7208-tests.yml"
TYPES = {"SPF", "TXT", "A", "AAAA", "MX", "PTR", "CNAME"}


def scenarios() -> list[dict[str, Any]]:
    """The documents of the suite; bytes above 127 are one byte each."""
    if not PATH.is_file():
        return []
    return list(yaml.safe_load_all(PATH.read_text("utf-8")))


def zone_of(data: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """`SPF` is served as TXT unless the name has TXT of its own; `TXT: NONE` is none at all."""
    zone: dict[str, dict[str, Any]] = {}
    for name, items in data.items():
        entry = zone.setdefault(name.lower().rstrip("."), {})
        for rtype, value in records(items):
            if rtype == "status":
                entry["status"] = "timeout"
            else:
                entry.setdefault(rtype, []).append(value)
        alias = entry.pop("SPF", [])
        if alias and "TXT" not in entry:
            entry["TXT"] = alias
        if "TXT" in entry:
            entry["TXT"] = [text for text in entry["TXT"] if text != "NONE"]
        if name.lower().startswith("error."):
            entry["status"] = "timeout"
    return zone


def records(items: list[Any]) -> Iterator[tuple[str, Any]]:
    """Type and value of each line of a name."""
    for item in items:
        if item == "TIMEOUT":
            yield "status", "timeout"
            continue
        ((rtype, value),) = item.items()
        assert rtype in TYPES
        if rtype in ("SPF", "TXT") and isinstance(value, list):
            value = "".join(value)
        yield rtype, value


CASES = [
    pytest.param(test, zone_of(scenario["zonedata"]), id=f"{name}")
    for scenario in scenarios()
    for name, test in scenario["tests"].items()
]


@pytest.mark.parametrize("case, zone", CASES)
def test_the_result_and_the_explanation_are_those_of_the_suite(
    case: dict[str, Any], zone: dict[str, Any]
) -> None:
    """Each case gives one of the results that it allows, and its explanation where it has one."""
    lookup = Lookup(ZoneResolver(zone))
    got = run(
        spf.check(
            lookup,
            case["host"],
            case["helo"],
            case["mailfrom"],
            "receiver.example",
            spf.SpfSettings(),
        )
    )
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert got.result in wanted, got
    if "explanation" in case:
        assert (got.explanation or "DEFAULT") == case["explanation"]


def test_the_whole_suite_is_there() -> None:
    """203 cases, 22 of which tell an explanation."""
    assert len(CASES) == 203
    told = [case for scenario in scenarios() for case in scenario["tests"].values()]
    assert sum("explanation" in case for case in told) == 22


def test_a_name_that_times_out_is_a_status() -> None:
    """The suite's TIMEOUT reaches the evaluator as a failure, not as an absent name."""
    answer = run(ZoneResolver(zone_of({"x.example": ["TIMEOUT"]})).query("x.example", "TXT"))
    assert answer == Answer(Status.TIMEOUT)
