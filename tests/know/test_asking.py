"""What a mail asks, without the courtesy around it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowing_values import NO_TICKET, mail, rules

from gateway.core.know.asking import question
from gateway.core.know.circumstances import ABOUT_SERVICES, unnamed
from gateway.core.know.request import classify
from gateway.core.model import (
    Incident,
    Reference,
    Request,
    RequestKind,
    ServiceMatch,
    TicketMatch,
)

ASKED = "Come cambio i nameserver?"


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        f"Aiuto\n{ASKED}",
        f"Richiesta informazioni\nBuongiorno,\n{ASKED}",
        f"Gentile assistenza, {ASKED}",
        f"Spett.le supporto tecnico:\n{ASKED}",
        f"Salve! {ASKED} Grazie mille.",
        f"{ASKED}\nGrazie\nGiulia Ferri\nStudio Ferri - tel. 051 000000",
        f"{ASKED} Grazie, buona giornata.",
        f"Ho bisogno di aiuto. {ASKED}",
        f"{ASKED}\nIn attesa di un cortese riscontro\nAvv. Paola Neri",
        f"Hello team, {ASKED}\nBest, Lena",
        f"{ASKED}\nMit freundlichen Grüßen\nKlaus Weber",
    ],
)
def test_courtesy_weighs_nothing(text: str) -> None:
    """Greeting, closing, name, subjects and sentences that say nothing."""
    assert question(text).strip() == ASKED


@pytest.mark.parametrize(
    "text", ["help", "Aiuto!", "Grazie mille", "Buongiorno,", "", "\n\n", "?"]
)
def test_nothing_is_left_as_it_is(text: str) -> None:
    """Where all is courtesy there is no question to be taken out."""
    assert question(text) == text


def test_what_stands_below_thanks_may_be_the_question() -> None:
    """A question after the closing, or a long text, is no signature."""
    assert ASKED in question(f"Ho un dominio.\nGrazie\nP.S. {ASKED}")
    assert "parola" in question("Ho un dominio.\nGrazie\n" + "parola " * 80)


@settings(max_examples=150)
@given(st.text(alphabet="aeg rzi.?!,\nBuongiorno Salve saluti", max_size=300))
def test_it_never_raises_and_only_takes_away(text: str) -> None:
    """Every word that is left stood in the text."""
    left = question(text)
    assert set(left.split()) <= set(text.split()) or all(word in text for word in left.split())
    assert left.strip() or left == text


@pytest.mark.parametrize(
    "text",
    [
        "Come mai il sito è offline?",
        "How long will the emergency last?",
        "Cosa faccio adesso che è tutto down?",
    ],
)
def test_a_question_with_words_of_an_incident_is_for_a_person(text: str) -> None:
    """Either it is an incident, or a general question that no article answers by itself."""
    found = classify(mail(text), NO_TICKET, rules())
    assert found.kind is RequestKind.INCIDENT or found.alarm


@pytest.mark.parametrize(
    "text",
    ["What happens if a server is down?", "Come cambio i nameserver?", "How do I set up SPF?"],
)
def test_a_question_about_incidents_is_a_question(text: str) -> None:
    """Words against an incident weigh as much."""
    found = classify(mail(text), NO_TICKET, rules())
    assert (found.kind, found.alarm) == (RequestKind.GENERAL, False)


@pytest.mark.parametrize(
    "text,speaks",
    [
        ("Il certificato del sito è scaduto", True),
        ("My website is slow since yesterday", True),
        ("Die Webseite ist langsam", True),
        ("Avete un listino per rivenditori?", False),
        ("Vorrei parlare con un responsabile", False),
    ],
)
def test_a_mail_about_a_service_is_told_by_its_nouns(text: str, speaks: bool) -> None:
    """Whichever service it is."""
    assert classify(mail(text), NO_TICKET, rules()).service is speaks


def asked(kind: RequestKind = RequestKind.GENERAL, **more: object) -> bool:
    """Whether a mail about a service is asked which one."""
    request = Request(kind, (), service=bool(more.get("speaks", True)))
    incident = Incident(
        is_incident=bool(more.get("incident", False)),
        match=ServiceMatch(more.get("match", "none")),
    )
    reference = Reference(TicketMatch(more.get("ticket", "none")))
    return unnamed(request, incident, int(str(more.get("services", 2))), reference, None)


def test_which_service_is_asked_where_it_cannot_be_known() -> None:
    """Several services, none named, and a mail that begins something."""
    assert asked()
    assert asked(RequestKind.BILLING)
    assert not asked(services=1)
    assert not asked(services=0)
    assert not asked(speaks=False)
    assert not asked(match="own")
    assert not asked(match="other")
    assert not asked(ticket="own")
    assert not asked(ticket="other")
    assert not asked(incident=True)
    assert not any(asked(kind) for kind in set(RequestKind) - ABOUT_SERVICES)
