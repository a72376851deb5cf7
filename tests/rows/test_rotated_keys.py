"""Keys of tokens, rotated under a running gateway: it reads and makes with one set of them."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from row_house import House, Sent, Village, build, config_of

from gateway import keyring
from gateway.core.know import token as tokens
from gateway.core.say.desk import Desk
from gateway.errors import BadInput
from gateway.house import Standing
from gateway.store import tickets

START = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
ANNA = "anna@studio-rossi.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A gateway whose keys no other test uses."""
    with Village(tmp_path).house(START) as one:
        yield one


def secrets_of(house: House) -> Path:
    """The file that its standing reads."""
    return house.rooms.standing._config.paths.secrets


def written(house: House) -> Sent:
    """A ticket of Anna's, and our acknowledgement."""
    body = "Buongiorno, vorrei sapere il costo del rinnovo di vps-12."
    mail = {"from": ANNA, "subject": "Rinnovo vps-12", "body": body}
    before = len(house.sent)
    house.receive(house.envelope(mail), house.compose(mail))
    return house.sent[before]


def key_id(sent: Sent) -> int:
    """By which key its return path was made."""
    found = [n for n in range(4) if not tokens.strange(tokens.Keys(n, ((n, b""),)), _paths(sent))]
    return found[0]


def _paths(sent: Sent) -> list[str]:
    return [sent.envelope_from]


def test_a_reload_takes_the_new_keys_everywhere_at_once(house: House) -> None:
    """What is read, what is said in answer, and what the house says by itself."""
    keyring.rotate(secrets_of(house))
    standing = house.rooms.standing
    assert standing.knowing.keys.current == 0
    standing.use(standing.read())
    desks: list[Desk] = [house.rooms.desk, house.rooms.post(START).desk, house.rooms.house().desk]
    assert [one.keys.current for one in desks] == [1, 1, 1]
    assert standing.knowing.keys.current == 1
    assert key_id(written(house)) == 1


def test_a_damaged_file_leaves_the_old_keys(house: House) -> None:
    """A reload is refused as a whole; so is a file that is gone."""
    path = secrets_of(house)
    path.write_text("{")
    with pytest.raises(BadInput):
        house.rooms.standing.read()
    path.unlink()
    with pytest.raises(BadInput):
        house.rooms.standing.read()
    assert key_id(written(house)) == 0


def test_a_token_of_an_unknown_key_makes_the_gateway_read_the_file(house: House) -> None:
    """A command made mail with the new key, and its delivery report came before any reload."""
    sent = written(house)
    keys = keyring.rotate(secrets_of(house))
    assert sent.ticket is not None
    reply = tokens.make(keys, sent.ticket, "A-1001", house.now)
    mail = {
        "from": ANNA,
        "to": tokens.reply_address(reply, "support@host.example"),
        "subject": "Re: Rinnovo",
        "body": "Ecco il dato che mancava: il nome è vps-12.",
    }
    house.receive(house.envelope(mail), house.compose(mail))
    assert house.trace()["ticket"] == sent.ticket
    assert house.rooms.standing.knowing.keys.current == 1
    shown = house.read(lambda one: tickets.show(one, sent.ticket))
    assert [one["by"] for one in shown["entries"]].count("customer") == 2


def test_a_made_up_key_reads_the_file_once(house: House) -> None:
    """Nobody makes the gateway read it again and again, and a damaged one changes nothing."""
    path = secrets_of(house)
    standing = house.rooms.standing
    before = standing.knowing
    assert standing.renewed() is before
    path.write_text("{")
    assert standing.renewed() is before
    keyring_text = json.dumps({"current": 0, "keys": []})
    path.write_text(keyring_text)
    assert standing.renewed() is before


def test_a_standing_that_may_not_write_makes_no_file(tmp_path: Path) -> None:
    """Its keys are thought of, at the start and at a reload."""
    build(tmp_path)
    standing = Standing(config_of(tmp_path), read_only=True)
    standing.use(standing.read())
    assert not (tmp_path / "secrets.json").exists()
