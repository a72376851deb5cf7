"""A reply to our own acknowledgement that cannot be proven: it waits, and the customer is told."""

from datetime import datetime
from typing import Any

import pytest
from row_house import Village

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA = "anna@studio-rossi.example"


@pytest.mark.parametrize(
    ("more", "told"), [({}, ["hold"]), ({"Auto-Submitted": "auto-replied"}, [])]
)
def test_an_unproven_reply_to_a_receipt_is_announced_once_a_day(
    village: Village, more: dict[str, str], told: list[str]
) -> None:
    """To the official address, without its content; unless a machine wrote it."""
    with village.house(START) as house:
        body = "Buongiorno, vorrei sapere il costo del rinnovo di vps-12."
        first: dict[str, Any] = {"from": ANNA, "subject": "Rinnovo vps-12", "body": body}
        house.receive(house.envelope(first), house.compose(first))
        receipt, before = house.told[0], len(house.told)
        for number in ("8838", "8839"):
            reply: dict[str, Any] = {
                "from": ANNA,
                "to": str(receipt.mail["Reply-To"]),
                "host": "forger.example",
                "mail_from": "eve@forger.example",
                "signed": False,
                "subject": f"Re: {receipt.mail['Subject']}",
                "body": f"Ecco il numero del bonifico: {number}.",
                "headers": {"In-Reply-To": str(receipt.mail["Message-ID"]), **more},
            }
            house.receive(house.envelope(reply), house.compose(reply))
        sent = house.told[before:]
        assert [(one.to, one.kind) for one in sent] == [(ANNA, kind) for kind in told]
        assert not any("bonifico" in one.words for one in sent)
