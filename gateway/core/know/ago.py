"""A moment said by how long ago it was: `venti minuti fa`, `half an hour ago`, `seit 2 Stunden`.

It needs no zone: it counts from when the mail was written. Days are too coarse to count. Total.
"""

import re
from datetime import datetime, timedelta

LONGEST = timedelta(hours=48)

_NUMBERS = {
    word: number
    for number, words in {
        1: "un uno una un' one an a ein einer eine une",
        2: "due two zwei deux dos",
        3: "tre three drei trois tres",
        4: "quattro four vier quatre cuatro",
        5: "cinque five fünf cinq cinco",
        10: "dieci ten zehn dix diez",
        15: "quindici fifteen fünfzehn quinze quince",
        20: "venti twenty zwanzig vingt veinte",
        30: "trenta thirty dreißig trente treinta",
        40: "quaranta forty vierzig quarante cuarenta",
        45: "quarantacinque fünfundvierzig",
    }.items()
    for word in words.split()
}
_HALF = r"mezz['’]?\s?ora|half an hour|(?:einer )?halben? stunde|une demi-heure|media hora"
_SOME = rf"\d{{1,3}}|{'|'.join(sorted(map(re.escape, _NUMBERS), key=len, reverse=True))}"
_MINUTES = r"min(?:ut[ioe]?s?|s|uten|utos)?\.?"
_HOURS = r"or[ae]|h(?:ou)?rs?|hours?|stunden?|heures?|horas?|h"
_SPAN = rf"(?:(?P<half>{_HALF})|(?P<n>{_SOME})\s?(?:(?P<minutes>{_MINUTES})|(?P<hours>{_HOURS})))"
_ABOUT = r"(?:(?:circa|about|around|approx\.?|etwa|ungefähr|environ|unos|unas|più di|over)\s)?"
_FORMS = tuple(
    re.compile(rf"(?i)(?<!\w){before}{_ABOUT}{_SPAN}(?!\w){behind}")
    for before, behind in (
        ("", r"\s(?:fa|ago)\b"),
        (r"(?:da|for the last|for the past|vor|seit|il y a|depuis|desde hace|hace)\s", ""),
    )
)


def long_ago(text: str, written: datetime) -> datetime | None:
    """The moment, to the minute, in the writer's own offset; the first that is said."""
    found = (match for form in _FORMS for match in form.finditer(text))
    spans = (_span(match) for match in sorted(found, key=lambda match: match.start()))
    span = next((one for one in spans if timedelta(0) < one <= LONGEST), None)
    return None if span is None else (written - span).replace(second=0, microsecond=0)


def _span(match: re.Match[str]) -> timedelta:
    if match["half"]:
        return timedelta(minutes=30)
    said = match["n"].lower()
    number = int(said) if said.isdecimal() else _NUMBERS.get(said, 0)
    return timedelta(minutes=number) if match["minutes"] else timedelta(hours=number)
