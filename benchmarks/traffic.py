"""What the load benchmarks send: signed mails of many customers, half of them answers to earlier
ones, with the zone, the accounts and the configuration of a gateway that takes them.

Every mail has words of its own. Names are reserved ones (RFC 2606); everything is on loopback.
"""

import base64
import hashlib
import json
import random
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Keys = dict[str, rsa.RSAPrivateKey]  # by domain

SUPPORT = "support@host.example"
DOMAINS, CUSTOMERS = 50, 400
SIZE = 2_000

SENTENCES = {
    "it": (
        "Buongiorno, da ieri sera il sito non risponde più e i clienti si lamentano.",
        "Vi chiedo se la copia di sicurezza di lunedì è ancora disponibile.",
        "Il pannello mostra un errore quando apro la pagina delle caselle di posta.",
        "La connessione verso il server {n} cade ogni pochi minuti.",
        "Abbiamo provato a riavviare, ma la situazione non è cambiata.",
        "Allego quello che ho visto nel registro della macchina {n}.",
        "Potete dirmi quando finisce il lavoro di manutenzione?",
        "I messaggi verso {n}.example tornano indietro con un avviso.",
        "Il certificato scade tra pochi giorni e vorrei rinnovarlo.",
        "Grazie per la pazienza e per il lavoro che fate.",
    ),
    "en": (
        "Hello, since last night the site does not answer and our visitors complain.",
        "I would like to know whether the backup of Monday is still there.",
        "The panel shows an error when I open the page of the mailboxes.",
        "The connection to the machine {n} drops every few minutes.",
        "We have tried a restart, but nothing has changed since then.",
        "Below is what I have seen in the log of the node {n}.",
        "Could you tell me when the maintenance work will be finished?",
        "Messages to {n}.example come back with a warning after an hour.",
        "The certificate expires in a few days and I want to renew it.",
        "Thank you for your patience and for the work that you do.",
    ),
}
SUBJECTS = {
    "it": ("Sito lento", "Posta che non arriva", "Domanda sul pannello", "Errore {n}"),
    "en": ("Slow site", "Mail does not arrive", "Question about the panel", "Error {n}"),
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the gateway listens, and where it sends."""

    smtp: int
    sink: int
    http: int


def lay_out(folder: Path, ports: Ports, mode: str = "live") -> Keys:
    """Zone, accounts and configuration in a folder; the keys by which the domains sign."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {f"cust{n}.example": rsa.generate_private_key(65537, 2048) for n in range(DOMAINS)}
    (folder / "zone.json").write_text(json.dumps(_zone(keys)))
    rows = (json.dumps(_account(n)) + "\n" for n in range(CUSTOMERS))
    (folder / "accounts.jsonl").write_text("".join(rows))
    (folder / "portiere.toml").write_text(_config(ports, mode))
    return keys


def write(folder: Path, keys: Keys, count: int, size: int = SIZE) -> Path:
    """So many mails as files, named by their envelope sender; their folder."""
    place = folder / "mails"
    place.mkdir()
    for number, (sender, raw) in enumerate(mails(keys, count, size)):
        (place / f"{number:06}__{sender}.eml").write_bytes(raw)
    return place


def mails(keys: Keys, count: int, size: int = SIZE) -> Iterator[tuple[str, bytes]]:
    """Envelope sender and bytes of each mail; every second one answers one of its author."""
    last: dict[int, tuple[str, str]] = {}
    for number in range(count):
        dice = random.Random(number)
        who = dice.randrange(CUSTOMERS)
        language = "it" if who % 2 else "en"
        domain = f"cust{who % DOMAINS}.example"
        subject = dice.choice(SUBJECTS[language]).format(n=number)
        fields = {}
        if number % 2 and who in last:
            parent, above = last[who]
            subject = f"Re: {above}"
            fields = {"In-Reply-To": parent, "References": parent}
        identifier = f"<{number}.{size}@{domain}>"
        last[who] = identifier, subject.removeprefix("Re: ")
        head = {
            "From": f"Customer {who} <{sender_of(who)}>",
            "To": f"Support <{SUPPORT}>",
            "Subject": subject,
            "Date": format_datetime(datetime.now(UTC)),
            "Message-ID": identifier,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
        }
        words = _words(dice, language, number, max(200, size - 1_150))
        yield sender_of(who), _signed(keys[domain], domain, head, fields, words)


def sender_of(who: int) -> str:
    """The address of a customer."""
    return f"u{who}@cust{who % DOMAINS}.example"


def _words(dice: random.Random, language: str, number: int, size: int) -> str:
    said: list[str] = []
    while sum(map(len, said)) < size:
        said.append(dice.choice(SENTENCES[language]).format(n=number * 7 + len(said)))
    lines = textwrap.wrap(" ".join(said), 72)
    return "\r\n".join(lines) + "\r\n"


def _signed(
    key: rsa.RSAPrivateKey,
    domain: str,
    head: dict[str, str],
    unsigned: dict[str, str],
    words: str,
) -> bytes:
    """RFC 6376, relaxed/relaxed."""
    canonical = re.sub(r"[ \t]+\r\n", "\r\n", re.sub(r"[ \t]+", " ", words)).encode()
    digest = base64.b64encode(hashlib.sha256(canonical).digest()).decode()
    names = ":".join(name.lower() for name in head)
    tags = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1; h={names}; bh={digest}; b="
    data = "".join(f"{name.lower()}:{value}\r\n" for name, value in head.items())
    data += f"dkim-signature:{tags}"
    made = key.sign(data.encode(), padding.PKCS1v15(), hashes.SHA256())
    signature = base64.b64encode(made).decode()
    folded = "\r\n ".join(textwrap.wrap(signature, 70))
    received = (
        f"Received: from mx.{domain} (mx.{domain} [127.0.0.1])\r\n"
        f"\tby out.{domain} with ESMTPS; {head['Date']}\r\n"
    )
    rest = "".join(f"{name}: {value}\r\n" for name, value in (unsigned | head).items())
    return f"DKIM-Signature: {tags}\r\n {folded}\r\n{received}{rest}\r\n{words}".encode()


def _zone(keys: Keys) -> dict[str, dict[str, list[str]]]:
    zone = {"_spf.relay.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.0/8 -all"]}}
    for domain, key in keys.items():
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
        zone[domain] = {"TXT": ["v=spf1 include:_spf.relay.example -all"]}
        zone[f"s1._domainkey.{domain}"] = {"TXT": [record]}
        zone[f"_dmarc.{domain}"] = {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]}
    return zone


def _account(number: int) -> dict[str, object]:
    return {
        "account": f"C-{number}",
        "name": f"Customer {number}",
        "language": "it" if number % 2 else "en",
        "state": "active",
        "primary": sender_of(number),
        "secondary": [],
        "services": [
            {"name": f"vps-{number + 10}", "kind": "vps", "order": str(100_000 + number)}
        ],
    }


def _config(ports: Ports, mode: str) -> str:
    return f"""\
mode = "{mode}"
host_name = "gateway.host.example"

[database]
url = "sqlite:///portiere.db"

[[listener]]
address = "127.0.0.1:{ports.smtp}"
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
port = {ports.sink}
starttls = "never"

[dns]
zone = "zone.json"

[paths]
blobs = "blobs"
secrets = "secrets.json"
control = "control.sock"

[http]
address = "127.0.0.1:{ports.http}"
"""
