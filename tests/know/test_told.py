"""Questions that tell of what went wrong: a person answers them."""

import pytest

from gateway.core.know.told import tells


@pytest.mark.parametrize(
    "text",
    [
        "Ho rinnovato il dominio scaduto due giorni fa ma è ancora sospeso",
        "Il trasferimento del mio dominio da voi è fermo da due settimane",
        "Ho reinstallato la VPS per sbaglio e ho perso tutti i dati, potete recuperarli?",
        "Two factor recovery codes are not accepted",
        "The spam filter deleted an important mail yesterday, I need it back",
        "Mi hanno rubato il dominio trasferendolo a un altro registrar",
        "I renewed the expired domain two days ago and it is still suspended",
        "I codici di recupero non funzionano",
    ],
)
def test_a_complaint_tells(text: str) -> None:
    """What was done in vain, what is stuck, what was lost."""
    assert tells(text)


@pytest.mark.parametrize(
    "text",
    [
        "Come si cambiano i nameserver?",
        "Ho cambiato telefono. Quali server e porte devo inserire per la posta?",
        "I changed the A record and still see the old page. How long does it take?",
        "Ho dimenticato la password",
        "",
    ],
)
def test_a_question_does_not(text: str) -> None:
    """Who asks how it is done may be answered, whatever he says before."""
    assert not tells(text)
