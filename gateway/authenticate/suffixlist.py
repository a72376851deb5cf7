"""The Public Suffix List that comes with its package, parsed once a process."""

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def suffixes() -> PublicSuffixList:
    """The list; its methods are safe in any thread."""
    return PublicSuffixList()
