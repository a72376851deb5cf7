"""A customer who writes by certified mail, through the whole house."""

import asyncio
import base64
import json
from typing import Any

import pytest
import smime_signing as signing
from auth_house import CONFIG, SUPPORT
from pec_wrapping import CERTIFICATE, PROVIDER, ROOT, signed_part, wrapper

from gateway.config import parse, resolve
from gateway.explainer import Explainer
from gateway.house import Rooms
from gateway.store import accounts
from gateway.store.writer import Writer

ACCOUNT = {
    "account": "A-1",
    "name": "Studio Anna",
    "language": "it",
    "state": "active",
    "primary": "studio@official.example",
    "secondary": ["anna@cliente.example"],
    "services": [{"name": "vps-zaffiro"}],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is decided of each kind of letter."""
    folder = tmp_path_factory.mktemp("pec")
    (folder / "providers.pem").write_bytes(ROOT.pem)
    (folder / "a.jsonl").write_text(json.dumps(ACCOUNT) + "\n")
    config = resolve(
        parse(CONFIG + '[proof]\npec_providers = "providers.pem"\n', "pec.toml"), folder
    )
    rooms = Rooms.open(config)
    with Writer(rooms.store) as writer:
        rows = accounts.load_file(folder / "a.jsonl")
        writer.run(lambda connection: accounts.apply(connection, rows, signing.NOW)).result()
    rooms.close()
    forger = signing.mailbox("mallory@pec.example", ROOT)
    elsewhere = CERTIFICATE.replace(SUPPORT, "other@desk.example")
    mails = {
        "genuine": wrapper(),
        "forged": wrapper(holder=forger),
        "elsewhere": wrapper(signed_part(certificate=elsewhere)),
        "receipt": wrapper(marks="X-Ricevuta: accettazione"),
    }
    with Explainer(config) as explainer:
        return {
            kind: asyncio.run(explainer.explain(case(raw), folder)) for kind, raw in mails.items()
        }


def case(raw: bytes) -> dict[str, Any]:
    """The mail comes from a network of which DNS says nothing."""
    encoded = base64.b64encode(raw).decode()
    return {
        "raw_base64": encoded,
        "zone": {},
        "now": signing.NOW.isoformat(),
        "mail_from": str(PROVIDER),
        "client_ip": "192.0.2.7",
    }


def test_a_certified_letter_opens_a_ticket_of_its_author(told: dict[str, dict[str, Any]]) -> None:
    """At `medium`, as the account's own address; what is said goes to the official one."""
    found = told["genuine"]
    assert found["author"] == "anna@cliente.example"
    assert found["proof"]["level"] == "medium"
    assert found["sender"] == {"kind": "secondary", "account": "A-1"}
    assert found["mail"]["text"].strip() == "Buongiorno, disdico."
    assert found["decision"]["outcome"] == "panel"
    assert [reply["to"] for reply in found["replies"]] == ["studio@official.example"]


@pytest.mark.parametrize("kind", ["forged", "elsewhere"])
def test_a_wrapper_that_proves_nothing_discloses_nothing(
    told: dict[str, dict[str, Any]], kind: str
) -> None:
    """No level is reached; at most the official address hears that something waits."""
    found = told[kind]
    assert found["proof"]["level"] == "none"
    assert found["decision"]["discloses"] == "none"
    assert {reply["kind"] for reply in found["replies"]} <= {"hold"}


def test_a_receipt_is_recorded(told: dict[str, dict[str, Any]]) -> None:
    """Receipts are the provider's machine speaking."""
    assert told["receipt"]["decision"]["outcome"] == "record"
    assert told["receipt"]["replies"] == []
