"""SMTP dialogues as data: each file of tests/dialogs is played against an open door.

`@ key=value` sets the scene (protocol, role, relay=METHOD, lenient, tls, require_tls,
keep_bad_lines, postmaster, verdict, free_disk, limits.KEY). `C:` sends a line with CR LF, `C!`
bytes as they are, `C>` holds bytes back, so that they leave in one packet with what follows. `S:`
is a pattern for one reply line (`*` and `?`), `S+` for the last line of a reply, `X` expects the
end, `TLS` starts the handshake, `EOF` half-closes. `mails N`, `envelope key=value` and `raw` say
what came through. Escapes as in Python; `{9*x}` is nine of them.
"""

import asyncio
import dataclasses
import fnmatch
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from receive_support import Client, World, relay, world

from gateway.core.model import Envelope, Listener
from gateway.receive import replies
from gateway.receive.limits import Limits
from gateway.receive.replies import Verdict

FILES = sorted((Path(__file__).parent.parent / "dialogs").glob("*.smtp"))
AUTHORITY = trustme.CA()


def unescaped(text: str) -> bytes:
    text = re.sub(r"\{(\d+)\*(.)\}", lambda match: int(match[1]) * match[2], text)
    return text.encode("utf-8").decode("unicode_escape").encode("latin-1")


def number(text: str) -> Any:
    return float(text) if "." in text else int(text)


def scene(lines: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Arguments of `world`, and what the runner itself needs."""
    changes: dict[str, Any] = {}
    limits: dict[str, Any] = {"error_delay_seconds": 0.0}
    own: dict[str, str] = {}
    for word in (word for line in lines if line.startswith("@") for word in line[1:].split()):
        key, _, value = word.partition("=")
        if key.startswith("limits."):
            limits[key[7:]] = number(value)
        elif key == "role":
            changes["role"] = Listener(value)
        elif key == "relay":
            changes["relays"] = [relay(value, normalise_lf="lenient" in " ".join(lines))]
        elif key in ("require_tls", "keep_bad_lines"):
            changes[key] = value == "yes"
        elif key == "tls":
            changes["tls"] = server_context()
        elif key in ("protocol", "postmaster"):
            changes[key] = value
        elif key != "lenient":
            own[key] = value
    return {**changes, "limits": Limits(**limits)}, own


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("mx.host.example").configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(context)
    return context


class Play:
    """One dialogue under way."""

    def __init__(self, here: World, client: Client) -> None:
        self.here, self.client = here, client
        self.held = b""

    async def line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "C>":
            self.held += unescaped(rest)
        elif word == "C:":
            await self.send(unescaped(rest) + b"\r\n")
        elif word == "C!":
            await self.send(unescaped(rest))
        elif word == "S:":
            await self.expect(rest)
        elif word == "S+":
            assert fnmatch.fnmatchcase((await self.client.reply()).split("\n")[-1], rest), line
        elif word == "X":
            assert await self.client.closed(), line
        elif word == "TLS":
            await self.client.writer.start_tls(client_context(), server_hostname="mx.host.example")
        elif word == "EOF":
            self.client.writer.write_eof()
        else:
            self.after(word, rest)

    async def send(self, data: bytes) -> None:
        data, self.held = self.held + data, b""
        await self.client.send(data)

    async def expect(self, pattern: str) -> None:
        got = (await asyncio.wait_for(self.client.reader.readline(), 5)).decode()
        assert got.endswith("\r\n"), f"expected {pattern}, got {got!r}"
        assert fnmatch.fnmatchcase(got[:-2], pattern), f"expected {pattern}, got {got!r}"

    def after(self, word: str, rest: str) -> None:
        mails = self.here.mails
        if word == "mails":
            assert len(mails) == int(rest), mails
        elif word == "raw":
            assert mails[-1][1] == unescaped(rest)
        elif word == "envelope":
            key, _, value = rest.partition("=")
            assert str(dataclasses.asdict(mails[-1][0])[key]) == value
        else:
            raise AssertionError(f"unknown word {word}")


def verdict(name: str) -> Verdict:
    """`BUSY`, or for LMTP `ACCEPTED,NOT_HERE`."""
    said = tuple(getattr(replies, each) for each in name.split(","))
    return Verdict(said[0], said if len(said) > 1 else ())


async def play(lines: list[str]) -> None:
    changes, own = scene(lines)
    async with asyncio.timeout(15), world(**changes) as here:
        here.free_disk = int(own.get("free_disk", here.free_disk))
        if "verdict" in own:

            async def decide(envelope: Envelope, raw: bytes) -> Verdict:
                here.mails.append((envelope, raw))
                if own["verdict"] == "raise":
                    raise RuntimeError("secret\r\n250 forged è")
                return verdict(own["verdict"])

            here.decide = decide
        client = await here.connect()
        playing = Play(here, client)
        for line in lines:
            if line.strip() and line[0] not in "#@":
                await playing.line(line)
        await client.leave()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_dialogue(path: Path) -> None:
    """The server answers line by line as the file says."""
    asyncio.run(play(path.read_text(encoding="utf-8").splitlines()))


def test_there_are_dialogues() -> None:
    """An empty folder would pass in silence."""
    assert len(FILES) >= 30
