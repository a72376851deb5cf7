"""Everything in a mail by which the store can be asked about it, computed before the one read.

Clues are only questions: what they name is believed by nobody. All of it is bounded in number
and length, and found in one pass, so that no mail makes the read a heavy one.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from itertools import islice

from gateway.core.model import Clues, Envelope, Mail, Wire
from gateway.core.read.needles import has_any, lowered
from gateway.core.read.tokenform import tickets_named

MAX_NUMBERS = 20
MAX_IDS = 60
MAX_WORDS = 100
MAX_IPS = 20
QUERY_CHARS = 2_000
SCANNED_CHARS = 50_000

_TAGGED = re.compile(r"\[#([0-9]{1,18})\]")
_HASHED = re.compile(r"(?<![\w#&/])#([0-9]{3,18})(?![0-9A-Za-z])")
_ORDERED = re.compile(
    r"\b(?:ordin[ei]|order|bestellung|auftrag|commande|pedido)\b[ \t]{0,3}"
    r"(?:n(?:r|o|um(?:ero|ber)?)?[.°º]?|nummer|id|n[°º])?[ \t]{0,3}[:#]?[ \t]{0,3}"
    r"([A-Za-z0-9][A-Za-z0-9-]{2,31})",
    re.IGNORECASE,
)
_ORDER_NEEDLES = ("ordin", "order", "bestellung", "auftrag", "commande", "pedido")
_COLONS = re.compile(r":[0-9A-Fa-f:]*:")  # in every IPv6 address
_V4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?![\w:])")
_WORD = re.compile(r"(?<![\w.@-])[A-Za-z0-9](?:[A-Za-z0-9._-]{1,251}[A-Za-z0-9])(?![\w@-])")
_NAME_LIKE = re.compile(r"[A-Za-z].*[0-9._-]|[0-9._-].*[A-Za-z]")
_PREFIX = re.compile(
    r"\s*(?:(?:re|r|rif|i|fw|fwd|aw|wg|rv|tr|ref|antw|sv|vs)\s?(?:\[\d{1,3}\])?\s?[:：]\s*)",
    re.IGNORECASE,
)


def clues(
    envelope: Envelope,
    wire: Wire,
    mail: Mail,
    signature_digests: Iterable[str] = (),
    org_domain: str | None = None,
) -> Clues:
    """The questions that this mail raises.

    `org_domain` is the author's organisational domain, by which public texts are capped;
    without it the domain itself is taken.
    """
    text = f"{mail.subject}\n{mail.new_text}"[:SCANNED_CHARS]
    subject = mail.subject[:SCANNED_CHARS]
    ids = _ids(mail)
    author = wire.author
    return Clues(
        author_key=author.key if author else "",
        author_domain=org_domain or (author.domain if author else ""),
        mail_key=mail_key(envelope, mail.content_digest),
        content_digest=mail.content_digest,
        body_digest=mail.body_digest,
        message_id=mail.message_id,
        tickets=_tickets(envelope.recipients, ids, subject),
        message_ids=ids,
        ips=ips(text),
        orders=orders(text),
        words=words(text),
        signature_digests=tuple(dict.fromkeys(signature_digests))[:10],
        query=f"{bare_subject(mail.subject)[:300]}\n{mail.new_text}"[:QUERY_CHARS].strip(),
        language=mail.language,
        now=envelope.received_at,
    )


def mail_key(envelope: Envelope, content_digest: str) -> str:
    """SHA-256 over envelope and content, each part with its length: the very same mail again."""
    parts = (envelope.mail_from, *sorted(envelope.recipients), content_digest)
    encoded = (part.encode("utf-8", "surrogatepass") for part in parts)
    return hashlib.sha256(b"".join(b"%d:%s," % (len(part), part) for part in encoded)).hexdigest()


def _ids(mail: Mail) -> tuple[str, ...]:
    """What the mail answers, nearest first, and its own id.

    Its own id is asked for because an answer to it may have been committed before it.
    """
    own = (mail.message_id,) if mail.message_id else ()
    named = (*mail.in_reply_to[:10], *reversed(mail.references[-45:]), *own)
    return tuple(dict.fromkeys(one for one in named if len(one) <= 998))[:MAX_IDS]


def _tickets(recipients: Iterable[str], ids: Iterable[str], subject: str) -> tuple[str, ...]:
    named = [number for one in (*recipients, *ids) for number in tickets_named(one)]
    numbers = dict.fromkeys((*named, *tagged(subject), *hashed(subject)))
    return tuple(numbers)[:MAX_NUMBERS]


def tagged(subject: str) -> tuple[str, ...]:
    """The numbers in our own subject form, `[#482913]`, in order."""
    return _first(_TAGGED.findall(subject), MAX_NUMBERS)


def hashed(text: str) -> tuple[str, ...]:
    """Numbers behind a hash, `#123456`: a ticket or an order, both are tried."""
    return _first(_HASHED.findall(text.replace("[#", " #")), MAX_NUMBERS)


def orders(text: str) -> tuple[str, ...]:
    """What may be an order number: behind a hash, or behind the word for it."""
    worded = _ORDERED.findall(text) if has_any(lowered(text), _ORDER_NEEDLES) else ()
    named = (match for match in worded if any(c.isdigit() for c in match))
    return _first((*hashed(text), *named), MAX_NUMBERS)


def ips(text: str) -> tuple[str, ...]:
    """IPv4 and IPv6 addresses in their canonical form."""
    four = (match[0] for match in islice(_V4.finditer(text), 10 * MAX_IPS))
    # Two colons tell an address from a time of day and from words such as `deed`.
    found = _V6.finditer(text) if _COLONS.search(text) else ()
    six = (match[0] for match in found if match[0].count(":") > 1)
    read = (_ip(one) for one in (*four, *islice(six, 10 * MAX_IPS)))
    return _first((one for one in read if one), MAX_IPS)


def _ip(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text if text.endswith("::") else text.rstrip(":")))
    except ValueError:
        return None


def words(text: str) -> tuple[str, ...]:
    """Host and service names, lower case: a word with a letter, and a digit, dot or hyphen."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text):
        if len(found) == MAX_WORDS:
            break
        if not word.isalpha() and _NAME_LIKE.search(word):
            found[word.lower()] = None
    return tuple(found)


def bare_subject(subject: str) -> str:
    """A subject without the marks of answering and forwarding, and without our numbers."""
    bare = _TAGGED.sub(" ", subject[:2_000])
    for _ in range(10):
        shorter = _PREFIX.sub("", bare, count=1) if _PREFIX.match(bare) else bare
        if shorter == bare:
            break
        bare = shorter
    return " ".join(bare.split())


def _first(values: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:most]
