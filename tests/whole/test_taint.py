"""Nothing that a sender chose comes back in an automatic reply, to any destination, but a
Message-ID that keeps to its grammar."""

import email
import email.policy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests_support import ROOT
from twin_worlds import ANNA, CARLO, NOW, SHARED, TECNICO, Twin, Twins, envelope

from gateway.core.model import Outgoing
from gateway.demo.world import SUPPORT
from gateway.load import Refused, load

STRANGER = "mario@curious.example"
SESSIONS = (
    (ANNA, "studio-rossi.example"),
    (TECNICO, "posta.example"),
    (CARLO, "bianchi-srl.example"),
    (SHARED, "posta.example"),
    (STRANGER, "curious.example"),
    (ANNA, "forger.example"),
    (STRANGER, "forger.example"),
)
SUBJECTS = (
    "{}",
    "Re: [#482913] {}",
    "[#999999] {}",
    "Domanda {} sui nameserver",
    "CONFIRM {}",
    "abuso {}",
)
BODIES = (
    "come si cambiano i nameserver di un dominio? {}",
    "Il server vps-12 non risponde, errore {} dalle 9:30 CET, 192.0.2.7",
    "Vi chiedo di cambiare l'indirizzo del mio account in {}@posta.example",
    "Grazie {}",
    "<b>{}</b> {{{{ 7*7 }}}} {{% raw %}} https://{}.example/",
    "Fattura {} reso. Mi chiamo {}.",
)
HEADERS = ("Reply-To", "Sender", "Organization", "X-Mailer", "References", "Thread-Topic",
           "Keywords", "Comments", "List-Unsubscribe", "Errors-To", "Thread-Index")  # fmt: skip


@st.composite
def markers(draw: st.DrawFn) -> str:
    """A word that no text of ours has: Latin, accented, with signs of markup in it, or not."""
    letters = draw(st.text("qxzwkjQXZWKJ0123456789", min_size=6, max_size=10))
    around = draw(st.sampled_from(("", "é", "ß", "漢", "&", "<i>", "'", "%0d%0a", "\u202e")))
    return f"Zq{letters}{around}xQ"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """One world with accounts and tickets."""
    made = Twins(tmp_path_factory.mktemp("worlds"))
    yield made.all["full"]
    made.close()


def said(one: Outgoing) -> str:
    """A reply as its reader may see it: raw, headers decoded, every part decoded."""
    read = email.message_from_bytes(one.raw, policy=email.policy.default)
    parts = [part.get_content() for part in read.walk() if part.get_content_maintype() == "text"]
    head = [f"{name}: {value}" for name, value in read.items()]
    return "\n".join((one.to, one.envelope_from, one.raw.decode("latin-1"), *head, *parts))


def mail(twin: Twin, marker: str, session: int, subject: str, body: str, header: str) -> list[str]:
    """The replies to a mail that says the marker wherever it can."""
    author, host = SESSIONS[session]
    raw = (
        f'From: "{marker.replace(chr(92), "")}" <{author}>\r\n'
        f"To: {SUPPORT}\r\n"
        f"Subject: {subject.replace('{}', marker)}\r\n"
        f"Message-ID: <plain.1@{host}>\r\n"
        f"{header}: {marker}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        f"{body.replace('{}', marker)}\r\n\r\n-- \r\n{marker}\r\n"
    ).encode()
    sender = author if host != "forger.example" else f"eve@{host}"
    open_to = replace(envelope(host, sender, SUPPORT), smtputf8=True)
    course = twin.course(open_to, raw)
    sent = course.effects.outgoing if course.effects else ()
    return [said(one) for one in sent if not one.notice]


@settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    marker=markers(),
    session=st.integers(0, len(SESSIONS) - 1),
    subject=st.sampled_from(SUBJECTS),
    body=st.sampled_from(BODIES),
    header=st.sampled_from(HEADERS),
)
def test_no_word_of_the_sender_is_echoed(
    twin: Twin, marker: str, session: int, subject: str, body: str, header: str
) -> None:
    """Subject, name, body, signature and headers stay here, whoever wrote and whoever is told."""
    core = marker[: marker.rindex("xQ")].rstrip("é\u00df漢&<i>'%0da\u202e")
    for reply in mail(twin, marker, session, subject, body, header):
        assert core not in reply
        assert core.lower() not in reply.lower()
        assert "{{" not in reply


@pytest.mark.parametrize(
    ("identifier", "answered"),
    [
        ("<ok.123@curious.example>", True),
        ("<bad id Zqmarker@curious.example>", False),
        ("<Zqmarker@curious.example>\r\n evil: Zqmarker", False),
        ("<Zqmarker<b>@curious.example>", False),
        ("Zqmarker", False),
    ],
)
def test_a_message_id_is_answered_only_by_its_grammar(
    twin: Twin, identifier: str, answered: bool
) -> None:
    """One that keeps to RFC 5322 3.6.4 stands in In-Reply-To and References, and nowhere else."""
    author, host = SESSIONS[4]
    raw = (
        f"From: <{author}>\r\nTo: {SUPPORT}\r\nSubject: Password\r\n"
        f"Message-ID: {identifier}\r\n\r\nMi serve la password del mio account.\r\n"
    ).encode()
    course = twin.course(envelope(host, author, SUPPORT, NOW), raw)
    replies = course.effects.outgoing if course.effects else ()
    for one in replies:
        assert "Zqmarker" not in said(one)
        found = email.message_from_bytes(one.raw)
        assert (found["In-Reply-To"] == identifier) is answered
    assert replies or not answered


def test_the_search_can_find(twin: Twin) -> None:
    """A word that our own reply says is found in it: decoding works."""
    replies = mail(twin, "Zqmarker", 2, "{}", BODIES[5], "Comments")
    assert replies
    assert all("bianchi-srl.example" in one and "Host Example" in one for one in replies)


@pytest.mark.parametrize("printed", ["subject", "author", "text", "customer", "account"])
def test_a_template_that_would_echo_is_refused_when_it_is_loaded(
    printed: str, tmp_path: Path
) -> None:
    """No text file can widen a receipt: file and variable are named, and nothing is loaded."""
    folder = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", folder)
    changed = folder / "open" / "it.txt"
    changed.write_text(f"{changed.read_text()}\n{{{{ {printed} }}}}\n")
    with pytest.raises(Refused, match=rf"(?s)open.it\.txt.*`{printed}`"):
        load(ROOT / "policies", folder, ROOT / "knowledge")
