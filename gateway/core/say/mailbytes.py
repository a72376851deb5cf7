"""The writer of outgoing mail: our own strings in, bytes out. It knows no mail that came in.

The standard library's generator is slower and was seen to let line breaks through. Bodies are
quoted-printable, so that no relay needs 8BITMIME and no line is long.
"""

import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime

from gateway.core.say import headers


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written. Every string is ours, or was checked by its grammar."""

    sender_name: str
    sender: str
    to: str
    reply_to: str | None
    subject: str
    date: datetime  # aware
    message_id: str
    text: str
    html: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()  # Auto-Submitted, Thread-Index, …


def write(letter: Letter) -> bytes:
    """The mail as bytes with CRLF. UnsafeHeader: a value that may not stand in a header."""
    if not headers.is_message_id(letter.message_id):
        raise headers.UnsafeHeader("not a Message-ID")
    fields = [
        ("From", headers.mailbox(letter.sender_name, letter.sender)),
        ("To", headers.address(letter.to)),
        ("Subject", headers.unstructured(letter.subject)),
        ("Date", headers.date(letter.date)),
        ("Message-ID", letter.message_id),
    ]
    if letter.reply_to is not None:
        fields.append(("Reply-To", headers.address(letter.reply_to)))
    fields += _thread(letter)
    fields += [(name, headers.safe(value)) for name, value in letter.marks]
    boundary = f"=_{hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]}"
    fields += [
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return head.encode("utf-8") + b"\r\n" + _body(letter, boundary.encode())


def _thread(letter: Letter) -> list[tuple[str, str]]:
    if not headers.is_message_id(letter.in_reply_to):
        return []
    parent = str(letter.in_reply_to)
    earlier = tuple(one for one in letter.references if one != parent)
    return [("In-Reply-To", parent), ("References", headers.message_ids((*earlier, parent)))]


def _body(letter: Letter, boundary: bytes) -> bytes:
    parts = ((b"plain", letter.text), (b"html", letter.html))
    lines = []
    for kind, text in parts:
        lines.append(
            b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n%b\r\n"
            % (boundary, kind, _quoted_printable(text))
        )
    return b"".join((*lines, b"--%b--\r\n" % boundary))


def _quoted_printable(text: str) -> bytes:
    raw = text.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return binascii.b2a_qp(raw, istext=True)
