"""Public answers, refusals, enquiries and tickets to be sorted."""

from dataclasses import replace

from sayings import (
    OFFICIAL,
    STRANGER,
    account,
    article,
    candidates,
    done,
    proof,
    registered,
    sent,
    situation,
    stranger,
    ticket,
)

from gateway.core.model import (
    Answer,
    Confidence,
    Enquiry,
    Knowledge,
    ProofLevel,
    ProvenAuthor,
    Reference,
    Refuse,
    Sender,
    SenderKind,
    Sort,
    TicketKind,
    TicketMatch,
    TicketState,
)


def test_a_stranger_is_answered_from_an_article_at_his_own_address() -> None:
    """Public text alone."""
    case = stranger(knowledge=Knowledge(Confidence.SURE, (article(),)))
    said = done(case, Answer("faq", "because"))
    assert sent(said) == [("answer", STRANGER)]
    assert "https://host.example/guida/nameserver" in said.outgoing[0].text
    assert {one.ledger for one in said.spends} == {"author", "domain", "public"}


def test_a_registered_author_is_answered_at_the_official_address() -> None:
    """policy.md: an `answer` to a registered author goes there."""
    case = situation(knowledge=Knowledge(Confidence.SURE, (article(),)))
    assert sent(done(case, Answer("faq", "because"))) == [("answer", OFFICIAL)]


def test_freemail_has_no_share_by_domain() -> None:
    """Many people write from there."""
    evidence = situation().evidence
    case = stranger(
        author=replace(stranger().author, domain="freemail.example"),
        evidence=replace(evidence, dmarc=replace(evidence.dmarc, org_domain="freemail.example")),
    )
    said = done(case, Refuse("r", "b"))
    assert {one.ledger for one in said.spends} == {"author", "public"}


def test_the_refusal_is_the_same_for_a_known_an_unknown_and_a_mismatched_sender() -> None:
    """Byte for byte, but for address, Message-ID and the boundary that follows from it."""
    known = situation(reference=Reference(TicketMatch.OTHER))
    mismatched = situation(candidates=candidates(foreign=True, registrations=(registered(),)))
    texts = set()
    for case in (known, mismatched, stranger(), stranger(language="en", bilingual=True)):
        (refusal,) = done(case, Refuse("others", "because")).outgoing
        texts.add(_without_address(refusal.raw, refusal.to, refusal.message_id))
    assert len(texts) == 1


def _without_address(raw: bytes, to: str, message_id: str) -> bytes:
    boundary = raw.split(b'boundary="')[1].split(b'"')[0]
    plain = raw.replace(to.encode(), b"TO").replace(message_id.encode(), b"ID")
    return plain.replace(boundary, b"BOUNDARY")


def test_an_unproven_author_is_refused_in_silence() -> None:
    """No backscatter."""
    assert sent(done(stranger(proof=proof(author=None)), Refuse("r", "b"))) == []


def test_a_stranger_with_a_valid_token_is_refused_and_parked_for_the_tokens_account() -> None:
    """A customer's mailbox that is forwarded to another one."""
    reference = Reference(
        TicketMatch.OTHER, token=True, token_ticket=ticket(), token_account=account()
    )
    said = done(stranger(reference=reference), Refuse("r", "b"))
    assert sent(said) == [("refuse", STRANGER)]
    assert said.parked is not None
    assert (said.parked.account, said.parked.ticket) == ("A-1001", "482913")
    assert "482913" not in said.outgoing[0].raw.decode()


def test_an_enquiry_is_filed_for_staff_and_the_author_told_in_public_terms() -> None:
    """The ticket is his, and no account's."""
    said = done(stranger(), Enquiry("question", "because"))
    (new,) = said.tickets
    assert (new.kind, new.account) == (TicketKind.ENQUIRY, None)
    assert new.enquirer == ProvenAuthor(STRANGER)
    assert sent(said) == [("enquiry", STRANGER)]
    assert "#700001" not in said.outgoing[0].text


def test_a_registered_authors_report_is_filed_without_a_reply_to_his_address() -> None:
    """Where an account is concerned no From address becomes a destination."""
    said = done(situation(), Enquiry("duty", "because"))
    assert said.tickets[0].enquirer is None
    assert sent(said) == []


def test_an_unproven_report_of_abuse_is_filed_without_a_word() -> None:
    """Filed for staff whoever writes it; nobody is written to."""
    said = done(stranger(proof=proof(ProofLevel.FAIL, None)), Enquiry("duty", "b", reply=False))
    assert said.tickets[0].enquirer is None
    assert sent(said) == []


def test_a_further_mail_of_an_enquirer_joins_his_enquiry() -> None:
    """And reopens it where he is strongly proven."""
    his = ticket(
        "900",
        kind=TicketKind.ENQUIRY,
        account=None,
        state=TicketState.CLOSED,
        enquirer=ProvenAuthor(STRANGER),
    )
    said = done(stranger(reference=Reference(TicketMatch.OWN, his)), Enquiry("q", "b"))
    assert said.tickets == ()
    assert said.entries[0].ticket == "900"
    assert said.changes[0].state is TicketState.STAFF


def test_sort_is_filed_for_staff_among_the_senders_accounts_without_a_reply() -> None:
    """Nobody is answered before staff have assigned it."""
    both = (registered(), registered(of=account("A-1002", "bruno@altro.example")))
    case = situation(sender=Sender(SenderKind.AMBIGUOUS, registrations=both))
    said = done(case, Sort("several", "because"))
    assert said.tickets[0].kind is TicketKind.SORT
    assert said.tickets[0].candidates == ("A-1001", "A-1002")
    assert sent(said) == []
    assert "A-1002" in said.outgoing[0].text
