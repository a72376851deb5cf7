"""The demo's world as files: DKIM keys, a zone of test domains, accounts, a ticket, a
configuration.

Every host has its own loopback address, so SPF can tell them apart. Names are reserved ones
(RFC 2606).
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.errors import BadInput

SUPPORT = "support@host.example"
TICKET = "482913"
SELECTOR = "demo"

# Who sends from where; the last column is what the domain asks for when nothing passes.
HOSTS: dict[str, tuple[str, str]] = {
    "studio-rossi.example": ("127.0.0.10", "none"),
    "bianchi-srl.example": ("127.0.0.20", "reject"),
    "posta.example": ("127.0.0.30", "none"),
    "curious.example": ("127.0.0.40", "none"),
    "forger.example": ("127.0.0.66", "none"),
}

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "account": "A-1001",
        "name": "Studio Rossi",
        "language": "it",
        "state": "active",
        "primary": "anna@studio-rossi.example",
        "secondary": ["tecnico@posta.example"],
        "services": [
            {"name": "vps-12", "kind": "vps", "order": "123456", "ip": ["192.0.2.7"]},
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

TICKETS: tuple[dict[str, Any], ...] = (
    {
        "number": TICKET,
        "account": "A-1001",
        "subject": "Posta lenta",
        "state": "closed",
        "department": "technical",
        "opened": "2026-11-02T09:15:00+01:00",
        "entries": [
            {
                "at": "2026-11-02T09:15:00+01:00",
                "by": "customer",
                "text": "La posta in uscita arriva con ore di ritardo.",
            }
        ],
    },
)


@dataclass(frozen=True, slots=True)
class World:
    """Where the world lies, and the keys by which its domains sign."""

    folder: Path
    keys: dict[str, bytes]  # domain -> private key, PEM
    smtp_port: int
    sink_port: int
    http_port: int

    @property
    def config(self) -> Path:
        """The configuration of this world's gateway."""
        return self.folder / "portiere.toml"


def build(folder: Path, smtp_port: int, sink_port: int, http_port: int) -> World:
    """Write a new world into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {domain: _new_key() for domain in HOSTS}
    world = World(folder, keys, smtp_port, sink_port, http_port)
    (folder / "keys.json").write_text(json.dumps({d: k.decode() for d, k in keys.items()}))
    (folder / "keys.json").chmod(0o600)
    (folder / "zone.json").write_text(json.dumps(_zone(keys), indent=1))
    _jsonl(folder / "accounts.jsonl", ACCOUNTS)
    _jsonl(folder / "tickets.jsonl", TICKETS)
    world.config.write_text(_config(world))
    return world


def reopen(folder: Path) -> World:
    """The world that `build` left in this folder, for `portiere demo send`."""
    if not (folder / "ports.json").exists():
        raise BadInput(f"there is no demo in `{folder}`; start one by `portiere demo serve`")
    ports = json.loads((folder / "ports.json").read_text())
    keys = json.loads((folder / "keys.json").read_text())
    return World(folder, {domain: key.encode() for domain, key in keys.items()}, **ports)


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _public(pem: bytes) -> str:
    key = serialization.load_pem_private_key(pem, None).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def _zone(keys: dict[str, bytes]) -> dict[str, Any]:
    zone: dict[str, Any] = {}
    for domain, (address, policy) in HOSTS.items():
        zone[domain] = {"TXT": [f"v=spf1 ip4:{address} -all"], "MX": [[10, f"mx.{domain}"]]}
        zone[f"mx.{domain}"] = {"A": [address]}
        zone[f"_dmarc.{domain}"] = {"TXT": [f"v=DMARC1; p={policy}"]}
        record = f"v=DKIM1; k=rsa; p={_public(keys[domain])}"
        zone[f"{SELECTOR}._domainkey.{domain}"] = {"TXT": [record]}
    return zone


def _jsonl(path: Path, rows: tuple[dict[str, Any], ...]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _config(world: World) -> str:
    ports = {
        "smtp_port": world.smtp_port,
        "sink_port": world.sink_port,
        "http_port": world.http_port,
    }
    (world.folder / "ports.json").write_text(json.dumps(ports))
    return f"""\
host_name = "gateway.host.example"

[database]
url = "sqlite:///portiere.db"

[[listener]]
address = "127.0.0.1:{world.smtp_port}"
protocol = "smtp"
role = "edge"

[support]
name = "Host Example"
addresses = ["{SUPPORT}"]
domain = "host.example"
languages = ["it", "en"]
panel_url = "https://panel.host.example/"

[smarthost]
host = "127.0.0.1"
port = {world.sink_port}
starttls = "never"

[dns]
zone = "zone.json"

[paths]
blobs = "blobs"
secrets = "secrets.json"
control = "control.sock"

[http]
address = "127.0.0.1:{world.http_port}"

[log]
format = "json"
addresses = "full"
"""
