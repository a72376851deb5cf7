"""Webhooks: what is sent over a real socket, and what becomes of every kind of answer."""

import asyncio
import contextlib
import hashlib
import hmac
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from gateway.deliver.webhooks import HookSettings, Webhook, read_secrets, signature
from gateway.errors import BadInput, Temporary

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET, OLD = b"a secret of thirty-two characters", b"the secret that was used before it"
BODY = b'{"id":"e1"}'
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Event:
    message_id: str = "e1"
    kind: str = "ticket.opened"
    raw: bytes = BODY


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_bytes(SECRET + b"\n")
    return file


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def delivered(
    secret: Path,
    answer: bytes | Answer,
    *,
    tls: ssl.SSLContext | None = None,
    path: str = "/hook?to=panel",
    **settings: object,
) -> tuple[str, bytes]:
    """Deliver one event to a listener that answers so; what it said, and what it was sent."""
    got: list[bytes] = []
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not isinstance(answer, bytes):
                await answer(reader, writer)
            else:
                got.append(await _request(reader))
                writer.write(answer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            ended.set()

    async def run() -> str:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        chosen = HookSettings(f"{scheme}://{host}:{port}{path}", secret)
        try:
            hook = Webhook(replace(chosen, **settings), lambda: NOW)
            return await hook.carry(Event())
        finally:
            with contextlib.suppress(TimeoutError):  # none came, where the handshake failed
                await asyncio.wait_for(ended.wait(), 0.2 if tls else 5)
            server.close()

    return asyncio.run(run()), b"".join(got)


def test_an_event_is_posted_with_its_signature(secret: Path) -> None:
    """The path and query of the URL, the id and kind beside the body, and nothing of ours else."""
    said, request = delivered(secret, b"HTTP/1.1 204 No Content\r\n\r\n")
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    made = hmac.new(SECRET, b"%d.%b" % (NOW.timestamp(), BODY), hashlib.sha256).hexdigest()
    assert said == "204 No Content"
    assert body == BODY
    assert lines[0] == b"POST /hook?to=panel HTTP/1.1"
    assert b"Portiere-Event: e1" in lines
    assert b"Portiere-Kind: ticket.opened" in lines
    assert f"Portiere-Signature: t={int(NOW.timestamp())},v1={made}".encode() in lines


def test_while_a_secret_changes_both_have_signed(secret: Path) -> None:
    """The file is read each time: a follower may know either."""
    secret.write_bytes(SECRET + b"\n" + OLD + b"\n")
    _said, request = delivered(secret, b"HTTP/1.1 200 OK\r\n\r\n")
    at = int(NOW.timestamp())
    assert signature((SECRET, OLD), at, BODY).encode() in request
    assert request.count(b"v1=") == 2
    assert signature((OLD,), at, BODY).split(",v1=")[1].encode() in request


@pytest.mark.parametrize(
    "answer, words",
    [
        (b"HTTP/1.1 500 No\r\n\r\n", "500 No"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "redirects"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "does not come to an answer"),
        (b"SMTP 220 hello\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 40_000 + b"\r\n\r\n", "cannot be reached"),
        (b"HTTP/1.1 200 OK\r\n", "cannot be reached"),
        (b"", "cannot be reached"),
    ],
)
def test_anything_but_2xx_is_tried_again(secret: Path, answer: bytes, words: str) -> None:
    """Errors, redirects, floods and half answers alike; no redirect is followed."""
    with pytest.raises(Temporary, match=words):
        delivered(secret, answer)


def test_an_interim_answer_is_not_the_answer(secret: Path) -> None:
    """103 Early Hints, then 200."""
    said, _request = delivered(secret, b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    assert said == "200 OK"


def test_a_body_without_an_end_is_not_read(secret: Path) -> None:
    """The head says 200: it is delivered, however much more is sent."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            return

    assert delivered(secret, endless)[0] == "200 OK"


def test_a_follower_that_drips_is_given_up(secret: Path) -> None:
    """The whole delivery has one deadline, not each byte."""

    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        try:
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            return

    with pytest.raises(Temporary, match="took too long"):
        delivered(secret, drips, seconds=0.1)


def test_nobody_there_is_tried_again(secret: Path) -> None:
    """A refused connection, and a name that is none."""
    for url in ("http://127.0.0.1:1/", "https://no-such-host.invalid/"):
        hook = Webhook(HookSettings(url, secret, seconds=10.0), lambda: NOW)
        with pytest.raises(Temporary):
            asyncio.run(hook.carry(Event()))


def test_a_certificate_is_checked(secret: Path, tmp_path: Path) -> None:
    """One that nobody vouches for is refused; with its authority the event goes."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    answer = b"HTTP/1.1 200 OK\r\n\r\n"
    with pytest.raises(Temporary, match="certificate"):
        delivered(secret, answer, tls=context)
    said, request = delivered(secret, answer, tls=context, authorities=tmp_path / "ca.pem")
    assert said == "200 OK"
    assert b"Host: localhost:" in request


@pytest.mark.parametrize(
    "url, words",
    [
        ("http://panel.example/", "not encrypted"),
        ("ftp://panel.example/", "https://host/path"),
        ("https:///path", "https://host/path"),
        ("https://me:pw@panel.example/", "without a name"),
        ("https://panel.example/\r\nX: y", "plain ASCII"),
        ("https://panel.example/a b", "plain ASCII"),
        ("https://panel.example/#there", "fragment"),
        ("https://panel.example:99999/", "no URL"),
        ("https://[::1/", "no URL"),
    ],
)
def test_a_url_of_no_use_is_said_at_the_start(secret: Path, url: str, words: str) -> None:
    """Only what is encrypted leaves the machine, and no field can be smuggled in."""
    with pytest.raises(BadInput, match=words):
        HookSettings(url, secret).check()


def test_plain_http_is_allowed_to_loopback(secret: Path) -> None:
    """A server with TLS may stand before the follower on this machine."""
    for url in ("http://127.0.0.1:8099/", "http://[::1]/in", "http://localhost/"):
        HookSettings(url, secret).check()


def test_a_secret_of_no_use_is_said(tmp_path: Path) -> None:
    """Absent, empty, too short, too many."""
    file = tmp_path / "secret"
    with pytest.raises(BadInput, match="cannot read the secret"):
        read_secrets(file)
    for content in (b"", b"\n", b"short", SECRET + b"\n" + OLD + b"\n" + SECRET):
        file.write_bytes(content)
        with pytest.raises(BadInput, match="there are one or two"):
            read_secrets(file)


def test_a_secret_that_is_taken_away_is_tried_again(secret: Path) -> None:
    """A file that cannot be read for a moment loses no event."""
    hook = Webhook(HookSettings("http://127.0.0.1:1/", secret), lambda: NOW)
    secret.unlink()
    with pytest.raises(Temporary, match="cannot read the secret"):
        asyncio.run(hook.carry(Event()))
