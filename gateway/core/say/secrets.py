"""Secrets in text: passwords, transfer codes and card numbers are masked wherever it is sent on.

The stored entry keeps them for staff with access. One pass, linear; a mask too many is harmless.
"""

import re

from gateway.core.read.needles import has_any, lowered

MASK = "••••••"

_WORDS = (
    r"auth(?:orization|[- ]?info)?[- ]?(?:code|key)|authcode|auth[- ]?info|epp(?:[- ]?code)?"
    r"|transfer[- ]?(?:code|key)|codice[ ]auth[- ]?(?:info|code)"
    r"|codice[ ](?:auth|epp|(?:di[ ])?(?:trasferimento|autorizzazione))"
    r"|code[ ]d['’]autorisation|c[oó]digo[ ]de[ ]autorizaci[oó]n"
    r"|pass(?:wor[dt]|wd|phrase|code)?|pwd|psw|parola[ ](?:d['’]ordine|chiave)|kennwort|passwort"
    r"|mot[ ]de[ ]passe|contrase[nñ]a|api[- ]?key|secret(?:[- ]?key)?|token|pin|otp|cvv2?|cvc2?"
)
# One of these stands in each of the words.
_NEEDLES = (
    *("auth", "epp", "transfer", "autor", "trasfer", "pass", "pwd", "psw", "parola", "kennwort"),
    *("contrase", "api", "secret", "token", "pin", "otp", "cvv", "cvc"),
)
_GAP = r"[^\S\r\n]"  # white space of one line, no-break spaces too
# More words of the line: `password del pannello`, `auth code for rossi.it`. A full stop inside a
# word is a name's; one at its end is a sentence's, and ends it.
_MORE = (
    rf"(?P<more>(?:{_GAP}{{1,4}}[^\s:=：,.;]{{1,40}}(?:\.[^\s:=：,.;]{{1,40}}){{0,6}}){{0,7}}?)"
)
_CLOSED = rf"(?:{_GAP}|[)*_\]»”\"']){{0,4}}"
_BREAK = rf"(?:\r?\n{_GAP}{{0,9}})"
# A colon inside a time of day or before a host is none.
_LABELLED = re.compile(
    rf"\b(?P<label>(?:{_WORDS})\b{_MORE}{_CLOSED}"
    rf"(?:(?::(?!//|(?<=[0-9]:)[0-9])|[=：]){_GAP}{{0,9}}{_BREAK}{{0,4}}|(?<=\s)(?:->?|→){_GAP}{{1,4}}))"
    r"(?P<secret>[^\s<>]{3,})",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"\b(?P<label>(?:{_WORDS})\b{_MORE}{_CLOSED}{_GAP}"
    r"(?:è|e['’`´]|is|was|ist|lautet|war|est|es|era)"
    rf"(?:{_GAP}{{1,4}}(?:now|ora|adesso|jetzt|maintenant|ahora))?:?{_GAP}{{1,4}}[\"'«“]?)"
    r"(?P<secret>[^\s<>\"'»”]{3,})",
    re.IGNORECASE,
)
# Nothing between them but white space: only what no word looks like.
_BARE = re.compile(
    rf"\b(?P<label>(?:{_WORDS}){_GAP}{{1,4}})(?P<secret>[^\s<>]{{3,}})", re.IGNORECASE
)
_BELOW = re.compile(
    rf"\b(?P<label>(?:{_WORDS})\b{_MORE}{_GAP}{{0,4}}{_BREAK}{{1,4}})(?P<secret>[^\s<>]{{3,}})",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"\b(?P<label>(?:pin|otp|cvv2?|cvc2?){_GAP}{{1,4}})(?P<secret>[0-9]{{3,8}})\b", re.IGNORECASE
)
_APART = r"(?:[ .\u00a0\u2009\u202f-]|[ \u00a0]{0,2}\r?\n[ \u00a0]{0,2})"
_DIGITS = re.compile(rf"(?<![\w+-])(?<![0-9]\.)[2-6](?:{_APART}?[0-9]){{12,18}}")
_GROUP = re.compile(r"[0-9]+")
_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:(?:[^-]|-(?!----)){0,20000}-----END (?P=kind)-----"
    # Cut off: the lines that are a key's.
    r"|(?:[ \t]{0,9}\r?\n[> \t]{0,9}(?:[A-Za-z-]{3,20}:[^\r\n]{0,200}|[A-Za-z0-9+/=]{0,200})"
    r"(?=[ \t]{0,9}(?:\r?\n|\Z)))*+)"
)
_MIXED = re.compile(r"[0-9]|[^\w\s.,;:!?)]|[a-z][A-Z]")
_SURE = re.compile(r"(?=.*[0-9])(?=.*(?:[A-Z]|[^\w\s.,;:!?()/'’«»\"-]|[0-9][a-z])).{5,}")
# `the password does not work: …` speaks of a password, and names none.
_SPOKEN_OF = re.compile(
    r"\b(?:non|not|never|mai|nicht|pas|no|cannot|forgot\w*|dimenticat\w*|scadut\w*|expired|pers[ao]"
    r"|lost|reset\w*|chang\w+|cambi\w+|error\w*|problem\w*|rifiutat\w*|refused|rejected)\b|n['’]t\b",
    re.IGNORECASE,
)
_PLAIN_WORDS = 6  # of a label; after more, only what looks like a secret is taken for one
_CARD_DIGITS = range(13, 20)


def mask(text: str) -> tuple[str, bool]:
    """The text without its secrets, and whether there were any."""
    masked = _cards(_KEY.sub(MASK, text))
    if has_any(lowered(masked), _NEEDLES):
        masked = _LABELLED.sub(_labelled, masked)
        masked = _SAID.sub(_said, masked)
        masked = _BELOW.sub(_bare, masked)
        masked = _BARE.sub(_bare, masked)
        masked = _NUMBER.sub(_hidden, masked)
    return masked, masked != text


def _hidden(match: re.Match[str]) -> str:
    return f"{match['label']}{MASK}"


def _labelled(match: re.Match[str]) -> str:
    more = match["more"]
    doubtful = len(more.split()) > _PLAIN_WORDS or _SPOKEN_OF.search(more)
    return match[0] if doubtful and not _mixed(match) else _hidden(match)


def _said(match: re.Match[str]) -> str:
    """`the password is wrong` tells none; `the password is Tr0ub4dor` does."""
    return _hidden(match) if _mixed(match) else match[0]


def _bare(match: re.Match[str]) -> str:
    return _hidden(match) if _SURE.match(match["secret"].rstrip(".,;:!?")) else match[0]


def _mixed(match: re.Match[str]) -> bool:
    return _MIXED.search(match["secret"].rstrip(".,;:!?")) is not None


def _cards(text: str) -> str:
    """A card's number may be followed by more digits, or follow some: every group may begin it."""
    kept, at = [], 0
    found = _DIGITS.search(text)
    while found:
        end = _card_end(found[0])
        kept.append(text[at : found.start()])
        if end:
            kept.append(MASK)
            at = found.start() + end
        else:
            first = _GROUP.match(found[0])
            # Digits one by one begin nothing new.
            at = found.start() + first.end() if first and first.end() > 2 else found.end()
            kept.append(text[found.start() : at])
        found = _DIGITS.search(text, at)
    return "".join((*kept, text[at:])) if kept else text


def _card_end(run: str) -> int:
    """Where the card's number at the start of a run of digits ends; 0 where there is none."""
    digits: list[int] = []
    sizes: list[int] = []
    plain = True
    end = 0
    for group in _GROUP.finditer(run):
        plain = plain and set(run[end : group.start()]) <= {" ", "-"}
        end = group.end()
        digits += [int(digit) for digit in group[0]]
        sizes.append(len(group[0]))
        if len(digits) in _CARD_DIGITS and (plain or _printed(sizes)) and _is_card(digits):
            return end
    return 0


def _printed(sizes: list[int]) -> bool:
    """The groups as they stand on cards."""
    return sizes[:-1] == [4] * (len(sizes) - 1) or sizes in ([4, 6, 5], [4, 6, 4])


def _is_card(digits: list[int]) -> bool:
    return len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
