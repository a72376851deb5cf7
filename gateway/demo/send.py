"""Makes and sends a mail of the demo as a real server would: signed, from its own loopback
address."""

import smtplib
from datetime import datetime
from email.utils import format_datetime

import dkim

from gateway.demo.scenes import Scene
from gateway.demo.world import HOSTS, SELECTOR, World
from gateway.errors import BadInput

SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]


def compose(world: World, scene: Scene, now: datetime, number: int) -> bytes:
    """The bytes of the scene's mail, DKIM-signed where the scene says so."""
    headers = {
        "From": f"<{scene.author}>",
        "To": f"<{scene.recipient}>",
        "Subject": scene.subject,
        "Date": format_datetime(now),
        "Message-ID": message_id(scene, number),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        **scene.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw = f"{head}\r\n{scene.body}".replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return _signature(world, scene, raw) + raw


def message_id(scene: Scene, number: int) -> str:
    """The Message-ID of a scene's mail, by which it is found again."""
    return f"<{scene.kind}.{number}@{scene.host}>"


def _signature(world: World, scene: Scene, raw: bytes) -> bytes:
    domain = scene.author.partition("@")[2] if scene.signed_by is None else scene.signed_by
    if not domain:
        return b""
    signature: bytes = dkim.sign(
        raw,
        SELECTOR.encode(),
        domain.encode(),
        world.keys[domain],
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=SIGNED,
    )
    return signature


def send(world: World, scene: Scene, raw: bytes) -> tuple[int, str]:
    """Hand the mail to the gateway; the code and the text of its answer."""
    address, _policy = HOSTS[scene.host]
    with smtplib.SMTP(
        "127.0.0.1",
        world.smtp_port,
        local_hostname=f"mx.{scene.host}",
        source_address=(address, 0),
        timeout=30,
    ) as client:
        client.ehlo()
        client.mail(scene.mail_from or scene.author)
        client.rcpt(scene.recipient)
        code, text = client.data(raw)
        return code, text.decode("ascii", "replace")


def send_all(world: World, scene: Scene, raw: bytes) -> list[tuple[int, str]]:
    """As often as the scene says, each time over a new connection."""
    answers = []
    for _ in range(scene.times):
        try:
            answers.append(send(world, scene, raw))
        except ConnectionRefusedError:
            message = "the demo is not listening; start it by `portiere demo serve`"
            raise BadInput(message) from None
        except smtplib.SMTPResponseException as error:
            answers.append((error.smtp_code, _text(error.smtp_error)))
    return answers


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode("ascii", "replace")
