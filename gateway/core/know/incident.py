"""What a critical incident must carry (I2): an own identifier, a start with its zone, diagnostics.

Everything is read from the text; order numbers, addresses and services count only where they are
the proven account's own. What is missing is asked for once.
"""

import re
from datetime import datetime

from gateway.core.know.identify import names
from gateway.core.know.moments import start
from gateway.core.model import Candidates, Clues, Incident, Mail, Service, ServiceMatch, Ticket
from gateway.core.read.needles import has_any, lowered

ANALYSED = 20_000
LONGEST_LINE = 500
SCREENSHOT = 40_000  # bytes of a picture in the text from which on it is no logo of a signature
HIGH = "high"

# Held against one line at a time; nothing here can run over a line, or twice over the same words.
_DIAGNOSTICS = re.compile(
    r"(?i)\b(?:traceroute|tracert|mtr|ping statistics|packet loss|packets transmitted|"
    r"request timed out|connection (?:refused|timed out|reset)|no route to host|"
    r"destination host unreachable|nxdomain|servfail|stack ?trace|kernel panic|"
    r"segmentation fault|err_[a-z_]{3,40})\b"
    r"|\b(?:http|error|errore|fehler|erreur|status|code)\W{0,3}[45]\d\d\b"
    r"|\[(?:error|crit|alert|emerg|warn)\]"
    r"|\b(?:kernel|systemd|nginx|apache2?|httpd|mysqld|postfix\S{0,20})\[\d{1,7}\]"
    r"|\bexit(?:ed)?(?: with)? (?:code|status) \d"
    r"|\bttl=\d{1,3}\b|\btime[=<]\d{1,5}(?:\.\d{1,4})? ?ms\b|\b100% (?:loss|packet)"
    r"|^\s{0,20}\d{1,2}  ?\S{1,80}.{0,80}? \d{1,5}(?:\.\d{1,4})? ms\b"
    r"|^(?:\d{4}-\d\d-\d\d[T ]|[A-Z][a-z]{2} [ \d]\d )\d\d:\d\d:\d\d\S{0,12} .{15}"
)
# A diagnostic line has one of these, or a digit.
_DIGIT = re.compile(r"\d")
_NEEDLES = (
    *(
        "traceroute",
        "tracert",
        "mtr",
        "ping stat",
        "packet",
        "timed out",
        "connection",
        "no route",
    ),
    *("unreachable", "nxdomain", "servfail", "trace", "panic", "segmentation", "err_"),
    *("[error]", "[crit]", "[alert]", "[emerg]", "[warn]"),
)
_DIAGNOSTIC_FILES = ("image/", "text/", "application/json", "application/gzip", "application/zip")
_NO_DIAGNOSTICS = ("text/calendar", "text/vcard", "text/x-vcard", "text/directory")


def read(
    mail: Mail,
    clues: Clues,
    candidates: Candidates,
    account: str | None,
    is_incident: bool,
    answers: Ticket | None = None,
) -> Incident:
    """The incident's fields, and which of them are missing.

    `account` is the one account of the author, or None: then nothing that is named can be his own.
    `answers` is his own ticket that the mail continues: where we asked for missing data there, the
    answer is read as part of the incident, and need not name again what the ticket is about.
    """
    own = tuple(s for s in candidates.services if s.account == account) if account else ()
    named = tuple(service for service in own if names(clues, service))
    asked = answers if answers and answers.asked and answers.priority != HIGH else None
    reported = is_incident or asked is not None
    known = _about(asked, own) if asked and not named else named
    began = start(f"{mail.subject}\n\n{mail.new_text[:ANALYSED]}", _written(mail, clues))
    diagnostics = _has_diagnostics(mail)
    missing: tuple[str, ...] = ()
    if reported:
        zoned = None if began is None else began.zoned
        missing = _missing(bool(known), len(own), zoned, diagnostics)
    return Incident(
        ip=next((ip for s in named for ip in s.ips if ip in clues.ips), None),
        order=next((s.order for s in named if s.order in clues.orders), None),
        service=named[0].name if named else None,
        started=began.moment if began and began.zoned else None,
        diagnostics=diagnostics,
        missing=missing,
        is_incident=reported,
        match=_match(named, candidates),
        identifiers=_identifiers(named),
    )


def _about(ticket: Ticket, own: tuple[Service, ...]) -> tuple[Service, ...]:
    """The services that a ticket is about, as far as they are still the account's."""
    return tuple(s for s in own if _word(s) in ticket.identifiers)


def _written(mail: Mail, clues: Clues) -> datetime:
    """When the text was written: by its Date where that is near our clock, in its own offset."""
    said = mail.date
    if said is None or said.tzinfo is None:
        return clues.now
    near = abs((said - clues.now).total_seconds()) < 3 * 86_400
    return said if near else clues.now


def _match(named: tuple[Service, ...], candidates: Candidates) -> ServiceMatch:
    if named:
        return ServiceMatch.OWN
    return ServiceMatch.OTHER if candidates.foreign else ServiceMatch.NONE


def _identifiers(named: tuple[Service, ...]) -> tuple[str, ...]:
    """One word a service, however the mail named it: equal services give equal identifiers.

    A name is one account's own; identifiers are compared within an account alone.
    """
    return tuple(sorted({_word(service) for service in named}))


def _word(service: Service) -> str:
    return service.name.lower()


def _missing(named: bool, services: int, zoned: bool | None, diagnostics: bool) -> tuple[str, ...]:
    """`zoned`: None where no start is said. The only service of an account needs no name."""
    lacks = {
        "identifier": not named,
        "service": not named and services != 1,
        "started": zoned is None,
        "zone": zoned is False,
        "diagnostics": not diagnostics,
    }
    return tuple(field for field, lacking in lacks.items() if lacking)


def _has_diagnostics(mail: Mail) -> bool:
    """A screenshot, a log or an archive that is attached, or lines that look like one."""
    for attachment in mail.attachments:
        kind = attachment.content_type
        wanted = kind.startswith(_DIAGNOSTIC_FILES) and kind not in _NO_DIAGNOSTICS
        if wanted and (not attachment.inline or attachment.size >= SCREENSHOT):
            return True
    text = mail.new_text[:ANALYSED]
    wordy = has_any(lowered(text), _NEEDLES)
    lines = (line.rstrip()[:LONGEST_LINE] for line in text.split("\n"))
    likely = (line for line in lines if wordy or _DIGIT.search(line))
    return any(_DIAGNOSTICS.search(line) for line in likely if line)
