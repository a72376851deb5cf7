"""A house for tests of sender authentication: customers, DKIM keys, a zone, mails as text."""

import asyncio
import base64
import email
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.authenticate.resolver import read_zone
from gateway.config import parse, resolve
from gateway.core.model import DISCLOSES, Discloses, outcome_of
from gateway.explainer import Explainer
from gateway.house import Rooms
from gateway.pipeline import Course
from gateway.store import accounts
from gateway.store.engine import Store
from gateway.store.writer import Writer

# Ahead of the clock, since mails are signed with the true time while the tests run.
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
ALICE, BOB = "alice@victim.example", "bob@victim.example"
SUPPORT = "support@host.example"
CLIENT, EVIL_CLIENT = "192.0.2.7", "203.0.113.66"
SECRET = "vps-zaffiro"  # a service of Alice's: whoever reads it was told about her account
CONFIG = f"""
host_name = "mx.host.example"
[support]
addresses = ["{SUPPORT}"]
domain = "host.example"
[database]
url = "sqlite:///house.db"
"""
_SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]


def new_key(bits: int = 1024) -> bytes:
    """A private key, PEM."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def public(pem: bytes) -> str:
    """What p= holds for this key."""
    der = serialization.load_pem_private_key(pem, None).public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(der.public_bytes(serialization.Encoding.DER, info)).decode()


KEY = new_key()
PUBLIC = public(KEY)


def key_record(tags: str = "") -> dict[str, Any]:
    """The record of KEY."""
    return {"TXT": [f"v=DKIM1; {tags}p={PUBLIC}"]}


ZONE: dict[str, Any] = {
    "victim.example": {"TXT": [f"v=spf1 ip4:{CLIENT} -all"]},
    "_dmarc.victim.example": {"TXT": ["v=DMARC1; p=none"]},
    "k._domainkey.victim.example": key_record(),
    "evil.example": {"TXT": [f"v=spf1 ip4:{EVIL_CLIENT} -all"]},
    "k._domainkey.evil.example": key_record(),
}


def mail(fields: str = "", body: str = "", **changes: str | None) -> bytes:
    """A mail of Alice's; `Date=None` leaves a field out, `fields` come on top as they are."""
    head: dict[str, str | None] = {
        "From": f"Alice <{ALICE}>",
        "To": f"<{SUPPORT}>",
        "Subject": "My server",
        "Date": NOW.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "Message-ID": "<1@victim.example>",
        **changes,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value is not None)
    words = body or f"My server {SECRET} is down since this morning.\r\n"
    return f"{fields}{lines}\r\n{words}".encode("latin-1")


def signed(raw: bytes, domain: str = "victim.example", **more: Any) -> bytes:
    """The mail with a right signature of this domain on top."""
    chosen = {"include_headers": _SIGNED, **more}
    made: bytes = dkim.sign(raw, b"k", domain.encode(), chosen.pop("key", KEY), **chosen)
    return made + raw


@dataclass
class House:
    """An open house whose customers are Alice (A-1) and Bob (A-2)."""

    explainer: Explainer
    folder: Path

    def take(self, raw: bytes, zone: dict[str, Any] | None = None, **session: Any) -> Course:
        """One mail through everything but the writing."""
        told = {
            "client_ip": CLIENT,
            "helo": "mx.victim.example",
            "mail_from": ALICE,
            "rcpt": [SUPPORT],
            "now": NOW.isoformat(),
            **{key: value for key, value in session.items() if key in _TOLD},
        }
        envelope = self.explainer.envelope(told, raw)
        envelope = replace(
            envelope, **{key: value for key, value in session.items() if key not in _TOLD}
        )
        names = ZONE if zone is None else zone
        return asyncio.run(self.explainer.course(envelope, raw, read_zone(names)))

    def change(self, domain: str, at: datetime) -> None:
        """The registrar's word."""
        store = self.explainer.rooms.config.database.url
        opened = Store.open(store, self.folder / "blobs")
        with Writer(opened) as writer:
            writer.run(lambda connection: accounts.domain_changed(connection, domain, at)).result()
        opened.close()


_TOLD = {"client_ip", "helo", "mail_from", "rcpt", "now", "listener"}
ROWS = (
    {
        "account": "A-1",
        "name": "Alice",
        "language": "en",
        "state": "active",
        "primary": ALICE,
        "secondary": [],
        "services": [{"name": SECRET}],
    },
    {
        "account": "A-2",
        "name": "Bob",
        "language": "en",
        "state": "active",
        "primary": BOB,
        "secondary": [],
        "services": [],
    },
)


@contextmanager
def house(folder: Path, more: str = "") -> Iterator[House]:
    """A house below `folder`; `more` is added to its configuration."""
    config = resolve(parse(CONFIG + more, "house.toml"), folder)
    file = folder / "accounts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    rooms = Rooms.open(config)
    with Writer(rooms.store) as writer:
        rows = accounts.load_file(file)
        confirmed = NOW - timedelta(days=30)
        writer.run(lambda connection: accounts.apply(connection, rows, confirmed)).result()
    rooms.close()
    with Explainer(config) as explainer:
        yield House(explainer, folder)


def level(course: Course) -> str:
    """The level of proof, or `-` where the wire gate refused the mail."""
    return course.proof.level.value if course.proof else "-"


def discloses(course: Course) -> bool:
    """Whether the outcome may tell about an account."""
    if course.decision is None:
        return False
    return DISCLOSES[outcome_of(course.decision)] is Discloses.ACCOUNT


def replies(course: Course) -> list[tuple[str, str]]:
    """Every reply: to whom, and all its words."""
    outgoing = course.effects.outgoing if course.effects else ()
    return [(one.to, _words(one.raw)) for one in outgoing if not one.notice]


def _words(raw: bytes) -> str:
    parts = email.message_from_bytes(raw).walk()
    bodies = (part.get_payload(decode=True) for part in parts if not part.is_multipart())
    return raw.decode("latin-1") + "".join(
        body.decode("utf-8", "replace") for body in bodies if isinstance(body, bytes)
    )
