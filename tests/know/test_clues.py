"""What a mail raises as questions: bounded in number and length, and found in linear time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ticketing import NOW, envelope, mail

from gateway.core.know.token import Keys, make
from gateway.core.model import Address, Headers, Wire
from gateway.core.read.clues import (
    bare_subject,
    clues,
    hashed,
    ips,
    mail_key,
    orders,
    tagged,
    words,
)

WIRE = Wire(Headers((), 0), Address("Anna", "cliente.example"), None)
KEYS = Keys(1, ((1, b"k" * 32),))


def test_tickets_come_from_recipients_ids_and_subject() -> None:
    """Each once, best first."""
    one, two = (make(KEYS, number, "A", NOW) for number in ("11", "22"))
    found = clues(
        envelope(f"support+{one}@host.example"),
        WIRE,
        mail(subject="Re: [#33] e #444", in_reply_to=(f"<{two}.0@host.example>",)),
    )
    assert found.tickets == ("11", "22", "33", "444")


def test_the_author_and_his_organisational_domain() -> None:
    """The domain itself where the other is not known."""
    found = clues(envelope(), WIRE, mail())
    assert (found.author_key, found.author_domain) == ("anna@cliente.example", "cliente.example")
    assert clues(envelope(), WIRE, mail(), (), "example.org").author_domain == "example.org"
    nobody = Wire(Headers((), 0), None, None)
    assert clues(envelope(), nobody, mail()).author_key == ""


def test_its_own_id_is_asked_for_after_those_that_it_answers() -> None:
    """An answer to it may have come before it."""
    found = clues(envelope(), WIRE, mail(in_reply_to=("<p@x>",), references=("<a@x>", "<b@x>")))
    assert found.message_ids == ("<p@x>", "<b@x>", "<a@x>", "<new@cliente.example>")


@pytest.mark.parametrize(
    "text, found",
    [
        ("server 192.0.2.77 fermo", ("192.0.2.77",)),
        ("(2001:DB8:0::1)", ("2001:db8::1",)),
        ("alle 14:05:00 del 22.11.2026", ()),
        ("versione 1.2.3.4.5", ()),
        ("256.1.1.1", ()),
        ("192.0.2.7.", ("192.0.2.7",)),
        ("deed: feed", ()),
        ("::1", ("::1",)),
    ],
)
def test_addresses_are_read_in_their_canonical_form(text: str, found: tuple[str, ...]) -> None:
    """IPv4 and IPv6; times, dates and versions are none."""
    assert ips(text) == found


@pytest.mark.parametrize(
    "text, found",
    [
        ("ordine #123456", ("123456",)),
        ("ordine n. 123456", ("123456",)),
        ("Order number: AB-1234", ("AB-1234",)),
        ("Bestellung Nr. 4711", ("4711",)),
        ("in ordine di arrivo", ()),
        ("colore #ff0000", ()),
        ("[#482913]", ("482913",)),
        ("pagina&#12345;", ()),
    ],
)
def test_orders_stand_behind_a_hash_or_their_word(text: str, found: tuple[str, ...]) -> None:
    """A ticket's number looks the same: both are tried."""
    assert orders(text) == found


def test_words_are_those_that_look_like_a_host_or_a_service() -> None:
    """Lower case; addresses and plain words are left out."""
    text = "Il VPS-12 (srv-cliente-01) su www.Example.com non va, anna@cliente.example, pippo"
    assert words(text) == ("vps-12", "srv-cliente-01", "www.example.com")


@pytest.mark.parametrize(
    "subject, bare",
    [
        ("Re: R: [#482913] Fwd: Ciao  mondo", "Ciao mondo"),
        ("AW: WG: Ciao", "Ciao"),
        ("Re[2]: Ciao", "Ciao"),
        ("RIF: ciao", "ciao"),
        ("Regione: ciao", "Regione: ciao"),
        ("", ""),
    ],
)
def test_a_bare_subject_has_no_marks(subject: str, bare: str) -> None:
    """Neither of answering nor of ours."""
    assert bare_subject(subject) == bare


def test_numbers_are_ascii_digits_of_bounded_length() -> None:
    """Nothing else is a number."""
    assert tagged("[#١٢] [#12a] [#]") == ()
    assert tagged("[#" + "9" * 19 + "]") == ()
    assert len(tagged("".join(f"[#{n}]" for n in range(500)))) == 20
    assert hashed("#12") == ()


def test_the_key_is_of_envelope_and_content() -> None:
    """Another recipient, sender or byte is another mail; their order is not."""
    key = mail_key(envelope("a@x", "b@x"), "c")
    assert key == mail_key(envelope("b@x", "a@x"), "c")
    assert key != mail_key(envelope("a@x"), "c")
    assert key != mail_key(envelope("a@x", "b@x"), "d")
    assert mail_key(envelope("a@x,b@x"), "c") != mail_key(envelope("a@x", "b@x"), "c")


@settings(max_examples=150)
@given(st.text(max_size=300), st.text(max_size=600), st.lists(st.text(max_size=80), max_size=5))
def test_no_mail_raises_and_all_of_it_is_bounded(
    subject: str, text: str, recipients: list[str]
) -> None:
    """Total, whatever stands there."""
    found = clues(envelope(*recipients), WIRE, mail(subject=subject, text=text), ["d"] * 30)
    assert len(found.tickets) <= 20
    assert len(found.message_ids) <= 60
    assert len(found.ips) <= 20
    assert len(found.orders) <= 20
    assert len(found.words) <= 100
    assert len(found.query) <= 2000
    assert len(found.signature_digests) == 1
