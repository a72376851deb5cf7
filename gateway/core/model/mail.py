"""What arrives: the SMTP envelope, the raw header fields, and the mail as it was read.

Identity is taken from `Wire` alone; `Mail` is for people, and for rules that may err.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Listener(StrEnum):
    """Where a mail came in: from the Internet itself, or through one of our own relays."""

    EDGE = "edge"
    RELAY = "relay"


class Automatic(StrEnum):
    """Whether a person wrote the mail (RFC 3834, RFC 3464, RFC 2919, RFC 5965)."""

    NO = "no"
    AUTO_REPLY = "auto-reply"  # out of office, receipts, acknowledgements of other desks
    BULK = "bulk"  # lists, newsletters, feedback loops
    BOUNCE = "bounce"  # a delivery status notification, whatever its form
    LOOP = "loop"  # our own marker, or too many hops


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox.

    `local` is unquoted and otherwise as written; `domain` is an A-label in lower case.
    """

    local: str
    domain: str

    @property
    def key(self) -> str:
        """What two addresses are compared by: ASCII case-insensitive, no other folding."""
        return f"{self.local.translate(_ASCII_LOWER)}@{self.domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the SMTP or LMTP session said.

    `mail_from` is `""` for the null reverse-path (RFC 5321 4.5.5).
    """

    client_ip: str | None  # the true client, or None where any doubt is left
    helo: str | None
    mail_from: str
    recipients: tuple[str, ...]
    listener: Listener
    received_at: datetime  # aware, UTC
    session: str = ""
    tls: bool = False
    smtputf8: bool = False
    vouched: bool = False  # a trusted relay says that the login owns the From address
    authserv_id: str | None = None  # whose Authentication-Results may count, or None


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: lower-case ASCII name, value after the colon, and the bytes as they came
    (with CRLF)."""

    name: str
    value: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Headers:
    """All fields in order, and where the body begins in the raw mail."""

    fields: tuple[Field, ...]
    body_start: int

    def all(self, name: str) -> tuple[bytes, ...]:
        """The unparsed values of every field of this (lower-case) name, topmost first."""
        return tuple(field.value for field in self.fields if field.name == name)

    def first(self, name: str) -> bytes | None:
        """The unparsed value of the topmost field of this name."""
        return next((field.value for field in self.fields if field.name == name), None)


@dataclass(frozen=True, slots=True)
class WireDefect:
    """Why a mail is refused before anything is believed of it.

    `enhanced` is 5.6.0 or 5.5.2 (RFC 3463).
    """

    kind: str  # a stable word such as `bare-cr`; listed in core/read/wire.py
    detail: str  # one sentence for the log, never sent out
    enhanced: str = "5.6.0"


@dataclass(frozen=True, slots=True)
class Wire:
    """One reading of the header, used by every stage.

    `author` is None exactly when `defect` is set.
    """

    headers: Headers
    author: Address | None
    defect: WireDefect | None


class SpanKind(StrEnum):
    """What a stretch of the body is."""

    NEW = "new"
    QUOTE = "quote"
    ATTRIBUTION = "attribution"
    SIGNATURE = "signature"
    LEGAL = "legal"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch `text[start:end]` of the body, with the rule that marked it.

    Spans tile the whole text in order.
    """

    kind: SpanKind
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with the mail; `filename` is safe to show and to store, `digest` is
    SHA-256 in hex."""

    filename: str
    content_type: str  # as sniffed where the bytes say so, else as declared
    declared_type: str
    size: int  # bytes, decoded
    digest: str
    inline: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery status, disposition or feedback report says (RFC 3464, 8098, 5965)."""

    kind: str  # "dsn" | "mdn" | "arf" | "unstructured"
    final_recipient: str | None
    action: str | None  # failed | delayed | delivered | relayed | expanded
    status: str | None  # RFC 3463, e.g. "5.1.1"
    original_message_id: str | None  # with angle brackets


@dataclass(frozen=True, slots=True)
class Mail:
    """The words of a mail, whole and never cut; `spans` say which of them were written now."""

    subject: str
    from_name: str
    text: str
    spans: tuple[Span, ...]
    html: bool  # the text was taken from an HTML part
    language: str | None  # ISO 639-1 of the new text, None when not sure
    automatic: Automatic
    automatic_because: str
    message_id: str | None  # grammar-checked, with angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    attachments: tuple[Attachment, ...]
    report: Report | None
    content_digest: str  # SHA-256 of the whole raw mail, hex
    body_digest: str  # SHA-256 of the new text and attachments, white space folded, hex
    defects: tuple[str, ...]
    thread_topic: str | None = None
    thread_index: str | None = None

    @property
    def new_text(self) -> str:
        """The words written now; the whole body where no span is new."""
        return self._joined(SpanKind.NEW) or self.text

    @property
    def written(self) -> str:
        """The words written now; empty where all of it is quoted."""
        return self._joined(SpanKind.NEW) if self.spans else self.text.strip()

    @property
    def quoted_text(self) -> str:
        """What was quoted or forwarded, with its attributions."""
        return self._joined(SpanKind.QUOTE, SpanKind.ATTRIBUTION, SpanKind.FORWARD)

    def _joined(self, *kinds: SpanKind) -> str:
        return "".join(self.text[s.start : s.end] for s in self.spans if s.kind in kinds).strip()
