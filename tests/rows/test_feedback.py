"""An answer that did not help: noted with the reply that says so, and read by a person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from row_house import House, Village

from gateway.store import feedback
from gateway.store.feedback import Helped

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MARIO, CARLO = "mario@curious.example", "carlo@bianchi-srl.example"
QUESTION = "Buongiorno,\ncome si cambiano i nameserver di un dominio?"


def ask(house: House, author: str = MARIO) -> str:
    """The question is answered; the Message-ID of the answer."""
    write(house, author, "Cambiare i nameserver", QUESTION)
    assert house.trace()["outcome"] == "answer"
    return str(house.told[-1].mail["Message-ID"])


def write(house: House, author: str, subject: str, body: str, **more: Any) -> str:
    """One mail; its outcome."""
    mail = {"from": author, "subject": subject, "body": body, **more}
    house.receive(house.envelope(mail), house.compose(mail))
    return str(house.trace()["outcome"])


def reply(house: House, answer: str, body: str, author: str = MARIO, **more: Any) -> str:
    """A reply to the answer; its outcome."""
    headers = {"In-Reply-To": answer, "References": answer}
    return write(house, author, "Re: Risposta alla sua domanda", body, headers=headers, **more)


def counted(house: House) -> list[Helped]:
    """What is known of answers."""
    return list(house.read(feedback.helped))


@pytest.mark.parametrize("author,outcome", [(MARIO, "enquiry"), (CARLO, "open")])
def test_a_reply_that_it_did_not_help_goes_to_a_person(
    village: Village, author: str, outcome: str
) -> None:
    """It is counted beside the article, and no article answers it again."""
    with village.house(MONDAY) as house:
        answer = ask(house, author)
        house.now += timedelta(hours=1)
        said = f"Non ha risolto. {QUESTION}"
        assert reply(house, answer, said, author) == outcome
        assert counted(house) == [Helped("change-nameservers", 1, 1, 1, 1)]


def test_thanks_for_an_answer_count_for_nothing(village: Village) -> None:
    """It helped."""
    with village.house(MONDAY) as house:
        answer = ask(house)
        assert reply(house, answer, "Grazie mille, tutto risolto!") == "record"
        assert counted(house) == [Helped("change-nameservers", 1, 0, 0, 0)]


def test_a_forged_reply_counts_for_nothing(village: Village) -> None:
    """Whoever knows the Message-ID and proves nothing makes no article look bad."""
    with village.house(MONDAY) as house:
        answer = ask(house)
        forged = {"host": "forger.example", "mail_from": "eve@forger.example", "signed": False}
        assert reply(house, answer, "Non ha risolto", **forged) == "refuse"
        assert counted(house) == [Helped("change-nameservers", 1, 0, 0, 0)]


def test_counting_changes_no_reply(village: Village) -> None:
    """The same mail of somebody who was answered before, and of somebody who was not."""
    said = []
    for asked_before in (False, True):
        with village.house(MONDAY) as house:
            if asked_before:
                ask(house)
            house.sent.clear()
            outcome = write(house, MARIO, "Lavoro", "Buongiorno,\navete posizioni aperte?")
            said.append((outcome, [one.words for one in house.told]))
    first, second = said
    assert first[0] == second[0] == "enquiry"
    assert len(first[1]) == len(second[1]) == 1
