"""The DMARC vectors of the suite: the standard's result and ours."""

import json
from typing import Any

import idna
import pytest
from authenticate_support import run, signature
from publicsuffixlist import PublicSuffixList
from tests_support import SUITES, needs_suites

from gateway.authenticate import dmarc
from gateway.authenticate.resolver import Lookup, ZoneResolver
from gateway.core.model import Address, DmarcResult, Spf, SpfResult

pytestmark = needs_suites

PATH = SUITES / "auth" / "dmarc_vectors.json"
VECTORS: list[dict[str, Any]] = json.loads(PATH.read_text()) if PATH.is_file() else []
SUFFIXES = dmarc.Suffixes(PublicSuffixList())


def resolver(vector: dict[str, Any]) -> ZoneResolver:
    """The vector's zone; a list inside a list is one record of several strings."""
    zone: dict[str, dict[str, Any]] = {}
    for name, content in vector["zone"].items():
        if content == "TIMEOUT":
            zone[name] = {"status": "timeout"}
        else:
            texts = ["".join(text) if isinstance(text, list) else text for text in content]
            zone[name] = {"TXT": texts}
    if vector["existing"]:
        zone[vector["from_domain"]] = {"A": ["192.0.2.1"]}
    return ZoneResolver(zone)


def ascii_domain(domain: str) -> str:
    """The A-label form in which domains reach the check."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_vector_gives_the_standards_result_and_ours(vector: dict[str, Any]) -> None:
    """Result, policy, organisational domain, order of questions, and our stricter alignment."""
    spf = Spf(SpfResult.NONE, None)
    if vector["spf_pass"]:
        sender = Address("bounce", vector["spf_pass"])
        spf = Spf(SpfResult.PASS, vector["spf_pass"], mail_from=sender, narrow=True)
    passing = tuple(signature(ascii_domain(domain)) for domain in vector["dkim_pass"])
    lookup = Lookup(resolver(vector))

    got, signatures = run(
        dmarc.check(lookup, ascii_domain(vector["from_domain"]), spf, passing, SUFFIXES)
    )

    assert got.result == DmarcResult(vector["rfc9989"])
    if "policy" in vector:
        assert got.policy == vector["policy"]
    if "org" in vector:
        assert got.org_domain == vector["org"]
    if "queries" in vector:
        assert list(got.walked) == vector["queries"]
    if "safe_dkim" in vector:
        assert any(item.aligned for item in signatures) is vector["safe_dkim"]


def test_every_vector_of_the_suite_is_run() -> None:
    """26 vectors, each under its own id."""
    assert len({vector["id"] for vector in VECTORS}) == 26
