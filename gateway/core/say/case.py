"""One decided mail, and what is written of the mail itself, whatever the outcome.

Nothing here speaks to anybody: see `receipts` and `notices`.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.core.model import (
    Automatic,
    Decision,
    Effects,
    Evidence,
    Known,
    MailRow,
    NewEntry,
    ProofLevel,
    Seen,
    Situation,
    Ticket,
    outcome_of,
)
from gateway.core.model.routing import Routing
from gateway.core.read.clues import mail_key
from gateway.core.say import secrets
from gateway.core.say.desk import Post
from gateway.core.say.render import printable

NORMAL, HIGH = "normal", "high"
SUBJECT_CHARS = 500
MAX_PARENTS = 20
CONFIRMED = "confirmed"  # the account released the parked mail; it was not proven by itself
_RANK = {"strong": 3, "staff": 3, CONFIRMED: 3, "medium": 2, "none": 1, "fail": 1}


@dataclass(frozen=True, slots=True)
class Case:
    """A decided mail, and the post by which it is answered."""

    situation: Situation
    decision: Decision
    post: Post
    policy_digest: str
    facts: dict[str, str | bool]

    @property
    def now(self) -> datetime:
        """The one moment."""
        return self.post.at

    @property
    def routing(self) -> Routing:
        """What ops decided about the desk."""
        return self.post.routing

    @property
    def department(self) -> str:
        """As the rule says, else by recipient and request."""
        return self.decision.department or self.situation.department

    @property
    def priority(self) -> str:
        """As the rule says; where there are no priorities all is normal."""
        return (self.decision.priority or NORMAL) if self.routing.priorities else NORMAL

    @property
    def strong(self) -> bool:
        """Only `strong` changes the state of a standing ticket."""
        return self.situation.proof.level is ProofLevel.STRONG

    @property
    def proof(self) -> str:
        """How well the author is proven, as the history says it."""
        proof = self.situation.proof
        return CONFIRMED if proof.confirmed else proof.level.value

    @property
    def answers(self) -> bool:
        """Whether a reply may go out: the rule, the caps, no automatic mail on either side."""
        situation = self.situation
        person = situation.mail.automatic is Automatic.NO
        loops = situation.reference.answers_automatic
        return self.decision.reply and not situation.spent and person and not loops


def mail_row(case: Case, ticket: str | None = None, same_as: str | None = None) -> MailRow:
    """The mail with what was found and decided."""
    situation, outcome = case.situation, outcome_of(case.decision)
    account = situation.sender.account
    return MailRow(
        id=situation.mail_id,
        key=mail_key(situation.envelope, situation.mail.content_digest),
        received_at=situation.now,
        envelope=situation.envelope,
        raw=situation.raw,
        author_key=situation.author.key,
        message_id=situation.mail.message_id,
        content_digest=situation.mail.content_digest,
        body_digest=situation.mail.body_digest,
        subject=subject(case),
        outcome=outcome.value,
        rule=case.decision.rule,
        because=case.decision.because,
        proof=case.proof,
        policy_digest=case.policy_digest,
        facts=case.facts,
        evidence=evidence(situation.evidence) | _found(situation),
        account=account.number if account else None,
        ticket=ticket,
        automatic=situation.mail.automatic.value,
        same_as=same_as,
    )


def evidence(found: Evidence) -> dict[str, object]:
    """What DNS and cryptography said, for `trace`."""
    spf, dmarc = found.spf, found.dmarc
    signatures = [
        {"result": one.result.value, "domain": one.domain, "selector": one.selector,
         "aligned": one.aligned, "problem": one.problem}
        for one in found.dkim
    ]  # fmt: skip
    return {
        "spf": {"result": spf.result.value, "domain": spf.domain, "term": spf.term,
                "problem": spf.problem},
        "dkim": signatures,
        "dmarc": {"result": dmarc.result.value, "aligned": dmarc.aligned,
                  "policy": dmarc.policy, "org_domain": dmarc.org_domain},
        "arc": found.arc.result,
    }  # fmt: skip


def _found(situation: Situation) -> dict[str, object]:
    return {
        "proof": list(situation.proof.because),
        "sender": situation.sender.kind.value,
        "ticket": situation.reference.because,
        "request": list(situation.request.because),
        "automatic": situation.mail.automatic_because,
        "defects": list(situation.mail.defects),
    }


def subject(case: Case) -> str:
    """The subject as it is stored: one line, nothing that could act on a screen."""
    return " ".join(printable(case.situation.mail.subject).split())[:SUBJECT_CHARS]


def seen_before(situation: Situation) -> Seen | None:
    """The earlier arrival that this one joins.

    The very same mail; or the same words by another way, if that one's proof is equal or better,
    so that a forgery never suppresses the genuine mail.
    """
    mine = _RANK.get(situation.proof.level.value, 0)
    for seen in situation.candidates.seen:
        if seen.mail_id == situation.mail_id:
            continue
        if seen.same or _RANK.get(seen.proof, 0) >= mine:
            return seen
    return None


def replays(situation: Situation) -> tuple[str, ...]:
    """Digests of the signatures that verified: each counts for this content alone."""
    signatures = situation.evidence.dkim
    proven = (one.digest for one in signatures if one.digest and one.result.value == "pass")
    return tuple(dict.fromkeys(proven))


def kept(case: Case, ticket: str | None = None) -> Effects:
    """The mail alone, and the signatures that it came with."""
    row = mail_row(case, ticket)
    return Effects(
        row, attachments=case.situation.mail.attachments, replays=replays(case.situation)
    )


def entry(case: Case, ticket: str, *, pending: bool = False) -> NewEntry:
    """The mail as a line of a ticket's history; secrets stay in it, and are said to be there."""
    mail = case.situation.mail
    return NewEntry(
        ticket=ticket,
        at=case.now,
        by="customer",
        kind="mail",
        author=str(case.situation.author),
        proof=case.proof,
        text=mail.text,
        spans=mail.spans,
        pending=pending,
        masked=secrets.mask(mail.text)[1],
    )


def known(case: Case, ticket: str) -> tuple[Known, ...]:
    """The mail's own id, and those of parents that have not arrived: they will join it.

    One that is known of somebody else's ticket has not arrived for this author: were it left out,
    his next mail would show him that it is known.
    """
    mail, candidates = case.situation.mail, case.situation.candidates
    own = {one.number for one in candidates.tickets if _is_own(case.situation, one)}
    there = {message.message_id for message in candidates.messages if message.ticket in own}
    parents = (one for one in (*mail.in_reply_to, *mail.references[-3:]) if one not in there)
    ids = (*((mail.message_id,) if mail.message_id else ()), *parents)
    return tuple(Known(one, ticket, sent=False) for one in tuple(dict.fromkeys(ids))[:MAX_PARENTS])


def _is_own(situation: Situation, ticket: Ticket) -> bool:
    account, author = situation.sender.account, situation.proof.author
    if ticket.enquirer is not None:
        return ticket.enquirer == author
    return account is not None and ticket.account == account.number
