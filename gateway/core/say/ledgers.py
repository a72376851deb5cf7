"""The ledgers of the caps: whose share of automatic mail a reply is counted against.

Each has its own, so that forgeries never use up a customer's share (tickets.md, What goes out).
"""

from datetime import datetime

from gateway.core.model import Caps, ProofLevel, Spend, UnconfirmedAddress
from gateway.core.say.case import Case

STRONG, MEDIUM, UNPROVEN = "strong", "medium", "unproven"
AUTHOR, DOMAIN, PUBLIC = "author", "domain", "public"
SIGN_IN = "sign_in"  # links and questions that let somebody in: their own


def spends(case: Case, ledger: str, account: str) -> tuple[Spend, ...]:
    """One unit of an account's share."""
    limits = {
        STRONG: case.routing.caps.strong,
        MEDIUM: case.routing.caps.medium,
        UNPROVEN: case.routing.caps.unproven,
    }
    return (Spend(ledger, account, case.now, limits[ledger]),)


def public_spends(case: Case) -> tuple[Spend, ...]:
    """One unit of the author's share, and of his domain's where it is not a freemail's."""
    caps, author = case.routing.caps, case.situation.author
    domain = case.situation.evidence.dmarc.org_domain or author.domain
    shares = [Spend(AUTHOR, author.key, case.now, caps.author)]
    if domain not in case.routing.freemail and author.domain not in case.routing.freemail:
        shares.append(Spend(DOMAIN, domain, case.now, caps.domain))
    return (*shares, Spend(PUBLIC, author.key, case.now))


def sign_in_spends(caps: Caps, to: UnconfirmedAddress, at: datetime) -> tuple[Spend, ...]:
    """One unit of the account's share, and of the mailbox's, whichever accounts ask it."""
    return (
        Spend(SIGN_IN, to.account, at, caps.sign_in),
        Spend(SIGN_IN, to.key, at, caps.sign_in),
    )


def ledger_of(case: Case) -> str:
    """Which share of the account a reply is counted against."""
    level = case.situation.proof.level
    if level is ProofLevel.STRONG:
        return STRONG
    return MEDIUM if level is ProofLevel.MEDIUM else UNPROVEN


def unproven_spent(case: Case) -> bool:
    """Whether the account has had its notice of parked mail today, whatever the mail's proof.

    A proven author who speaks for another department is parked, too.
    """
    spending, caps = case.situation.candidates.spending, case.routing.caps
    total = spending.global_today.get(UNPROVEN, 0)
    return spending.unproven_today >= caps.unproven or total >= caps.all_unproven
