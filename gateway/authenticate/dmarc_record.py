"""Reads a DMARC record (RFC 9989 4.7, 4.8); one that cannot be read is not one that is absent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.authenticate.remember import Remembered

POLICIES = ("none", "quarantine", "reject")
LONGEST_RECORD = 4096  # bytes

_VERSION = re.compile(rb"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """The tags that a receiver needs. `readable` is False where no policy can be taken from it."""

    text: str
    readable: bool
    policy: str = "none"
    subdomains: str = "none"
    missing: str = "none"  # np=: for names that do not exist
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"  # y | n | u
    testing: bool = False

    def asked(self, policy: str) -> str:
        """RFC 9989 4.7: `t=y` asks for one step less. It changes no level of proof."""
        return POLICIES[max(0, POLICIES.index(policy) - self.testing)]


_read: Remembered[bytes, DmarcRecord] = Remembered(4 << 20)


def is_dmarc(text: bytes) -> bool:
    """The version tag stands first."""
    return _VERSION.match(text) is not None


def one_record(texts: Sequence[bytes]) -> tuple[DmarcRecord | None, bool]:
    """The record, and whether any stands there: several are none (RFC 9989 4.10)."""
    found = [text for text in texts if is_dmarc(text)]
    return (read_record(found[0]) if len(found) == 1 else None), bool(found)


def read_record(text: bytes) -> DmarcRecord:
    """The record of these bytes; read once and remembered. Never raises."""
    record = _read.get(text)
    if record is None:
        record = _parse(text)
        _read.put(text, record, len(text) + 300)
    return record


def _parse(raw: bytes) -> DmarcRecord:
    text = raw.decode("ascii", "replace")
    if len(raw) > LONGEST_RECORD:
        return DmarcRecord(text[:LONGEST_RECORD], readable=False)
    tags: dict[str, str] = {}
    for item in text.split(";"):
        name, equals, value = item.partition("=")
        if equals:  # what follows no grammar is ignored (RFC 9989 4.8)
            tags.setdefault(name.strip(" \t").lower(), value.strip(" \t"))
    values = {name: value.lower() for name, value in tags.items()}
    policy, readable = _policies(values)
    return DmarcRecord(
        text=text,
        readable=readable,
        policy=policy["p"],
        subdomains=policy["sp"],
        missing=policy["np"],
        strict_dkim=values.get("adkim") == "s",
        strict_spf=values.get("aspf") == "s",
        psd=values["psd"] if values.get("psd") in ("y", "n") else "u",
        testing=values.get("t") == "y",
    )


def _policies(values: dict[str, str]) -> tuple[dict[str, str], bool]:
    """RFC 9989 4.10.1: a bad policy is `p=none` where reports are asked for, else none at all."""
    written = [values.get("p", ""), *(values[tag] for tag in ("sp", "np") if tag in values)]
    if any(policy not in POLICIES for policy in written):
        reports = any(_URI.fullmatch(uri.strip()) for uri in values.get("rua", "").split(","))
        return dict.fromkeys(("p", "sp", "np"), "none"), reports
    p = values["p"]
    sp = values.get("sp", p)
    return {"p": p, "sp": sp, "np": values.get("np", sp)}, True
