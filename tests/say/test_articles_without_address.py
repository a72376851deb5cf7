"""Articles beside an acknowledgement, where nobody said where they can be read."""

from dataclasses import replace

from sayings import DESK, NONCE, ROUTING, TEMPLATES, article, situation

from gateway.core.model import ArticleHit, Confidence, Knowledge, Open
from gateway.core.say.effects import effects


def receipt(*articles: ArticleHit) -> str:
    """What the customer reads, at a desk without `support.articles_url`."""
    case = situation(knowledge=Knowledge(Confidence.WEAK, articles))
    desk, asked = replace(DESK, articles_url=None), Open("customer", "why")
    said = effects(case, asked, TEMPLATES, desk, ROUTING, NONCE, "digest", {"sender": "x"})
    return said.outgoing[0].text


def test_articles_that_can_be_read_nowhere_are_not_listed() -> None:
    """A title without a link helps nobody."""
    assert receipt(article()) == receipt()
    known = replace(article(), title="Con indirizzo", url="https://host.example/guida/altro")
    both = receipt(article(), known)
    assert "Con indirizzo" in both
    assert article().title not in both
