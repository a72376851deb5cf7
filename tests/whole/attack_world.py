"""The world of the attack suite as a house of ours: accounts, tickets, zone, placeholders."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.config import Config, parse, resolve
from gateway.core.know import token as tokens
from gateway.core.know.token import Purpose
from gateway.core.read.tokenform import NONCE_BYTES
from gateway.explainer import Explainer
from gateway.house import Rooms
from gateway.store import accounts, ticketfile, tickets
from gateway.store.writer import Writer

# An hour after the suite's mails were signed (their t=).
NOW = datetime.fromtimestamp(1795353289 + 3600, UTC)
_TOKEN = re.compile(r"@@TOKEN:(\d+)(?::(TRUNC|FLIP|EXPIRED|UPPER))?@@")
_OUR_ID = re.compile(r"@@OUR_MSGID:(\d+)@@")


@dataclass(frozen=True)
class World:
    """The suite's world.json, and a configuration of ours that holds it."""

    config: Config
    told: dict[str, Any]
    zone: Path

    @property
    def primaries(self) -> dict[str, str]:
        """Every registered address with the official address of its account."""
        return {
            address: account["primary"]
            for account in self.told["accounts"]
            for address in (account["primary"], *account["secondary"])
        }

    @property
    def secrets(self) -> list[str]:
        """What may never be disclosed: secrets and ticket numbers."""
        kept = [word for words in self.told["secrets"].values() for word in words]
        return [*kept, *(str(ticket["id"]) for ticket in self.told["tickets"])]


def build(suite: Path, folder: Path) -> World:
    """Import the world into a new database below `folder`."""
    told = json.loads((suite / "world.json").read_text())
    text = f"""
[support]
addresses = ["{told["gateway"]["address"]}"]
domain = "{told["gateway"]["domain"]}"
[database]
url = "sqlite:///world.db"
"""
    config = resolve(parse(text, "world.toml"), folder)
    (folder / "accounts.jsonl").write_text(_accounts(told))
    (folder / "tickets.jsonl").write_text(_tickets(told))
    (folder / "zone.json").write_text(json.dumps(told["dns"]))
    rooms = Rooms.open(config)
    with Writer(rooms.store) as writer:
        rows = accounts.load_file(folder / "accounts.jsonl")
        writer.run(lambda connection: accounts.apply(connection, rows, NOW)).result()
        old = ticketfile.load_file(folder / "tickets.jsonl")
        writer.run(lambda connection: tickets.apply(connection, old)).result()
    rooms.close()
    return World(config, told, folder / "zone.json")


def _accounts(told: dict[str, Any]) -> str:
    return "".join(
        json.dumps(
            {
                "account": str(account["id"]),
                "name": account["name"],
                "language": "it",
                "state": "active",
                "primary": account["primary"],
                "secondary": account["secondary"],
                "services": [
                    _service(word) for word in told["secrets"].get(str(account["id"]), [])
                ],
            }
        )
        + "\n"
        for account in told["accounts"]
    )


def _service(word: str) -> dict[str, Any]:
    return {"name": f"ip-{word}", "ip": [word]} if word[0].isdigit() else {"name": word}


def _tickets(told: dict[str, Any]) -> str:
    return "".join(
        json.dumps(
            {
                "number": str(ticket["id"]),
                "account": str(ticket["account"]),
                "subject": "Assistenza",
                "state": "closed" if ticket["state"] == "closed" else "waiting for staff",
                "department": "technical",
                "opened": (NOW - timedelta(days=5)).isoformat(),
                "entries": [],
            }
        )
        + "\n"
        for ticket in told["tickets"]
    )


def filled(text: str, world: World, explainer: Explainer) -> str:
    """The text with its placeholders replaced by tokens and Message-IDs of this house."""
    keys = explainer.rooms.standing.knowing.keys
    owners = {str(ticket["id"]): str(ticket["account"]) for ticket in world.told["tickets"]}

    def token(match: re.Match[str]) -> str:
        issued = NOW - timedelta(days=4000 if match[2] == "EXPIRED" else 1)
        made = tokens.make(keys, match[1], owners[match[1]], issued, Purpose.THREAD)
        if match[2] == "TRUNC":
            return made[:-4]
        if match[2] == "FLIP":
            return made[:-1] + ("a" if made[-1] != "a" else "b")
        return made.upper() if match[2] == "UPPER" else made

    def our_id(match: re.Match[str]) -> str:
        made = tokens.make(
            keys, match[1], owners[match[1]], NOW - timedelta(days=1), Purpose.THREAD
        )
        return tokens.message_id(made, b"\0" * NONCE_BYTES, world.config.support.domain).strip(
            "<>"
        )

    text = _OUR_ID.sub(our_id, _TOKEN.sub(token, text))
    return text.replace("@@OUR_INSTANCE@@", explainer.rooms.desk.instance)
