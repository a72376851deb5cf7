"""What a critical incident must carry (I2), by the proven account's own services alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowing_values import NOW, OTHERS, VPS, WEB, ago, attachment, clues, mail
from ticketing import candidates, ticket

from gateway.core.know import incident
from gateway.core.model import Incident, Mail, ServiceMatch, Ticket

LOG = "traceroute to 192.0.2.7: 4 10.0.0.1 12 ms"
ALL = f"Server 192.0.2.7 down since 08:30 CET.\n{LOG}"


def read(
    one: Mail, account: str | None = "A-1", is_incident: bool = True, answers: Ticket | None = None
) -> Incident:
    """With two own services and one of somebody else's."""
    known = candidates(services=(VPS, WEB, OTHERS), foreign="203.0.113.99" in one.text)
    return incident.read(one, clues(one), known, account, is_incident, answers)


def test_a_mail_with_everything_is_complete() -> None:
    """Identifier, start with its zone, diagnostics; the only name that is needed is the IP's."""
    found = read(mail(ALL))
    assert found.complete
    assert (found.ip, found.service, found.missing) == ("192.0.2.7", "vps-12", ())
    assert found.started is not None
    assert found.started.isoformat() == "2026-11-23T08:30:00+01:00"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Server down", ("identifier", "service", "started", "diagnostics")),
        ("Server 192.0.2.7 down", ("started", "diagnostics")),
        ("Ordine #223344 giù dalle 8:30", ("zone", "diagnostics")),
        ("vps-12 down since 08:30 CET", ("diagnostics",)),
        (
            f"Server down since 08:30 CET\n{LOG.replace('192.0.2.7', 'x')}",
            ("identifier", "service"),
        ),
    ],
)
def test_what_is_missing_is_named(text: str, missing: tuple[str, ...]) -> None:
    """In the order in which it is asked for; a start without its zone lacks the zone alone."""
    found = read(mail(text))
    assert found.missing == missing
    assert not found.complete


def test_the_only_service_of_an_account_needs_no_name() -> None:
    """Its address or order still has to be said."""
    known = candidates(services=(VPS,))
    one = mail("Server down")
    found = incident.read(one, clues(one), known, "A-1", True)
    assert found.missing == ("identifier", "started", "diagnostics")


def test_somebody_elses_service_is_nobodys() -> None:
    """It identifies nothing, and nothing of it is repeated."""
    found = read(mail(ALL.replace("192.0.2.7", "203.0.113.99")))
    assert found.match is ServiceMatch.OTHER
    assert (found.ip, found.service, found.identifiers) == (None, None, ())
    assert "identifier" in found.missing


def test_an_author_without_a_proven_account_has_no_services() -> None:
    """The same words from somebody who is not proven name nothing."""
    found = read(mail(ALL), account=None)
    assert (found.ip, found.order, found.service, found.identifiers) == (None, None, None, ())
    assert found.missing == ("identifier", "service")


def test_equal_services_give_equal_identifiers() -> None:
    """By address in one mail, by order or name in another, in any order."""
    by_ip = read(mail("192.0.2.7 e 198.51.100.9"), is_incident=False)
    by_order = read(mail("ordini #223344 e #123456"), is_incident=False)
    by_name = read(mail("web-40, VPS-12"), is_incident=False)
    assert by_ip.identifiers == by_order.identifiers == by_name.identifiers == ("vps-12", "web-40")


def test_a_mail_that_reports_no_incident_lacks_nothing() -> None:
    """Its service is read all the same."""
    found = read(mail("Quanto spazio resta su vps-12?"), is_incident=False)
    assert (found.match, found.missing, found.is_incident) == (ServiceMatch.OWN, (), False)
    assert not found.complete


def test_the_answer_to_our_question_completes_the_incident() -> None:
    """The ticket says what it is about; start and diagnostics come with the answer."""
    asked = ticket("482913", "A-1", asked=True, identifiers=("vps-12",))
    answer = mail(f"Dalle 8:30 CET.\n{LOG}".replace("192.0.2.7", "x"))
    assert read(answer, is_incident=False, answers=asked).complete
    assert not read(answer, is_incident=False).is_incident


@pytest.mark.parametrize(
    "standing",
    [
        ticket("1", "A-1", asked=False, identifiers=("vps-12",)),
        ticket("1", "A-1", asked=True, identifiers=("vps-12",), priority="high"),
    ],
)
def test_a_ticket_that_asked_nothing_more_is_no_incident_again(standing: Ticket) -> None:
    """A reply in it is a reply."""
    assert not read(
        mail(f"Dalle 8:30 CET. {LOG}"), is_incident=False, answers=standing
    ).is_incident


def test_a_ticket_about_nothing_own_does_not_identify() -> None:
    """Nor one about a service that the account no longer has."""
    gone = ticket("1", "A-1", asked=True, identifiers=("vps-77",))
    found = read(mail(f"Dalle 8:30 CET.\n{LOG}".replace("192.0.2.7", "x")), answers=gone)
    assert "identifier" in found.missing


DIAGNOSTICS = [
    "64 bytes from 192.0.2.7: icmp_seq=1 ttl=54 time=18.2 ms",
    "Richiesta scaduta. Request timed out.",
    " 7  ae1.milano.example.net (192.0.2.1)  12.345 ms",
    "HTTP 503 su ogni pagina",
    "errore 500",
    "curl: (7) Failed to connect: Connection refused",
    "ERR_CONNECTION_TIMED_OUT",
    "Nov 22 14:05:03 vps kernel: Out of memory: Killed process",
    "2026-11-22 14:05:03 UTC server stopped unexpectedly now",
    "nginx[812]: worker exited",
    "[error] 812#0: upstream prematurely closed",
    "NXDOMAIN",
    "packet loss 100%",
]


@pytest.mark.parametrize("line", DIAGNOSTICS)
def test_lines_of_tools_and_logs_are_diagnostics(line: str) -> None:
    """Ping, traceroute, status codes, logs."""
    assert read(mail(f"Il sito è giù.\n\n{line}\n")).diagnostics


@pytest.mark.parametrize(
    "line", ["non funziona niente!!!", "ho 500 caselle", "dalle 14:05 CET", "9 server", ""]
)
def test_prose_is_no_diagnostics(line: str) -> None:
    """Numbers alone show nothing."""
    assert not read(mail(f"Il sito è giù.\n\n{line}\n")).diagnostics


@pytest.mark.parametrize(
    ("content_type", "size", "inline", "counts"),
    [
        ("image/png", 5_000, False, True),
        ("image/png", 5_000, True, False),
        ("image/png", 90_000, True, True),
        ("text/plain", 100, False, True),
        ("application/gzip", 100, False, True),
        ("text/calendar", 100, False, False),
        ("application/pdf", 100, False, False),
    ],
)
def test_screenshots_and_logs_are_diagnostics(
    content_type: str, size: int, inline: bool, counts: bool
) -> None:
    """The logo of a signature is not; a large picture in the text is a screenshot."""
    file = attachment(content_type, size, inline)
    assert read(mail("Server down", attachments=(file,))).diagnostics is counts


def test_the_day_of_the_mail_is_believed_only_near_our_clock() -> None:
    """A Date of last year does not move the start there."""
    near = read(mail("since 08:00 CET", date=ago(days=1)))
    far = read(mail("since 08:00 CET", date=ago(days=400)))
    assert near.started is not None
    assert far.started is not None
    assert (NOW - near.started).days == 1
    assert (NOW - far.started).days == 0


@given(st.text(max_size=300), st.booleans(), st.sampled_from(["A-1", "B-2", None]))
@settings(max_examples=100, deadline=None)
def test_no_text_names_what_is_not_the_accounts_own(
    text: str, is_incident: bool, account: str | None
) -> None:
    """Total; and whatever the text, only own identifiers come out."""
    found = read(mail(f"{text} 192.0.2.7 {text} 203.0.113.99 #999999"), account, is_incident)
    own = {"A-1": {"192.0.2.7", None}, "B-2": {"203.0.113.99", None}}.get(account or "", {None})
    assert found.ip in own
    assert set(found.missing) <= {"identifier", "service", "started", "zone", "diagnostics"}
    assert found.complete == (is_incident and not found.missing)


def test_a_mail_without_a_date_is_read_by_our_clock() -> None:
    """The moment at which it came in."""
    found = read(replace(mail("since 08:00 CET"), date=None))
    assert found.started is not None
    assert found.started.date() == NOW.date()
