"""What each outcome writes and sends, as values."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sayings import (
    DESK,
    KEYS,
    LUCA,
    NONCE,
    NOW,
    OFFICIAL,
    ROUTING,
    SECONDARY,
    STRANGER,
    TECHNICIANS,
    TEMPLATES,
    account,
    article,
    candidates,
    envelope,
    mail,
    notified,
    proof,
    registered,
    situation,
    stranger,
    ticket,
)

from gateway.core.know.token import Purpose, make, verify
from gateway.core.model import (
    Announcement,
    Answer,
    Ask,
    Automatic,
    Confidence,
    Confirm,
    Decision,
    Defer,
    DkimResult,
    Effects,
    Enquiry,
    Hold,
    Incident,
    Knowledge,
    Open,
    OwnMessage,
    Panel,
    ParkedMail,
    ProofLevel,
    ProvenAuthor,
    Record,
    Reference,
    Refuse,
    Reject,
    Report,
    Request,
    RequestKind,
    Role,
    Seen,
    Sender,
    SenderKind,
    Service,
    Signature,
    Situation,
    Sort,
    Spend,
    Spending,
    Staff,
    Thread,
    TicketKind,
    TicketMatch,
    TicketState,
)
from gateway.core.model.routing import Routing
from gateway.core.say.desk import parked_binding
from gateway.core.say.effects import effects, undecided


def done(case: Situation, decision: Decision, routing: Routing = ROUTING) -> Effects:
    """The effects of one mail."""
    return effects(case, decision, TEMPLATES, DESK, routing, NONCE, "digest", {"sender": "x"})


def sent(said: Effects) -> list[tuple[str, str]]:
    """Kind and destination of all that goes to customers."""
    return [(one.kind, one.to) for one in said.outgoing if not one.notice]


def told(said: Effects) -> list[tuple[str, str]]:
    """Kind and destination of the notices."""
    return [(one.kind, one.to) for one in said.outgoing if one.notice]


def own(standing: TicketState = TicketState.NEW, **more: object) -> Situation:
    """A customer's mail about his own ticket."""
    one = ticket(state=standing, closed_at=NOW if standing is TicketState.CLOSED else None)
    return situation(reference=Reference(TicketMatch.OWN, one), **more)


OPEN = Open("account-mail", "because")
THREAD = Thread("own-ticket", "because")


# ---- open, ask, panel


def test_open_files_a_ticket_and_acknowledges_it_to_the_official_address() -> None:
    """One ticket, one entry, one acknowledgement, one notice to the department."""
    said = done(situation(), OPEN)
    (new,) = said.tickets
    assert (new.number, new.account, new.state) == ("700001", "A-1001", TicketState.NEW)
    assert (new.department, new.priority, new.proof) == ("technical", "normal", "strong")
    assert new.opened_at == NOW
    assert sent(said) == [("open", OFFICIAL)]
    assert told(said) == [("staff-new", TECHNICIANS.address)]
    assert [one.ticket for one in said.entries] == ["700001"]
    assert said.mail.ticket == "700001"
    assert [one.kind for one in said.events] == ["ticket.opened"]


def test_a_secondary_address_is_answered_at_the_official_one() -> None:
    """G5: the reply goes to the registered address, whoever of the account wrote."""
    registration = registered(Role.SECONDARY)
    case = situation(
        author=replace(situation().author, local="tech"),
        sender=Sender(SenderKind.SECONDARY, registration, (registration,)),
        proof=proof(author=SECONDARY),
    )
    assert sent(done(case, OPEN)) == [("open", OFFICIAL)]


def test_the_acknowledgement_holds_no_word_of_the_sender() -> None:
    """Neither subject, nor text, nor name, in no part of it."""
    words = mail("zanzibar quokka", subject="xylophone", from_name="Rumpelstilz")
    raw = done(situation(mail=words), OPEN).outgoing[0].raw.decode().lower()
    assert not [word for word in ("zanzibar", "xylophone", "rumpelstilz") if word in raw]


def test_the_acknowledgement_says_the_honest_place() -> None:
    """Those of higher priority and those of its own wait before it: 1 + 4."""
    assert "ci sono 5 richieste" in done(situation(), OPEN).outgoing[0].text
    high = Open("critical", "because", priority="high")
    assert "c'è una sola richiesta" in done(situation(), high).outgoing[0].text


def test_one_line_of_the_routing_turns_priorities_off() -> None:
    """Then everything is normal, whatever a rule says."""
    flat = replace(ROUTING, priorities=False)
    said = done(situation(), Open("critical", "because", priority="high"), flat)
    assert said.tickets[0].priority == "normal"


def test_ask_lists_what_is_missing_once() -> None:
    """The ticket remembers that it asked."""
    case = situation(incident=Incident(is_incident=True, missing=("identifier", "zone")))
    said = done(case, Ask("critical-lacks", "because"))
    assert said.tickets[0].asked
    assert sent(said) == [("ask", OFFICIAL)]
    assert "indirizzo IP del server" in said.outgoing[0].text
    assert "fuso orario" in said.outgoing[0].text


def test_panel_files_a_ticket_that_waits_to_be_verified() -> None:
    """The customer is sent to the panel, staff are told not to act."""
    said = done(situation(), Panel("change", "because"))
    assert said.tickets[0].verified is False
    assert sent(said) == [("panel", OFFICIAL)]
    assert DESK.panel_url in said.outgoing[0].text
    assert "DA VERIFICARE" in said.outgoing[1].text


def test_a_medium_sender_opens_a_ticket_marked_as_not_proven() -> None:
    """It is counted in its own ledger, and the acknowledgement says so."""
    said = done(situation(proof=proof(ProofLevel.MEDIUM)), OPEN)
    assert said.tickets[0].proof == "medium"
    assert said.entries[0].proof == "medium"
    assert "segnato così" in said.outgoing[0].text
    assert said.spends == (Spend("medium", "A-1001", NOW, ROUTING.caps.medium),)


def test_paragraphs_that_rules_add_stand_in_the_acknowledgement() -> None:
    """`[[notice]] add = "out_of_hours"`."""
    decision = Open("account-mail", "because", notices=("out_of_hours",))
    assert "ufficio è chiuso" in done(situation(), decision).outgoing[0].text


def test_weak_articles_are_suggested_and_sure_ones_are_not() -> None:
    """Up to three links beside the acknowledgement."""
    weak = situation(knowledge=Knowledge(Confidence.WEAK, (article(),) * 5))
    text = done(weak, OPEN).outgoing[0].text
    assert text.count("Cambiare i nameserver") == 3
    sure = situation(knowledge=Knowledge(Confidence.SURE, (article(),)))
    assert "Cambiare i nameserver" not in done(sure, OPEN).outgoing[0].text


def test_an_announcement_in_force_stands_in_acknowledgements_of_its_services() -> None:
    """And in no other."""
    notice = Announcement("m", "Manutenzione", "Stanotte.", ("vps-12",))
    at = candidates(announcements=(notice,), registrations=(registered(),))
    concerned = situation(candidates=at, incident=Incident(identifiers=("VPS-12",)))
    assert "Stanotte." in done(concerned, OPEN).outgoing[0].text
    assert "Stanotte." not in done(situation(candidates=at), OPEN).outgoing[0].text


def test_a_guessed_language_is_said_twice() -> None:
    """In the default and in English."""
    text = done(situation(bilingual=True), OPEN).outgoing[0].text
    assert "Gentile cliente" in text
    assert "Dear customer" in text


def test_a_changed_subject_opens_a_linked_ticket_and_says_so() -> None:
    """The old ticket is named, as it is the author's own."""
    case = situation(reference=Reference(TicketMatch.NONE, linked_to="482913"))
    said = done(case, OPEN)
    assert said.tickets[0].linked_to == "482913"
    assert "#482913" in said.outgoing[0].text


def test_a_critical_incident_beside_a_normal_ticket_is_linked_to_it() -> None:
    """It never joins it (W3)."""
    twin = ticket("555", identifiers=("vps-12",))
    case = situation(
        candidates=candidates(open_tickets=(twin,), registrations=(registered(),)),
        incident=Incident(is_incident=True, identifiers=("vps-12",)),
    )
    assert done(case, OPEN).tickets[0].linked_to == "555"


def test_unsent_where_the_cap_is_spent_and_the_ticket_is_opened_all_the_same() -> None:
    """`spent` suppresses the reply, never the outcome."""
    said = done(situation(spent=True), OPEN)
    assert said.tickets
    assert sent(said) == []
    assert said.spends == ()


def test_a_rule_may_keep_silent() -> None:
    """`reply = false`."""
    assert sent(done(situation(), Open("quiet", "because", reply=False))) == []


def test_what_answers_automatic_mail_is_not_answered() -> None:
    """Two desks do not talk to each other."""
    case = situation(reference=Reference(TicketMatch.NONE, answers_automatic=True))
    assert sent(done(case, OPEN)) == []


def test_automatic_mail_is_never_answered_whatever_the_decision() -> None:
    """The last wall, should a rule and the guard both fail."""
    for kind in set(Automatic) - {Automatic.NO}:
        for decision in (OPEN, THREAD, Answer("r", "b"), Refuse("r", "b"), Hold("r", "b")):
            case = situation(mail=mail(automatic=kind))
            assert sent(done(case, decision)) == []


def test_a_doubtful_destination_waits_and_staff_are_told() -> None:
    """The domain changed hands, or the address bounced."""
    stolen = account(doubtful="the domain expired")
    registration = registered(of=stolen)
    case = situation(sender=Sender(SenderKind.PRIMARY, registration, (registration,)))
    said = done(case, OPEN)
    assert said.outgoing[0].held == "the domain expired"
    assert "staff-held" in [kind for kind, _ in told(said)]


def test_notification_addresses_get_a_notice_without_content() -> None:
    """I7: of their kind only, and never the reply itself."""
    registration = registered(of=notified())
    case = situation(sender=Sender(SenderKind.PRIMARY, registration, (registration,)))
    said = done(case, OPEN)
    assert ("notice", "noc@cliente.example") in told(said)
    notice = next(one for one in said.outgoing if one.kind == "notice")
    assert "700001" not in notice.raw.decode()
    other = registered(of=notified("financial"))
    case = situation(sender=Sender(SenderKind.PRIMARY, other, (other,)))
    assert "notice" not in [kind for kind, _ in told(done(case, OPEN))]


def test_a_reply_that_came_before_its_parent_leaves_its_id_for_it() -> None:
    """The late parent will find the ticket by it."""
    said = done(situation(mail=mail(in_reply_to=("<m0@cliente.example>",))), OPEN)
    ids = {one.message_id for one in said.known}
    assert ids == {"<m1@cliente.example>", "<m0@cliente.example>"}


def test_staff_read_the_sender_with_secrets_masked_and_the_entry_keeps_them() -> None:
    """In notifications, in both directions."""
    said = done(situation(mail=mail("la password è Tr0ub4dor&3")), OPEN)
    assert "Tr0ub4dor" not in said.outgoing[1].raw.decode()
    assert said.entries[0].masked
    assert "Tr0ub4dor" in said.entries[0].text


# ---- thread


def test_thread_adds_an_entry_and_a_receipt() -> None:
    """A ticket that waits for staff stays where it is."""
    said = done(own(), THREAD)
    assert said.changes == ()
    assert said.expects == {"482913": 3}
    assert [(one.ticket, one.pending) for one in said.entries] == [("482913", False)]
    assert sent(said) == [("thread", OFFICIAL)]
    assert told(said) == [("staff-entry", TECHNICIANS.address)]


def test_a_strong_reply_reopens_a_closed_ticket_and_it_queues_from_then() -> None:
    """W1, tickets.md States."""
    said = done(own(TicketState.CLOSED), THREAD)
    (change,) = said.changes
    assert change.state is TicketState.STAFF
    assert change.queued_at == NOW
    assert "riaperta" in said.outgoing[0].text
    assert "ticket.reopened" in [one.kind for one in said.events]


def test_a_medium_reply_waits_as_a_pending_entry_and_changes_nothing() -> None:
    """Only `strong` changes the state of a standing ticket."""
    case = own(TicketState.CUSTOMER, proof=proof(ProofLevel.MEDIUM))
    said = done(case, THREAD)
    assert said.changes == ()
    assert said.entries[0].pending


def test_a_medium_reply_to_a_closed_ticket_opens_a_linked_one() -> None:
    """It may open, not reopen."""
    said = done(own(TicketState.CLOSED, proof=proof(ProofLevel.MEDIUM)), THREAD)
    assert said.changes == ()
    assert said.tickets[0].linked_to == "482913"
    assert sent(said) == [("open", OFFICIAL)]


def test_after_the_window_a_reply_opens_a_linked_ticket() -> None:
    """Where ops have set one."""
    window = replace(ROUTING, reopening=timedelta(days=30))
    old = ticket(state=TicketState.CLOSED, closed_at=NOW - timedelta(days=31))
    case = situation(reference=Reference(TicketMatch.OWN, old))
    assert done(case, THREAD, window).tickets[0].linked_to == "482913"
    young = replace(old, closed_at=NOW - timedelta(days=29))
    case = situation(reference=Reference(TicketMatch.OWN, young))
    assert done(case, THREAD, window).tickets == ()


def test_thanks_are_added_without_reopening_and_without_a_receipt() -> None:
    """text.md: thanks, solved."""
    case = own(TicketState.CLOSED, request=Request(RequestKind.THANKS, ()))
    said = done(case, THREAD)
    assert said.changes == ()
    assert sent(said) == []
    assert len(said.entries) == 1


def test_a_ticket_that_waits_for_the_customer_waits_for_staff_again() -> None:
    """Its place in the queue is the one of its opening."""
    (change,) = done(own(TicketState.CUSTOMER), THREAD).changes
    assert change.state is TicketState.STAFF
    assert change.queued_at is None


def test_the_missing_data_raise_the_priority_and_keep_the_time_of_opening() -> None:
    """Only where we asked for them."""
    complete = Incident(is_incident=True, identifiers=("vps-12",))
    asked = ticket(asked=True)
    case = situation(reference=Reference(TicketMatch.OWN, asked), incident=complete)
    (change,) = done(case, THREAD).changes
    assert (change.priority, change.queued_at) == ("high", None)
    case = situation(reference=Reference(TicketMatch.OWN, ticket()), incident=complete)
    assert [one.priority for one in done(case, THREAD).changes] == [None]


def test_receipts_within_ten_minutes_become_one() -> None:
    """The later one takes the place of the one that waits."""
    first = done(own(), THREAD).outgoing[0]
    assert (first.due, first.merge_key) == (None, "receipt:482913")
    lately = Spending(last_thread_receipt=NOW - timedelta(minutes=4))
    case = own(candidates=candidates(spending=lately, registrations=(registered(),)))
    later = done(case, THREAD).outgoing[0]
    assert later.due == NOW + timedelta(minutes=6)
    assert later.merge_key == "receipt:482913"


def test_the_same_incident_joins_the_open_ticket_and_the_receipt_says_so() -> None:
    """W3, from whichever of the account's addresses."""
    said = done(situation(repeat=ticket("555")), THREAD)
    assert said.entries[0].ticket == "555"
    assert "problema già segnalato" in said.outgoing[0].text


def test_a_receipt_refers_to_our_own_mails_and_to_the_one_it_answers() -> None:
    """And to no other id that the sender put there."""
    ours, theirs = "<ours@host.example>", "<x@evil.example>"
    case = own(
        mail=mail(references=(theirs, ours)),
        candidates=candidates(
            registrations=(registered(),), messages=(OwnMessage(ours, "482913", True),)
        ),
    )
    raw = done(case, THREAD).outgoing[0].raw.decode()
    assert f"References: {ours}\r\n <m1@cliente.example>\r\n" in raw
    assert theirs not in raw


# ---- answer, refuse, enquiry, sort


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


# ---- hold and confirm


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


def test_confirm_without_a_notice_releases_the_only_one_that_waits() -> None:
    """Of two it cannot tell which is meant, and releases none."""
    assert done(_reply_to_notice(FIRST), Confirm("c", "b")).release == ("p1",)
    said = done(_reply_to_notice(FIRST, SECOND), Confirm("c", "b"))
    assert (said.release, sent(said)) == ((), [])


# ---- staff


def by_luca(text: str, about: object = None, **more: object) -> Situation:
    """A staff member's mail with a valid token."""
    standing = about or ticket(state=TicketState.STAFF)
    reference = Reference(
        TicketMatch.NONE,
        token=True,
        staff_token=True,
        token_ticket=standing,  # type: ignore[arg-type]
        token_account=account(),
    )
    defaults: dict[str, object] = {
        "sender": Sender(SenderKind.STAFF, staff=LUCA),
        "proof": proof(author=LUCA.address),
        "reference": reference,
        "mail": mail(text),
        "candidates": candidates(staff=LUCA),
    }
    return situation(**(defaults | more))


ANSWER = Staff("staff-answer", "because")


def test_a_staff_answer_goes_to_the_official_address_from_ours() -> None:
    """Without Auto-Submitted, and without the staff member's own address."""
    said = done(by_luca("Buongiorno,\nrisolto. Scrivete pure a Luca@host.example."), ANSWER)
    (answer,) = said.outgoing
    assert (answer.kind, answer.to, answer.automatic) == ("staff-reply", OFFICIAL, False)
    raw = answer.raw.decode()
    assert "Auto-Submitted" not in raw
    assert "X-Auto-Response-Suppress" not in raw
    assert "luca@" not in raw.lower()
    assert said.changes[0].state is TicketState.CUSTOMER
    assert said.entries[0].by == "staff"


def test_staff_commands_close_assign_and_raise() -> None:
    """The first lines of the mail; what follows is the answer."""
    said = done(by_luca("/priority high\n/assign marta\n/close\n\nFatto."), ANSWER)
    (change,) = said.changes
    assert change.state is TicketState.CLOSED
    assert (change.assignee, change.priority) == ("marta", "high")
    assert "Con questa risposta" in said.outgoing[0].text
    assert "/close" not in said.outgoing[0].text


def test_close_alone_sends_the_notice_of_closing() -> None:
    """W2: the closing of a ticket is notified."""
    assert sent(done(by_luca("/close"), ANSWER)) == [("closed", OFFICIAL)]


def test_a_note_is_kept_inside() -> None:
    """Nothing goes out."""
    said = done(by_luca("/note\nIl cliente ha torto."), ANSWER)
    assert said.outgoing == ()
    assert (said.entries[0].kind, said.changes) == ("note", ())


def test_a_mistyped_command_sends_nothing_to_the_customer() -> None:
    """Staff are told; the text is kept as a note."""
    said = done(by_luca("/colse\nFatto."), ANSWER)
    assert sent(said) == []
    assert told(said) == [("staff-unsent", LUCA.address)]
    assert said.changes == ()


def test_an_answer_to_a_ticket_that_is_to_be_verified_is_not_sent() -> None:
    """Until the customer confirms, staff cannot act on it."""
    said = done(by_luca("Fatto.", ticket(verified=False)), ANSWER)
    assert sent(said) == []
    assert told(said) == [("staff-unsent", LUCA.address)]
    assert said.entries[0].text == "Fatto."


@pytest.mark.parametrize(
    "more",
    [
        {"proof": proof(ProofLevel.MEDIUM, LUCA.address)},
        {"reference": Reference(TicketMatch.NONE, token=True, token_ticket=ticket())},
    ],
)
def test_staff_need_both_a_strong_proof_and_a_staff_token(more: dict[str, object]) -> None:
    """Checked again where it is used, whatever the decision says."""
    said = done(by_luca("Fatto.", **more), ANSWER)
    assert (said.outgoing, said.entries, said.changes) == ((), (), ())


def test_secrets_in_a_staff_answer_are_masked_in_the_mail_and_kept_in_the_entry() -> None:
    """The customer finds them in the panel."""
    said = done(by_luca("Il codice auth-info è Ab#12345x."), ANSWER)
    assert "Ab#12345x" not in said.outgoing[0].text
    assert "Ab#12345x" in said.entries[0].text


ENQUIRY = ticket(
    "900", kind=TicketKind.ENQUIRY, account=None, enquirer=ProvenAuthor(STRANGER), language="en"
)


def test_an_enquiry_is_answered_at_its_authors_address() -> None:
    """In public terms."""
    said = done(by_luca("Yes, we do that.", ENQUIRY), ANSWER)
    assert sent(said) == [("enquiry-reply", STRANGER)]
    assert said.outgoing[0].held is None


@pytest.mark.parametrize(
    "text, foreign",
    [
        ("Il server è 192.0.2.7", False),
        ("Scriva ad anna@cliente.example", False),
        ("La richiesta è la #482913", False),
        ("Il servizio vps-12 è attivo", True),
    ],
)
def test_an_enquirys_answer_that_names_account_data_waits(text: str, foreign: bool) -> None:
    """Held back with a warning to the staff member."""
    store = candidates(staff=LUCA, foreign=foreign)
    said = done(by_luca(text, ENQUIRY, candidates=store), ANSWER)
    assert said.outgoing[0].held is not None
    assert told(said) == [("staff-held", LUCA.address)]


def test_a_sort_is_not_answered_before_it_is_assigned() -> None:
    """It has no destination yet."""
    waiting = ticket("901", kind=TicketKind.SORT, account=None, candidates=("A-1001",))
    assert sent(done(by_luca("Ciao", waiting), ANSWER)) == []


# ---- record


def bounce(recipient: str, action: str = "failed") -> Situation:
    """A delivery report to one of our return paths."""
    report = Report("dsn", OFFICIAL, action, "5.1.1", None)
    return situation(
        mail=mail(automatic=Automatic.BOUNCE, report=report),
        envelope=envelope(mail_from="", recipients=(recipient,)),
        candidates=candidates(tickets=(ticket(),), ticket_accounts=(account(),)),
        sender=Sender(SenderKind.UNKNOWN),
        proof=proof(ProofLevel.NONE, None),
    )


def test_a_delivery_report_on_a_valid_return_path_marks_our_mail() -> None:
    """By the Message-ID that it had; staff are told, nobody else is tried."""
    answer = done(own(), THREAD).outgoing[0]
    said = done(bounce(answer.envelope_from), Record("automatic", "because"))
    assert answer.message_id in said.undelivered
    assert told(said) == [("staff-undelivered", TECHNICIANS.address)]
    assert sent(said) == []


def test_a_delivery_report_on_another_address_counts_for_nothing() -> None:
    """Anybody can write one."""
    answer = done(own(), THREAD).outgoing[0]
    flipped = answer.envelope_from.replace("@", "a@").replace("bounce+", "bounce+a")
    reply_token = answer.message_id[1:].split(".")[0]
    for recipient in ("support@host.example", flipped, f"bounce+{reply_token}@host.example"):
        said = done(bounce(recipient), Record("automatic", "because"))
        assert (said.undelivered, said.outgoing) == ((), ())


def test_a_delay_is_no_failure() -> None:
    """The mail may still arrive."""
    answer = done(own(), THREAD).outgoing[0]
    said = done(bounce(answer.envelope_from, "delayed"), Record("automatic", "because"))
    assert said.undelivered == ()


def test_an_absence_note_is_filed_in_its_ticket_and_changes_nothing() -> None:
    """Kept, filed, never answered."""
    case = own(TicketState.CLOSED, mail=mail(automatic=Automatic.AUTO_REPLY))
    said = done(case, Record("automatic", "because"))
    assert [one.ticket for one in said.entries] == ["482913"]
    assert (said.changes, said.outgoing) == ((), ())


# ---- the same mail again, and mails that are not accepted


@pytest.mark.parametrize(
    "seen, joins",
    [
        (Seen("m0", True, "none", "482913"), True),
        (Seen("m0", False, "strong", "482913"), True),
        (Seen("m0", False, "medium", "482913"), False),
        (Seen("mail-1", True, "strong", None), False),
    ],
)
def test_the_same_mail_has_no_second_effect(seen: Seen, joins: bool) -> None:
    """By another way it joins the first only if that one's proof is equal or better."""
    said = done(situation(candidates=candidates(seen=(seen,))), OPEN)
    assert (said.mail.same_as == "m0") is joins
    assert bool(said.tickets) is not joins
    assert bool(said.outgoing) is not joins


def test_a_mail_that_is_not_accepted_leaves_nothing_that_stands_for_its_return() -> None:
    """A deferred mail comes again, with the same key."""
    accepted = done(situation(), OPEN).mail.key
    for decision in (Defer("later", "b"), Reject("forged", "b")):
        said = done(situation(), decision)
        assert said.mail.key != accepted
        assert (said.mail.raw, said.outgoing, said.entries) == (b"", (), ())


def test_signatures_that_verified_are_remembered() -> None:
    """So that a replay is seen."""
    evidence = replace(
        situation().evidence,
        dkim=(
            Signature(DkimResult.PASS, domain="cliente.example", selector="k", digest="d1"),
            Signature(DkimResult.FAIL, domain="cliente.example", selector="k", digest="d2"),
        ),
    )
    assert done(situation(evidence=evidence), OPEN).replays == ("d1",)


def test_a_defect_of_ours_keeps_the_raw_mail_with_its_error() -> None:
    """Under the key by which it is decided again."""
    kept = undecided(envelope(), b"raw", "m9", "KeyError: x")
    assert (kept.mail.raw, kept.mail.error, kept.outgoing) == (b"raw", "KeyError: x", ())


def test_what_the_mail_was_is_kept_with_its_evidence() -> None:
    """For `trace` and for deciding again."""
    row = done(situation(), OPEN).mail
    assert (row.outcome, row.rule, row.proof) == ("open", "account-mail", "strong")
    assert (row.policy_digest, row.facts) == ("digest", {"sender": "x"})
    assert row.evidence["spf"] == {
        "result": "pass",
        "domain": "cliente.example",
        "term": None,
        "problem": None,
    }


# ---- tokens on what goes out


def test_reply_address_message_id_and_return_path_carry_tokens_of_the_ticket() -> None:
    """Bound to the account, each for its own purpose."""
    reply = done(situation(), OPEN).outgoing[0]
    token = reply.message_id[1:].split(".")[0]
    found = verify(KEYS, token, "A-1001", NOW)
    assert found is not None
    assert (found.ticket, found.purpose) == ("700001", Purpose.AUTOMATIC)
    assert f"Reply-To: support+{token}@host.example" in reply.raw.decode()
    verp = reply.envelope_from.split("+")[1].split("@")[0]
    assert verify(KEYS, verp, "A-1001", NOW, purposes=frozenset({Purpose.BOUNCE}))
    assert verify(KEYS, verp, "A-1001", NOW) is None
    assert verify(KEYS, token, "A-1002", NOW) is None


def test_public_texts_leave_with_the_null_return_path_and_no_token() -> None:
    """RFC 3834 3.3."""
    reply = done(stranger(), Refuse("r", "b")).outgoing[0]
    assert reply.envelope_from == ""
    assert "\r\nReply-To:" not in reply.raw.decode()


def test_no_two_mails_share_a_message_id() -> None:
    """Not even of one moment and one ticket."""
    registration = registered(of=notified())
    case = own(sender=Sender(SenderKind.PRIMARY, registration, (registration,)))
    ids = [one.message_id for one in done(case, THREAD).outgoing]
    assert len(set(ids)) == len(ids) == 3


def test_services_do_not_reach_any_reply() -> None:
    """What the store knows of an account's services is printed by no acknowledgement."""
    store = candidates(
        registrations=(registered(),),
        services=(Service("A-1001", "srv-secret-01", "vps", "123456", ("192.0.2.77",)),),
    )
    raw = done(situation(candidates=store), OPEN).outgoing[0].raw.decode()
    assert not [word for word in ("srv-secret-01", "192.0.2.77", "Cliente Srl") if word in raw]
