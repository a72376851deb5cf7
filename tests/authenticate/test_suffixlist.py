"""The Public Suffix List, read by ourselves: the same rules as the package finds in it."""

import pytest
from publicsuffixlist import PublicSuffixList

from gateway.authenticate.suffixlist import suffixes


@pytest.fixture(scope="module")
def theirs() -> PublicSuffixList:
    """As the package reads it."""
    return PublicSuffixList()


def test_the_rules_are_those_of_the_package(theirs: PublicSuffixList) -> None:
    """All of them, those with other letters in both forms."""
    assert suffixes()._publicsuffix == theirs._publicsuffix
    assert suffixes()._maxlabel == theirs._maxlabel


@pytest.mark.parametrize(
    "domain",
    [
        "a.b.co.uk",
        "www.ck",
        "x.y.ck",
        "b.c.kobe.jp",
        "city.kobe.jp",
        "a.xn--55qx5d.cn",
        "a.公司.cn",
    ],
)
def test_it_answers_as_the_package(domain: str, theirs: PublicSuffixList) -> None:
    """Wildcards, exceptions and names beyond ASCII."""
    assert suffixes().privatesuffix(domain) == theirs.privatesuffix(domain)
    assert suffixes().publicsuffix(domain) == theirs.publicsuffix(domain)
