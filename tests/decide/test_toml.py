"""The places of keys and values in TOML, held equal to what tomllib reads."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import toml
from gateway.errors import BadInput

SAMPLE = """\
# a policy
title = "x"

[office]
zone = "Europe/Rome"
days.monday = { from = "9:00", to = '17:30' }

[[rule]]
id = "first"
when.sender = ["primary",
    "secondary"]   # both

[[rule]]
id = "second"
"quoted.key".inner = 1979-05-27 07:32:00

[[rule.part]]
text = \"\"\"
a "quoted" word\"\"\"\"\"
after = 1

[rule.last]
deep = [[1, 2], [{ a = true }]]
"""


def places(document: toml.Document) -> dict[tuple[str | int, ...], tuple[int, int]]:
    return {path: document.where(path) for path in paths(document.data)}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below: list[tuple[str | int, ...]] = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, dict | list):
            below += paths(inner, (*path, key))
        else:
            below.append((*path, key))
    return below


def test_every_value_has_the_place_at_which_it_stands() -> None:
    """Strings, dotted keys, tables, lists, inline tables and dates are found where they are."""
    document = toml.parse(SAMPLE, "x.toml")
    assert document.where(("title",)) == (2, 9)
    assert document.where(("title",), "key") == (2, 1)
    assert document.where(("office", "days", "monday", "to")) == (6, 37)
    assert document.where(("rule", 0, "when", "sender"), "key") == (10, 6)
    assert document.where(("rule", 0, "when", "sender", 1)) == (11, 5)
    assert document.where(("rule", 1, "quoted.key", "inner")) == (15, 22)
    assert document.where(("rule", 1, "part", 0, "after")) == (20, 9)
    assert document.where(("rule", 1, "last", "deep", 1, 0, "a")) == (23, 24)
    assert document.where(("rule", 1)) == (13, 1)


def test_a_path_that_does_not_stand_there_takes_its_parent() -> None:
    """A complaint about a missing key points at the table that lacks it."""
    document = toml.parse(SAMPLE, "x.toml")
    assert document.where(("rule", 1, "then")) == (13, 1)
    assert document.where(("nothing",)) == (1, 1)


def test_an_error_shows_the_line_and_a_caret() -> None:
    """The complaint names file, line and column, and points with a caret."""
    document = toml.parse(SAMPLE, "x.toml")
    error = document.error(
        ("rule", 0, "when", "sender", 1), "unknown value `secondary`", "so it is"
    )
    assert str(error) == (
        'x.toml:11:5: unknown value `secondary`\n      "secondary"]   # both\n      ^\nso it is'
    )


def test_tabs_keep_the_caret_under_its_character() -> None:
    """Padding repeats the tabs of the line."""
    document = toml.parse("a = [\n\t\t1]", "x")
    assert document.excerpt(("a", 0)) == "  \t\t1]\n  \t\t^"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = \n", "x:2:5"),
        ("a = 1\na = 2\n", "x:2:6"),
        ('a = "open', "x:1:10"),
        ("a = " + "[" * 5000, "x"),
        ("a = 1" + "0" * 5000, "x"),
    ],
)
def test_broken_toml_is_named_by_place(text: str, where: str) -> None:
    """Syntax errors keep tomllib's line and column; nothing else than BadInput is raised."""
    with pytest.raises(BadInput) as raised:
        toml.parse(text, "x")
    assert raised.value.where == where


def test_windows_line_ends_do_not_move_places() -> None:
    """CRLF files give the same places as LF files."""
    crlf = toml.parse(SAMPLE.replace("\n", "\r\n"), "x.toml")
    assert places(crlf) == places(toml.parse(SAMPLE, "x.toml"))


def test_did_you_mean_names_the_nearest_word_or_nothing() -> None:
    """A near word is offered, a far one is not."""
    assert toml.did_you_mean("sendr", ["sender", "proof"]) == "did you mean `sender`?"
    assert toml.did_you_mean("Proof", ["sender", "proof"]) == "did you mean `proof`?"
    assert toml.did_you_mean("zzz", ["sender", "proof"]) == ""


# ---- against tomllib, on documents that nobody wrote

BARE = st.from_regex(r"[a-z0-9_-]{1,4}", fullmatch=True)
QUOTED = st.sampled_from(['"a.b"', "'c d'", '"\\u0041\\""', '""', "'#'", '"["'])
KEY = st.one_of(BARE, QUOTED)
DOTTED = st.lists(KEY, min_size=1, max_size=3).map(" . ".join)
SCALAR = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        "inf",
        "0x1F",
        "1979-05-27T07:32:00Z",
        "1979-05-27 07:32:00",
        "07:32:00",
        '"a # \\" ]"',
        "'b \\'",
        '""',
        '"""x\n"" y"""""',
        "'''\n'' ]'''''",
        '"""a\\\n  b"""',
    ]
)
SPACE = st.sampled_from(["", " ", "\n", " # why ]\n", "\n\t"])


def array(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.tuples(SPACE, values, SPACE), max_size=3)
    return st.tuples(parts, SPACE).map(
        lambda p: "[" + ",".join("".join(x) for x in p[0]) + p[1] + "]"
    )


def inline(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(DOTTED, values), max_size=3)
    return pairs.map(lambda p: "{ " + ", ".join(f"{k} = {v}" for k, v in p) + " }")


VALUE = st.recursive(SCALAR, lambda v: st.one_of(array(v), inline(v)), max_leaves=6)
LINE = st.one_of(
    st.tuples(DOTTED, VALUE).map(lambda p: f"{p[0]} = {p[1]} # end"),
    DOTTED.map(lambda k: f"[{k}]"),
    DOTTED.map(lambda k: f"[[ {k} ]]"),
    st.just(""),
    st.just("  # [a]"),
)
TEXT = st.lists(LINE, max_size=8).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_places_agree_with_tomllib(text: str) -> None:
    """Every path that tomllib reads has a place, and a scalar's place holds that very value."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    document = toml.parse(text, "x")
    assert document.data == data
    assert set(document._places) == set(paths(data))
    for path in paths(data):
        value: Any = data
        for step in path:
            value = value[step]
        if isinstance(value, dict | list):
            continue
        line, column = document.where(path)
        start = sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1
        assert value in read_scalars_at(text[start:])


def read_scalars_at(text: str) -> list[Any]:
    """Every value that a prefix of the text could be."""
    found = []
    for end in range(1, min(len(text), 40) + 1):
        try:
            found.append(tomllib.loads(f"x = {text[:end]}")["x"])
        except tomllib.TOMLDecodeError:
            continue
    return found


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="[]{}=\"'.,#\n a1", max_size=30)))
def test_any_text_is_a_document_or_a_complaint(text: str) -> None:
    """Nothing but BadInput leaves the parser, whatever the text."""
    try:
        document = toml.parse(text, "x")
    except BadInput:
        return
    assert set(document._places) == set(paths(document.data))
