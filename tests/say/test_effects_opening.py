"""New tickets and their acknowledgements."""

from dataclasses import replace

from sayings import (
    DESK,
    NOW,
    OFFICIAL,
    OPEN,
    ROUTING,
    SECONDARY,
    TECHNICIANS,
    THREAD,
    account,
    article,
    candidates,
    done,
    mail,
    notified,
    proof,
    registered,
    sent,
    situation,
    ticket,
    told,
)

from gateway.core.model import (
    Announcement,
    Answer,
    Ask,
    Automatic,
    Confidence,
    Hold,
    Incident,
    Knowledge,
    Open,
    Panel,
    ProofLevel,
    Reference,
    Refuse,
    Role,
    Sender,
    SenderKind,
    Spend,
    TicketMatch,
    TicketState,
)


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


def test_articles_that_may_help_are_suggested_beside_the_acknowledgement() -> None:
    """Up to three links, also a sure one where a ticket is opened anyway; none where none fits."""
    weak = situation(knowledge=Knowledge(Confidence.WEAK, (article(),) * 5))
    text = done(weak, OPEN).outgoing[0].text
    assert text.count("Cambiare i nameserver") == 3
    sure = situation(knowledge=Knowledge(Confidence.SURE, (article(),)))
    assert "Cambiare i nameserver" in done(sure, OPEN).outgoing[0].text
    none = situation(knowledge=Knowledge(Confidence.NONE, ()))
    assert "Cambiare i nameserver" not in done(none, OPEN).outgoing[0].text


def test_an_announcement_in_force_stands_in_acknowledgements_of_its_services() -> None:
    """And in no other."""
    notice = Announcement("m", "Manutenzione", "Stanotte, **dalle 2**.", ("vps-12",))
    other = Announcement("n", "Rete", "- lenta\n- giù", ())
    at = candidates(announcements=(notice,), registrations=(registered(),))
    concerned = situation(candidates=at, incident=Incident(identifiers=("VPS-12",)))
    assert "Stanotte, dalle 2." in done(concerned, OPEN).outgoing[0].text
    both = candidates(announcements=(notice, other), registrations=(registered(),))
    said = done(replace(concerned, candidates=both, bilingual=True), OPEN).outgoing[0]
    assert said.text.count("Stanotte, dalle 2.") == said.text.count("- lenta\n- giù") == 2
    assert "\x1a" not in said.text
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
