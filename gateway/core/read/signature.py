"""Where a customer's words end and his signature begins: delimiters, mobile clients, closings,
list footers.

A closing with a name is left as it is; a signature is marked only where structure says so, since
a lost line costs more than a kept one.
"""

import re

from gateway.core.read.afterword import resumes
from gateway.core.read.dates import ADDRESS
from gateway.core.read.lines import SIGNATURE_DASHES, Line
from gateway.core.read.phrases import CLOSINGS, DEVICES, SENT_WITH

_STRICT = re.compile(r"(?:- )?--$")  # OpenPGP puts a dash before dashes (RFC 9580 7.2)
_LOOSE = re.compile(r"(?:[—–―]{1,}|_{2,}|-{3,})$")
_DASH_NAME = re.compile(r"[-–—][^\W\d_][\w.']*(?: [^\W\d_][\w.']*){1,2}$")
_POSTSCRIPT = re.compile(r"(?:p\.? ?s\.?|post scriptum|n\.? ?b\.?|ps)\s?[:.,-]?\s", re.IGNORECASE)
# Right under a name, where `NB Consulting` may stand too.
_CLEAR_POSTSCRIPT = re.compile(
    r"(?:p\. ?s\.|p\.? ?s\.?\s?[:,]|post scriptum\b|n\.? ?b\.?\s?:|n\. ?b\.)\s?\S", re.IGNORECASE
)
_CONTACT = re.compile(
    r"https?://|www\.|\+?\d[\d ./()-]{6,}|\b(?:tel|cell|mob|fax|phone|p\.? ?iva)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){1,4}$")
_LINK = re.compile(r"\s?[<(\[]\s?https?://[^\s<>]{1,120}\s?[>)\]]|https?://\S{1,120}")
_EDGES = "*_-—– [](){}"
_STRICT_LINES, _LOOSE_LINES = 25, 8
_SHORT = 70
_LONGEST = 80


def delimited(lines: list[Line], index: int, limit: int, worded: bool) -> int | None:
    """The end of the signature that the delimiter in line `index` opens, before `limit`, or None.

    `-- ` (RFC 3676 4.3) opens one of any shape; dashes of other kinds open only a short block
    of short lines, and only after words.
    """
    text = lines[index].text
    if limit - index > _LONGEST:
        return None
    if _STRICT.match(text):
        end = _until_postscript(lines, index + 1, limit)
        end = resumes(lines, index + 1, end, worded)
        block = lines[index + 1 : end]
        if lines[index].raw == SIGNATURE_DASHES:
            return end if _fits(block, _STRICT_LINES, 500) else None
        asks = any("?" in line.text for line in block)
        return end if not asks and _fits(block, _STRICT_LINES, 110) else None
    if not worded or not _LOOSE.match(text):
        return None
    limit = _until_postscript(lines, index + 1, limit)
    if index + 1 >= limit or lines[index + 1].blank:
        return None
    block = lines[index + 1 : limit]
    filled = [line for line in block if not line.blank]
    if len(filled) > _LOOSE_LINES or not _fits(block, _LOOSE_LINES, _SHORT + 30):
        return None
    if resumes(lines, index + 1, limit, worded) < limit:
        return None
    contact = any(ADDRESS.search(x.text) or _CONTACT.search(x.text) for x in filled)
    names = sum(titled(line.text) or _is_contact(line.text) for line in filled)
    return (
        limit
        if filled and (contact or names == len(filled)) and names * 2 >= len(filled)
        else None
    )


def armour(lines: list[Line], index: int) -> int:
    """The end of the frame that OpenPGP puts around a signed text (RFC 9580 7), or 0: its first
    lines up to the blank one, or the signature under it.
    """
    text = lines[index].text
    if text == "-----BEGIN PGP SIGNED MESSAGE-----":
        after = next((x for x in range(index, min(index + 8, len(lines))) if lines[x].blank), 0)
        return after and after + 1
    if text != "-----BEGIN PGP SIGNATURE-----":
        return 0
    for at in range(index + 1, min(index + _LONGEST, len(lines))):
        if lines[at].text == "-----END PGP SIGNATURE-----":
            return at + 1
    return 0


def _fits(block: list[Line], most: int, width: int) -> bool:
    filled = [line for line in block if not line.blank]
    return len(filled) <= most and all(len(line.text) <= width for line in filled)


def _until_postscript(lines: list[Line], index: int, limit: int) -> int:
    for at in range(index, limit):
        form = _POSTSCRIPT if lines[at - 1].blank else _CLEAR_POSTSCRIPT
        if form.match(lines[at].text):
            return at
    return limit


def _is_contact(text: str) -> bool:
    return bool(ADDRESS.search(text) or _CONTACT.search(text))


def titled(text: str) -> bool:
    """Every longer word begins with a capital: a name, a title, a firm, a street."""
    words = [word for word in text.split() if word[0].isalpha() and len(word) > 3]
    if not words and not any(char.isalpha() for char in text):
        return False
    return (
        len(text) <= _SHORT and all(w[0].isupper() for w in words) and text[-1] not in "?!;:" + ","
    )


def mobile(line: Line) -> bool:
    """`Inviato da iPhone`, `Get Outlook for iOS<…>`: a whole line, not a sentence."""
    text = line.text
    if not 8 <= len(text) <= 160:
        return False
    plain = text if "http" not in text else _LINK.sub("", text)
    bare = plain.strip(_EDGES)
    folded = bare.casefold()
    if not folded.startswith(SENT_WITH):
        return _trailing_device(folded)
    words = folded.split()
    said, comma, excuse = folded.partition(",")
    if len(words) > 12 or "?" in folded or (comma and not _excuses(excuse)):
        return False
    if comma:
        return _names_device(said)
    if _names_device(folded):
        return len(words) <= 8 or folded[-1] not in ".!"
    lead = next(phrase for phrase in SENT_WITH if folded.startswith(phrase))
    rest = bare[len(lead) :].strip()
    own = folded.startswith(
        ("sent from my", "inviato dal mio", "envoyé de mon", "enviado desde mi")
    )
    return len(words) <= 7 and not folded.endswith(".") and (own or rest[:1].isupper())


def _excuses(rest: str) -> bool:
    """`…, scusate la brevità`: what people let their phones say after the comma."""
    return any(
        stem in rest for stem in ("scus", "sorry", "excus", "pardon", "entschuld", "perdon")
    )


def _names_device(folded: str) -> bool:
    return any(device in folded for device in DEVICES)


def _trailing_device(folded: str) -> bool:
    """German and Turkish put the verb last: `Von meinem iPhone gesendet`."""
    return folded.rstrip(".!").endswith(
        ("gesendet", "gönderildi", "から送信", "lähetetty")
    ) and _names_device(folded)


def dash_name(lines: list[Line], index: int, limit: int) -> bool:
    """`-Abhishek Kona` as the last paragraph of what was written."""
    if not _DASH_NAME.match(lines[index].text) or not titled(lines[index].text[1:]):
        return False
    before = index > 0 and lines[index - 1].blank
    return before and all(line.blank for line in lines[index + 1 : limit])


def closing_block(lines: list[Line], start: int, limit: int) -> int | None:
    """The line of a closing that is followed by a contact block of two lines or more, at the end
    of the words.
    """
    filled = [at for at in range(start, limit) if not lines[at].blank]
    for at in filled[-10:]:
        if lines[at].text.casefold().strip(" ,.!;*_–-") not in CLOSINGS:
            continue
        after = [lines[x].text for x in filled if x > at]
        if at == filled[0] or len(after) < 2 or not _NAME.match(after[0]):
            continue
        if all(_is_contact(text) or _card(text) for text in after[1:]):
            return at
    return None


def _card(text: str) -> bool:
    """A line of a business card: every word with a capital, at least one of them, no sentence."""
    return titled(text.rstrip(" !")) and len(text.split()) <= 8


def list_footer(lines: list[Line], index: int) -> bool:
    """A rule of underscores and, right below it, up to the end, a mailing list's name, address
    and page.
    """
    text = lines[index].text
    if len(text) < 2 or text.strip("_"):
        return False
    block = [line for line in lines[index + 1 :][:12] if not line.blank]
    whole = index + 1 + 12 >= len(lines)
    if not whole or not 1 <= len(block) <= 6:
        return False
    return any("://" in x.text for x in block) and all(len(line.text) <= 160 for line in block)
