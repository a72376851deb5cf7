"""Certificates under a running door: new handshakes get the new one, a broken one changes
nothing."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from receive_support import HOST, KeptLog, is_ours

from gateway.errors import BadInput
from gateway.receive import listener, replies
from gateway.receive.certificate import Certificate
from gateway.receive.limits import Limits
from gateway.receive.listener import ListenerSettings
from gateway.receive.replies import Verdict


@dataclass
class Files:
    """A chain and its key on disk, written anew at will."""

    authority: trustme.CA
    chain: Path
    key: Path

    def issue(self, ends: datetime | None = None) -> int:
        """A new pair; its serial number."""
        made = self.authority.issue_cert(HOST, not_after=ends)
        made.private_key_pem.write_to_path(self.key)
        pem = made.cert_chain_pems[0].bytes()
        self.chain.write_bytes(pem)
        return x509.load_pem_x509_certificate(pem).serial_number

    def client(self) -> ssl.SSLContext:
        """Trusts the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    """A pair on disk."""
    made = Files(trustme.CA(), tmp_path / "chain.pem", tmp_path / "key.pem")
    made.issue()
    return made


async def serial(address: str, files: Files, *, named: bool) -> int:
    """The serial number of the certificate that a TLS client sees; it reads the banner, too."""
    host, _, port = address.rpartition(":")
    context = files.client()
    if not named:
        context.check_hostname = False
    reader, writer = await asyncio.open_connection(
        host, int(port), ssl=context, server_hostname=HOST if named else ""
    )
    assert (await reader.readline()).startswith(b"220 ")
    writer.write(b"EHLO client.example\r\n")
    offers = b""
    while not offers.startswith(b"250 ") and b"\r\n250 " not in offers:
        offers += await reader.readline()
    assert b"STARTTLS" not in offers
    seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(seen).serial_number


def test_a_new_certificate_is_shown_to_new_clients(files: Files) -> None:
    """TLS from the first byte on; the same door, with and without a name from the client."""

    async def accepted(_envelope: object, _raw: bytes) -> Verdict:
        return Verdict(replies.ACCEPTED)

    async def work() -> None:
        first = files.issue()
        certificate = Certificate(files.chain, files.key, "x")
        door = ListenerSettings("127.0.0.1:0", tls=certificate.context, implicit_tls=True)
        server = await listener.start(door, Limits(), [], is_ours, accepted, KeptLog(), HOST)
        try:
            assert not certificate.renewed()
            assert await serial(server.address, files, named=True) == first
            assert await serial(server.address, files, named=False) == first
            second = files.issue()
            assert second != first
            assert await serial(server.address, files, named=True) == first
            assert certificate.renewed()
            assert await serial(server.address, files, named=True) == second
            assert await serial(server.address, files, named=False) == second
        finally:
            await server.close(1.0)

    asyncio.run(work())


@pytest.mark.parametrize("broken", ["garbage", "other-key", "gone"])
def test_a_broken_certificate_keeps_the_old_one(files: Files, broken: str) -> None:
    """It is told once for each change, with the listener; what is shown does not change."""
    certificate = Certificate(files.chain, files.key, "mx:25")
    expires = certificate.expires
    if broken == "garbage":
        files.chain.write_text("no certificate")
    elif broken == "other-key":
        files.authority.issue_cert("other.example").private_key_pem.write_to_path(files.key)
    else:
        files.key.unlink()
    with pytest.raises(BadInput, match="listener `mx:25`"):
        certificate.renewed()
    assert certificate.expires == expires
    if broken != "gone":
        assert not certificate.renewed()
    files.issue()
    assert certificate.renewed()


def test_the_days_that_are_left_are_known(files: Files) -> None:
    """Below zero when it has ended."""
    now = datetime.now(UTC)
    files.issue(now + timedelta(days=20))
    certificate = Certificate(files.chain, files.key, "x")
    assert 19.9 < certificate.days(now) < 20.1
    assert certificate.days(now + timedelta(days=30)) < 0


def test_files_that_are_no_pair_stop_the_start(files: Files, tmp_path: Path) -> None:
    """The complaint names the listener."""
    with pytest.raises(BadInput, match="listener `mx:25`"):
        Certificate(files.chain, tmp_path / "absent.pem", "mx:25")
