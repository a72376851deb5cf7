"""Content-Type and Content-Disposition with the parameters that real programs write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read.parameters import parse


@pytest.mark.parametrize(
    ("value", "word", "parameters"),
    [
        (b" text/plain", "text/plain", {}),
        (b" TEXT/Plain; Charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        (
            b' text/plain; charset="utf-8" ; format=flowed',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        (b" text/plain (a comment); charset=x", "text/plain", {"charset": "x"}),
        (b" multipart/alternative;; boundary=foo", "multipart/alternative", {"boundary": "foo"}),
        (
            b" multipart/mixed; boundary=----=_Next_0/1",
            "multipart/mixed",
            {"boundary": "----=_Next_0/1"},
        ),
        (b' multipart/mixed; boundary="a\r\n b"', "multipart/mixed", {"boundary": "a b"}),
        (b' multipart/mixed; boundary="a  b"', "multipart/mixed", {"boundary": "a  b"}),
        (b' a/b; name="C:\\\\TEMP\\\\x.txt"', "a/b", {"name": "C:\\TEMP\\x.txt"}),
        (b' a/b; name="C:\\TEMP\\x.txt"', "a/b", {"name": "C:\\TEMP\\x.txt"}),
        (b' a/b; name="say \\"hi\\".txt"', "a/b", {"name": 'say "hi".txt'}),
        (b" a/b; name=un quoted.txt; x=y", "a/b", {"name": "un quoted.txt", "x": "y"}),
        (b' a/b; name="never closed', "a/b", {"name": "never closed"}),
        (b' a/b; charset="x" name="y"', "a/b", {"charset": "x", "name": "y"}),
        (
            b' attachment; filename="=?utf-8?q?per=C3=B2.txt?="',
            "attachment",
            {"filename": "però.txt"},
        ),
        (b" attachment; filename*=utf-8''per%C3%B2.txt", "attachment", {"filename": "però.txt"}),
        (
            b" attachment; filename*0*=utf-8'it'per%C3; filename*1*=%B2; filename*2=.txt",
            "attachment",
            {"filename": "però.txt"},
        ),
        (b" attachment; filename*1=b.txt; filename*0=a", "attachment", {"filename": "ab.txt"}),
        (
            b' attachment; filename="plain"; filename*=utf-8\'\'better',
            "attachment",
            {"filename": "better"},
        ),
        (b" attachment; filename*=bad%ZZ%C3", "attachment", {"filename": "bad%ZZÃ"}),
        (b" attachment; filename=per\xf2.txt", "attachment", {"filename": "però.txt"}),
        (b";\xd1*", "", {}),
        (b" xn; c+999+9999harset=UTF", "xn", {"c+999+9999harset": "UTF"}),
        (b"", "", {}),
    ],
)  # fmt: skip
def test_reading(value: bytes, word: str, parameters: dict[str, str]) -> None:
    """The word in lower case, and each parameter decoded."""
    found = parse(value)
    assert (found.word, found.parameters) == (word, parameters)


def test_no_field_at_all() -> None:
    """None is an empty value."""
    assert (parse(None).word, parse(None).parameters) == ("", {})


def test_the_number_of_parameters_is_bounded() -> None:
    """Twenty thousand sections are a bomb, not a name."""
    value = b"text/plain" + b"".join(b"; a*%d*=b" % n for n in range(20000))
    assert len(parse(value).parameters["a"]) <= 200


@given(st.binary(max_size=300))
def test_total(value: bytes) -> None:
    """Any bytes give a word and texts, and nothing raises."""
    for text in parse(b"a/b; " + value).parameters.values():
        text.encode("utf-8")
