"""Whether a mail without a machine-readable report is a bounce.

Told by who sends it, what its subject says and how its text begins, never by one of them alone. A
person who forwards, quotes or complains of a bounce writes in his own name, greets, asks, and uses
a mail program.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from gateway.core.model import Headers
from gateway.core.read import absence
from gateway.core.read.bounce_words import ANSWERED, COPY, FORWARDED, OPENING, SUBJECT
from gateway.core.read.encoded import unfold
from gateway.core.read.mime import Parsed
from gateway.core.read.report import stated_status
from gateway.core.read.wordlist import any_of

_LOOKED_AT = 16384  # characters of the text
_HEAD = 1500
_TAGS = re.compile(r"<(?:style|script)\b[^<]{0,20000}|</?[a-zA-Z!][^<>]{0,400}>")
_ENTITIES = {"&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}


class Sender(IntEnum):
    """How much a sender's name says: a daemon sends nothing but bounces, a clerk's mailbox a
    person may use.
    """

    ANYBODY = 0
    CLERK = 1
    NULL = 2  # the null reverse-path: a program of some kind
    DAEMON = 3


_LOCAL = re.compile(rb"([A-Za-z0-9._+=-]{1,64})\"?@")
_DAEMON = any_of(
    r"""
    mailer-?daemon
    mail-?daemon
    mdaemon
    mail[._-]delivery[._-]\w+
    mmdf
    nondelivery
    ndr
    microsoftexchange[0-9a-f]{20,}
    """,
    r"\A{}\Z",
)
_CLERK = any_of(
    r"""
    post_?master|mailmaster
    daemon|mailer|root|system
    administrator|admin
    bounces?
    mail|mailsystem|imss
    notifications?
    antivirus|symantec_antivirus\w*
    .{0,60}mail_?service.{0,60}
    """,
    r"\A{}\Z",
)
_DAEMON_NAME = any_of(r"""
    mail(?:er)? ?(?:delivery (?:sub)?system|daemon|delivery service)
    delivery subsystem
    mailer-daemon
    internet mail delivery
    jetmail system
    \Amail (?:delivery )?system\Z
""")
_CLERK_NAME = any_of(r"""
    system ?administrator
    amministratore di sistema
    administrateur syst
    mail administrator
    postmaster
    mail ?delivery
""")
# A person's own words, as daemons do not use them (`I'm afraid I wasn't able to deliver` is
# qmail's).
_PERSONAL = any_of(r"""
    \A\W*(?:buon ?giorno|buona ?sera|salve|ciao|spett|egregi)
    \A\W*gentil[ei]\b(?!\s+(?:utente|mittente|cliente)\b)
    \A\W*(?:hello\b(?!,\s+this is)|hi\b(?!\. |!\s+this is)|good (?:morning|evening|afternoon))
    \A\W*dear\b(?!\s+(?:user|sender|customer|e-?mail user)\b)
    \A\W*(?:guten (?:tag|morgen)|hallo|sehr geehrte)
    \A\W*(?:bonjour|madame|hola|buen[oa]s)
    \b(?:my|mio|mia|miei|mie|vorrei|potete|riesco|ricevo|ricevuto|perch[ée]|aiuto)\b
    (?<!reason )\b(?:why|meine?[mnrs]?|warum|je|pourquoi|nuestr[oa]s?|por qu[eé])\b
    \?\s*(?:\n|\Z)
""")
# The header of the returned mail, as Exchange repeats it: its subject is nobody's word here.
_REPEATED = re.compile(r"^[\s>]{0,20}\w{1,12}:.*$", re.MULTILINE)
_MAIL_PROGRAM = any_of("""
    thunderbird|mozilla|postbox
    apple mail|iphone|ipad|airmail|spark
    microsoft outlook|outlook express|windows live mail
    roundcube|horde|squirrelmail|zimbra
    evolution|k-9|mutt|kmail|sylpheed|claws
    the bat|em client
""")


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for and against a bounce."""

    sender: Sender
    subject: bool  # what bounces are called
    opening: bool  # their words in the first lines
    deep: bool  # their words further down
    returned: bool  # a mail or its header is given back
    coded: bool  # an SMTP reply code or a status code
    forwarded: bool  # `Fwd:`
    answered: bool  # `Re:`
    personal: bool  # a greeting, a question, the first person, or a person's mail program
    answers: bool  # it refers to another mail

    @property
    def enough(self) -> bool:
        """The verdict: the less the sender says, the more the rest must."""
        if self.sender is Sender.DAEMON:
            return self.subject or self.opening or self.deep or (self.returned and self.coded)
        if self.sender is Sender.NULL:
            return self._said and (self.subject or self.returned or self.coded)
        if self.personal or self.forwarded:
            return False
        if self.answered:
            return self.subject and self.opening and not self.answers and not self.returned
        if self.sender is Sender.CLERK:
            return (self.subject and (self._said or self.returned or self.coded)) or (
                self.opening and (self.returned or self.coded)
            )
        return self.subject and self.opening and (self.returned or self.coded or not self.answers)

    @property
    def _said(self) -> bool:
        return self.subject or self.opening or self.deep


_NONE = Signs(Sender.ANYBODY, *[False] * 9)


def signs(headers: Headers, parsed: Parsed, mail_from: str) -> Signs:
    """Look at the mail once for all of them."""
    sender = sender_of(headers, parsed.from_name, mail_from)
    subject = bool(SUBJECT.search(parsed.subject))
    reported = any(part.type != "message/rfc822" for part in parsed.reports)
    if sender is Sender.ANYBODY and not subject and not reported:
        return _NONE  # nearly all mail: nothing else could tip the scale
    text = words_of(parsed)
    said = own_words(text)
    head = said[:_HEAD]
    return Signs(
        sender=sender,
        subject=subject,
        opening=bool(OPENING.search(_first_words(head))),
        deep=bool(OPENING.search(head)),
        returned=len(said) < len(text) or bool(parsed.reports),
        coded=stated_status(head) is not None,
        forwarded=forwarded(parsed.subject),
        answered=bool(ANSWERED.match(parsed.subject)),
        personal=bool(_PERSONAL.search(_REPEATED.sub("", head))) or _has_mail_program(headers),
        answers=bool(parsed.in_reply_to or parsed.references),
    )


def is_bounce(headers: Headers, parsed: Parsed, mail_from: str) -> bool:
    """A mail that returns another, whatever its form; not one that calls itself an automatic
    reply.
    """
    if headers.first("x-failed-recipients") is not None:
        return True
    if parsed.message_class.upper().endswith(".NDR"):
        return True
    if absence.certain(parsed.subject):
        return False
    return signs(headers, parsed, mail_from).enough


def speaks_of_failure(parsed: Parsed) -> bool:
    """Subject and text are a bounce's, whoever sends it."""
    head = own_words(words_of(parsed))[:_HEAD]
    return bool(SUBJECT.search(parsed.subject)) and bool(OPENING.search(head))


def forwarded(subject: str) -> bool:
    """The prefix that mail programs put before a subject when a person forwards a mail."""
    return bool(FORWARDED.match(subject))


def sender_of(headers: Headers, name: str, mail_from: str) -> Sender:
    """The strongest that the reverse-path and the From field say."""
    local = author_local(headers)
    path = mail_from.rpartition("@")[0] or mail_from
    if _DAEMON.match(local) or _DAEMON.match(path) or _DAEMON_NAME.search(name):
        return Sender.DAEMON
    if not mail_from or (headers.first("return-path") or b"").strip() == b"<>":
        return Sender.NULL
    if _CLERK.match(local) or _CLERK_NAME.search(name):
        return Sender.CLERK
    return Sender.ANYBODY


def words_of(parsed: Parsed) -> str:
    """The start of the mail's words, taken roughly from the page where there is no text."""
    if parsed.body_text and parsed.body_text.strip():
        return parsed.body_text[:_LOOKED_AT]
    page = _TAGS.sub(" ", (parsed.body_html or "")[: 4 * _LOOKED_AT])
    for entity, character in _ENTITIES.items():
        page = page.replace(entity, character)
    return page[:_LOOKED_AT]


def own_words(text: str) -> str:
    """The daemon's own words: up to the mail that it returns."""
    copy = COPY.search(text)
    return text[: copy.start()] if copy else text


def author_local(headers: Headers) -> str:
    """What looks like the author's local part: enough for a daemon's name, never an identity."""
    locals_found = _LOCAL.findall((headers.first("from") or b"")[:1000])
    return locals_found[-1].decode("ascii") if locals_found else ""


def _has_mail_program(headers: Headers) -> bool:
    values = (headers.first("user-agent"), headers.first("x-mailer"))
    return any(_MAIL_PROGRAM.search(unfold(v[:200]).decode("latin-1")) for v in values if v)


def _first_words(said: str) -> str:
    """The first lines that say anything: a person has his own words there."""
    lines = [line.strip() for line in said.splitlines()]
    spoken = [line for line in lines if sum(map(str.isalpha, line)) > 3]
    return " ".join(spoken[:4])[:600]
