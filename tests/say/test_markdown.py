"""The Markdown of articles, as text and as HTML."""

import quopri
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from sayings import NOW, STRANGER, post

from gateway.core.model import Article, ProvenAuthor, PublicReply
from gateway.core.say import markdown
from gateway.core.say.desk import About

BODY = """Dal pannello, **Domini**, si impostano i nomi `ns1.example.net` e
`ns2.example.net`; la modifica è visibile a tutti entro 24 ore, *di solito* molto prima.

1. Aprite **Domini**
   e poi il dominio.
2. Leggete la [guida](https://host.example/guida?a=1&b=2).

- a < b & c
- scrivete `v=spf1 include:spf.example.net -all`
"""

TEXT = """Dal pannello, Domini, si impostano i nomi ns1.example.net e
ns2.example.net; la modifica è visibile a tutti entro 24 ore, di solito
molto prima.

1. Aprite Domini e poi il dominio.
2. Leggete la guida (https://host.example/guida?a=1&b=2).

- a < b & c
- scrivete v=spf1 include:spf.example.net -all"""


def test_an_article_as_text_has_no_marks_and_lines_of_72() -> None:
    """Paragraphs are wrapped anew; items stay lines."""
    assert markdown.as_text(BODY) == TEXT


def test_a_long_item_hangs_below_its_first_word_and_code_is_not_torn() -> None:
    """Both are what a reader copies from."""
    item = "10. " + "parola " * 8 + "`wp user update admin --user_pass=x` fine"
    first, second = markdown.as_text(item).split("\n")
    assert first == "10. " + "parola " * 7 + "parola"
    assert second == "    wp user update admin --user_pass=x fine"


def test_an_article_as_html_has_lists_bold_code_and_links() -> None:
    """Escaped, with the list's own tags."""
    page = re.sub(r' style="[^"]*"', "", markdown.as_html(BODY))
    assert "<strong>Domini</strong>" in page
    assert "<code>ns1.example.net</code>" in page
    assert "<em>di solito</em>" in page
    assert "<ol><li>Aprite <strong>Domini</strong> e poi il dominio.</li>" in page
    assert '<a href="https://host.example/guida?a=1&amp;b=2">guida</a>' in page
    assert "<ul><li>a &lt; b &amp; c</li>" in page
    assert "*" not in page
    assert "`" not in page


def test_a_list_that_goes_on_keeps_its_number() -> None:
    """A paragraph between two steps does not start again at one."""
    page = markdown.as_html("1. a\n\nx\n\n2. b")
    assert '<ol start="2"' in page
    assert markdown.as_text("# Head\nx\n1. a\n- b") == "Head\n\nx\n\n1. a\n\n- b"


def test_what_is_not_a_mark_stays() -> None:
    """Lone stars, links of other schemes, tags."""
    for text in ("2 * 3 * 4", "[x](javascript:a)", "un `apice", "`` <b>"):
        assert markdown.as_text(text) == text
    assert "<b>" not in markdown.as_html("<b> `<b>` **<b>** [<b>](https://x.example/<b>)")


def test_an_answer_shows_the_article_and_not_its_marks() -> None:
    """Text and HTML of the mail, in one language and in two."""
    reply = PublicReply(ProvenAuthor(STRANGER), Article("ns", "Nameserver", None, BODY))
    for bilingual in (False, True):
        sent = post().say(reply, "it", About("482913", NOW, None), bilingual=bilingual)
        assert sent.text.count(TEXT) == 1 + bilingual
        raw = quopri.decodestring(sent.raw)
        assert b"<strong>Domini</strong>" in raw
        assert b"**" not in raw
        assert b"`" not in raw


@settings(max_examples=100)
@given(st.text(alphabet="a *`[]()#-1.\n<&\"'h:/", max_size=80))
def test_no_text_makes_a_tag_of_its_own(body: str) -> None:
    """Whatever an article holds, only our tags come out, and they are closed."""
    page = markdown.as_html(body)
    tags = re.findall(r"<(/?)(\w+)[^<>]*>", page)
    assert {name for _, name in tags} <= {"p", "strong", "em", "code", "a", "ol", "ul", "li"}
    assert page.count("<") == len(tags) == 2 * sum(not close for close, _ in tags)
    markdown.as_text(body)
