"""Replies that a mail sets off: to the official address of the sender's one account, else public
text to a proven author. What they print is ours; nothing of it is the sender's.
"""

from collections.abc import Iterator
from dataclasses import replace

from gateway.core.model import (
    Account,
    AccountReply,
    AccountText,
    Confidence,
    Outgoing,
    PublicReply,
    PublicText,
    Ticket,
)
from gateway.core.say import headers, markdown
from gateway.core.say.case import Case
from gateway.core.say.desk import About, Delivery
from gateway.core.say.kinds import KINDS
from gateway.core.say.ledgers import AUTHOR, ledger_of
from gateway.core.say.words import At, Marked, Missing, Named, Spoken


def template(case: Case, base: str) -> str:
    """The template of an outcome; a rule may name a variant, such as `open-gold`."""
    named = case.decision.template
    if named and named.startswith(f"{base}-") and named not in KINDS:
        return named if case.post.templates.has(named) else base
    return base


def to_account(
    case: Case,
    account: Account,
    kind: str,
    values: dict[str, object],
    about: About | None,
    delivery: Delivery,
    paragraphs: tuple[str, ...] = (),
) -> Outgoing:
    """A mail about an account, to its official address; it waits where that may be stolen."""
    reply = AccountReply(account.official, AccountText(template(case, kind), values))
    language, bilingual = case.situation.language, case.situation.bilingual
    if delivery.parked is not None:
        # Whoever wrote the parked mail does not choose in which language its notice is.
        language = account.language or case.post.desk.language
        bilingual = account.language is None
    return case.post.say(
        reply,
        language,
        about,
        bilingual=bilingual,
        paragraphs=paragraphs,
        delivery=replace(delivery, held=account.doubtful),
    )


def public(case: Case, text: PublicText, about: About | None = None) -> tuple[Outgoing, ...]:
    """Public text: to the official address of the sender's account, else to the proven author.

    Its language is the mail's alone, so that it is the same whether an account exists or not.
    """
    situation, desk = case.situation, case.post.desk
    said = situation.mail.language
    guessed = said not in desk.languages
    language = desk.language if guessed or said is None else said
    account, author = situation.sender.account, situation.proof.author
    delivery = Delivery(parent=parent(case))
    if account is not None:
        reply: AccountReply | PublicReply = AccountReply(account.official, text)
        delivery = replace(delivery, ledger=ledger_of(case), held=account.doubtful)
    elif author is not None:
        reply, delivery = PublicReply(author, text), replace(delivery, ledger=AUTHOR)
    else:
        return ()
    sent = case.post.say(reply, language, about, bilingual=guessed, delivery=delivery)
    return (sent,)


def receipt_values(case: Case, number: str, department: str, ahead: int) -> dict[str, object]:
    """What an acknowledgement may print: nothing of it is the sender's."""
    situation = case.situation
    opens = situation.hours.opens_at
    return {
        "ticket": number,
        "department": department_name(case, department),
        "ahead": ahead,
        "due": At(situation.hours.reply_due, case.post.timezone),
        "opens": At(opens, case.post.timezone) if opens else "",
        "missing": Missing(situation.incident.missing),
        "articles": _readable(case)[:3],
        "announcements": announcements(case),
        "linked": "",
        "reopened": False,
    }


def article_url(case: Case, slug: str, url: str | None) -> str | None:
    """Where an article can be read: its own address, else below `support.articles_url`."""
    base = case.post.desk.articles_url
    return url or (f"{base.rstrip('/')}/{slug}" if base else None)


def _readable(case: Case) -> list[dict[str, object]]:
    """Articles that can be read somewhere: a title alone helps nobody."""
    found: Iterator[dict[str, object]] = (
        {"title": one.title, "url": article_url(case, one.slug, one.url)}
        for one in case.situation.knowledge.articles
    )
    return [one for one in found if one["url"]]


def department_name(case: Case, department: str) -> Spoken | str:
    """As ops named it."""
    found = case.routing.department(department)
    return Named(found) if found else department


def announcements(case: Case) -> list[dict[str, object]]:
    """Notices in force that concern what the mail names."""
    named = {one.lower() for one in case.situation.incident.identifiers}
    return [
        {"title": markdown.as_line(one.title), "text": Marked(one.text)}
        for one in case.situation.candidates.announcements[:3]
        if not one.services or named & {service.lower() for service in one.services}
    ]


def paragraphs(case: Case, *more: str) -> tuple[str, ...]:
    """Those that rules add, those that the outcome adds, and what helps meanwhile."""
    situation = case.situation
    names = [*more, *case.decision.notices]
    if not case.strong:
        names.append("sender_not_proven")
    if announcements(case):
        names.append("announcements")
    if situation.knowledge.confidence is not Confidence.NONE and _readable(case):
        names.append("articles")
    return tuple(dict.fromkeys(names))


def earlier(case: Case, ticket: str) -> tuple[str, ...]:
    """Our own mails in this ticket that the mail refers to."""
    sent = (one for one in case.situation.candidates.messages if one.sent and one.ticket == ticket)
    return tuple(
        one.message_id for one in sent if one.message_id in case.situation.mail.references
    )


def about(ticket: Ticket) -> About:
    """A standing ticket, as what a mail is about."""
    return About(ticket.number, ticket.opened_at, ticket.account)


def parent(case: Case) -> str | None:
    """The Message-ID that a reply answers, if it keeps to the grammar."""
    answered = case.situation.mail.message_id
    return answered if headers.is_message_id(answered) else None
