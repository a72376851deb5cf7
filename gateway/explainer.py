"""Runs the pipeline without its last step over cases from files: nothing is written or sent.

Cases are independent of each other: each has its own resolver, its own first sights and its own
moment.
"""

import base64
import binascii
import ipaddress
import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway import config as configuration
from gateway import report
from gateway.authenticate.resolver import Resolver, read_zone
from gateway.core.model import Envelope, Listener, Reject
from gateway.core.read import addresses, wire
from gateway.errors import BadInput
from gateway.house import Rooms, taking, zone_from
from gateway.pipeline import Answer, Course, Pipeline

Case = dict[str, Any]
WORDS = ("client_ip", "helo", "mail_from", "now", "path", "raw_base64")
FORM = "write 2026-11-22T14:05:00+01:00 or 2026-11-22T13:05:00Z"
SESSION = re.compile(r"[^\x00-\x08\n-\x1f\x7f]{0,512}")  # what may stand in a line of SMTP


class Unspeakable(BadInput):
    """A word of the case that cannot be: no moment, no address of a host, no line of SMTP."""


class NotTaken(Unspeakable):
    """A path that the door refuses, with the answer that it gives."""

    def __init__(self, message: str, answer: Answer, hint: str = "") -> None:
        """`answer` is a 5xx."""
        super().__init__(message, hint=hint)
        self.answer = answer


BAD_SENDER = Answer(501, "5.1.7", "bad-sender")
BAD_RECIPIENT = Answer(501, "5.1.3", "bad-recipient")
NOT_HERE = Answer(550, "5.1.1", "not-here")


class Explainer(AbstractContextManager["Explainer"]):
    """One open house without a writer."""

    def __init__(self, config: configuration.Config) -> None:
        """The database is opened for reading; one that does not exist yet is an empty one."""
        self._config = config
        self._takes = taking(config)
        self.rooms = Rooms.open(config, read_only=True)

    def __exit__(self, *_error: object) -> None:
        self.rooms.close()

    async def explain(self, case: Case, folder: Path) -> dict[str, Any]:
        """The public JSON form for one case; paths in it are relative to `folder`.

        Raises `BadInput` for a case that cannot be read.
        """
        checked(case)
        self._check_paths(case)
        raw = raw_of(case, folder)
        course = await self.course(self.envelope(case, raw), raw, _resolver(case, folder))
        policy = self.rooms.standing.loaded.policy
        return report.as_dict(str(case.get("id", "")), course, policy)

    async def not_taken(self, case: Case, folder: Path, why: NotTaken) -> dict[str, Any]:
        """The public form of a mail that the dialogue refuses before DATA, with the error."""
        raw = raw_of(case, folder)
        decision = Reject(rule="smtp-dialogue", because=why.message)
        course = Course(wire.read(raw), why.answer, decision=decision)
        found = report.as_dict(str(case.get("id", "")), course, self.rooms.standing.loaded.policy)
        return found | {"error": str(why)}

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
            mail_from=_default_sender(raw) if sender is None else _bare(sender),
            recipients=(recipients,) if isinstance(recipients, str) else tuple(recipients),
            listener=Listener(case.get("listener") or self._config.listener[0].role),
            received_at=moment(case.get("now")),
            session="explain",
            smtputf8=bool(case.get("smtputf8", False)),
        )

    def _check_paths(self, case: Case) -> None:
        """Raises `NotTaken` where a session with these paths would not come as far as DATA."""
        utf8 = bool(case.get("smtputf8", False))
        sender = case.get("mail_from") or ""
        if _bare(sender) and addresses.path(_bare(sender), utf8) is None:
            hint = "write a@b.example, or nothing for the null reverse-path"
            raise NotTaken(f"`mail_from`: `{sender}` is not an address", BAD_SENDER, hint)
        said = case.get("rcpt") or []
        for one in [said] if isinstance(said, str) else said:
            recipient = addresses.path(_bare(one), utf8)
            if recipient is None:
                raise NotTaken(f"`rcpt`: `{one}` is not an address", BAD_RECIPIENT)
            if not self._takes(recipient):
                ours = ", ".join(f"`{each}`" for each in self._config.support.addresses)
                hint = f"the door would answer 550; our addresses are {ours}"
                raise NotTaken(f"`rcpt`: `{one}` is not ours", NOT_HERE, hint)


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
    if not SESSION.fullmatch(case.get("helo") or ""):
        raise Unspeakable("`helo` is one line of at most 512 characters")
    if client := case.get("client_ip"):
        try:
            ipaddress.ip_address(client)
        except ValueError:
            raise Unspeakable(f"`{client}` is not an IP address") from None


def _bare(path: str) -> str:
    """A path without its brackets."""
    return path[1:-1] if path.startswith("<") and path.endswith(">") else path


def _default_sender(raw: bytes) -> str:
    """Return-Path where it holds a path, else the author."""
    head = wire.read(raw)
    written = head.headers.first("return-path")
    if written is not None:
        bare = written.decode("latin-1").strip().removeprefix("<").removesuffix(">")
        if not bare or addresses.path(bare, smtputf8=True) is not None:
            return bare
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
        raise Unspeakable(f"`{text}` is not a moment; {FORM}") from None
    if read.tzinfo is None:
        raise Unspeakable(f"`{text}` says no time zone; {FORM}")
    if not 1970 <= read.year < 2200:
        raise Unspeakable(f"`{text}` is not between 1970 and 2200")
    return read.astimezone(UTC)


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
