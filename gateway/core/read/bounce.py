"""What a bounce says that is no RFC 3464 report: qmail, Exim, Exchange, Notes, GroupWise, Yahoo
and their kin.

Who failed, whether for good, why, and which mail it was, from words alone; bounce_signs tells
whether it is one.
"""

import re
from dataclasses import replace

from gateway.core.model import Headers, Report
from gateway.core.read import addresses, identifiers
from gateway.core.read.bounce_signs import is_bounce, own_words, words_of
from gateway.core.read.bounce_words import CAUSES, DELAY
from gateway.core.read.mime import Parsed
from gateway.core.read.report import original_message_id, stated_status

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")
_NOT_THE_VICTIM = re.compile(
    r"contact|assistance|help|postmaster|support|abuse|\bfrom\b|sent by|visit|http|addressed to '|"
    r"reports? to|complain|undisclosed|form of",
    re.IGNORECASE,
)
_VICTIM = re.compile(
    r"(?:\bto|\bfor|recipients?(?:\(s\))?|user|address(?:es)?|addressed|userid|attempts|unknown|full|"
    r"generated from|rcpt to|SMTP=?)[\s:=<\"',\[(]{1,12}\Z",
    re.IGNORECASE,
)
# Exchange repeats the header of the mail before it says who was not reached.
_HEADER_LINE = re.compile(r"[\s\xa0]*(?:to|cc|a|an|à|para|from|da|von|de)\s*:", re.IGNORECASE)
_ID_IN_TEXT = re.compile(
    r"^[>\s|]{0,20}Message-ID:\s{0,20}(<[^<>\s]{1,400}>)", re.IGNORECASE | re.MULTILINE
)


def completed(report: Report, headers: Headers, parsed: Parsed) -> Report:
    """A structured report that leaves out who failed or why, with what its text says of it."""
    if report.final_recipient and report.status:
        return report
    said = own_words(words_of(parsed))
    delayed = report.action == "delayed" or bool(DELAY.search(parsed.subject))
    return replace(
        report,
        final_recipient=report.final_recipient or _victim(said, headers, parsed),
        action=report.action or ("delayed" if delayed else "failed"),
        status=report.status or _status(f"{said}\n{parsed.subject}", delayed),
    )


def read(headers: Headers, parsed: Parsed, mail_from: str) -> Report | None:
    """What an unstructured bounce reports, or None when the mail is none."""
    if not is_bounce(headers, parsed, mail_from):
        return None
    text = words_of(parsed)
    said = own_words(text)
    failed = headers.first("x-failed-recipients")
    delayed = bool(DELAY.search(parsed.subject) or DELAY.search(said[:2000]))
    return Report(
        kind="unstructured",
        final_recipient=(
            _failed_recipient(failed)
            or _victim(said, headers, parsed)
            or _victim(text[len(said) :], headers, parsed, sure=True)
        ),
        action="delayed" if delayed else "failed",
        status=_status(f"{said}\n{parsed.subject}", delayed),
        original_message_id=_original(text, parsed),
    )


def _status(said: str, delayed: bool) -> str:
    """RFC 3463: the code that is given, else the class that the words imply."""
    stated = stated_status(said)
    if stated and not stated.endswith(".0.0"):
        return stated
    family = stated[0] if stated else ("4" if delayed else "5")
    cause = next((detail for pattern, detail in CAUSES if pattern.search(said)), "0.0")
    return f"{family}.{cause}"


def _failed_recipient(value: bytes | None) -> str | None:
    found = _ADDRESS.search((value or b"").decode("utf-8", "replace"))
    return found.group() if found else None


def _victim(said: str, headers: Headers, parsed: Parsed, sure: bool = False) -> str | None:
    """The address that is most plainly the one that failed, first of equals; `sure`: only one
    that is named as such.
    """
    own = {str(address).lower() for address in (*parsed.to, *parsed.cc)}
    own |= {str(a).lower() for a in addresses.mailboxes(headers.first("from") or b"")}
    best: tuple[int, str] | None = None
    for line in said[:8000].splitlines():
        for found in _ADDRESS.finditer(line[:1000]):
            address = found.group().lstrip("'=")
            points = _points(line, found, address.lower() in own)
            if best is None or points > best[0]:
                best = (points, address)
    return best[1] if best and best[0] >= (3 if sure else 0) else None


def _points(line: str, found: re.Match[str], own: bool) -> int:
    """How much a line looks like the place where the failed address is named."""
    before, after = line[: found.start()], line[found.end() :]
    points = -6 if own else 0
    if _HEADER_LINE.match(before):
        return points
    if _VICTIM.search(before[-40:]):
        return points + 3
    if _NOT_THE_VICTIM.search(before) or _NOT_THE_VICTIM.search(after[:40]):
        points -= 5
    if not before.strip(" \t<>*\"'-:[("):
        points += 4 if not after.strip(" \t<>*\"'-:])") else 3
    return points


def _original(text: str, parsed: Parsed) -> str | None:
    found = original_message_id(parsed)
    if found:
        return found
    line = _ID_IN_TEXT.search(text)
    stated = identifiers.message_id(line.group(1).encode("utf-8", "replace")) if line else None
    answered = parsed.in_reply_to or parsed.references
    return stated or (answered[-1] if answered else None)
