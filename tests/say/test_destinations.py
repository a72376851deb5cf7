"""The one law as a property: no header of a mail ever becomes a destination."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from sayings import (
    DESK,
    LUCA,
    NONCE,
    OFFICIAL,
    ROUTING,
    STRANGER,
    TECHNICIANS,
    TEMPLATES,
    account,
    article,
    candidates,
    envelope,
    situation,
    stranger,
    ticket,
)

from gateway.core.model import (
    DECISIONS,
    Confidence,
    Decision,
    Knowledge,
    Mail,
    Outcome,
    Reference,
    Sender,
    SenderKind,
    Situation,
    TicketMatch,
    WireDefect,
)
from gateway.core.read import read, wire
from gateway.core.say.effects import effects

STAFF = {TECHNICIANS.address, LUCA.address}
NAMES = (
    *("Reply-To", "Sender", "Cc", "Bcc", "Errors-To", "Return-Path", "From", "Mail-Reply-To"),
    *("Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To", "To"),
    *("Mail-Followup-To", "Resent-From", "Resent-To", "List-Post", "Subject", "Message-ID"),
)
ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "eve@evil.example",
            "<eve@evil.example>",
            '"anna@cliente.example" <eve@evil.example>',
            "eve@evil.example, bob@evil.example",
            "undisclosed: eve@evil.example;",
            "<@a.example:eve@evil.example>",
            "=?utf-8?q?eve=0D=0ABcc:_eve=40evil.example?=",
            "<eve@evil.example>\r\n <bob@evil.example>",
        ]
    ),
    st.from_regex(r"[ -~]{0,60}", fullmatch=True),
    st.text(max_size=40).filter(lambda text: not set(text) & set("\r\n\x00")),
)
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), ADDRESSES), max_size=8)


def hostile(fields: list[tuple[str, str]], body: str) -> tuple[bytes, Mail]:
    """A raw mail with these fields, read by our own reader."""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    raw = f"{head}\r\n{body}\r\n".encode("utf-8", "replace")
    read_header = wire.read(raw, wire.WireLimits(), False)
    return raw, read(raw, read_header.headers, envelope(), DESK.instance)


def cases(raw: bytes, mail: Mail) -> list[tuple[Situation, set[str]]]:
    """A customer, a stranger and a staff member write it; to whom anything may go."""
    sure = Knowledge(Confidence.SURE, (article(),))
    own = Reference(TicketMatch.OWN, ticket())
    by_staff = Reference(
        TicketMatch.NONE,
        token=True,
        staff_token=True,
        token_ticket=ticket(),
        token_account=account(),
    )
    staff = candidates(staff=LUCA)
    more = {"mail": mail, "raw": raw, "knowledge": sure}
    customer = situation(reference=own, **more)
    member = situation(
        sender=Sender(SenderKind.STAFF, staff=LUCA), reference=by_staff, candidates=staff, **more
    )
    return [
        (customer, {OFFICIAL, *STAFF}),
        (stranger(**more), {STRANGER, *STAFF}),
        (member, {OFFICIAL, *STAFF}),
    ]


def every_decision() -> list[Decision]:
    """One of each outcome."""
    return [kind("rule", "because") for kind in DECISIONS.values()]


@settings(max_examples=60, deadline=None)
@given(FIELDS, st.text(max_size=80))
def test_no_header_becomes_a_destination(fields: list[tuple[str, str]], body: str) -> None:
    """For every outcome, whatever From, Reply-To, Sender, Cc, Errors-To or Return-Path say."""
    raw, mail = hostile(fields, body)
    for case, allowed in cases(raw, mail):
        for decision in every_decision():
            said = effects(case, decision, TEMPLATES, DESK, ROUTING, NONCE, "", {})
            for one in said.outgoing:
                assert one.to in allowed
                assert one.envelope_from in ("",) or one.envelope_from.startswith("bounce+")
                head = one.raw.split(b"\r\n\r\n", 1)[0].decode()
                assert f"\r\nTo: {one.to}\r\n" in head
                assert not re.search(r"(?im)^(bcc|cc|resent-\w+|return-path):", head)


@settings(max_examples=60, deadline=None)
@given(FIELDS, st.text(max_size=200))
def test_no_line_of_the_sender_stands_in_a_header(
    fields: list[tuple[str, str]], body: str
) -> None:
    """The head is ASCII, folded by us, and holds the field names that we write, each once."""
    ours = {
        *("from", "to", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"),
        *("x-portiere-instance", "auto-submitted", "x-auto-response-suppress", "thread-topic"),
        *("thread-index", "mime-version", "content-type"),
    }
    raw, mail = hostile(fields, body)
    for case, _ in cases(raw, mail):
        for decision in every_decision():
            said = effects(case, decision, TEMPLATES, DESK, ROUTING, NONCE, "", {})
            for one in said.outgoing:
                head = one.raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
                unfolded = head.replace("\r\n ", " ").split("\r\n")
                names = [line.partition(":")[0].lower() for line in unfolded]
                assert set(names) <= ours
                assert len(set(names)) == len(names)


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=12, max_size=60), st.text(min_size=12, max_size=60))
def test_customers_never_read_what_a_sender_chose(subject: str, name: str) -> None:
    """Never-rule 4: no text, subject or name is echoed to an address that the sender chose."""
    raw, mail = hostile([("Subject", "x"), ("From", "a@b.example")], "y")
    from dataclasses import replace

    mail = replace(mail, subject=subject, from_name=name, text=subject, spans=())
    for case, _ in cases(raw, mail)[:2]:
        for decision in every_decision():
            said = effects(case, decision, TEMPLATES, DESK, ROUTING, NONCE, "", {})
            for one in said.outgoing:
                if not one.notice and subject.strip() and name.strip():
                    assert subject not in one.text
                    assert name not in one.text


def test_defects_do_not_keep_the_reader_from_reading() -> None:
    """A mail that the wire gate refuses is read for the log all the same."""
    raw = b"From: a@b.example, c@d.example\r\nReply-To: x\r\n\r\nbody\r\n"
    assert isinstance(wire.read(raw, wire.WireLimits(), False).defect, WireDefect)
    assert Outcome.REJECT in DECISIONS
