"""How surely the public articles answer a question.

Three signs together: how well the best article fits, what share of the question it has words for,
and how far it leads the next one. None of them alone tells a question that has no article from one
that has. The bounds are calibrated by `portiere kb eval` (docs/knowledge.md).
"""

from dataclasses import dataclass

from gateway.core.model import Confidence, Knowledge
from gateway.core.model.account import ArticleHit

LINKS = 3  # articles that an acknowledgement may name
MOST_LEAD = 2.0  # a lead beyond this tells nothing more


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of `evidence`."""

    sure: float = 3.4
    weak: float = 0.6


def judge(
    hits: tuple[ArticleHit, ...], thresholds: Thresholds = Thresholds(), *, withheld: bool = False
) -> Knowledge:
    """`sure` may answer by itself, `weak` names up to three articles, `none` names nothing.

    `hits` are the best first. `withheld`: whatever they are, a person answers: the question
    replies to a mail of ours, speaks of an incident, or tells of what went wrong.
    """
    found = evidence(hits)
    if found < thresholds.weak:
        return Knowledge(Confidence.NONE)
    confidence = Confidence.SURE if found >= thresholds.sure and not withheld else Confidence.WEAK
    return Knowledge(confidence, hits[:LINKS])


def evidence(hits: tuple[ArticleHit, ...]) -> float:
    """The score of the best article, times the share that it covers, times its lead (1 to 2)."""
    if not hits:
        return 0.0
    best, following = hits[0], hits[1:2]
    lead = best.score / following[0].score if following and following[0].score > 0 else MOST_LEAD
    return best.score * best.covered * min(max(lead, 1.0), MOST_LEAD)
