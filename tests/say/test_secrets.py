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
    ("Il codice auth per rossi.it è XK9-11!", "XK9-11"),
    ("Auth code for rossi.it: XK9", "XK9"),
    ("codice EPP di rossi.it = Ab3$k9", "Ab3$k9"),
    ("auth-info rossi.it\nAb3$k9", "Ab3$k9"),
    ("auth-code\nX9k33!", "X9k33"),
    ("codice di trasferimento\r\n\r\nAb3$k9", "Ab3$k9"),
    ("Password per info@rossi.it: segreta", "segreta"),
    ("Password:\r\n\r\nsegretissima", "segretissima"),
    ("La password per il pannello di controllo del sito è: Segreta12", "Segreta12"),
    ("My password for the control panel of the server is hunter22", "hunter22"),
    ("Le credenziali FTP: user web40 pwd Segr3ta", "Segr3ta"),
    ("PASSWORD：segreta1", "segreta1"),
    ("**Password**: Segreta1", "Segreta1"),
    ("password: " + "a" * 400, "aaa"),
    ("CVV 123", "123"),
    ("codice OTP 482913", "482913"),
    ("pin è 4111 1111 1111 1111", "1111"),
    ("carta:4111111111111111x", "4111"),
    ("n.4111111111111111", "4111"),
    ("4111\u00a01111\u00a01111\u00a01111", "1111"),
    ("4111.1111.1111.1111", "1111"),
    ("4111 1111\n1111 1111", "1111"),
    ("carta 4111 1111 1111 1111 12/27", "1111"),
    ("il 3401 e poi 340 4111 1111 1111 1111", "1111"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AA\n\n"
        "MIIE\n-----END RSA PRIVATE KEY-----",
        "MIIE",
    ),
    ("> -----BEGIN PRIVATE KEY-----\n> MIIEabcd\n> ef+/", "MIIE"),
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
    "La password non funziona da stamattina: ricevo errore.",
    "Non riesco a cambiare la password di info@rossi.it. Grazie.",
    "La password della casella info@rossi.it è scaduta.",
    "Mi serve il codice auth per rossi.it, grazie.",
    "Potete mandarmi il codice EPP di rossi.it?",
    "Il codice di trasferimento di rossi.it non è ancora arrivato.",
    "Vorrei il codice auth\nGrazie mille, Anna",
    "Password\nNon la ricordo più.",
    "La password del vps-12 è la solita.",
    "La password è stata rifiutata alle 12:30:05 di oggi.",
    "Il token è scaduto ieri.",
    "Il PIN non arriva sul telefono.",
    "Ho perso il codice OTP, come faccio?",
    "Il server vps-12 con indirizzo 198.51.100.7 è fermo.",
    "Chiamatemi allo 02 1234567 oppure al 340 1234567.",
    "Fattura 2026/118 del 12.10.2026, importo 1.234,56 euro.",
    "IBAN IT60X0542811101000001123456",
    "Partita IVA 01234567890, ordine 123456.",
    "-----Messaggio originale-----\nDa: Anna",
    "I forgot my password, how do I change it?",
    "The password reset page does not open.",
    "Please send the auth code for example.it to me.",
    "My API key is not accepted any more.",
    "The secret is out: we are moving our office.",
    "The transfer code has expired, please make another.",
    "Passwords are hard to remember.",
    "Our pin board is in room 12.",
    "The access token was refused at 14:05 today.",
    "Call +44 20 7946 0958 or +44 20 7946 0959 before 18:00.",
    "Order 4567 of 2026-10-12, 16 boxes, 2 pallets.",
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


_PIECES = st.sampled_from(
    ["password", "codice auth", "rossi.it", "è", "is", ":", "=", "\n", " ", " ", "pin", "4111",
     "1111 1111 1111", "Ab3$k9", "-----BEGIN PRIVATE KEY-----", MASK, "non", "CVV", "123", "."]
)  # fmt: skip


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=400), st.lists(_PIECES, max_size=14).map("".join)))
def test_what_is_masked_once_stays_masked(text: str) -> None:
    """Masking raises never, and a second time finds nothing more."""
    masked, _ = mask(text)
    assert mask(masked) == (masked, False)


@settings(max_examples=150)
@given(
    st.sampled_from(["Password", "codice auth", "EPP code", "pwd", "Passwort", "CVV", "otp"]),
    st.sampled_from(["", " per rossi.it", " di info@rossi.it", " for the site example.co.uk"]),
    st.sampled_from([": ", " = ", ":\n", ":\r\n\r\n", ":\u00a0", " è ", " is "]),
    st.from_regex(r"[A-Za-z]{2,9}[0-9]{2,5}[A-Za-z$!#-]{2,9}", fullmatch=True),
    st.sampled_from(["", "\nGrazie, Anna", " grazie", "."]),
)
def test_the_secret_is_gone(label: str, of: str, sep: str, secret: str, more: str) -> None:
    """Whatever it is a secret of, and however it is set apart."""
    masked, found = mask(f"Buongiorno,\n{label}{of}{sep}{secret}{more}")
    assert found
    assert secret not in masked


@pytest.mark.parametrize(
    "bad", ["password ", "pass a b c ", "4 ", "password a\t", "-----BEGIN PRIVATE KEY-----", "è "]
)
def test_hostile_text_comes_back_at_once(bad: str) -> None:
    """200 KB of what the patterns begin with; a pattern that is not linear would not return."""
    assert mask(bad * (200_000 // len(bad)))[0]
