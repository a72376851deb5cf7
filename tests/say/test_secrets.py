"""Secrets are masked where text is sent on; ordinary prose is left alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.say.secrets import MASK, mask

SECRET = [
    ("password: hunter2", "hunter2"),
    ("la password del pannello è Tr0ub4dor&3 grazie", "Tr0ub4dor"),
    ("pwd=segreta; e poi", "segreta"),
    ("Password:\nsegretissima", "segretissima"),
    ("Auth code: Ab12-xyz", "Ab12"),
    ("il codice auth-info è Ab#12345.", "Ab#12345"),
    ("codice di trasferimento: AB12cd", "AB12cd"),
    ("EPP = 88aa!", "88aa"),
    ("Mot de passe : coucou1", "coucou1"),
    ("Kennwort: geheim", "geheim"),
    ("contraseña: secreto", "secreto"),
    ("carta 4111 1111 1111 1111 scade", "4111"),
    ("carta 4111-1111-1111-1111", "1111"),
    ("378282246310005", "378282246310005"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ("my pin is 1234", "1234"),
]
PROSE = [
    "ho dimenticato la password, come la cambio?",
    "la password è scaduta",
    "the password is wrong",
    "il server 192.0.2.7 non risponde dalle 14:05",
    "telefono +39 340 1234567",
    "ordine #123456 e fattura 2026/118",
    "codice fiscale RSSMRA80A01H501U",
    "il token https://x.example/ non apre",
    "0000 0000 0000 0000",
]


@pytest.mark.parametrize("text, secret", SECRET)
def test_a_secret_is_masked(text: str, secret: str) -> None:
    """Passwords, transfer codes, card numbers, private keys, in five languages."""
    masked, found = mask(text)
    assert found
    assert secret not in masked
    assert MASK in masked


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_left_alone(text: str) -> None:
    """A word about a password is none."""
    assert mask(text) == (text, False)


@settings(max_examples=150)
@given(st.text(max_size=400))
def test_masking_never_raises_and_says_whether_it_did(text: str) -> None:
    """And what is masked once stays masked."""
    masked, found = mask(text)
    assert found == (masked != text)
    assert mask(masked)[0] == mask(mask(masked)[0])[0]


@pytest.mark.parametrize(
    "bad", ["password ", "pass a b c ", "4 ", "password a\t", "-----BEGIN PRIVATE KEY-----", "è "]
)
def test_hostile_text_comes_back_at_once(bad: str) -> None:
    """200 KB of what the patterns begin with; a pattern that is not linear would not return."""
    assert mask(bad * (200_000 // len(bad)))[0]
