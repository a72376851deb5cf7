"""`answer` and `refuse`: public text, which is the same whether an account exists or not."""

from dataclasses import replace

from gateway.core.model import Answered, Article, Constant, Effects, Event, Outgoing, Spend
from gateway.core.say.case import Case, kept
from gateway.core.say.kinds import kind_of
from gateway.core.say.ledgers import ledger_of, public_spends, spends
from gateway.core.say.opening import enquiry, opened
from gateway.core.say.parking import strangers
from gateway.core.say.receipts import article_url, public

REFUSAL = "refuse"


def answered(case: Case) -> Effects:
    """`answer`: one published article. Without one the mail is filed like any other."""
    best = case.situation.knowledge.best
    if best is None:
        return opened(case) if case.situation.sender.account else enquiry(case)
    row = kept(case)
    if not case.answers:
        return row
    url = article_url(case, best.slug, best.url)
    sent = public(case, Article(best.slug, best.title, url, best.body))
    event = Event("question.answered", "", case.now, {"article": best.slug})
    if not sent:
        return row
    answered = Answered(best.slug, sent[0].language, sent[0].message_id)
    return replace(
        row, outgoing=sent, spends=_spent(case, sent), events=(event,), answered=answered
    )


def refused(case: Case) -> Effects:
    """`refuse`: the constant text, to a proven author; silence for everybody else."""
    row = replace(kept(case), parked=strangers(case))
    if case.situation.proof.author is None:
        case.post.keep_silent("hold")
        return row
    if not case.answers:
        return row
    sent = public(case, Constant(_constant(case)))
    return replace(row, outgoing=sent, spends=_spent(case, sent))


def _constant(case: Case) -> str:
    """A rule may choose another constant, such as `receipt`; never a text with values."""
    named = case.decision.template
    if named and case.post.templates.has(named):
        kind = kind_of(named)
        if kind.public and not kind.variables and not kind.paragraph:
            return named
    return REFUSAL


def _spent(case: Case, sent: tuple[Outgoing, ...]) -> tuple[Spend, ...]:
    account = case.situation.sender.account
    if not sent:
        return ()
    return spends(case, ledger_of(case), account.number) if account else public_spends(case)
