"""The suite's attacks, as far as evidence and the level of proof decide them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from authenticate_support import run
from tests_support import SUITES, needs_suites

from gateway.authenticate.evidence import Authenticator, AuthSettings
from gateway.authenticate.resolver import read_zone
from gateway.core.know import proof
from gateway.core.model import Envelope, Listener, Proof, ProofLevel
from gateway.core.read import wire

pytestmark = needs_suites

FOLDER = SUITES / "attacks"
NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SUPPORT = frozenset({"support@support.host.example"})


def cases() -> list[dict[str, Any]]:
    """Cases with a mail and a word on whether the author is proven, and the whole `auth` group."""
    path = FOLDER / "cases.jsonl"
    if not path.is_file():
        return []
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [case for case in found if "eml" in case and "verified" in case["must"]]


def zone(fault: str | None) -> dict[str, Any]:
    """The world's zone, with the fault that the case asks for."""
    names: dict[str, Any] = json.loads((FOLDER / "world.json").read_text("utf-8"))["dns"]
    if fault == "dns-timeout":
        return {name: {"status": "timeout"} for name in names}
    if fault == "dns-huge-txt":
        huge = "v=spf1 " + "ip4:192.0.2.10 " * 4000 + "-all"
        return {name: {"TXT": [huge, *content["TXT"]]} for name, content in names.items()}
    return names


def registered() -> frozenset[str]:
    """The addresses of the world's accounts."""
    accounts = json.loads((FOLDER / "world.json").read_text("utf-8"))["accounts"]
    return frozenset(
        address for account in accounts for address in (account["primary"], *account["secondary"])
    )


def judged(case: dict[str, Any], folder: Path) -> tuple[str, Proof] | None:
    """Author and proof of the case's mail; None where the wire gate has refused it."""
    env = case["env"]
    raw = (folder / case["eml"]).read_bytes()
    if b"\r" not in raw:
        raw = raw.replace(b"\n", b"\r\n")
    envelope = Envelope(
        env["ip"], env["helo"], env["mail_from"], tuple(env["rcpt"]), Listener.EDGE, NOW
    )
    read = wire.read(raw)
    authenticator = Authenticator(
        read_zone(zone(env.get("dns_fault"))), AuthSettings("mx.host.example")
    )
    evidence = run(authenticator.evidence(envelope, read, raw))
    if read.author is None:
        return None
    proven = proof.judge(
        envelope, read.author, None, read.headers, evidence, SUPPORT, (), "content", NOW
    )
    return read.author.key, proven


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_only_those_are_verified_who_must_be(case: dict[str, Any]) -> None:
    """A customer is proven where the case says so, and nowhere else.

    Who proves an address of his own that stands on no account is nobody's customer (I01).
    """
    found = judged(case, FOLDER)
    author, proven = found if found else ("", None)
    proves = proven is not None and proven.level in (ProofLevel.STRONG, ProofLevel.MEDIUM)
    verified = proves and author in registered()
    wanted = case["must"]["verified"]
    if isinstance(wanted, bool):
        assert verified is wanted, proven
    else:
        assert proven is not None  # a signature within the limit decides: either is right
