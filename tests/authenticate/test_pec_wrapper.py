"""Certified mail: when the provider's signature names the author of the letter inside."""

import asyncio
from datetime import timedelta

import pytest
import smime_signing as signing
from cryptography.hazmat.primitives.serialization import Encoding
from pec_wrapping import BOX, CERTIFICATE, LETTER, PROVIDER, ROOT, part, signed_part, wrapper

from gateway.authenticate import pec, smime
from gateway.core.model import Address, Certified
from gateway.core.read import wire

TRUST = smime.Trust((ROOT.certificate,))


def certified(raw: bytes, trust: smime.Trust = TRUST) -> Certified | None:
    """What is certified of a wrapper that came now."""
    head = wire.read(raw)
    return asyncio.run(pec.certified(raw, head.headers, head.author, trust, signing.NOW))


def problem(raw: bytes) -> str:
    """Why nobody is certified."""
    found = certified(raw)
    assert found is not None
    assert found.sender is None
    return str(found.problem)


def test_the_certified_sender_is_the_author_of_the_letter() -> None:
    """With provider, recipients and the time of the certificate."""
    found = certified(wrapper())
    assert found is not None
    assert found.sender == Address("anna", "cliente.example")
    assert found.problem is None
    assert found.provider == str(PROVIDER)
    assert found.recipients == {"support@host.example", "altro@pec.example"}
    assert found.at == signing.NOW - timedelta(minutes=10)


def test_without_a_list_nothing_is_looked_at() -> None:
    """A gateway that lists no provider treats certified mail as any mail."""
    assert certified(wrapper(), smime.Trust()) is None


def test_without_the_providers_mark_it_is_any_signed_mail() -> None:
    """Receipts and ordinary S/MIME name nobody."""
    assert certified(wrapper(marks="X-Ricevuta: accettazione")) is None
    assert certified(wrapper(marks="X-Other: 1")) is None


def test_a_customer_of_the_provider_cannot_wrap_a_letter_himself() -> None:
    """His certificate names his own mailbox."""
    customer = signing.mailbox("mallory@pec.example", ROOT)
    assert "does not name posta-certificata@pec.example" in problem(wrapper(holder=customer))


def test_a_letter_of_another_author_is_not_certified() -> None:
    """daticert.xml and the From of the letter must be one."""
    content = signed_part(LETTER.replace("anna@cliente", "capo@cliente"))
    assert "From of the letter" in problem(wrapper(content))


def test_a_letter_with_two_authors_is_not_certified() -> None:
    """The letter's header passes the same gate as any mail's."""
    content = signed_part("From: capo@cliente.example\r\n" + LETTER)
    assert "From of the letter" in problem(wrapper(content))


@pytest.mark.parametrize("kind", ["avvenuta-consegna", "errore-consegna"])
def test_a_receipt_under_the_mark_of_a_letter_is_not_certified(kind: str) -> None:
    """The mark is not signed; the certificate's own kind is."""
    content = signed_part(certificate=CERTIFICATE.replace("posta-certificata", kind))
    assert "certifies no sender" in problem(wrapper(content))


def test_a_second_letter_or_certificate_is_not_certified() -> None:
    """Nobody has to guess which of two is meant."""
    for name in ("daticert.xml", "postacert.eml", "POSTACERT.EML"):
        content = signed_part(more=part("application/octet-stream", name, "x"))
        assert "has not one" in problem(wrapper(content))


def test_a_part_beside_the_signed_one_is_not_certified() -> None:
    """What the signature does not cover might be what people read."""
    extra = "--s\r\n" + part("message/rfc822", "postacert.eml", LETTER)[5:]
    assert "not one signed part" in problem(wrapper(after=extra))


def test_words_changed_on_the_way_are_not_certified() -> None:
    """A list's footer, or a forger's pen."""
    assert "was changed" in problem(wrapper().replace(b"disdico", b"rinnovo"))


def test_a_line_that_looks_like_a_boundary_is_not_certified() -> None:
    """Three delimiter lines, each alone on its line, are all that may stand there."""
    assert "not one signed part" in problem(wrapper(after="--s\r\n\r\n"))


def test_a_large_letter_is_certified_too() -> None:
    """Above 64 KB the work is done in a thread, with the same result."""
    found = certified(wrapper(signed_part(LETTER + "parole e parole\r\n" * 8000)))
    assert found is not None
    assert str(found.sender) == "anna@cliente.example"


def test_the_list_may_hold_the_providers_own_certificate() -> None:
    """As ops find it in the public list of providers."""
    listed = smime.trust(BOX.certificate.public_bytes(Encoding.PEM), "list")
    found = certified(wrapper(), listed)
    assert found is not None
    assert found.problem is None
