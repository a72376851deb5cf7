"""What a date, a time of day and an address look like in any client's lines; bounded patterns, no
meaning.
"""

import re

_YEAR = r"(?:19|20)\d\d"
DATE = re.compile(
    r"(?<!\d)(?:"
    r"\d{1,2}([./-])\d{1,2}\1 ?(?:\d{4}|\d{2})(?!\d)"  # 03/03/2025, 3.3.25
    rf"|{_YEAR}\s?([./-])\s?\d{{1,2}}\2\s?\d{{1,2}}(?!\d)"  # 2025-03-03
    rf"|{_YEAR}\s?[年년]"
    r"|\d{1,2}(?:st|nd|rd|th|er|º|°)?\.?[ /-]{0,2}(?:de |d'|of )?"
    r"[^\W\d_]{3,12}\.?,?[ /-]{1,2}(?:de |del )?"
    rf"(?:{_YEAR}|'?\d\d(?![\d:.]))"  # 3 mar 2025, 3. März 2025, 17-feb.-2015, 10 de julho de 2017
    rf"|\d{{1,2}} tháng \d{{1,2}}, {_YEAR}"
    r")"
    r"|\b[^\W\d_]{3,12}\.?[ -]\d{1,2}(?:st|nd|rd|th)?(?:,|-| at)? ?"
    rf"(?:{_YEAR}\b|\d\d(?= \d))"  # Mar 3, 2025
    r"|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}, [a-z]{3,9} \d{1,2}\b",  # Wed, Dec 9
    re.IGNORECASE,
)
TIME = re.compile(r"(?<![\d.:])\d{1,2}[:.h]\d{2}(?::\d{2})?(?![\d:]|\.\d)", re.IGNORECASE)
ADDRESS = re.compile(r"[^\s<>()\[\]\"'@:;,]{1,64}@[^\s<>()\[\]\"'@,;]{1,120}[^\s<>()\[\]\"'@,;:.]")
ANGLE = re.compile(
    r"[<(\[]\s?(?:mailto:\s?)?[^\s<>()\[\]@]{1,64}@[^\s<>()\[\]@]{2,120}(?:[<\[(]\s?mailto:[^<>]{0,150}[>\])])?\s?[>)\]]"
)
