"""The shipped templates: what each may disclose, and every text as it goes out (golden files)."""

import email
import os
import re
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sayings import DESK, NOW, ROUTING, SUPPORT, TECHNICIANS, account, post, sources

from gateway.core.model import (
    AccountReply,
    AccountText,
    AddressNotice,
    Article,
    Constant,
    KindNotice,
    NotificationAddress,
    ProvenAuthor,
    PublicReply,
    StaffNotice,
    StaffText,
    Tainted,
    UnconfirmedAddress,
)
from gateway.core.say.desk import About
from gateway.core.say.kinds import HOUSE, KINDS, allowed, kind_of
from gateway.core.say.render import Sayable
from gateway.core.say.templates import TemplateDefect, Templates, split, variables
from gateway.core.say.words import At, Label, Missing, Named

GOLDEN = Path(__file__).parent / "golden"
REWRITE = os.environ.get("PORTIERE_GOLDEN") == "write"
LANGUAGES = ("it", "en")
OTHERS = ("de", "fr", "es")
SPOKEN = [kind for kind, meant in KINDS.items() if not meant.paragraph]
PARAGRAPHS = tuple(kind for kind, meant in KINDS.items() if meant.paragraph)

VALUES: dict[str, object] = {
    "ticket": "482913",
    "department": Named(ROUTING.departments[0]),
    "priority": Label("high"),
    "ahead": 4,
    "due": At(NOW, "Europe/Rome"),
    "opens": At(NOW, "Europe/Rome"),
    "opened": At(NOW, "Europe/Rome"),
    "missing": Missing(("identifier", "service", "started", "diagnostics")),
    "articles": [{"title": "Cambiare i nameserver", "url": "https://host.example/guida/ns"}],
    "announcements": [{"title": "Manutenzione", "text": "Stanotte dalle 2 alle 4 CET."}],
    "linked": "482900",
    "reopened": True,
    "closed": False,
    "masked": True,
    "title": "Manutenzione straordinaria",
    "text": "Buongiorno,\nil certificato è stato rinnovato.\n\nA presto\nMarta",
    "account": "A-1001",
    "customer": Tainted("Cliente Srl"),
    "proof": "medium",
    "verified": False,
    "kind": "account",
    "candidates": (),
    "author": Tainted("anna@cliente.example"),
    "subject": Tainted("Sito lento"),
    "attachments": (Tainted("schermata.png"),),
    "pending": True,
    "state": Label("waiting for staff"),
    "why": "status 5.1.1",
    "address": "ufficio@cliente.example",
}


def sample(kind: str) -> Sayable:
    """A reply of this kind, to whom such replies go."""
    meant = KINDS[kind]
    if kind == "answer":
        body = "Dal pannello:\n\n1. aprire il **dominio**\n2. scegliere `Nameserver`"
        article = Article("ns", "Cambiare i nameserver", "https://host.example/guida/ns", body)
        return PublicReply(ProvenAuthor("mario@curious.example"), article)
    if kind == "enquiry-reply":
        text = StaffText("Buongiorno,\nsì, è possibile.")
        return PublicReply(ProvenAuthor("mario@curious.example"), text)
    if meant.public:
        return PublicReply(ProvenAuthor("mario@curious.example"), Constant(kind))
    if meant.staff:
        return StaffNotice(TECHNICIANS, AccountText(kind, VALUES))
    if kind == "address-confirm":
        return AddressNotice(
            UnconfirmedAddress("nuovo@cliente.example", "nuovo@cliente.example", "A-1001", NOW),
            kind,
        )
    if kind == "notice":
        return KindNotice(NotificationAddress("noc@cliente.example", "A-1001", "support"), kind)
    return AccountReply(account().official, AccountText(kind, VALUES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SPOKEN)
def test_every_mail_reads_as_its_golden_file_says(kind: str, language: str) -> None:
    """PORTIERE_GOLDEN=write rewrites the files, for a person to read the difference."""
    added = PARAGRAPHS if kind in ("open", "thread") else ()
    sent = post().say(sample(kind), language, About("482913", NOW, "A-1001"), paragraphs=added)
    subject = str(email.message_from_bytes(sent.raw, policy=policy.default)["Subject"])
    for ending, text in (("txt", f"Subject: {subject}\n\n{sent.text}"), ("html", page(sent.raw))):
        path = GOLDEN / f"{kind}.{language}.{ending}"
        if REWRITE:
            path.write_text(text, "utf-8")
        assert path.read_text("utf-8") == text


@pytest.mark.parametrize("language", (*LANGUAGES, *OTHERS))
@pytest.mark.parametrize("kind", [kind for kind in SPOKEN if not KINDS[kind].staff])
def test_a_mail_fits_a_terminal_and_a_phone(kind: str, language: str) -> None:
    """Lines of text within 80 columns but for a link alone; HTML without a fixed width, readable
    on dark ground; a subject that a list of mails shows whole."""
    added = PARAGRAPHS if "notices" in allowed(kind) else ()
    sent = post().say(sample(kind), language, About("482913", NOW, "A-1001"), paragraphs=added)
    wide = [line for line in sent.text.split("\n") if len(line) > 80]
    assert all("://" in line for line in wide), wide
    assert "\n\n\n" not in sent.text
    assert not re.search(r"[^\S\n]\n", sent.text)
    marked = page(sent.raw)
    assert not re.search(r"(?<!max-)width:\d|<table|<img|<script|https?://[^\"'<]*\.css", marked)
    assert "prefers-color-scheme:dark" in marked
    assert "overflow-wrap:anywhere" in marked
    subject = str(email.message_from_bytes(sent.raw, policy=policy.default)["Subject"])
    assert len(subject) <= 72


def page(raw: bytes) -> str:
    """The HTML of a mail, with LF."""
    parsed = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("html",))
    assert body is not None
    found: str = body.get_content()
    return found.replace("\r\n", "\n")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_written_in_italian_and_english(kind: str, language: str) -> None:
    """No customer meets a language that is missing."""
    assert language in sources()[kind]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("kind", [kind for kind, meant in KINDS.items() if not meant.staff])
def test_what_customers_read_is_written_in_german_french_and_spanish(
    kind: str, language: str
) -> None:
    """Staff read the house's own language."""
    assert language in sources()[kind]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("kind", [kind for kind in SPOKEN if not KINDS[kind].staff])
def test_the_other_languages_print_the_same_values(kind: str, language: str) -> None:
    """What the Italian text says in values is said in each: number, place, due, link."""
    about = About("482913", NOW, "A-1001")
    added = ("out_of_hours", "articles", "linked") if "notices" in allowed(kind) else ()
    italian = post().say(sample(kind), "it", about, paragraphs=added).text
    other = post().say(sample(kind), language, about, paragraphs=added).text
    for value in ("482913", "4 ", DESK.panel_url, "10:15", "482900", "host.example/guida/ns"):
        assert (value in italian) == (value in other), value


def test_templates_print_what_their_kind_may_disclose_and_no_more() -> None:
    """Each template's variables, from jinja2's AST, against the list of its kind."""
    for kind, by_language in sources().items():
        for language, (subject, text, _) in by_language.items():
            used = variables(subject) | variables(text)
            assert used <= allowed(kind), (kind, language, used - allowed(kind))


@pytest.mark.parametrize("kind", [kind for kind, meant in KINDS.items() if meant.public])
def test_public_texts_know_no_account_and_no_ticket(kind: str) -> None:
    """Neither their list nor their templates name anything of an account."""
    private = {"ticket", "account", "customer", "author", "subject", "department", "ahead", "due"}
    assert not allowed(kind) & private


CONSTANT = ("refuse", "receipt", "enquiry", "hold", "notice", "confirm", "address-confirm")


@pytest.mark.parametrize("kind", CONSTANT)
def test_constant_texts_print_only_who_we_are(kind: str) -> None:
    """They are the same for everybody."""
    assert allowed(kind) == HOUSE


@pytest.mark.parametrize("kind", [k for k, m in KINDS.items() if not m.staff])
def test_no_template_for_customers_may_name_what_the_sender_wrote(kind: str) -> None:
    """Subject, name, address and text of the sender have no variable there (never-rule 4)."""
    assert not allowed(kind) & {"author", "subject", "customer", "attachments"}


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("{{ ticket }}\n{{ subjct }}", 2, "may not print `subjct`"),
        ("{{ account }}", 1, "may not print `account`"),
        ("ok\n{{ ticket|upper }}", 2, "`filter` is not part"),
        ("{{ ticket ~ desk }}", 1, "`concat` is not part"),
        ("{% set x = ticket %}{{ x }}", 1, "`assign` is not part"),
        ("{{ ticket() }}", 1, "`call` is not part"),
        ("{{ ticket[0] }}", 1, "`getitem` is not part"),
        ("{% include 'x' %}", 1, "`include` is not part"),
        ("{% for x in ticket %}{{ x }}", 1, "Unexpected end"),
        ("{{ 7 * 7 }}", 1, "`mul` is not part"),
    ],
)
def test_a_template_outside_its_language_is_refused_with_its_line(
    text: str, line: int, words: str
) -> None:
    """The fault is named with kind, language and line of the file."""
    with pytest.raises(TemplateDefect) as caught:
        Templates.load({"open": {"it": split(f"Subject: x\n{text}")}})
    assert words in str(caught.value)
    assert (caught.value.kind, caught.value.language, caught.value.line) == ("open", "it", line)


def test_a_misspelt_variable_gets_a_hint() -> None:
    """Did you mean."""
    with pytest.raises(TemplateDefect) as caught:
        Templates.load({"open": {"it": ("x", "{{ tiket }}", None)}})
    assert caught.value.hint == "did you mean `ticket`?"


def test_attributes_of_values_cannot_be_walked() -> None:
    """The sandbox reaches no field but those of a listed article or announcement."""
    templates = Templates.load({"open": {"it": ("x", "{{ ticket.__class__ }}", None)}})
    _, compiled = templates.find("open", "it", "it") or ("", None)
    assert compiled is not None
    with pytest.raises(Exception, match=r"unsafe|not safe|access"):
        compiled.text.render(ticket="1")


def test_a_variant_discloses_what_its_base_discloses() -> None:
    """`open-gold` is an `open`; a name of nobody's is a constant."""
    assert kind_of("open-gold") == KINDS["open"]
    assert allowed("something") == HOUSE


def test_the_paragraphs_that_rules_may_add_are_known_by_name() -> None:
    """The policy's notices are held against this list."""
    assert {"out_of_hours", "same_incident", "sender_not_proven"} <= post().templates.paragraphs


def test_italian_times_are_the_offices() -> None:
    """9:15 UTC is 10:15 in Rome in winter."""
    assert At(NOW, "Europe/Rome").said("it") == "lunedì 23 novembre 2026 alle 10:15"
    assert At(NOW, "Europe/Rome").said("en") == "Monday 23 November 2026 at 10:15"


def test_our_address_stands_in_what_we_send() -> None:
    """From is the first support address, whatever the mail was sent to."""
    sent = post().say(sample("open"), "it", About("482913", NOW, "A-1001"))
    assert f'From: "Assistenza Host" <{SUPPORT}>'.encode() in sent.raw


def test_a_template_that_was_warmed_says_the_same() -> None:
    """The code of a template is made at its first use or before: its words are the same."""
    sources = {"open": {"en": ("[{{ ticket }}]", "Number {{ ticket }}.", "<p>{{ ticket }}</p>")}}
    lazy, warm = Templates.load(sources), Templates.load(sources).warm()
    for part in ("subject", "text", "html"):
        said = [
            getattr(one.compiled["open", "en"], part).render(ticket="1") for one in (lazy, warm)
        ]
        assert said[0] == said[1]
        assert "1" in said[0]
