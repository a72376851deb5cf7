"""A gateway in one process with a pinned clock: the real pipeline, store, writer, outbox and jobs.

Mail goes in as bytes with an envelope; what the outbox gives away is kept as sent. Nothing waits:
the clock moves when a test moves it.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import dkim
import time_machine
from tests_support import ROOT

from gateway.again import Again
from gateway.config import Config, parse, resolve
from gateway.core.model import Committed, Effects, Envelope, Listener
from gateway.core.say import letters
from gateway.core.say.ledgers import sign_in_spends
from gateway.demo.world import _new_key, _public
from gateway.house import Rooms, Standing
from gateway.jobs import Jobs, house_jobs
from gateway.pipeline import Answer, Pipeline
from gateway.store import accounts, changes, mails, reader, rows
from gateway.store.engine import Store
from gateway.store.outbox import Outbox
from gateway.store.prepared import Link
from gateway.store.writer import Writer

SUPPORT, SELECTOR = "support@host.example", "rows"
SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"in-reply-to", b"references")

# The servers that send mail; each signs with its own domain, and SPF names its address.
HOSTS = {
    "studio-rossi.example": "192.0.2.10",
    "bianchi-srl.example": "192.0.2.20",
    "posta.example": "192.0.2.30",
    "curious.example": "192.0.2.40",
    "desk.example": "192.0.2.50",  # staff's own mailboxes
    "host.example": "192.0.2.60",  # ourselves
    "other.example": "192.0.2.70",  # another gateway of our kind
    "forger.example": "203.0.113.66",
}
ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "account": "A-1001",
        "name": "Studio Rossi",
        "language": "it",
        "state": "active",
        "primary": "anna@studio-rossi.example",
        "secondary": [
            "tecnico@posta.example",
            {"address": "conti@studio-rossi.example", "kinds": ["billing"]},
        ],
        "services": [
            {"name": "vps-12", "kind": "vps", "order": "123456", "ip": ["198.51.100.7"]},
            {"name": "mail-7", "kind": "mail", "order": "123457", "ip": ["198.51.100.8"]},
        ],
    },
    {
        "account": "A-1002",
        "name": "Bianchi Srl",
        "language": "it",
        "state": "active",
        "primary": "carlo@bianchi-srl.example",
        "secondary": [],
        "services": [
            {"name": "web-40", "kind": "hosting", "order": "223344", "ip": ["198.51.100.9"]},
        ],
    },
)
STAFF = """
[[staff]]
name = "Marta"
address = "marta@desk.example"
departments = ["technical", "general"]
"""


@dataclass(frozen=True)
class Sent:
    """A mail that left the outbox."""

    to: str
    kind: str
    raw: bytes
    ticket: str | None
    notice: bool
    envelope_from: str = ""

    @property
    def mail(self) -> EmailMessage:
        """Parsed."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def words(self) -> str:
        """Subject and plain text, white space folded."""
        body = self.mail.get_body(("plain",))
        text = body.get_content() if body else ""
        return " ".join(f"{self.mail['Subject']} {text}".split())


def build(folder: Path) -> None:
    """A world below `folder`: zone, key, accounts, policies with a member of staff."""
    key = _new_key()
    (folder / "key.pem").write_bytes(key)
    zone: dict[str, Any] = {}
    for domain, ip in HOSTS.items():
        zone[domain] = {"TXT": [f"v=spf1 ip4:{ip} -all"], "A": [ip]}
        zone[f"_dmarc.{domain}"] = {"TXT": ["v=DMARC1; p=none"]}
        zone[f"{SELECTOR}._domainkey.{domain}"] = {"TXT": [f"v=DKIM1; p={_public(key)}"]}
    (folder / "zone.json").write_text(json.dumps(zone))
    lines = (json.dumps(account) for account in ACCOUNTS)
    (folder / "accounts.jsonl").write_text("\n".join(lines))
    shutil.copytree(ROOT / "policies", folder / "policies")
    routing = folder / "policies" / "routing.toml"
    routing.write_text(routing.read_text() + STAFF)
    (folder / "portiere.toml").write_text(f"""
host_name = "gateway.host.example"
[database]
url = "sqlite:///portiere.db"
[[listener]]
address = "127.0.0.1:2525"
[support]
name = "Host Example"
addresses = ["{SUPPORT}", "billing@host.example"]
domain = "host.example"
panel_url = "https://panel.host.example/"
[dns]
zone = "zone.json"
[paths]
policies = "policies"
blobs = "blobs"
secrets = "secrets.json"
control = "control.sock"
""")


def config_of(folder: Path) -> Config:
    """The configuration that `build` left there."""
    file = folder / "portiere.toml"
    return resolve(parse(file.read_text(), str(file)), folder)


@dataclass
class House:
    """One running gateway; `now` is the only clock."""

    config: Config
    rooms: Rooms
    writer: Writer
    now: datetime
    key: bytes
    sent: list[Sent] = field(default_factory=list)
    last: str = ""  # the id of the mail decided last
    effects: list[Effects] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.rooms.house())
        self.again = Again(self.rooms.store, self.pipeline, self._commit)
        self.outbox = Outbox(self.rooms.store, self.writer)
        listed = house_jobs(
            self.rooms.store, self.config.retention, self.rooms.post, self.rooms.reader.account
        )
        self.jobs = Jobs(self.rooms.store, self.writer, "rows", lambda: self.now, listed)

    @property
    def told(self) -> list[Sent]:
        """What has gone to customers and authors, staff and notification addresses left out."""
        return [one for one in self.sent if not one.notice]

    async def _commit(self, effects: Effects) -> Committed:
        done = await asyncio.wrap_future(self.writer.commit(effects))
        self.last = done.mail_id
        self.effects.append(effects)
        return done

    def write(self, work: Any) -> Any:
        """One transaction."""
        return self.writer.run(work).result()

    def read(self, work: Any) -> Any:
        """One read."""
        with self.rooms.store.reading() as connection:
            return work(connection)

    def ask(self, account: str, address: str, *, again: bool = False) -> None:
        """An address that an account wants is asked by mail whether it belongs to it."""
        post = self.rooms.post(self.now)

        def work(connection: Any) -> None:
            if again:
                accounts.ask_address(connection, account, address, self.now)
            else:
                accounts.add_address(connection, account, address, self.now, confirmed=False)
            to = reader.unconfirmed(connection, account, address)
            assert to is not None
            rows.spend(Link.of(connection), sign_in_spends(post.routing.caps, to, self.now))
            changes.queue(connection, [letters.address_question(post, to)], self.now)

        self.write(work)

    def receive(self, envelope: Envelope, raw: bytes) -> Answer:
        """One mail, what it releases, and what goes out at once."""

        async def all_of_it() -> Answer:
            answer = await self.pipeline.handle(envelope, raw, self._commit)
            mail = self.last
            await self.again.released()
            self.last = mail
            return answer

        answer = asyncio.run(all_of_it())
        self.deliver()
        return answer

    def wait(self, how_long: timedelta) -> None:
        """The clock moves; jobs run; what has become due goes out."""
        self.now += how_long
        self.jobs.run_due()
        self.deliver()

    def deliver(self) -> None:
        """Everything that is due goes out."""
        while leases := self.outbox.claim("rows", self.now):
            for lease in leases:
                self.sent.append(
                    Sent(
                        lease.to,
                        lease.kind,
                        lease.raw,
                        lease.ticket,
                        lease.notice,
                        lease.envelope_from,
                    )
                )
                assert self.outbox.sent(lease, self.now)

    def trace(self) -> dict[str, Any]:
        """What was decided about the last mail."""
        return mails.trace(self.rooms.store, self.last) or {}

    def envelope(self, mail: dict[str, Any]) -> Envelope:
        """The session of a mail: by its sender's own server, unless it says otherwise."""
        host = mail.get("host") or mail["from"].partition("@")[2]
        return Envelope(
            client_ip=HOSTS[host],
            helo=f"mx.{host}",
            mail_from=mail.get("mail_from", mail["from"]),
            recipients=(mail.get("to", SUPPORT),),
            listener=Listener.EDGE,
            received_at=self.now,
        )

    def compose(self, mail: dict[str, Any]) -> bytes:
        """The bytes, signed by the sending host's domain where the mail does not say `signed`."""
        self.number += 1
        host = mail.get("host") or mail["from"].partition("@")[2]
        head = {
            "From": f"<{mail['from']}>",
            "To": f"<{mail.get('to', SUPPORT)}>",
            "Subject": mail["subject"],
            "Date": format_datetime(self.now),
            "Message-ID": mail.get("message_id", f"<{self.number}@{host}>"),
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            **mail.get("headers", {}),
        }
        lines = "".join(f"{name}: {value}\n" for name, value in head.items())
        raw = f"{lines}\n{mail['body'].strip()}\n".replace("\n", "\r\n").encode()
        return self.signed(raw, host) if mail.get("signed", True) else raw

    def signed(self, raw: bytes, host: str) -> bytes:
        """The mail with a signature of this domain, made now."""
        with time_machine.travel(self.now, tick=False):
            signature: bytes = dkim.sign(
                raw,
                SELECTOR.encode(),
                host.encode(),
                self.key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[one for one in SIGNED if one in raw.lower()],
            )
        return signature + raw


class Village:
    """Makes houses of one world: keys, tables and an imported database are made once."""

    def __init__(self, folder: Path, edit: Callable[[Path], None] = lambda _: None) -> None:
        """`folder` is empty; `edit` may change the files of the world."""
        self._pattern = folder / "pattern"
        self._pattern.mkdir()
        self._folder = folder
        self._count = 0
        build(self._pattern)
        edit(self._pattern)
        config = config_of(self._pattern)
        self._standing = Standing(config)
        store = Store.open(config.database.url, config.paths.blobs)
        with Writer(store) as writer:
            rows = accounts.load_file(self._pattern / "accounts.jsonl")
            at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
            writer.run(lambda connection: accounts.apply(connection, rows, at)).result()
        store.close()

    @contextmanager
    def house(self, now: datetime) -> Iterator[House]:
        """A gateway with an untouched database."""
        self._count += 1
        folder = self._folder / str(self._count)
        shutil.copytree(self._pattern, folder)
        config = config_of(folder)
        store = Store.open(config.database.url, config.paths.blobs)
        rooms = Rooms(config, store, self._standing)
        writer = Writer(store)
        try:
            yield House(config, rooms, writer, now, (folder / "key.pem").read_bytes())
        finally:
            writer.close()
            rooms.close()
