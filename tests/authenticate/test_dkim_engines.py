"""The native engine held against dkimpy: behind the same gate, and alone."""

import asyncio
import re

import dkim as dkimpy
import pytest
from dkim_signing import MAIL, NOW, Keys, ed_key, record, rsa_key, sign
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.authenticate import dkim
from gateway.authenticate.dkim_dkimpy import check as by_dkimpy
from gateway.authenticate.dkim_native import check as by_native
from gateway.core.model import DkimResult, Signature
from gateway.core.read import wire

KEYS = {"rsa": rsa_key(1024), "ed": ed_key()}
ZONE = {f"{name}._domainkey.victim.example": record(key) for name, key in KEYS.items()}
TWICE = b"X-A: one\r\nX-A:  two\r\n\tthree \r\n" + MAIL
SIGNED = [
    sign(TWICE, key=key, s=name, c=canon, h=names, t=None, fold=fold, place=place)
    for name, key in KEYS.items()
    for canon in ("simple/simple", "relaxed/relaxed", "relaxed/simple", "simple/relaxed")
    for names, fold, place in (
        ("from:to:subject:x-a", True, None),
        ("From : x-a:X-A:x-a:from:date:message-id", False, 2),
    )
]

INSERTS = st.sampled_from(
    [
        b" ",
        b"\t",
        b"  ",
        b"\r\n ",
        b"\r\n",
        b"\r\n\r\n",
        b";",
        b"=",
        b"b=",
        b"; b=",
        b"x",
        b":",
        b"A",
    ]
)
EDIT = st.tuples(
    st.integers(min_value=0, max_value=2_000), st.integers(min_value=0, max_value=6), INSERTS
)


def verify(raw: bytes, engine: str) -> tuple[Signature, ...]:
    made = dkim.DkimSettings(engine="dkimpy" if engine == "dkimpy" else "native")
    headers = wire.read(raw).headers
    keys = Keys(dict(ZONE))
    return asyncio.run(dkim.verify(raw, headers, keys, NOW, "victim.example", made))


def alone(raw: bytes) -> bool:
    """Dkimpy without our gate, fields or canonical forms."""
    try:
        return bool(dkimpy.verify(raw, dnsfunc=lambda name, **_: ZONE.get(name.decode()[:-1])))
    except Exception:  # dkimpy lets ValueError, IndexError and others out: that is no pass
        return False


def edited(raw: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, cut, insert in edits:
        place = at % (len(raw) + 1)
        raw = raw[:place] + insert + raw[place + cut :]
    return raw


@pytest.mark.parametrize("number", range(len(SIGNED)))
def test_untouched_mails_pass_everywhere(number: int) -> None:
    """Native, gate and dkimpy, and dkimpy alone."""
    raw = SIGNED[number]
    assert [s.result for s in verify(raw, "native")] == [DkimResult.PASS]
    assert [s.result for s in verify(raw, "dkimpy")] == [DkimResult.PASS]
    assert alone(raw)


@given(st.sampled_from(SIGNED), st.lists(EDIT, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_both_engines_say_the_same_of_any_mail(
    raw: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    """Every result is equal; and outside of the signature's own field dkimpy alone agrees."""
    changed = edited(raw, edits)
    found = wire.read(changed)
    assume(found.defect is None)
    native, other = verify(changed, "native"), verify(changed, "dkimpy")
    assert [s.result for s in native] == [s.result for s in other]
    assert [s.signed for s in native] == [s.signed for s in other]
    own = found.headers.fields[0].raw
    if own in raw and changed.endswith(b"\r\n") and len(native) == 1:
        assert (native[0].result is DkimResult.PASS) == alone(changed)


@given(
    st.sampled_from(SIGNED),
    st.lists(
        st.tuples(st.integers(min_value=0), st.sampled_from([b" ", b"\t", b"\r\n "])), max_size=4
    ),
)
@settings(max_examples=100, deadline=None)
def test_white_space_alone_never_parts_the_engines(
    raw: bytes, spaces: list[tuple[int, bytes]]
) -> None:
    """Where relaxed forms matter most: blanks and folds doubled where some stand already."""
    for pick, insert in spaces:
        places = [match.end() for match in re.finditer(rb"[ \t:;=]", raw)]
        place = places[pick % len(places)]
        raw = raw[:place] + insert + raw[place:]
    assume(wire.read(raw).defect is None)
    native, other = verify(raw, "native"), verify(raw, "dkimpy")
    assert [s.result for s in native] == [s.result for s in other]


def test_where_dkimpy_errs_the_native_engine_follows_the_standard() -> None:
    """A control at the edge of a value is no white space: only the standard's reading passes."""
    mail = b"X-A: \x0bone\r\n" + MAIL
    raw = sign(mail, key=KEYS["rsa"], s="rsa", h="from:x-a")
    assert verify(raw, "native")[0].result is DkimResult.PASS
    assert verify(raw, "dkimpy")[0].result is DkimResult.FAIL
    relaxed = next(raw for raw in SIGNED if b"c=relaxed/relaxed" in raw)
    changed = relaxed.replace(b"Subject: A", b"Subject: \x0bA")
    assert alone(changed)
    assert verify(changed, "native")[0].result is DkimResult.FAIL
    assert verify(changed, "dkimpy")[0].result is DkimResult.FAIL


@given(
    st.sampled_from(SIGNED), st.integers(min_value=0), st.sampled_from([b"\x0b", b" \x0c", b" "])
)
@settings(max_examples=100, deadline=None)
def test_what_dkimpy_passes_the_native_engine_passes(raw: bytes, pick: int, insert: bytes) -> None:
    """Even where their readings differ, the difference never lets more through."""
    places = [match.start() for match in re.finditer(rb"(?<=[:;])|\r\n", raw)]
    place = places[pick % len(places)]
    raw = raw[:place] + insert + raw[place:]
    assume(wire.read(raw).defect is None)
    passed = [s.result is DkimResult.PASS for s in verify(raw, "dkimpy")]
    native = [s.result is DkimResult.PASS for s in verify(raw, "native")]
    assert all(one <= other for one, other in zip(passed, native, strict=True))


def test_dkimpy_alone_passes_what_the_gate_refuses() -> None:
    """The reason for the gate: these are true for dkimpy, and proofs of nothing."""
    key = KEYS["rsa"]
    for changes in ({"h": "to:subject"}, {"l": "0"}, {"a": "rsa-sha1"}):
        raw = sign(key=key, s="rsa", t=None, **changes)
        assert alone(raw)
        assert verify(raw, "native")[0].result is DkimResult.PERMERROR


def test_both_engines_have_one_signature() -> None:
    """They are exchangeable by `dkim.engine`."""
    assert by_native.__annotations__ == by_dkimpy.__annotations__
