"""A customer whose official address has letters beyond ASCII (RFC 6531), to the smarthost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes_smarthost import Sink
from row_house import Sent, Village

from gateway.deliver.smarthost import Smarthost, SmarthostSettings
from gateway.errors import Permanent

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = "annà@studio-rossi.example"


def _renamed(folder: Path) -> None:
    listed = folder / "accounts.jsonl"
    listed.write_text(listed.read_text().replace("anna@studio-rossi.example", ANNA))


def _answer(folder: Path) -> Sent:
    """What she is sent about a mail of hers."""
    with Village(folder, _renamed).house(MONDAY) as house:
        mail = {"from": ANNA, "subject": "Fattura", "body": "Buongiorno,\nmanca la fattura.\nAnnà"}
        envelope = replace(house.envelope(mail), smtputf8=True)
        assert house.receive(envelope, house.compose(mail)).code == 250
        assert house.trace()["account"] == "A-1001"
        return next(one for one in house.told if one.to == ANNA)


async def _send(sent: Sent, sink: Sink) -> None:
    smarthost = Smarthost(SmarthostSettings(host=sink.host, port=sink.port, starttls="never"))
    try:
        await smarthost.send(sent.envelope_from, sent.to, sent.raw)
    finally:
        await smarthost.close()


def test_the_answer_to_a_utf8_address_goes_by_smtputf8(tmp_path: Path) -> None:
    """With the extension it is sent as it is; without it the row fails, and says why."""
    sent = _answer(tmp_path)

    async def both() -> None:
        async with Sink() as able:
            await _send(sent, able)
            assert able.mails[0].recipients == (ANNA,)
            assert "SMTPUTF8" in able.mails[0].parameters.split()
        async with Sink(extensions=("SIZE 50000000", "8BITMIME")) as unable:
            with pytest.raises(Permanent, match=r"5\.6\.7"):
                await _send(sent, unable)
            assert unable.mails == []

    asyncio.run(both())
