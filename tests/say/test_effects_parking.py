"""Parked mail, its notice, and how it is released."""

from dataclasses import replace

from sayings import (
    KEYS,
    NOW,
    OFFICIAL,
    ROUTING,
    account,
    candidates,
    done,
    mail,
    proof,
    registered,
    sent,
    situation,
)

from gateway.core.know.token import Purpose, make
from gateway.core.model import (
    DECISIONS,
    Claim,
    Confirm,
    Hold,
    ParkedMail,
    ProofLevel,
    Situation,
    Spend,
    Spending,
    UnconfirmedAddress,
)
from gateway.core.say.desk import parked_binding

UNPROVEN = proof(ProofLevel.FAIL, None)


def test_hold_parks_the_mail_and_tells_the_official_address_nothing_of_it() -> None:
    """No id, no word, no name of it."""
    forged = mail("kaboom", subject="zap", message_id="<forged@evil.example>")
    said = done(situation(proof=UNPROVEN, mail=forged), Hold("unproven", "because"))
    assert said.tickets == said.entries == ()
    assert said.parked is not None
    assert said.parked.account == "A-1001"
    assert said.parked.network == "192.0.2.0/24"
    assert said.parked.expires == NOW + ROUTING.parking
    assert sent(said) == [("hold", OFFICIAL)]
    raw = said.outgoing[0].raw.decode()
    assert not [word for word in ("kaboom", "zap", "forged@") if word in raw]
    assert said.spends == (Spend("unproven", "A-1001", NOW, 1),)


def test_a_notice_of_parked_mail_is_in_the_accounts_language() -> None:
    """A forger does not choose it."""
    english = situation(proof=UNPROVEN, language="en", mail=mail(language="en"))
    assert done(english, Hold("h", "b")).outgoing[0].language == "it"


def test_one_notice_of_parked_mail_a_day_whatever_the_proof() -> None:
    """A proven author who speaks for another department is parked under the same share."""
    had = candidates(spending=Spending(unproven_today=1), registrations=(registered(),))
    for level in (ProofLevel.FAIL, ProofLevel.STRONG):
        said = done(situation(proof=proof(level), candidates=had), Hold("h", "b"))
        assert said.parked is not None
        assert sent(said) == []


def _reply_to_notice(*waiting: ParkedMail, notice_of: str | None = None) -> Situation:
    token = make(KEYS, "0", parked_binding("A-1001", notice_of or ""), NOW, Purpose.PARKED)
    answered = (f"<{token}.00@host.example>",) if notice_of else ()
    return situation(
        mail=mail("CONFERMO", in_reply_to=answered),
        candidates=candidates(parked=waiting, registrations=(registered(),)),
    )


FIRST, SECOND = (ParkedMail(name, "A-1001", None) for name in ("p1", "p2"))


def test_confirm_releases_the_mail_whose_notice_is_answered_and_no_other() -> None:
    """A forgery that waits beside it is not let in by the same word."""
    said = done(_reply_to_notice(FIRST, SECOND, notice_of="p2"), Confirm("c", "b"))
    assert said.release == ("p2",)
    assert sent(said) == [("confirm", OFFICIAL)]


def test_the_notice_that_was_sent_is_the_one_that_releases() -> None:
    """Its Message-ID, as it went out."""
    notice = done(situation(proof=UNPROVEN, mail_id="p1"), Hold("h", "b")).outgoing[0]
    case = _reply_to_notice(FIRST, SECOND)
    case = replace(case, mail=replace(case.mail, in_reply_to=(notice.message_id,)))
    assert done(case, Confirm("c", "b")).release == ("p1",)


def test_confirm_without_its_notice_releases_nothing() -> None:
    """Not even the only one that waits: the word was about something else."""
    for case in (_reply_to_notice(FIRST), _reply_to_notice(FIRST, notice_of="p2")):
        said = done(case, Confirm("c", "b"))
        assert (said.release, sent(said)) == ((), [])


CLAIM = Claim(account(), UnconfirmedAddress("New@c.example", "new@c.example", "A-1001", NOW))


def test_an_address_that_confirms_itself_releases_nothing_and_the_official_one_is_told() -> None:
    """The address stands in the text as the account's row has it."""
    waiting = candidates(parked=(ParkedMail("m1", "A-1001", None),))
    said = done(situation(claim=CLAIM, candidates=waiting), Confirm("c", "b"))
    assert said.confirms == (CLAIM.to,)
    assert said.release == ()
    assert sent(said) == [("address-added", OFFICIAL)]
    assert "New@c.example" in said.outgoing[0].text


def test_an_address_is_confirmed_in_silence_where_the_share_is_spent() -> None:
    """What is over the cap is done all the same."""
    said = done(situation(claim=CLAIM, spent=True), Confirm("c", "b"))
    assert said.confirms == (CLAIM.to,)
    assert said.outgoing == ()


def test_an_unconfirmed_address_does_nothing_else_whatever_the_rules_say() -> None:
    """A rule file that opens a ticket for the word CONFERMO opens none for it."""
    for kind in DECISIONS.values():
        if kind is not Confirm:
            said = done(situation(claim=CLAIM), kind("rule", "because"))
            assert (said.confirms, said.outgoing, said.tickets) == ((), (), ())
