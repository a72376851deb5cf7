"""ARC is read for the log; it never raises a level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authenticate import arc
from gateway.core.model import Arc
from gateway.core.read import wire


def chain(
    *numbers: int, algorithm: str = "rsa-sha256", seal: str = "", first: str = "none"
) -> bytes:
    """The fields of these sets."""
    lines = []
    for n in numbers:
        cv = first if n == 1 else "pass"
        lines += [
            f"ARC-Seal: i={n}; a={algorithm}; cv={cv}; d=x.example; s=s; t=1; b=YQ=={seal}",
            f"ARC-Message-Signature: i={n}; a={algorithm}; c=relaxed/relaxed; d=x.example; b=YQ==",
            f"ARC-Authentication-Results: i={n}; x.example; dmarc=pass header.from=victim.example",
        ]
    return "".join(line + "\r\n" for line in lines).encode()


def read(fields: bytes) -> Arc:
    """What the log gets."""
    return arc.read(wire.read(fields + b"From: a@b.example\r\n\r\n").headers)


def test_without_arc_there_is_none() -> None:
    """The common case."""
    assert read(b"") == Arc("none", 0)


def test_r04_a_chain_in_good_form_is_not_a_pass() -> None:
    """R04: an unknown sealer says dmarc=pass; nobody has verified it, and nobody believes it."""
    assert read(chain(1, 2)) == Arc("neutral", 2)


@pytest.mark.parametrize(
    "fields",
    [
        chain(1, algorithm="rsa-sha1"),
        chain(1, seal="; d=y.example"),
        chain(1, seal="; h=from"),
        chain(1, first="pass"),
        chain(1, first="fail"),
        chain(2),
        chain(1, 3),
        chain(1, 1),
        chain(1).replace(b"ARC-Seal: i=1", b"ARC-Seal: i=0"),
        b"ARC-Seal: i=1; a=rsa-sha256; cv=none\r\n",
        b"ARC-Seal: \r\n",
    ],
)
def test_r06_a_chain_out_of_form_fails(fields: bytes) -> None:
    """R06: old algorithms, tags twice, gaps, missing and doubled sets."""
    assert read(fields).result == "fail"


def test_r07_more_than_fifty_sets_fail_unread() -> None:
    """R07: RFC 8617 4.2.1."""
    assert read(chain(*range(1, 52))) == Arc("fail", 51)
    assert read(chain(*range(1, 51))) == Arc("neutral", 50)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_result(value: bytes) -> None:
    """The reader is total."""
    clean = value.replace(b"\r", b"").replace(b"\n", b"")
    assert read(b"ARC-Seal: " + clean + b"\r\n").result in ("fail", "none")
