"""Thread tokens: made, read, and refused in every other form."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.know.token import (
    MAX_AGE,
    Keys,
    Purpose,
    Token,
    bounce_address,
    bounced,
    make,
    message_id,
    reply_address,
    tickets_named,
    tokens_in,
    verify,
)
from gateway.core.read.tokenform import read

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
KEYS = Keys(7, ((7, b"k" * 32), (3, b"o" * 32)))
ALL = frozenset(Purpose)
LOOK_ALIKES = st.from_regex(r"[a-z2-7]{48}([a-z2-7]{8})?", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{1,18}", fullmatch=True)


def nonce(purpose: Purpose) -> bytes:
    """What a token of this purpose needs."""
    return b"12345" if purpose is Purpose.BOUNCE else b""


@settings(max_examples=150)
@given(NUMBERS, st.text(max_size=40), st.sampled_from(Purpose))
def test_a_token_verifies_for_its_own_account_and_purpose_alone(
    number: str, account: str, purpose: Purpose
) -> None:
    """It names its ticket, leading zeros included."""
    text = make(KEYS, number, account, NOW, purpose, nonce(purpose))
    found = verify(KEYS, text, account, NOW, purposes=frozenset({purpose}))
    assert found == Token(number, account, 7, NOW, purpose, nonce(purpose))
    assert verify(KEYS, text, account + "x", NOW, purposes=ALL) is None
    assert verify(KEYS, text, account, NOW, purposes=ALL - {purpose}) is None


@settings(max_examples=200)
@given(NUMBERS, st.integers(0, 47), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567890189-_="))
def test_a_changed_character_is_refused(number: str, place: int, other: str) -> None:
    """Whichever it is."""
    text = make(KEYS, number, "A-1001", NOW)
    changed = text[:place] + other + text[place + 1 :]
    if changed != text:
        assert verify(KEYS, changed, "A-1001", NOW, purposes=ALL) is None


@settings(max_examples=60)
@given(st.integers(0, 47), st.text("abc234", max_size=10))
def test_a_truncated_or_lengthened_token_is_refused(length: int, more: str) -> None:
    """There is one form."""
    text = make(KEYS, "482913", "A-1001", NOW)
    assert verify(KEYS, text[:length], "A-1001", NOW, purposes=ALL) is None
    if more:
        assert verify(KEYS, text + more, "A-1001", NOW, purposes=ALL) is None


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=80), LOOK_ALIKES))
def test_nothing_that_we_did_not_make_verifies(text: str) -> None:
    """And reading never raises."""
    assert verify(KEYS, text, "A-1001", NOW, purposes=ALL) is None
    assert all(number.isdigit() for number in tickets_named(text))


def test_case_does_not_matter_as_local_parts_are_folded_on_the_way() -> None:
    """ASCII alone: a Kelvin sign is no k."""
    text = make(KEYS, "482913", "A-1001", NOW)
    assert text == text.lower()
    assert verify(KEYS, text.upper(), "A-1001", NOW) is not None
    assert verify(KEYS, text.replace("k", "\u212a", 1), "A-1001", NOW) is None


def test_a_token_is_good_for_so_long_and_not_before_its_time() -> None:
    """An expired one is refused."""
    text = make(KEYS, "482913", "A-1001", NOW)
    assert verify(KEYS, text, "A-1001", NOW + MAX_AGE) is not None
    assert verify(KEYS, text, "A-1001", NOW + MAX_AGE + timedelta(seconds=1)) is None
    assert verify(KEYS, text, "A-1001", NOW - timedelta(hours=1)) is None
    assert verify(KEYS, text, "A-1001", NOW + timedelta(days=2), timedelta(days=1)) is None


def test_keys_rotate_and_old_ones_read_until_they_are_retired() -> None:
    """New tokens are made with the current key."""
    old = make(Keys(3, KEYS.keys), "482913", "A-1001", NOW)
    found = verify(KEYS, old, "A-1001", NOW)
    assert found is not None
    assert found.key_id == 3
    assert verify(Keys(7, KEYS.keys[:1]), old, "A-1001", NOW) is None
    other = Keys(7, ((7, b"x" * 32),))
    assert verify(other, make(KEYS, "1", "A", NOW), "A", NOW) is None


def test_the_mac_has_128_bits() -> None:
    """Two tokens of one moment differ in all that follows the number."""
    written = read(make(KEYS, "482913", "A-1001", NOW))
    assert written is not None
    assert len(written.mac) * 8 >= 128


def test_addresses_fit_a_local_part() -> None:
    """64 octets (RFC 5321 4.5.3.1.1); where a name is too long the plain address stays."""
    token = make(KEYS, "9" * 18, "A-1001", NOW)
    verp = make(KEYS, "9" * 18, "A-1001", NOW, Purpose.BOUNCE, b"12345")
    for address in (
        reply_address(token, "support@host.example"),
        bounce_address(verp, "host.example"),
    ):
        assert len(address.partition("@")[0]) <= 64
        assert tickets_named(address) == ("9" * 18,)
    long = "x" * 30 + "@host.example"
    assert reply_address(token, long) == long


def test_a_return_path_names_the_message_id_that_the_mail_had() -> None:
    """Without anything being stored."""
    verp = make(KEYS, "482913", "A-1001", NOW, Purpose.BOUNCE, b"12345")
    found = verify(KEYS, verp, "A-1001", NOW, purposes=frozenset({Purpose.BOUNCE}))
    assert found is not None
    ids = bounced(KEYS, found, "host.example")
    for purpose in (Purpose.THREAD, Purpose.AUTOMATIC):
        token = make(KEYS, "482913", "A-1001", NOW, purpose)
        assert message_id(token, b"12345", "host.example") in ids


@pytest.mark.parametrize("number", ["", "12a", "1" * 19, "١٢", "-1", " 1"])
def test_a_number_that_is_none_makes_no_token(number: str) -> None:
    """A token names a ticket by digits."""
    with pytest.raises(ValueError, match="digits"):
        make(KEYS, number, "A-1001", NOW)


def test_a_nonce_stands_in_return_paths_alone() -> None:
    """Anywhere else it is a mistake of ours."""
    with pytest.raises(ValueError, match="nonce"):
        make(KEYS, "1", "A", NOW, Purpose.THREAD, b"12345")
    with pytest.raises(ValueError, match="nonce"):
        make(KEYS, "1", "A", NOW, Purpose.BOUNCE)
    with pytest.raises(ValueError, match="current"):
        make(Keys(9, KEYS.keys), "1", "A", NOW)


def test_tokens_are_found_in_addresses_and_ids_and_their_number_is_bounded() -> None:
    """Twenty of one text, each once."""
    token = make(KEYS, "482913", "A-1001", NOW)
    assert tokens_in(f"<{token.upper()}.ff@host.example> support+{token}@x") == (token,)
    assert tokens_in("a" * 200) == ()
    many = " ".join(make(KEYS, str(number), "A", NOW) for number in range(40))
    assert len(tokens_in(many)) == 20
