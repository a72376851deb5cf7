"""Reads ARC fields (RFC 8617) for the log alone: nothing is verified, and no level rises by it."""

import re

from gateway.core.model import Arc, Headers

MOST_SETS = 50  # RFC 8617 4.2.1
LONGEST_FIELD = 20_000  # bytes that are looked at

_NAMES = ("arc-seal", "arc-message-signature", "arc-authentication-results")
_TAG = re.compile(rb"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=([^;]*)")
_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([1-9]\d{0,3})[ \t\r\n]*(?:;|\Z)")


def read(headers: Headers) -> Arc:
    """`none`: no ARC; `fail`: no chain by its form; `neutral`: one that nobody has verified."""
    fields: dict[str, list[bytes]] = {name: [] for name in _NAMES}
    for field in headers.fields:
        if field.name in fields:
            fields[field.name].append(field.value)
    most = max(map(len, fields.values()))
    if most == 0:
        return Arc()
    if most > MOST_SETS:
        return Arc("fail", most)
    return Arc("neutral" if _is_chain(fields, most) else "fail", most)


def _is_chain(fields: dict[str, list[bytes]], sets: int) -> bool:
    """RFC 8617 5.2: every set is whole, numbered from one, and sealed as it must be."""
    wanted = list(range(1, sets + 1))
    if any(sorted(map(_instance, values)) != wanted for values in fields.values()):
        return False
    for value in fields["arc-seal"]:
        tags = _tags(value)
        first = _instance(value) == 1
        if tags is None or tags.get("cv") != ("none" if first else "pass"):
            return False
        if not _sound(tags) or "h" in tags:
            return False
    return all(_sound(_tags(value)) for value in fields["arc-message-signature"])


def _sound(tags: dict[str, str] | None) -> bool:
    return tags is not None and tags.get("a") in ("rsa-sha256", "ed25519-sha256")


def _instance(value: bytes) -> int:
    match = _INSTANCE.match(value[:LONGEST_FIELD])
    if match is None:
        tags = _tags(value) or {}
        text = tags.get("i", "")
        return int(text) if text.isdecimal() and text.isascii() and len(text) < 4 else 0
    return int(match[1])


def _tags(value: bytes) -> dict[str, str] | None:
    """The tags of a list; None where one appears twice or is no tag (RFC 6376 3.2)."""
    tags: dict[str, str] = {}
    for item in value[:LONGEST_FIELD].split(b";"):
        if not item.strip():
            continue
        match = _TAG.fullmatch(item)
        if match is None:
            return None
        name = match[1].decode("ascii").lower()
        if name in tags:
            return None
        tags[name] = b"".join(match[2].split()).decode("ascii", "replace").lower()
    return tags
