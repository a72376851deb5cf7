"""How sure the public articles answer a question: by the search's score, and by its lead over the
next."""

from dataclasses import dataclass

from gateway.core.model import Confidence, Knowledge
from gateway.core.model.account import ArticleHit

LINKS = 3  # articles that an acknowledgement may name


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Calibrated by `portiere kb eval`; higher scores are better."""

    sure: float = 7.0
    lead: float = 1.3  # the best article's score over the next one's
    weak: float = 3.0


def judge(hits: tuple[ArticleHit, ...], thresholds: Thresholds = Thresholds()) -> Knowledge:
    """`sure` may answer by itself, `weak` names up to three articles, `none` names nothing."""
    if not hits or hits[0].score < thresholds.weak:
        return Knowledge(Confidence.NONE)
    best, following = hits[0], hits[1:2]
    leads = not following or best.score >= thresholds.lead * following[0].score
    sure = best.score >= thresholds.sure and leads
    confidence = Confidence.SURE if sure else Confidence.WEAK
    return Knowledge(confidence, hits[:LINKS])
