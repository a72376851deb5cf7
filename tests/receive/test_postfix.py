"""A real Postfix in front of the door: the envelope names the true client, by SMTP and by LMTP.

Postfix runs from a configuration of its own in a temporary folder, on loopback ports, as root.
"""

import asyncio
import os
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from receive_support import World, relay, world

POSTFIX = shutil.which("postfix") or "/usr/sbin/postfix"

pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.skipif(not Path(POSTFIX).exists(), reason="postfix is absent"),
    pytest.mark.skipif(os.geteuid() != 0, reason="postfix needs root"),
]

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
mail_owner = postfix
myhostname = relay.host.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relay_domains = host.example
transport_maps = inline:{{ host.example={transport} }}
smtp_send_xforward_command = yes
lmtp_send_xforward_command = yes
smtpd_authorized_xclient_hosts = 127.0.0.0/8
local_header_rewrite_clients =
smtpd_peername_lookup = no
smtp_host_lookup = native
maillog_file_prefixes = {home}
maillog_file = {home}/log
alias_maps =
local_recipient_maps =
relay_recipient_maps =
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A running instance; `port` takes mail for host.example."""

    home: Path
    port: int

    def log(self) -> str:
        """What it has said."""
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def relay(self, sender: str, recipients: list[str], mail: bytes) -> None:
        """Hand it a mail, as a client at 192.0.2.77 would (told by XCLIENT)."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.ehlo("test.example")
            assert client.docmd("XCLIENT NAME=mail.sender.example ADDR=192.0.2.77")[0] == 220
            client.ehlo("helo.sender.example")
            client.sendmail(sender, recipients, mail)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that Postfix's own user may enter."""
    path = Path("/var/tmp") / f"portiere-postfix-{os.getpid()}"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start(home: Path, transport: str) -> Postfix:
    """Write the configuration and start it."""
    port = free_port()
    for name in ("spool", "data", "etc"):
        (home / name).mkdir(mode=0o755)
    shutil.chown(home / "data", "postfix")
    (home / "etc" / "main.cf").write_text(MAIN.format(home=home, transport=transport))
    (home / "etc" / "master.cf").write_text(MASTER.format(port=port))
    done = subprocess.run(
        [POSTFIX, "-c", str(home / "etc"), "start"], capture_output=True, text=True, check=False
    )
    running = Postfix(home, port)
    assert done.returncode == 0, done.stdout + done.stderr + running.log()
    return running


def stop(home: Path) -> None:
    subprocess.run([POSTFIX, "-c", str(home / "etc"), "stop"], capture_output=True, check=False)


async def relayed(here: World, home: Path, transport: str, recipients: list[str]) -> None:
    """One mail through Postfix, and its arrival."""
    postfix = await asyncio.to_thread(start, home, transport)
    try:
        mail = b"From: a@sender.example\r\nSubject: hello\r\n\r\n.dot\r\nlast\r\n"
        await asyncio.to_thread(postfix.relay, "a@sender.example", recipients, mail)
        for _ in range(500):
            if here.mails:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(postfix.log())
    finally:
        await asyncio.to_thread(stop, home)


def through_postfix(
    home: Path, transport: str, method: str, recipients: list[str], **settings: str
) -> World:
    """Open a door, relay one mail into it."""

    async def main() -> World:
        async with asyncio.timeout(60), world(relays=[relay(method)], **settings) as here:
            port = here.address.rpartition(":")[2]
            await relayed(here, home, transport.format(port=port), recipients)
            return here

    return asyncio.run(main())


def test_smtp_with_xforward_names_the_true_client(home: Path) -> None:
    """Address and HELO are those of Postfix's client, not Postfix's own."""
    here = through_postfix(home, "smtp:[127.0.0.1]:{port}", "xforward", ["support@host.example"])
    envelope, raw = here.mails[0]
    assert (envelope.client_ip, envelope.helo) == ("192.0.2.77", "helo.sender.example")
    assert (envelope.mail_from, envelope.recipients) == (
        "a@sender.example",
        ("support@host.example",),
    )
    assert raw.endswith(b"\r\n\r\n.dot\r\nlast\r\n")


def test_lmtp_with_xforward_names_the_true_client(home: Path) -> None:
    """The same over LMTP, with a reply for each recipient."""
    here = through_postfix(
        home,
        "lmtp:inet:[127.0.0.1]:{port}",
        "xforward",
        ["support@host.example", "billing@host.example"],
        protocol="lmtp",
    )
    envelope, _ = here.mails[0]
    assert (envelope.client_ip, envelope.helo) == ("192.0.2.77", "helo.sender.example")
    assert set(envelope.recipients) == {"support@host.example", "billing@host.example"}


def test_the_received_field_of_postfix_names_the_true_client(home: Path) -> None:
    """Without XFORWARD the walk over Received finds the same address."""
    here = through_postfix(home, "smtp:[127.0.0.1]:{port}", "received", ["support@host.example"])
    envelope, _ = here.mails[0]
    assert (envelope.client_ip, envelope.helo) == ("192.0.2.77", "helo.sender.example")
