"""Which parts of a mail are its words, which are files, and which are reports for machines.

Alternatives are one text in two forms; texts that follow each other are one text. A mail inside a
mail is a file: its words are never mixed with those of the one who sent it.
"""

import re
from dataclasses import dataclass, field

from gateway.core.model import Attachment
from gateway.core.read import cms, encoded, flowed, tnef, transfer, wire
from gateway.core.read.attachments import attachment
from gateway.core.read.charset import codecs_of, decode
from gateway.core.read.slots import Slot, alternative, merged, whole_lines, without_pictures
from gateway.core.read.structure import Budget, Part, tree

_REPORTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
        "message/feedback-report",
        "text/rfc822-headers",
        "text/rfc822",
        "message/global-headers",
        "message/rfc822-headers",
    }
)
_MAILS = frozenset({"message/rfc822", "message/global", "message/partial"})
_MARKED_UP = frozenset({"text/enriched", "text/richtext", "text/x-richtext"})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
# Other renderings of the same words, for devices that show neither text nor pages.
_RENDERINGS = (
    frozenset({"text/x-amp-html", "text/watch-html", "text/x-aol", "text/x-pkcs7"}) | _MARKED_UP
)
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_OPAQUE = "smime.p7m"
_PGP = "-----BEGIN PGP MESSAGE-----"
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_META = re.compile(
    rb"<meta\s[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE
)
_TAGS = re.compile(r"<[^<>]{0,200}>")
_MOST_REPORTS = 20
_MOST_FILES = 1000
_MOST_TEXT = _MOST_PAGE = 1024 * 1024  # bytes of text, and of pages, that are read as words
_DEEPEST_TNEF = 5
_DEEPEST_SMIME = 3
_MOST_FOOTED = 4 * 1024 * 1024  # bytes of one text in which a footer is looked for


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A part written for machines, or the mail that a report returns: its type and the start of
    its bytes.
    """

    type: str
    content: bytes


@dataclass(slots=True)
class Found:
    """What the walk over the parts has found."""

    text: str | None = None
    html: str | None = None
    charset: str | None = None
    label: str | None = None  # the first charset that a text declares
    calendar_method: str | None = None
    message_class: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    reports: list[ReportPart] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


def collect(root: Part, budget: Budget) -> Found:
    """Decode and sort every part. Total."""
    walk = _Walk(budget)
    slots = walk.part(root, None)
    found = walk.found
    found.text, found.html = merged(slots)
    if not slots:
        walk.last_resort()
    return found


class _Walk:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.found = Found()
        self.decoded = 0
        self.texts = self.pages = 0  # bytes of them that are words
        self.opened = 0  # signed messages
        self.worded = False  # a text or a page said something
        self.shown: tuple[Part, bytes] | None = None  # the first text with a file name

    def part(self, part: Part, parent: Part | None) -> list[Slot]:
        """The words below this part; files and reports go to `found`."""
        if part.opaque:
            self.file(part, parent)
            return []
        if part.children:
            return self.multipart(part)
        kind = part.type
        if kind in _REPORTS:
            self.report(part, parent)
        elif kind in _MAILS:
            self.mail(part, parent)
        elif kind in _TNEF or (part.name or "").lower() == "winmail.dat":
            return self.container(part, parent)
        elif kind in _SMIME or (part.name or "").lower() == _OPAQUE:
            return self.signed(part, parent)
        elif self._is_body(part, parent):
            return self.words(part)
        elif kind not in _SIGNATURES or part.name or part.attached:
            self.file(part, parent)
        return []

    def multipart(self, part: Part) -> list[Slot]:
        if part.type != "multipart/alternative":
            return [slot for child in part.children for slot in self.part(child, part)]
        plain = any(child.type == "text/plain" for child in part.children)
        branches = [
            self.part(child, part)
            for child in part.children
            if not (plain and child.type in _MARKED_UP)
        ]
        slot = alternative(branches)
        return [slot] if slot else []

    def _is_body(self, part: Part, parent: Part | None) -> bool:
        if (
            parent is not None
            and parent.type == "multipart/alternative"
            and part.type in _RENDERINGS
        ):
            return True
        if part.type != "text/plain" and part.type not in _PAGES and part.type not in _MARKED_UP:
            return False
        if part.encoding.startswith("x-") and part.encoding not in transfer.ENCODED:
            return False  # RFC 2045 6.4: such a part is an application/octet-stream
        if parent is None:
            return not (part.attached and part.name)
        return not part.attached and not part.name

    def content(self, part: Part, end: int | None = None) -> bytes | memoryview:
        """The decoded bytes, of the first `end` alone where it is given; the raw ones, with a
        defect, when the budget is spent.
        """
        data = part.body[:end]
        if self.decoded + len(data) > self.budget.decoded:
            self.defect("mime-size")
            return data
        self.decoded += len(data)
        decoded, broken = transfer.decode(data, part.encoding)
        if broken:
            self.defect(broken)
        return decoded

    def words(self, part: Part) -> list[Slot]:
        end = self._base64_end(part)
        if end is None:
            return self.body(part, self.content(part))
        # What a list or a gateway put under Base64, as it was and in a charset of its own.
        self.defect("base64-trailing-text")
        if end == 0:
            return self.body(part, part.body)
        slots = self.body(part, self.content(part, end))
        return [*slots, Slot(plain=self.text(part.body[end:], None))]

    def _base64_end(self, part: Part) -> int | None:
        """Where text begins under the Base64 of a part, or None."""
        if part.encoding != "base64" or len(part.body) > _MOST_FOOTED:
            return None
        end = transfer.text_after(bytes(part.body))
        return end if end < len(part.body) else None

    def body(self, part: Part, data: bytes | memoryview) -> list[Slot]:
        if part.type in _PAGES:
            return self.read_as(part, self._shown(part, without_pictures(data)))
        return self.read_as(part, self._shown(part, self._without_files(data, part)))

    def read_as(self, part: Part, data: bytes | memoryview) -> list[Slot]:
        """Decoded bytes as the words of a part, by the charset and the form that it declares."""
        label = part.content_type.get("charset")
        self.found.label = self.found.label or label
        if part.type in _PAGES:
            meta = None if label else _META.search(data[:1024])
            if meta:
                label = meta.group(1).decode("ascii")
            return [Slot(page=self.text(data, label))]
        if part.type == "text/plain":
            text = self.text(data, label)
            if flowed.is_flowed(part.content_type.parameters):
                delsp = (part.content_type.get("delsp") or "").strip().lower() == "yes"
                text = flowed.unwrapped(text, delsp)
            return [Slot(plain=text)]
        if part.type in _MARKED_UP:  # RFC 1896: `<<` is a literal angle bracket
            text = _TAGS.sub("", self.text(data, label).replace("<<", "\ufffc")).replace(
                "\ufffc", "<"
            )
            return [Slot(plain=text)]
        return []

    def _shown(self, part: Part, data: bytes | memoryview) -> bytes | memoryview:
        """What of a text is read as the mail's words; one that is longer is a file too, whole."""
        page = part.type in _PAGES
        room = _MOST_PAGE - self.pages if page else _MOST_TEXT - self.texts
        if len(data) > room:
            self.defect("text-cut")
            self._attach(part, part.type, bytes(data))
            data = whole_lines(bytes(data[: max(room, 0)]))
        if page:
            self.pages += len(data)
        else:
            self.texts += len(data)
        return data

    def text(self, data: bytes | memoryview, label: str | None) -> str:
        text, codec = decode(data, label)
        if self.found.charset is None:
            self.found.charset = codec
        text = text.removeprefix("\ufeff")  # a byte order mark is no word
        self._judge_charset(text, codec, label)
        self.worded = self.worded or (not text[:4096].isspace() and bool(text))
        if _PGP in text:
            self.defect("pgp-encrypted")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text

    def _judge_charset(self, text: str, codec: str, label: str | None) -> None:
        if "\ufffd" in text:
            self.defect("charset-broken")
        if not label or text.isascii():
            return
        known = codecs_of(label)
        if not known:
            self.defect("charset-unknown")
        elif codec not in known and not known[0].startswith(codec[:6]):  # UTF-16 by its zeros
            self.defect("charset-mislabelled")

    def _without_files(self, data: bytes | memoryview, part: Part) -> bytes | memoryview:
        """Files that an old program put into the text by uuencode are files, not words."""
        if part.encoding not in transfer.IDENTITY:
            return data
        if part.raw.find(b"begin ", part.start, part.end) < 0:
            return data
        source = bytes(data)
        kept: list[bytes] = []
        at = 0
        for start, end, name, content in transfer.uu_blocks(source):
            kept.append(source[at:start])
            at = end
            self.add(decode(name, None)[0], "application/octet-stream", content, inline=False)
        return b"".join([*kept, source[at:]])

    def report(self, part: Part, parent: Part | None) -> None:
        data = self.content(part)
        self._reported(part.type, data)
        if part.name or part.attached or parent is None or parent.type != "multipart/report":
            self._attach(part, part.type, bytes(data))

    def mail(self, part: Part, parent: Part | None) -> None:
        data = bytes(self.content(part))
        self._reported("message/rfc822", data)
        subject = encoded.text(wire.split(data[: self.budget.report]).first("subject"))
        self._attach(part, "message/rfc822", data, subject)

    def _reported(self, kind: str, data: bytes | memoryview) -> None:
        if len(self.found.reports) < _MOST_REPORTS:
            self.found.reports.append(ReportPart(kind, bytes(data[: self.budget.report])))

    def container(self, part: Part, parent: Part | None) -> list[Slot]:
        """winmail.dat: what is inside it stands for it, and its text counts when there is no
        other.
        """
        data = bytes(self.content(part))
        container = tnef.read(data)
        if container is None or container.broken:
            self.defect("tnef-broken")
            self._attach(part, part.type, data)
        if container is None:
            return []
        self.found.message_class = container.message_class
        self.unpack(container, 1)
        text, page = container.text, container.html
        if self.worded or (text is None and page is None):
            return []
        if len(text or "") > _MOST_TEXT or len(page or "") > _MOST_PAGE:
            self.defect("text-cut")
            self._words_as_file("winmail", container)
        text = text[:_MOST_TEXT].replace("\r\n", "\n") if text is not None else None
        return [Slot(text, page[:_MOST_PAGE] if page is not None else None)]

    def unpack(self, container: tnef.Container, depth: int) -> None:
        """Its files; a container among them is a mail in the mail, and opened like this one."""
        for file in container.files:
            inner = tnef.read(file.content) if tnef.is_container(file.content) else None
            deeper = depth < _DEEPEST_TNEF and self.decoded < self.budget.decoded
            if inner is None or inner.broken or not deeper:
                self.add(file.name, file.content_type, file.content, file.inline)
            if inner is None:
                continue
            if inner.broken or not deeper:
                self.defect("tnef-broken" if inner.broken else "tnef-depth")
            if deeper:
                self.decoded += len(file.content)
                self._words_as_file(file.name or inner.subject, inner)
                self.unpack(inner, depth + 1)

    def _words_as_file(self, name: str, inner: tnef.Container) -> None:
        """A mail inside a mail: its words are a file, never mixed with the sender's."""
        if inner.text is not None:
            self.add(f"{name}.txt", "text/plain", inner.text.encode("utf-8", "replace"), False)
        elif inner.html is not None:
            self.add(f"{name}.html", "text/html", inner.html.encode("utf-8", "replace"), False)

    def signed(self, part: Part, parent: Part | None) -> list[Slot]:
        """S/MIME (RFC 8551 3): kept as it came; the words inside an opaque signature are read, by
        nobody verified.
        """
        data = bytes(self.content(part))
        self._attach(part, part.type, data)
        message = cms.read(data)
        if message is None or message.kind != "signed":
            self.defect("smime-broken" if message is None else f"smime-{message.kind}")
            return []
        named = (part.name or _OPAQUE).lower()
        if message.content is None or named != _OPAQUE or self.opened >= _DEEPEST_SMIME:
            return []  # certificates alone, or a signed document
        headers = wire.split(message.content)
        if headers.first("content-type") is None:
            return []
        self.opened += 1
        self.defect("smime-unverified")
        root, defects = tree(message.content, headers, self.budget)
        for kind in defects:
            self.defect(kind)
        return self.part(root, None)

    def file(self, part: Part, parent: Part | None) -> None:
        kind = part.type
        if kind == "text/calendar":
            method = part.content_type.get("method")
            self.found.calendar_method = (method or "").strip().upper()[
                :20
            ] or self.found.calendar_method
        if (
            parent is not None
            and parent.type == "multipart/encrypted"
            and kind == "application/octet-stream"
        ):
            kind = "application/pgp-encrypted" if not part.name else kind
            self.defect("pgp-encrypted")
        self._attach(part, kind, bytes(self.content(part)))

    def _attach(self, part: Part, kind: str, data: bytes, subject: str = "") -> None:
        inline = part.disposition.word == "inline" or (
            not part.disposition.word and part.headers.first("content-id") is not None
        )
        added = self.add(part.name, kind, data, inline, subject)
        shown = kind in ("text/plain", "text/html") and not part.attached
        if added is not None and shown and self.shown is None:
            self.shown = part, data

    def add(
        self, name: str | None, kind: str, data: bytes, inline: bool, subject: str = ""
    ) -> Attachment | None:
        """One more file, unless there are too many to be a person's mail."""
        if len(self.found.attachments) >= _MOST_FILES:
            self.defect("mime-files")
            return None
        added = attachment(name, kind, data, inline, len(self.found.attachments) + 1, subject)
        self.found.attachments.append(added)
        return added

    def last_resort(self) -> None:
        """A mail whose only text has a file name and is not said to be attached: that text is
        its words.
        """
        if self.shown is None:
            return
        part, data = self.shown
        page = part.type == "text/html"
        most = _MOST_PAGE if page else _MOST_TEXT
        data = whole_lines(data[:most]) if len(data) > most else data
        slots = self.read_as(part, data)
        self.found.text, self.found.html = merged(slots)

    def defect(self, kind: str) -> None:
        if kind not in self.found.defects:
            self.found.defects.append(kind)
