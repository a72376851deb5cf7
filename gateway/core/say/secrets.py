"""Secrets in text: passwords, transfer codes and card numbers are masked wherever it is sent on.

The stored entry keeps them for staff with access. One pass, linear; a mask too many is harmless.
"""

import re

from gateway.core.read.needles import has_any, lowered

MASK = "••••••"

_WORDS = (
    r"auth(?:orization|[- ]?info)?[- ]?(?:code|key)|authcode|auth[- ]?info|epp(?:[- ]?code)?"
    r"|transfer[- ]?(?:code|key)|codice[ ](?:auth|epp|di[ ](?:trasferimento|autorizzazione))"
    r"|codice[ ]auth[- ]?info|code[ ]d['’]autorisation|c[oó]digo[ ]de[ ]autorizaci[oó]n"
    r"|pass(?:wor[dt]|wd|phrase|code)?|pwd|psw|parola[ ]d['’]ordine|kennwort|passwort"
    r"|mot[ ]de[ ]passe|contrase[nñ]a|api[- ]?key|secret(?:[- ]?key)?|token|pin|otp|cvv2?|cvc"
)
# One of these stands in each of the words.
_NEEDLES = (
    *("auth", "epp", "transfer", "autor", "trasfer", "pass", "pwd", "psw", "parola", "kennwort"),
    *("contrase", "api", "secret", "token", "pin", "otp", "cvv", "cvc"),
)
# The word, up to four more words of the same line (`password del pannello`), then a separator.
_LABELLED = re.compile(
    rf"\b(?P<label>(?:{_WORDS})\b(?:[ \t]{{1,4}}[^\s:=,.;]{{1,20}}){{0,4}}?[ \t]{{0,4}})"
    r"(?P<sep>(?::(?!//)|=)[ \t]{0,9}(?:\r?\n[ \t]{0,9})?|(?<=[ \t])->?[ \t]{1,4})"
    r"(?P<secret>[^\s<>]{3,200})",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"\b(?P<label>(?:{_WORDS})\b(?:[ \t]{{1,4}}[^\s:=,.;]{{1,20}}){{0,4}}?[ \t]{{1,4}})"
    r"(?P<sep>(?:è|e'|is|was|ist|war|est|es|era)[ \t]{1,4}[\"'«“]?)"
    r"(?P<secret>[^\s<>\"'»”]{4,200})",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.+-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-])")
_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]{0,30}PRIVATE KEY)-----[^-]{0,20000}-----END (?P=kind)-----"
)
_MIXED = re.compile(r"[0-9]|[^\w\s.,;:!?)]|[a-z][A-Z]")


def mask(text: str) -> tuple[str, bool]:
    """The text without its secrets, and whether there were any."""
    masked = _KEY.sub(MASK, text)
    if has_any(lowered(masked), _NEEDLES):
        masked = _LABELLED.sub(_labelled, masked)
        masked = _SAID.sub(_said, masked)
    masked = _CARD.sub(_card, masked)
    return masked, masked != text


def _labelled(match: re.Match[str]) -> str:
    return f"{match['label']}{match['sep']}{MASK}"


def _said(match: re.Match[str]) -> str:
    """`the password is wrong` tells none; `the password is Tr0ub4dor` does."""
    if not _MIXED.search(match["secret"].rstrip(".,;:!?")):
        return match[0]
    return f"{match['label']}{match['sep']}{MASK}"


def _card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match[0] if character.isdigit()]
    return MASK if len(set(digits)) > 1 and _luhn(digits) else match[0]


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
