"""The desk that speaks, and the post that turns its replies into rows for the outbox.

Destinations come from the types of the reply alone: an official address, a proven author, a staff
mailbox, a notification address. Nothing here has seen a header of the mail that came in.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.core.know import token as tokens
from gateway.core.know import unconfirmed
from gateway.core.know.token import Keys, Purpose
from gateway.core.model import (
    AccountReply,
    AddressNotice,
    Constant,
    KindNotice,
    Outgoing,
    PublicReply,
    StaffAddress,
    StaffNotice,
)
from gateway.core.model.routing import Department, Routing
from gateway.core.read.tokenform import NONCE_BYTES
from gateway.core.say.headers import address
from gateway.core.say.kinds import kind_of
from gateway.core.say.render import (
    Identity,
    Ourselves,
    Rendered,
    Sayable,
    Silence,
    Threading,
    kind_named,
    render,
)
from gateway.core.say.templates import Templates

_1601 = datetime(1601, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who we are: from the configuration, the same for every mail."""

    domain: str  # of Message-IDs and return paths
    addresses: tuple[str, ...]  # ours; the first is the sender of what we send
    instance: str  # the value of our marker header, by which loops are seen
    panel_url: str
    name: str
    languages: tuple[str, ...]  # of replies, the default first
    keys: Keys
    articles_url: str | None = None

    @property
    def language(self) -> str:
        """The default."""
        return self.languages[0]

    @property
    def identity(self) -> Identity:
        """What stands on every mail."""
        return Identity(self.name, self.addresses[0], self.panel_url, self.instance, self.language)


@dataclass(frozen=True, slots=True)
class About:
    """The ticket that a mail is about, and whom its token is bound to."""

    number: str
    opened_at: datetime
    account: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a finished reply travels; all of it is about the outbox, none about the destination."""

    ledger: str | None = None
    due: datetime | None = None
    merge_key: str | None = None
    merge_within: timedelta | None = None
    held: str | None = None
    parent: str | None = None  # the Message-ID that is answered, grammar-checked
    earlier: tuple[str, ...] = ()  # Message-IDs of ours
    parked: str | None = None  # the parked mail that this notice announces


@dataclass(frozen=True, slots=True)
class Post:
    """Makes finished mails at one moment. `nonce` is chance, given by the caller."""

    desk: Desk
    templates: Templates
    routing: Routing
    nonce: bytes
    at: datetime

    @property
    def timezone(self) -> str:
        """Of the office."""
        return self.routing.office.timezone

    def say(
        self,
        reply: Sayable,
        language: str,
        about: About | None = None,
        *,
        bilingual: bool = False,
        paragraphs: tuple[str, ...] = (),
        delivery: Delivery | None = None,
    ) -> Outgoing:
        """A row for the outbox. The one envelope recipient is the reply's own destination."""
        how = delivery or Delivery()
        letter = _addressed(self, reply, about, how)
        rendered = render(
            reply,
            self.templates,
            self.desk.identity,
            language,
            bilingual,
            letter.message_id,
            self.at.replace(microsecond=0),
            letter.reply_to,
            _threading(about, how, self.at),
            paragraphs,
        )
        return _row(reply, rendered, letter, about, how)

    def keep_silent(self, kind: str) -> None:
        """The work of a constant mail, thrown away.

        Where an address is not registered there is no notice to write; the time that one takes
        would tell. Two languages make up for the rows that a notice has.
        """
        desk = self.desk
        if self.templates.has(kind):
            unsent = Silence(Ourselves(desk.addresses[0]), Constant(kind))
            message_id = f"<{self.nonce[:16].hex()}@{desk.domain}>"
            at = self.at.replace(microsecond=0)
            render(unsent, self.templates, desk.identity, desk.language, True, message_id, at)


@dataclass(frozen=True, slots=True)
class _Letter:
    message_id: str
    reply_to: str | None
    envelope_from: str


def _nonce(post: Post, reply: Sayable) -> bytes:
    """Chance of its own for each mail of one moment."""
    label = f"{kind_named(reply)}\x00{reply.to.address}".encode("utf-8", "replace")
    return hashlib.sha256(post.nonce + b"\x00" + label).digest()


def _addressed(post: Post, reply: Sayable, about: About | None, how: Delivery) -> _Letter:
    """Message-ID, reply address and return path. Without a ticket there is nothing to thread."""
    desk, nonce = post.desk, _nonce(post, reply)
    support = desk.addresses[0]
    if how.parked is not None and isinstance(reply, AccountReply):
        bound = parked_binding(reply.to.account, how.parked)
        return _question(post, nonce, bound, Purpose.PARKED)
    if isinstance(reply, AddressNotice):
        return _question(post, nonce, unconfirmed.binding(reply.to), Purpose.ADDRESS)
    purpose, binding = _purpose(reply, about)
    if about is None or binding is None or not tokens.is_number(about.number):
        return _Letter(f"<{nonce[:16].hex()}@{desk.domain}>", None, "")
    token = tokens.make(desk.keys, about.number, binding, post.at, purpose)
    short = nonce[:NONCE_BYTES]
    verp = tokens.make(desk.keys, about.number, binding, post.at, Purpose.BOUNCE, short)
    return _Letter(
        tokens.message_id(token, short, desk.domain),
        tokens.reply_address(token, support),
        tokens.bounce_address(verp, desk.domain) if purpose is not Purpose.STAFF else "",
    )


def _question(post: Post, nonce: bytes, bound: str, purpose: Purpose) -> _Letter:
    """What a reply confirms is in the token's binding; it is about no ticket."""
    desk = post.desk
    token = tokens.make(desk.keys, "0", bound, post.at, purpose)
    message_id = tokens.message_id(token, nonce[:NONCE_BYTES], desk.domain)
    return _Letter(message_id, tokens.reply_address(token, desk.addresses[0]), "")


def parked_binding(account: str, mail: str) -> str:
    """What the token of a notice of parked mail is bound to: that very mail."""
    return f"parked/{account}/{mail}"


def _purpose(reply: Sayable, about: About | None) -> tuple[Purpose, str | None]:
    if isinstance(reply, StaffNotice):
        return Purpose.STAFF, staff_binding(reply.to)
    if isinstance(reply, KindNotice) or about is None:
        return Purpose.AUTOMATIC, None  # a notification address answers to no ticket
    automatic = kind_of(kind_named(reply)).automatic
    return Purpose.AUTOMATIC if automatic else Purpose.THREAD, about.account or ""


def staff_binding(mailbox: StaffAddress) -> str:
    """A department's mailbox stands for the department, so that each of its staff may answer."""
    if len(mailbox.departments) == 1:
        return f"department/{mailbox.departments[0]}"
    return mailbox.address.lower()


def _row(
    reply: Sayable, rendered: Rendered, letter: _Letter, about: About | None, how: Delivery
) -> Outgoing:
    account = (
        reply.to.account if isinstance(reply, AccountReply | KindNotice | AddressNotice) else None
    )
    return Outgoing(
        to=address(reply.to.address),
        envelope_from=letter.envelope_from,
        kind=rendered.kind,
        language=rendered.language,
        message_id=letter.message_id,
        raw=rendered.raw,
        text=rendered.text,
        account=account,
        ticket=about.number if about else None,
        ledger=how.ledger,
        automatic=kind_of(rendered.kind).automatic,
        notice=not isinstance(reply, AccountReply | PublicReply),
        due=how.due,
        merge_key=how.merge_key,
        held=how.held,
        merge_within=how.merge_within,
    )


def _threading(about: About | None, how: Delivery, at: datetime) -> Threading:
    if about is None:
        return Threading(how.parent, how.earlier)
    index = thread_index(about, at)
    return Threading(how.parent, how.earlier, f"#{about.number}", index)


def thread_index(about: About, at: datetime) -> str:
    """Outlook's Thread-Index: the time of the first mail, a GUID, and a block for this one.

    MS-OXOMSG 2.2.1.3.
    """
    began = (about.opened_at - _1601) // _TICK * 10
    guid = hashlib.sha256(f"portiere ticket {about.number}".encode()).digest()[:16]
    delta = max((at - about.opened_at) // _TICK * 10, 0)
    block = b""
    if delta:
        far = delta >= 1 << 49
        block = ((far << 31) | (delta >> (23 if far else 18)) & 0x7FFFFFFF).to_bytes(4) + b"\x00"
    return base64.b64encode(began.to_bytes(8)[:6] + guid + block).decode("ascii")


def mailboxes(routing: Routing, department: str) -> tuple[StaffAddress, ...]:
    """Who is told of a department's tickets: its mailbox, else its listed staff."""
    found: Department | None = routing.department(department)
    if found is not None and found.mailbox is not None:
        return (found.mailbox,)
    return tuple(one for one in routing.staff if department in one.departments)
