"""Our own words in a body, however the client sent them back."""

import textwrap

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import SpanKind
from gateway.core.read import text

SENT = (
    "Gentile cliente,\n\nabbiamo riavviato il servizio di posta della casella indicata e le "
    "chiediamo di provare di nuovo fra qualche minuto.\n\nQuale client di posta usa?\n\n"
    "Cordiali saluti\nLo staff tecnico\n"
)


def new(body: str, *sent: str) -> str:
    """The new words after our own were taken out, space folded."""
    tiles = text.subtract(body, text.spans(body), sent)
    assert "".join(body[t.start : t.end] for t in tiles) == body
    return " ".join(
        " ".join(body[t.start : t.end] for t in tiles if t.kind is SpanKind.NEW).split()
    )


def test_unmarked_copy_is_found() -> None:
    """A quote without any mark is found by what we sent."""
    assert new(f"Ancora niente.\n\n{SENT}", SENT) == "Ancora niente."


def test_rewrapped_copy_is_found() -> None:
    """Line ends of the client's own do not hide our words."""
    assert new("Ancora niente.\n\n" + textwrap.fill(SENT, 40), SENT) == "Ancora niente."


def test_attribution_over_our_words_goes_with_them() -> None:
    """What stands right over our words announces them."""
    body = f"Ancora niente.\n\nIl 03/03/2025 10:15, Desk ha scritto:\n\n{SENT}"
    assert new(body, SENT) == "Ancora niente."


def test_answers_between_our_lines_stay() -> None:
    """Words that we never sent are the customer's, wherever they stand."""
    body = SENT.replace("usa?\n", "usa?\nThunderbird 128, su Windows\n")
    assert new(body, SENT) == "Thunderbird 128, su Windows"


def test_pasted_log_with_marks_becomes_a_quote_only_when_it_is_ours() -> None:
    """Marked lines behind a colon are new, unless they are what we sent."""
    body = "Riporto il vostro testo:\n\n" + textwrap.indent(SENT, "> ") + "\nNon capisco."
    assert new(body, SENT) == "Riporto il vostro testo: Non capisco."
    assert "riavviato" in new(body, "Tutt'altro testo, che non ha niente in comune con questo.")


def test_a_few_common_words_are_not_ours() -> None:
    """Short phrases that anybody writes are not taken from the customer."""
    body = "Buongiorno\n\nabbiamo riavviato il router e funziona.\n\nCordiali saluti\nMario"
    assert new(body, SENT) == " ".join(body.split())


def test_nothing_sent_changes_nothing() -> None:
    """Without texts of ours the spans are those given."""
    tiles = text.spans("Ciao")
    assert text.subtract("Ciao", tiles, ()) == tiles


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=3))
def test_tiling_survives_any_texts(body: str, sent: list[str]) -> None:
    """Whatever was sent and came back, the spans still tile the body."""
    tiles = text.subtract(body, text.spans(body), tuple(sent))
    assert "".join(body[t.start : t.end] for t in tiles) == body
