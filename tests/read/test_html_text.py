"""HTML bodies: their words, what the markup says of quotes, and hostile markup."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inscriptis import get_text

from gateway.core.model import SpanKind
from gateway.core.read import html_text, text

ATTRIBUTION = "Il giorno lun 3 mar 2025 alle ore 10:15 Desk &lt;desk@d.example&gt; ha scritto:"
HEADER = (
    "<b>Da:</b> Desk &lt;desk@d.example&gt;<br><b>Inviato:</b> 3 marzo 2025 10:15<br>"
    "<b>A:</b> Mario<br><b>Oggetto:</b> R: x"
)

CLIENTS = {
    "Gmail, answers between": (
        f'<div class="gmail_quote"><div class="gmail_attr">{ATTRIBUTION}<br></div>'
        '<blockquote class="gmail_quote">Dominio?</blockquote><div>rossi.example</div>'
        '<blockquote class="gmail_quote">Da quando?</blockquote><div>Da ieri.</div></div>',
        "rossi.example Da ieri.",
    ),
    "Gmail, forward": (
        '<div>Guardate</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded '
        "message ---------<br>Da: <b>X</b> &lt;x@y.example&gt;<br>Date: lun 3 mar 2025 alle ore "
        "08:00<br>Subject: Y<br>To: &lt;a@b.example&gt;<br></div><br>Pagate.</div>",
        "Guardate",
    ),
    "Outlook on the web": (
        '<div>Ancora errore.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">'
        f"{HEADER}</div><div>Riavviato.</div>",
        "Ancora errore.",
    ),
    "Outlook on the desk": (
        "<p class=MsoNormal>Non va.</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
        f"<p class=MsoNormal>{HEADER}</p></div><p class=MsoNormal>vecchio</p>",
        "Non va.",
    ),
    "Apple Mail": (
        "Va bene.<br><br><div>Inviato da iPhone</div><blockquote type=cite>Il giorno 3 mar 2025, "
        "alle ore 10:15, Desk &lt;d@d.example&gt; ha scritto:<br><br></blockquote>"
        "<blockquote type=cite><div>Provi</div></blockquote>",
        "Va bene.",
    ),
    "Thunderbird": (
        '<div class="moz-cite-prefix">Il 03/03/25 10:15, Desk ha scritto:<br></div>'
        '<blockquote type="cite">Porta?</blockquote>465<pre class="moz-signature">-- <br>M</pre>',
        "465",
    ),
    "Yahoo": (
        '<div>Fatto</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>Il lunedì 3 marzo '
        "2025, Desk ha scritto:</div><div>Provi</div></div>",
        "Fatto",
    ),
    "an indented log": (
        "<p>Ecco il log:</p><blockquote>250 ok<br>550 no</blockquote><p>Cosa faccio?</p>",
        "Ecco il log: 250 ok 550 no Cosa faccio?",
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_new_words_of_clients(client: str) -> None:
    """Markup of well-known clients tells quotes from new words."""
    source, expected = CLIENTS[client]
    read = html_text.to_text(source)
    spans = text.spans(read.text, read.hints)
    words = " ".join(read.text[s.start : s.end] for s in spans if s.kind is SpanKind.NEW)
    assert " ".join(words.split()) == expected


def test_layout() -> None:
    """Blocks, breaks, lists, cells and preformatted lines become lines of text."""
    source = (
        "<p>Problemi:</p><ul><li>posta</li><li>sito</li></ul><table><tr><td>IP</td><td>192.0.2.7"
        "</td></tr><tr><td>Ordine</td><td>#1</td></tr></table><pre>uno\ndue</pre>a<br>b"
    )
    lines = [" ".join(line.split()) for line in html_text.to_text(source).text.splitlines()]
    assert [line for line in lines if line] == [
        "Problemi:",
        "- posta",
        "- sito",
        "IP 192.0.2.7",
        "Ordine #1",
        "uno",
        "due",
        "a",
        "b",
    ]


def test_invisible_things_are_left_out() -> None:
    """Scripts, styles, comments and hidden elements are not words."""
    source = (
        "<head><title>t</title><style>p{}</style></head><script>alert(1)</script><!-- c -->"
        '<div style="display:none">hidden</div><p>visible</p>'
    )
    assert html_text.to_text(source).text == "visible"


def test_links_are_kept_as_text() -> None:
    """A link whose address is not what is shown keeps its address beside the words."""
    source = '<a href="https://a.example/x">qui</a> <a href="https://b.example/">b.example</a>'
    assert html_text.to_text(source).text == "qui <https://a.example/x> b.example"


HOSTILE = {
    "deep": ("<div>" * 10_000 + "parola", "html-deep"),
    "unclosed formatting": ("".join(f"<b id={i}>" for i in range(500)) + "<p>parola", "html-deep"),
    "attributes": ("<div " + " ".join(f"a{i}" for i in range(20_000)) + ">parola", None),
    "many tags": ("<br>" * 50_000 + "parola", "html-many-tags"),
    "angles": ("<" * 50_000 + "parola", "html-many-tags"),
    "all hidden": ('<div style="display:none">parola</div>', None),
    "lines": ("<pre>" + "x\n" * 40_000 + "parola</pre>", "html-many-lines"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_keeps_its_words(name: str) -> None:
    """Floods that would stop a parser are read without their tags, and named as a defect."""
    source, defect = HOSTILE[name]
    read = html_text.to_text(source)
    assert "parola" in read.text
    assert defect is None or defect in read.defects


WORDS = st.sampled_from(["uno", "due", "tre", "&egrave;", "&lt;x&gt;", " ", "\n", "a&nbsp;b"])
TAGS = st.sampled_from(["p", "div", "b", "span", "blockquote", "ul", "h1", "pre", "center"])


@st.composite
def markup(draw: st.DrawFn, depth: int = 3) -> str:
    """Small trees of well-formed markup."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        if depth and draw(st.booleans()):
            tag = draw(TAGS)
            parts.append(f"<{tag}>{draw(markup(depth - 1))}</{tag}>")
        else:
            parts.append(draw(WORDS))
    return "".join(parts)


def squeezed(value: str) -> str:
    """The letters alone: renderers differ in space and bullets."""
    return "".join(re.findall(r"\w|[<>]", value))


@settings(max_examples=100, deadline=None)
@given(markup())
def test_same_words_as_another_renderer(source: str) -> None:
    """On well-formed markup the words are those that inscriptis finds, in the same order."""
    assert squeezed(html_text.to_text(source).text) == squeezed(get_text(f"<body>{source}</body>"))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    *("<p>", "</p>", "<table>", "<td>", "x", "<blockquote>", "</div>", "<!--"),
                    *('<a href="mailto:a@b.example">', "&#xfdd4;", "&#xd800;", "\ud800", "<"),
                    *("<hr>", '<div class="gmail_signature">', "<pre>\n", "\0", "<select>"),
                    *("-->", "<svg>", "\ufdd5"),
                ]
            ),
            max_size=60,
        ).map("".join),
    )
)
def test_hints_lie_within_the_text(source: str) -> None:
    """Any markup gives text, and hints that lie inside it; spans with them tile the text."""
    read = html_text.to_text(source)
    assert all(0 <= hint.start < hint.end <= len(read.text) for hint in read.hints)
    spans = text.spans(read.text, read.hints)
    assert "".join(read.text[s.start : s.end] for s in spans) == read.text


def test_preformatted_text_keeps_its_columns() -> None:
    """Indents and runs of spaces say something in code and logs; blank lines stay blank."""
    source = "<p>a  b</p><pre>if x:\n    do  it\n\ty\n   \nend</pre>"
    assert html_text.to_text(source).text == "a b\n\nif x:\n    do  it\n    y\n\nend"


def test_preformatted_blocks_in_each_other() -> None:
    """Each text inside is kept once, however many blocks stand around it."""
    assert html_text.to_text("<pre>" * 210 + "a\n  b" + "</pre>" * 210).text == "a\n  b"
    assert html_text.to_text("<div><pre>a\nb</pre></div><pre>c\nd</pre>").text == "a\nb\nc\nd"


def test_numbered_lists() -> None:
    """The numbers of a list are words of its writer; a list without them has dashes."""
    assert html_text.to_text("<ol><li>a<li>b</ol>").text == "1. a\n2. b"
    assert html_text.to_text("<ol start=4><li>a<ul><li>c</ul><li>b</ol>").text.endswith("5. b")
    assert html_text.to_text("<ol start=x><li>a</ol>").text == "1. a"
