"""The writer of mail: others can read what it writes, and it refuses what could forge a header."""

import email
import email.policy
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sayings import DESK, NOW, post

from gateway.core.model import AccountReply, AccountText, OfficialAddress, Tainted
from gateway.core.say import headers, mailbytes
from gateway.core.say.desk import About, thread_index
from gateway.core.say.headers import UnsafeHeader
from gateway.core.say.mailbytes import Letter
from gateway.core.say.render import Threading, render
from gateway.core.say.templates import Templates

BASE = Letter(
    sender_name="Assistenza",
    sender="support@host.example",
    to="anna@cliente.example",
    reply_to=None,
    subject="Oggetto",
    date=NOW,
    message_id="<a.b@host.example>",
    text="Ciao\n",
    html="<p>Ciao</p>",
)


def letter(**more: object) -> Letter:
    """A letter with these differences."""
    return Letter(**{name: more.get(name, getattr(BASE, name)) for name in Letter.__slots__})  # type: ignore[arg-type]


FORGED = [
    "a\r\nBcc: eve@evil.example",
    "a\nb",
    "a\rb",
    "a\x00b",
    "a\x1bb",
    "a\x85b",
    "a\u2028b",
    "a\u202eb",
    "a\u2066b",
    "a\ud800b",
    "a\x0bb",
]


@pytest.mark.parametrize("field", ["sender_name", "sender", "to", "reply_to", "subject"])
@pytest.mark.parametrize("text", FORGED)
def test_a_value_that_could_forge_a_header_is_not_written(field: str, text: str) -> None:
    """CR, LF, NUL, control, separators, bidirectional characters, lone surrogates."""
    value = f"{text}@host.example" if field in ("sender", "to", "reply_to") else text
    with pytest.raises(UnsafeHeader):
        mailbytes.write(letter(**{field: value}))


@pytest.mark.parametrize("text", FORGED)
def test_marks_and_message_ids_are_held_to_the_same(text: str) -> None:
    """Whoever made them."""
    with pytest.raises(UnsafeHeader):
        mailbytes.write(letter(marks=(("Thread-Topic", text),)))
    with pytest.raises(UnsafeHeader):
        mailbytes.write(letter(message_id=f"<{text}@host.example>"))


@pytest.mark.parametrize(
    "parent", ["<a b@x>", "<a@x>\r\nBcc: y", "a@x", "<a@x", "<>", "<a@b@c>", "<é@x>", "<a<b@x>"]
)
def test_an_id_outside_the_grammar_is_not_echoed(parent: str) -> None:
    """In-Reply-To and References are left out."""
    raw = mailbytes.write(letter(in_reply_to=parent))
    assert b"In-Reply-To" not in raw
    assert b"References" not in raw


def test_a_parent_and_our_own_ids_are_written() -> None:
    """In-Reply-To has the parent, References ours before it, each once."""
    raw = mailbytes.write(letter(in_reply_to="<p@x>", references=("<o@host.example>", "<p@x>")))
    assert b"In-Reply-To: <p@x>\r\nReferences: <o@host.example>\r\n <p@x>\r\n" in raw


@settings(max_examples=150)
@given(
    st.text(max_size=200).filter(lambda text: not headers.UNSAFE.search(text)),
    st.text(max_size=120).filter(lambda text: not headers.UNSAFE.search(text)),
    st.text(max_size=3000).filter(lambda text: not set(text) & set("\r\x0b\x0c\x1c\x1d\x1e\x85")),
)
def test_another_reader_finds_what_was_written(subject: str, name: str, text: str) -> None:
    """Python's own parser: subject, name, body, and every line within 998 bytes."""
    try:
        raw = mailbytes.write(letter(subject=subject, sender_name=name, text=text + "\n"))
    except UnicodeEncodeError:
        return
    parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    decoded = email.header.make_header(email.header.decode_header(parsed["Subject"]))
    assert str(decoded).split() == subject.split()
    assert parsed.get_all("To") == ["anna@cliente.example"]
    plain, html = parsed.get_payload()  # type: ignore[misc]
    body = plain.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]
    assert body.rstrip("\n") == text.encode("utf-8", "replace").decode().rstrip("\n")
    assert html.get_content_type() == "text/html"  # type: ignore[union-attr]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


@pytest.mark.parametrize(
    "given_, written",
    [
        ("anna@x.example", "anna@x.example"),
        ("a b@x.example", '"a b"@x.example'),
        ('a"b@x.example', '"a\\"b"@x.example'),
        ("a@b@x.example", '"a@b"@x.example'),
        ("a..b@x.example", '"a..b"@x.example'),
        (".a@x.example", '".a"@x.example'),
        ("è@x.example", "è@x.example"),
    ],
)
def test_a_local_part_is_quoted_where_it_needs_to_be(given_: str, written: str) -> None:
    """RFC 5321 4.1.2; addresses are kept unquoted."""
    assert headers.address(given_) == written


@pytest.mark.parametrize("text", ["", "a", "@x.example", "a@", "a@x y", "a@x>"])
def test_what_is_no_address_is_not_written(text: str) -> None:
    """Not even from a table of ours."""
    with pytest.raises(UnsafeHeader):
        headers.address(text)


def test_dates_are_english_and_have_their_zone() -> None:
    """RFC 5322 3.3."""
    at = datetime(2026, 3, 1, 7, 5, 9, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert headers.date(at) == "Sun, 01 Mar 2026 07:05:09 -0330"
    assert headers.date(at.astimezone(UTC)) == "Sun, 01 Mar 2026 10:35:09 +0000"


def test_an_automatic_reply_that_would_print_a_senders_words_raises() -> None:
    """`Tainted` is refused where it is printed, should the lists ever fail."""
    templates = Templates.load({"open": {"it": ("x", "{{ ticket }}", None)}})
    reply = AccountReply(
        OfficialAddress("a@b.example", "A"), AccountText("open", {"ticket": Tainted("evil")})
    )
    with pytest.raises(TypeError, match="sender"):
        render(reply, templates, DESK.identity, "it", False, "<a@b>", NOW)


def test_automatic_marks_stand_on_automatic_mail() -> None:
    """RFC 3834 5, and Exchange's own word; our marker is on everything."""
    raw = post().say(_reply("open"), "it", About("1", NOW, "A")).raw.decode()
    for line in (
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        "X-Portiere-Instance: 4f1c2a",
        "Thread-Topic: #1",
    ):
        assert f"\r\n{line}\r\n" in raw


def _reply(kind: str) -> AccountReply:
    values: dict[str, object] = {
        "ticket": "1", "department": "x", "ahead": 0, "due": "", "reopened": False,
    }  # fmt: skip
    return AccountReply(OfficialAddress("a@b.example", "A"), AccountText(kind, values))


def test_a_thread_index_begins_alike_for_all_mails_of_a_ticket() -> None:
    """22 bytes for the conversation, five more for each answer."""
    import base64

    opened = About("482913", NOW, "A-1001")
    first = base64.b64decode(thread_index(opened, NOW))
    later = base64.b64decode(thread_index(opened, NOW + timedelta(days=400)))
    soon = base64.b64decode(thread_index(opened, NOW + timedelta(minutes=3)))
    assert (len(first), len(later), len(soon)) == (22, 27, 27)
    assert first == later[:22] == soon[:22]
    assert later[22:] != soon[22:]


def test_threading_without_a_parent_writes_no_references() -> None:
    """There is nothing to refer to."""
    templates = Templates.load({"hold": {"it": ("x", "y", None)}})
    reply = AccountReply(OfficialAddress("a@b.example", "A"), AccountText("hold", {}))
    rendered = render(
        reply, templates, DESK.identity, "it", False, "<a@b>", NOW, threading=Threading()
    )
    assert b"References" not in rendered.raw


def test_html_says_what_the_text_says() -> None:
    """It is made from it: escaped, with lists, and our links live."""
    templates = Templates.load(
        {"staff-reply": {"it": ("x", "{{ text }}\n\n- uno\n- due\n\n{{ panel_url }}", None)}}
    )
    text = "Riga <b>uno</b>\nriga due & tre\n\nhttps://a.example/?x=1&y=2."
    reply = AccountReply(
        OfficialAddress("a@b.example", "A"), AccountText("staff-reply", {"text": text})
    )
    rendered = render(reply, templates, DESK.identity, "it", False, "<a@b>", NOW)
    html = email.message_from_bytes(rendered.raw).get_payload()[1].get_payload(decode=True)  # type: ignore[union-attr,index]
    page = html.decode()  # type: ignore[union-attr]
    assert "Riga &lt;b&gt;uno&lt;/b&gt;<br>" in page
    assert "<li>uno</li><li>due</li>" in page
    assert '<a href="https://a.example/?x=1&amp;y=2"' in page
    assert "Riga <b>uno</b>\nriga due & tre\n\n" in rendered.text
