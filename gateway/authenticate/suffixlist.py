"""The Public Suffix List that comes with its package, parsed once a process."""

from functools import cache
from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList


@cache
def suffixes() -> PublicSuffixList:
    """The list; its methods are safe in any thread."""
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("//")]
    # The package would encode every line; only one in twenty has anything to encode.
    encoded = [_encoded(rule) for rule in rules if not rule.isascii()]
    return PublicSuffixList([*rules, *encoded], accept_encoded_idn=False)


def _encoded(rule: str) -> str:
    """A rule as DNS has it; an exception keeps its mark."""
    mark = "!" if rule.startswith("!") else ""
    return mark + rule.removeprefix("!").encode("idna").decode("ascii")
