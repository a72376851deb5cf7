"""Hostile signature fields and key records: total, bounded, and never a pass."""

import asyncio

from dkim_signing import MAIL, NOW, SECONDS, Keys, record, rsa_key
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.authenticate import dkim
from gateway.authenticate.dkim_keys import Key, NoKey, vet
from gateway.authenticate.dkim_tags import Refused, read_claim, tag_list
from gateway.authenticate.lookup import Answer, Status
from gateway.core.model import DkimResult, Field
from gateway.core.read import wire

WORDS = st.sampled_from(
    [
        *(b"v=1", b"a=rsa-sha256", b"a=ed25519-sha256", b"c=relaxed", b"d=victim.example"),
        *(b"s=sel", b"h=from:to", b"bh=" + b"A" * 43 + b"=", b"b=AAAA", b"i=@victim.example"),
        *(b"t=1", b"x=1", b"l=", b"q=dns/txt", b"p=", b"k=rsa", b"k=ed25519", b"t=y:s"),
        *(b"v=DKIM1", b"h=sha256", b"s=email", b"=", b" b =", b"\r\n b=", b"\0", b"\xff", b"n=x"),
        *(b"d=victim.example\0.evil", b"s=a.b", b"p=MFwwDQ", b"\x0b", b"i=x", b"i=a@b@c"),
    ]
)
LISTS = st.one_of(
    st.lists(WORDS, max_size=12).map(b";".join),
    st.lists(WORDS, max_size=12).map(b" ; ".join),
    st.binary(max_size=120),
)


@given(LISTS)
@settings(max_examples=200, deadline=None)
def test_tag_lists_are_read_or_refused(text: bytes) -> None:
    """A list that is read can be found again in the text, tag by tag."""
    try:
        tags = tag_list(text)
    except Refused:
        return
    for tag in tags.values():
        assert text[tag.start : tag.end].strip(b" \t\r\n") == tag.value
        assert text[tag.start - 1 : tag.start] == b"="


@given(LISTS)
@settings(max_examples=200, deadline=None)
def test_claims_are_total_and_ask_only_for_plain_names(text: bytes) -> None:
    """What passes the gate has a key name of plain labels, and covers From."""
    raw = b"DKIM-Signature: " + text + b"\r\n"
    claim = read_claim(0, Field("dkim-signature", b"", raw), SECONDS, 300)
    if claim.problem is None:
        assert set(claim.key_name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert "from" in claim.names
        assert len(claim.emptied) < len(raw)


@given(st.lists(LISTS, max_size=3))
@settings(max_examples=200, deadline=None)
def test_vetting_is_total(records: list[bytes]) -> None:
    """Any records give a key within the limits, or a reason."""
    key = vet(Answer(Status.OK, tuple(records), 1), 4096)
    assert isinstance(key, Key | NoKey)
    if isinstance(key, Key):
        assert 256 <= key.bits <= 4096


@given(st.lists(LISTS, max_size=4))
@settings(max_examples=100, deadline=None)
def test_nothing_made_up_ever_passes(signatures: list[bytes]) -> None:
    """Without a private key no field makes a pass, and none raises."""
    raw = b"".join(b"DKIM-Signature: " + text + b"\r\n" for text in signatures) + MAIL
    keys = Keys({"sel._domainkey.victim.example": record(rsa_key())})
    headers = wire.read(raw).headers
    found = asyncio.run(dkim.verify(raw, headers, keys, NOW, "victim.example"))
    assert all(signature.result is not DkimResult.PASS for signature in found)
    assert set(keys.asked) <= {"sel._domainkey.victim.example", "a.b._domainkey.victim.example"}
