"""Old mail from files: each goes the way of every mail, at the moment when it once came.

Unless it is asked to speak, an import sends nothing, tells nobody, and sets no deadline: tickets
and their history come into being, and that is all. The same mail twice has no second effect.
"""

import mailbox
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway.config import Config
from gateway.core.model import Committed, Effects, Envelope, Headers, Listener
from gateway.core.read import addresses, identifiers, wire
from gateway.errors import BadInput
from gateway.pipeline import Answer, Pipeline

Commit = Callable[[Effects], Awaitable[Committed]]
_FROM_LINE = b"From "
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)  # mboxrd
_TO_US = ("delivered-to", "x-original-to", "to", "cc")


class Old(NamedTuple):
    """One mail of a file, with CRLF; `name` tells people which."""

    name: str
    raw: bytes


@dataclass
class Imported:
    """What became of the mails."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)  # by name; a new try changes nothing
    later: dict[str, str] = field(default_factory=dict)  # by name; a new try may help
    duplicates: int = 0


# ---- files


def count(path: Path) -> int:
    """How many mails a file or a folder holds, for a progress bar. BadInput names what is none."""
    return sum(1 for _ in _opened(path))


def mails(path: Path) -> Iterator[Old]:
    """The mails of one .eml file, of an mbox, or of every .eml file below a folder."""
    for name, read in _opened(path):
        yield Old(name, _lines(read()))


def _opened(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    if path.is_dir():
        for each in sorted(path.rglob("*.eml")):
            yield str(each), each.read_bytes
        return
    try:
        with path.open("rb") as file:
            begin = file.read(len(_FROM_LINE))
    except OSError as error:
        raise BadInput(f"cannot read the mail: {error.strerror}", str(path)) from None
    if not begin:
        raise BadInput("the file is empty", str(path))
    if begin != _FROM_LINE:
        yield str(path), path.read_bytes
        return
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.keys(), 1):
            yield f"{path}, mail {number}", partial(_unquoted, box, key)
    finally:
        box.close()


def _unquoted(box: mailbox.mbox, key: str) -> bytes:
    """As it was before `From ` at the begin of a line was quoted for the mbox."""
    return _QUOTED_FROM.sub(rb"\1", box.get_bytes(key))


def _lines(raw: bytes) -> bytes:
    """Files have the line ends of their system; a mail has CRLF."""
    return raw if b"\r" in raw else raw.replace(b"\n", b"\r\n")


# ---- the way of each


class Importer:
    """Decides old mails, one after the other."""

    def __init__(
        self, config: Config, pipeline: Pipeline, commit: Commit, speak: bool, now: datetime
    ) -> None:
        """`speak`: replies, notices, events and deadlines as for new mail."""
        self._config = config
        self._pipeline = pipeline
        self._commit = commit
        self._speak = speak
        self._now = now
        self.done = Imported()

    async def take(self, old: Old) -> None:
        """Decide one; `done` says what became of it."""
        said: list[tuple[Effects, Committed]] = []

        async def commit(effects: Effects) -> Committed:
            kept = effects if self._speak else silent(effects)
            committed = await self._commit(kept)
            said.append((kept, committed))
            return committed

        answer = await self._pipeline.handle(self._envelope(old.raw), old.raw, commit)
        if answer.code != 250:
            self._not_taken(old.name, answer)
            return
        for effects, committed in said[-1:]:
            if committed.duplicate:
                self.done.duplicates += 1
            else:
                self.done.outcomes[effects.mail.outcome] += 1

    def _not_taken(self, name: str, answer: Answer) -> None:
        group = self.done.later if answer.code < 500 else self.done.refused
        group[name] = f"{answer.code} {answer.enhanced} {answer.reason}"

    def _envelope(self, raw: bytes) -> Envelope:
        head = wire.read(raw)
        return Envelope(
            client_ip=None,  # who brought it then is not proven by what a file says
            helo=None,
            mail_from=_sender(head.headers, str(head.author) if head.author else ""),
            recipients=(self._recipient(head.headers),),
            listener=Listener.RELAY,
            received_at=_received(head.headers, self._now),
            session="import",
        )

    def _recipient(self, headers: Headers) -> str:
        """Our address that it was sent to; the first one where it names none."""
        ours = {one.lower(): one for one in self._config.support.addresses}
        for name in _TO_US:
            for value in headers.all(name):
                for one in addresses.mailboxes(value):
                    if one.key in ours:
                        return ours[one.key]
        return self._config.support.addresses[0]


def silent(effects: Effects) -> Effects:
    """The same without anything that leaves the house, now or later."""
    return replace(
        effects,
        tickets=tuple(replace(one, reply_due=None) for one in effects.tickets),
        changes=tuple(replace(one, reply_due=None) for one in effects.changes),
        outgoing=(),
        spends=(),
        events=(),
        answered=None,
    )


def _sender(headers: Headers, author: str) -> str:
    written = headers.first("return-path")
    if written is None:
        return author
    bare = written.decode("latin-1").strip().removeprefix("<").removesuffix(">")
    return bare if not bare or addresses.path(bare, smtputf8=True) is not None else author


def _received(headers: Headers, now: datetime) -> datetime:
    """When our own side wrote that it had come (RFC 5321 4.4), else its Date; never the future."""
    top = headers.first("received")
    found = identifiers.date(top.rpartition(b";")[2]) if top and b";" in top else None
    found = found or identifiers.date(headers.first("date"))
    return min(found.astimezone(UTC), now) if found else now
