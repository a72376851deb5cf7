"""Patterns written as lists, one alternative a line, so that words in many languages stay
readable.
"""

import re


def any_of(lines: str, form: str = "{}") -> re.Pattern[str]:
    """One pattern that matches any of the lines, without regard to case.

    `form` is what stands around them, `{}` their place; `^` is the start of any line.
    """
    words = "|".join(line.strip() for line in lines.splitlines() if line.strip())
    return re.compile(form.replace("{}", f"(?:{words})"), re.IGNORECASE | re.MULTILINE)
