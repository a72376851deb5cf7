"""Two databases that differ only in account data cannot be told apart by mail that is not proven,
not registered, mismatched or a stranger's.

PORTIERE_PAIRS says how many pairs; `make drill-noninterference` runs 10,000.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twin_worlds import (
    ANNA,
    CARLO,
    NOW,
    SENT,
    SHARED,
    TECNICO,
    Seen,
    Twins,
    envelope,
    seen,
)

from gateway.core.know import token as tokens
from gateway.core.know.token import Purpose
from gateway.core.model import Candidates, Clues, Envelope
from gateway.demo.scenes import Scene
from gateway.demo.send import compose
from gateway.demo.world import SUPPORT
from gateway.store.reader import Reader

PAIRS = int(os.environ.get("PORTIERE_PAIRS", "300"))
STRANGER = "mario@curious.example"
FORGER = "forger.example"

# Ticket numbers: a ticket of some worlds, of a customer's own, of none; tagged, hashed, in words.
NUMBERS = ("482913", "482914", "482999", "500100", "123321")
SUBJECTS = (
    "Server non raggiungibile",
    "Changing nameservers",
    "Cambiare i nameserver",
    "Anfrage zum Angebot",
    "Grazie",
    "Segnalazione di abuso: spam dal vostro server",
    "Richiesta di accesso ai dati personali (GDPR)",
    "Fattura",
    "Cambio indirizzo email",
    "CONFIRM",
    "",
)
NAMES = (
    "order #123456",
    "ordine 555555",
    "ordine n. 777777",
    "il server 192.0.2.7",
    "the server 192.0.2.99 and 192.0.2.55",
    "203.0.113.80",
    "2001:db8::7",
)
# Names of services: somebody else's is a word like one that nobody has.
WORDS = ("il mio vps-12", "vps-99 and vps-55", "web-41")
BODIES = (
    "Hello,\nhow do I change the nameservers of a domain?\n",
    "Buongiorno,\ncome si cambiano i nameserver di un dominio?\n",
    "Il server non risponde piu' da stamattina, il sito e' irraggiungibile!\n",
    "Vorrei sapere lo stato del mio ticket e la password.\n",
    "Guten Tag, bitte senden Sie mir die Rechnung vom November noch einmal.\n",
    "Bonjour, je voudrais changer l'adresse de mon compte.\n",
    "Mi mandano spam e phishing dal vostro server: e' un abuso.\n",
    "Ai sensi del GDPR chiedo l'accesso ai miei dati personali.\n",
    "Grazie mille, buona giornata.\n",
    f"{SENT}\n",
    "CONFIRM\n",
)


@dataclass(frozen=True)
class Guess:
    """A mail by which somebody tries to learn something; worlds fill in what only they know."""

    author: str
    host: str
    signed_by: str | None
    subject: str
    body: str
    token: tuple[str, str, Purpose, str] | None  # ticket, bound to, purpose, valid or not
    where: str  # the token stands in: recipient | In-Reply-To | References
    headers: tuple[tuple[str, str], ...] = ()

    def mail(self, twins: Twins, number: int, minutes: int = 0) -> tuple[Envelope, bytes]:
        """The envelope and the bytes: the same for both worlds."""
        headers, recipient = dict(self.headers), SUPPORT
        if self.token is not None:
            text = self._token(twins)
            if self.where == "recipient":
                recipient = tokens.reply_address(text, SUPPORT)
            else:
                headers[self.where] = tokens.message_id(text, b"\0" * 5, "host.example")
        scene = Scene(
            "guess",
            "",
            self.host,
            self.author,
            self.subject,
            self.body,
            "",
            (),
            signed_by=self.signed_by,
            headers=headers,
        )
        raw = compose(twins.world, scene, NOW, number)
        mail_from = self.author if self.host != FORGER else f"eve@{FORGER}"
        now = NOW + timedelta(minutes=minutes)
        return envelope(self.host, mail_from, recipient, now), raw

    def _token(self, twins: Twins) -> str:
        assert self.token is not None
        number, account, purpose, how = self.token
        keys = next(iter(twins.all.values())).keys
        age = timedelta(days=4000 if how == "expired" else 1)
        nonce = b"\0" * 5 if purpose is Purpose.BOUNCE else b""
        made = tokens.make(keys, number, account, NOW - age, purpose, nonce)
        flipped = made[:-1] + ("a" if made[-1] != "a" else "q")
        return flipped if how == "flipped" else made


def guesses() -> st.SearchStrategy[Guess]:
    """Everybody who may learn nothing, with everything that he may try."""
    authors = st.one_of(
        # Unproven: registered on some worlds, on all, on none.
        st.tuples(
            st.sampled_from((ANNA, TECNICO, CARLO, SHARED, STRANGER, "nessuno@posta.example")),
            st.just(FORGER),
            st.sampled_from(("", FORGER)),
        ),
        # A proven stranger; a proven customer about what is others'; a proven shared address.
        st.tuples(st.just(STRANGER), st.just("curious.example"), st.sampled_from((None, ""))),
        st.tuples(st.just(CARLO), st.just("bianchi-srl.example"), st.sampled_from((None, ""))),
        st.tuples(st.just(SHARED), st.just("posta.example"), st.sampled_from((None, ""))),
    )
    numbers = st.sampled_from(NUMBERS)
    named = st.one_of(
        st.just(""),
        numbers.map("[#{}] ".format),
        numbers.map("Re: [#{}] Oggetto ".format),
        numbers.map("#{} ".format),
    )
    owned = st.sampled_from(
        (("482913", "A-1001"), ("482914", "A-1005"), ("482914", "B-2001"), ("123321", "A-1001"))
    )
    purposes = st.sampled_from((Purpose.THREAD, Purpose.AUTOMATIC, Purpose.BOUNCE, Purpose.PARKED))
    token = st.builds(
        lambda ticket, purpose, how: (*ticket, purpose, how),
        owned,
        purposes,
        st.sampled_from(("valid", "flipped", "expired")),
    )
    headers = st.sampled_from(
        (
            (),
            (("Reply-To", ANNA),),
            (("Auto-Submitted", "auto-replied"),),
            (("List-Id", "<l.example>"),),
            (("Content-Language", "de"),),
        )
    )
    return st.builds(
        _guess,
        authors,
        named,
        st.sampled_from(SUBJECTS),
        st.sampled_from(BODIES),
        st.sampled_from(("", *NAMES, *WORDS)),
        st.none() | token,
        st.sampled_from(("recipient", "In-Reply-To", "References")),
        headers,
    )


def _guess(
    author: tuple[str, str, str | None],
    number: str,
    subject: str,
    body: str,
    name: str,
    token: tuple[str, str, Purpose, str] | None,
    where: str,
    headers: tuple[tuple[str, str], ...],
) -> Guess:
    return Guess(*author, number + subject, f"{body}{name}\n", token, where, headers)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """The worlds, opened once; nothing is written by those who only look."""
    made = Twins(tmp_path_factory.mktemp("twins"))
    yield made
    made.close()


WORLD_PAIRS = st.sampled_from((("full", "empty"), ("full", "other"), ("other", "empty")))
_settings = settings(
    max_examples=PAIRS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def different(a: Seen, b: Seen) -> str:
    """What tells the two apart; empty where nothing does."""
    if a.answer != b.answer:
        return f"SMTP: {a.answer} and {b.answer}"
    if a.asked != b.asked:
        return f"queries: {len(a.asked)} and {len(b.asked)}"
    if a.replies != b.replies:
        return f"replies: {a.replies} and {b.replies}"
    return ""


@_settings
@given(guess=guesses(), pair=WORLD_PAIRS)
def test_two_databases_cannot_be_told_apart(
    twins: Twins, guess: Guess, pair: tuple[str, str]
) -> None:
    """The same SMTP reply, the same queries, and byte for byte the same replies or none."""
    session, raw = guess.mail(twins, 1)
    one, other = (seen(twins.all[name], session, raw) for name in pair)
    assert not different(one, other)


def test_a_whole_conversation_cannot_be_told_apart(tmp_path: Path) -> None:
    """With everything written: caps, earlier arrivals and enquiries are the same on both."""
    twins = Twins(tmp_path / "twins")
    try:
        one, other = twins.all["full"], twins.all["empty"]
        for number, guess in enumerate(conversation(60)):
            session, raw = guess.mail(twins, number, minutes=40 * number)
            for twin in (one, other):
                twin.numbers.append(f"{700000 + number}")
            assert one.handle(session, raw) == other.handle(session, raw)
    finally:
        twins.close()


def conversation(length: int) -> Iterator[Guess]:
    """Mails of one proven stranger, some of them unproven, some of them said twice."""
    dice = random.Random(7)
    for _ in range(length):
        forged = dice.random() < 0.3
        number = dice.choice(("", "", f"[#{dice.choice(NUMBERS)}] ", "#482913 "))
        yield Guess(
            dice.choice((ANNA, TECNICO, STRANGER)) if forged else STRANGER,
            FORGER if forged else "curious.example",
            "" if forged else None,
            number + dice.choice(SUBJECTS),
            dice.choice(BODIES) + dice.choice(("", *NAMES, *WORDS)),
            None,
            "",
        )


def test_what_we_sent_in_a_ticket_does_not_tell_that_its_number_is_one(tmp_path: Path) -> None:
    """Our words are taken out of a mail only for who may know that we sent them."""
    twins = Twins(tmp_path / "twins")
    try:
        said = "Abbiamo ricevuto la segnalazione di abuso: spam e phishing dal vostro server."
        full = twins.all["full"]
        opened = Guess(ANNA, "studio-rossi.example", None, "Re: [#482913] x", "Ancora.", None, "")
        full.handle(*opened.mail(twins, 1))
        full.writer.run(
            lambda connection: connection.exec_driver_sql("UPDATE outbox SET text = ?", (said,))
        ).result()
        words = f"Buongiorno, che cosa sapete di questo?\n\n{said}\n"
        probe = Guess(STRANGER, "curious.example", None, "#482913", words, None, "")
        session, raw = probe.mail(twins, 2)
        assert not different(seen(full, session, raw), seen(twins.all["empty"], session, raw))
        owner = replace(opened, body=words)
        mail = full.course(*owner.mail(twins, 3, minutes=1)).mail
        assert mail is not None
        assert "abuso" not in mail.new_text
    finally:
        twins.close()


class Indiscreet(Reader):
    """A reader with a leak: an account's name gets into an article."""

    def candidates(self, clues: Clues) -> Candidates:
        """The truth, with a name too many."""
        found, account = super().candidates(clues), self.account("A-1001")
        name = account.name if account else ""
        articles = tuple(
            replace(one, body=f"{one.body} {name}", score=100.0) for one in found.articles[:1]
        )
        return replace(found, articles=articles)


class Curious(Reader):
    """A reader that asks once more where the author is registered."""

    def candidates(self, clues: Clues) -> Candidates:
        """The truth, by a question too many."""
        found = super().candidates(clues)
        for one in found.registrations:
            self.account(one.account.number)
        return found


@pytest.mark.parametrize(
    ("reader", "guess", "by"),
    [
        (
            Indiscreet,
            Guess(STRANGER, "curious.example", None, SUBJECTS[2], BODIES[1], None, ""),
            "replies",
        ),
        (Curious, Guess(ANNA, FORGER, "", "Urgente", BODIES[3], None, ""), "queries"),
    ],
)
def test_a_planted_leak_is_seen(
    tmp_path: Path, reader: type[Reader], guess: Guess, by: str
) -> None:
    """The comparison can fail: by an article with a name in it, by one query too many."""
    twins = Twins(tmp_path / "twins", reader)
    try:
        session, raw = guess.mail(twins, 1)
        one, other = (seen(twins.all[name], session, raw) for name in ("full", "empty"))
        assert different(one, other).startswith(by)
    finally:
        twins.close()
