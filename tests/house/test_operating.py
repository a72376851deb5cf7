"""What operators are given fits the program: dashboard, alarms and units name what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Histogram
from tests_support import ROOT

from gateway import metrics
from gateway.service import DRAIN_SECONDS

FOLDER = ROOT / "docs" / "operating"
_NAME = re.compile(r"\bportiere_[a-z_]+\b")
_LABELS = re.compile(r"(?:by \(|\{)([^)}]*)[)}]")


def families() -> dict[str, Any]:
    """Every metric by the names that it has on the page."""
    found = {}
    for one in vars(metrics).values():
        if hasattr(one, "_labelnames") and hasattr(one, "describe"):
            (described,) = one.describe()
            endings = ("_bucket", "_sum", "_count") if isinstance(one, Histogram) else ("",)
            if described.type == "counter":
                endings = ("_total",)
            for ending in endings:
                found[described.name + ending] = one
    return found


def expressions() -> Iterator[str]:
    """Every expression of the dashboard and of the rules."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for rule in rules():
        yield rule["expr"]


def rules() -> list[dict[str, Any]]:
    """The alarms."""
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_metrics_and_labels_that_exist(expression: str) -> None:
    """A metric that is renamed takes its panel and its alarm along."""
    known = families()
    names = _NAME.findall(expression)
    assert set(names) <= set(known)
    labels = {"instance", "le", "job"}
    for name in names:
        labels |= set(known[name]._labelnames)
    for inside in _LABELS.findall(expression):
        used = {re.split(r"[=!]", word)[0].strip() for word in inside.split(",") if word.strip()}
        assert used <= labels


def test_every_alarm_says_what_to_do() -> None:
    """A summary and a first step; names are unique."""
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["todo"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def unit(name: str) -> dict[str, list[str]]:
    """The keys of a unit with their values."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_gives_the_drain_its_time() -> None:
    """systemd waits longer than the longest drain, and hears the watchdog in time."""
    service = unit("portiere.service")
    assert service["Type"] == ["notify"]
    assert int(service["TimeoutStopSec"][0]) > 2 * (DRAIN_SECONDS + 5)
    assert service["KillMode"] == ["mixed"]
    assert "serve --config" in service["ExecStart"][0]
    assert unit("portiere.socket")["NoDelay"] == ["true"]


def test_pages_name_files_that_exist() -> None:
    """Every file that the pages of this folder name in code marks lies beside them."""
    for page in FOLDER.glob("*.md"):
        for name in re.findall(r"`([\w-]+\.(?:json|yml|service|socket))`", page.read_text()):
            assert Path(FOLDER / name).is_file(), (page.name, name)
