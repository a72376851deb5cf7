"""Reports made for machines: delivery status (RFC 3464), disposition (RFC 8098), feedback (RFC
5965).

Fields are read from the parts that mime set aside. The first recipient that failed stands for the
report.
"""

import re
from collections.abc import Iterable

from gateway.core.model import Report
from gateway.core.read import identifiers, wire
from gateway.core.read.encoded import unfold
from gateway.core.read.mime import Parsed, ReportPart

_MOST_BLOCKS = 1000
# RFC 3463 2: class, subject (0 to 7), detail. Neither a version, nor an IP address, nor a date.
_STATUS = re.compile(r"(?<![\d.])([245])\.([0-7])\.(\d{1,3})(?!\d)(?!\.\d)")
_ANSWERED = re.compile(r"\b[45]\d\d[- ]{1,2}#?([45])\.([0-7])\.(\d{1,3})(?!\d)(?!\.\d)")
_REPLY_CODE = re.compile(
    r"(?<![\d.-])(?<!\d:)([45])[0-5]\d(?=[\s\])>,;-])"
    r"(?!\s{0,3}(?:[kmg]?b(?:ytes)?|lines|seconds|minutes|hours|days)\b)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"[^\s<>@;:,\"'()\[\]]+@[^\s<>@;:,\"'()\[\]]+\.?[A-Za-z0-9-]+|\"[^\"<>@]{1,64}\"@[^\s<>@;,]+"
)
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n(?:[ \t]*\r?\n)*")
_ID_LINE = re.compile(
    rb"^[>\s|]{0,20}Message-ID:\s{0,20}(<[^<>\s]{1,400}>)", re.IGNORECASE | re.MULTILINE
)
_REFUSED = re.compile(r"automatic-action/.{0,60};\s*(?:deleted|denied|failed)", re.IGNORECASE)
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_DELIVERY = ("message/delivery-status", "message/global-delivery-status")
_DISPOSITION = ("message/disposition-notification", "message/global-disposition-notification")
_RETURNED = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
    "text/rfc822",
)

Fields = dict[str, str]


def delivery(parsed: Parsed) -> Report | None:
    """The delivery status notification that the mail carries, or None."""
    groups = [group for part in _parts(parsed, _DELIVERY) for group in _groups(part.content)]
    if not groups:
        return None
    recipient = _worst(groups)
    action = _action(recipient.get("action", ""))
    status = _status(recipient, action)
    return Report(
        kind="dsn",
        final_recipient=_recipient(recipient),
        action=action or {"4": "delayed", "2": "delivered", "5": "failed"}.get((status or "")[:1]),
        status=status,
        original_message_id=original_message_id(parsed) or _stated_id(groups),
    )


def disposition(parsed: Parsed) -> Report | None:
    """The receipt that a person's mail program made, or None."""
    for part in _parts(parsed, _DISPOSITION):
        fields = {name: value for group in _groups(part.content) for name, value in group.items()}
        stated = _message_id(fields, "original-message-id") or original_message_id(parsed)
        # A refusal in the shape of a receipt, as Sieve's `reject` sends it (RFC 5429 2.2.1).
        refused = _REFUSED.search(fields.get("disposition", "")) is not None
        return Report("mdn", _recipient(fields), "failed" if refused else None, None, stated)
    return None


def feedback(parsed: Parsed) -> Report | None:
    """The complaint of a feedback loop, or None."""
    for part in _parts(parsed, ("message/feedback-report",)):
        fields = {name: value for group in _groups(part.content) for name, value in group.items()}
        recipient = _address(fields.get("original-rcpt-to", ""))
        return Report("arf", recipient, None, None, original_message_id(parsed))
    return None


def original_message_id(parsed: Parsed) -> str | None:
    """The Message-ID of the returned mail or of its returned header."""
    for part in _parts(parsed, _RETURNED):
        found = identifiers.message_id(wire.split(part.content).first("message-id"))
        if found is None:
            line = _ID_LINE.search(part.content)
            found = identifiers.message_id(line.group(1)) if line else None
        if found:
            return found
    return None


def stated_status(text: str) -> str | None:
    """The status that a text gives (RFC 3463), else the class of its first SMTP reply code.

    A status right after a reply code is surer than one that stands alone.
    """
    for pattern in (_ANSWERED, _STATUS):
        found = pattern.search(text)
        if found:
            return ".".join(str(int(number)) for number in found.groups())
    code = _REPLY_CODE.search(text)
    return f"{code.group(1)}.0.0" if code else None


def _parts(parsed: Parsed, kinds: Iterable[str]) -> list[ReportPart]:
    wanted = tuple(kinds)
    return [part for part in parsed.reports if part.type in wanted]


def _groups(content: bytes) -> list[Fields]:
    """RFC 3464 2.1: groups of fields between empty lines."""
    groups = []
    for block in _BLANK.split(content.strip(), _MOST_BLOCKS):
        fields: Fields = {}
        for item in wire.split(block).fields:
            fields.setdefault(item.name, unfold(item.value).decode("utf-8", "replace").strip())
        if fields:
            groups.append(fields)
    return groups


def _worst(groups: list[Fields]) -> Fields:
    """The first recipient that failed, else the first delayed, else the first at all; per-
    message fields last.
    """
    recipients = [
        g for g in groups if "final-recipient" in g or "original-recipient" in g or "status" in g
    ]
    for wanted in ("failed", "delayed"):
        for group in recipients:
            if _action(group.get("action", "")) == wanted:
                return group
    return recipients[0] if recipients else groups[0]


def _action(value: str) -> str | None:
    word = value.strip().lower()
    return next((action for action in _ACTIONS if word.startswith(action[:5])), None)


def _status(fields: Fields, action: str | None) -> str | None:
    """The Status field, else what the diagnostic says, else the class that the action implies."""
    stated = stated_status(fields.get("status", "")) or stated_status(
        fields.get("diagnostic-code", "")
    )
    return stated or {"failed": "5.0.0", "delayed": "4.0.0", "delivered": "2.0.0"}.get(
        action or ""
    )


def _recipient(fields: Fields) -> str | None:
    """Who failed: the address as the sender wrote it where the report keeps it (RFC 3464
    2.3.1), else the final one.
    """
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        address = _address(fields.get(name, ""))
        if address:
            return address
    return None


def _address(value: str) -> str | None:
    """RFC 3464 2.3.2: `rfc822; user@host`, with the brackets that some add."""
    found = _ADDRESS.search(value.rpartition(";")[2]) or _ADDRESS.search(value)
    return found.group()[:254] if found else None


def _stated_id(groups: list[Fields]) -> str | None:
    for group in groups:
        for name in ("original-message-id", "x-original-message-id"):
            found = _message_id(group, name)
            if found:
                return found
    return None


def _message_id(fields: Fields, name: str) -> str | None:
    return identifiers.message_id(fields.get(name, "").encode("utf-8", "replace"))
