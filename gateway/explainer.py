"""Runs the pipeline without its last step over cases from files: nothing is written or sent.

Cases are independent of each other: each has its own resolver, its own first sights and its own
moment.
"""

import base64
import binascii
import ipaddress
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway import config as configuration
from gateway import report
from gateway.authenticate.resolver import Resolver, read_zone
from gateway.core.model import Envelope, Listener
from gateway.core.read import wire
from gateway.errors import BadInput
from gateway.house import Rooms, zone_from
from gateway.pipeline import Course, Pipeline

Case = dict[str, Any]
WORDS = ("client_ip", "helo", "mail_from", "now", "path", "raw_base64")


class Explainer(AbstractContextManager["Explainer"]):
    """One open house without a writer."""

    def __init__(self, config: configuration.Config) -> None:
        """The database is opened for reading; one that does not exist yet is an empty one."""
        self._config = config
        self.rooms = Rooms.open(config, read_only=True)

    def __exit__(self, *_error: object) -> None:
        self.rooms.close()

    async def explain(self, case: Case, folder: Path) -> dict[str, Any]:
        """The public JSON form for one case; paths in it are relative to `folder`.

        Raises `BadInput` for a case that cannot be read.
        """
        checked(case)
        raw = raw_of(case, folder)
        course = await self.course(self.envelope(case, raw), raw, _resolver(case, folder))
        policy = self.rooms.standing.loaded.policy
        return report.as_dict(str(case.get("id", "")), course, policy)

    async def course(self, envelope: Envelope, raw: bytes, zone: Resolver | None) -> Course:
        """Everything that the pipeline finds out about one mail."""
        return await Pipeline(self.rooms.house(zone)).course(envelope, raw)

    def envelope(self, case: Case, raw: bytes) -> Envelope:
        """The session that a case describes; what it leaves open is taken from the mail.

        Without `mail_from` it is Return-Path, else the author; without `rcpt` our first address.
        """
        sender = case.get("mail_from")
        recipients = case.get("rcpt") or self._config.support.addresses[0]
        return Envelope(
            client_ip=case.get("client_ip") or None,
            helo=case.get("helo"),
            mail_from=_default_sender(raw) if sender is None else sender.strip("<>"),
            recipients=(recipients,) if isinstance(recipients, str) else tuple(recipients),
            listener=Listener(case.get("listener") or self._config.listener[0].role),
            received_at=moment(case.get("now")),
            session="explain",
            smtputf8=bool(case.get("smtputf8", False)),
        )


def checked(case: Case) -> None:
    """Raises `BadInput` where a word of the case has a form that cannot be."""
    for word in WORDS:
        if not isinstance(case.get(word), str | None):
            raise BadInput(f"`{word}` is text")
    rcpt = case.get("rcpt")
    texts = rcpt if isinstance(rcpt, list) else [rcpt or ""]
    if not all(isinstance(each, str) for each in texts):
        raise BadInput("`rcpt` is an address or a list of them")
    if case.get("listener") not in (None, *Listener):
        raise BadInput("`listener` is `edge` or `relay`")
    if client := case.get("client_ip"):
        try:
            ipaddress.ip_address(client)
        except ValueError:
            raise BadInput(f"`{client}` is not an IP address") from None


def _default_sender(raw: bytes) -> str:
    head = wire.read(raw)
    path = head.headers.first("return-path")
    if path is not None:
        return path.decode("latin-1").strip().strip("<>")
    return str(head.author) if head.author else ""


def _resolver(case: Case, folder: Path) -> Resolver | None:
    zone = case.get("zone")
    if zone is None:
        return None
    if isinstance(zone, str):
        return _zone_file(folder / zone)
    if not isinstance(zone, dict):
        raise BadInput("`zone` is an object, or the path of one")
    return read_zone(zone)


@lru_cache(maxsize=16)
def _zone_file(path: Path) -> Resolver:
    return zone_from(path)


def moment(text: str | None) -> datetime:
    """RFC 3339 to an aware moment in UTC; now without a text."""
    if text is None:
        return datetime.now(UTC)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"`{text}` is not a moment; write 2026-11-22T14:05:00+01:00") from None
    if not 1970 <= read.year < 2200:
        raise BadInput(f"`{text}` is not between 1970 and 2200")
    return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)


def raw_of(case: Case, folder: Path) -> bytes:
    """The bytes of a case: `raw_base64` as it is, or a file.

    A file without a single CR is read with LF as CRLF.
    """
    encoded: str | None = case.get("raw_base64")
    if encoded is not None:
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("`raw_base64` is not base64") from None
    path: str | None = case.get("path")
    if path is None:
        raise BadInput("a case needs `path` or `raw_base64`")
    try:
        raw = (folder / path).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read `{path}`: {error.strerror}") from None
    except ValueError:
        raise BadInput("`path` is not a path") from None
    return raw if b"\r" in raw else raw.replace(b"\n", b"\r\n")
