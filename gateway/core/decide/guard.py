"""The second look at every decision, before anything is rendered: independent of rules and proof.

The never-rules stand here again, written by hand as plain questions about one mail. A decision
that breaks one becomes a silent refusal by the rule `guard`, and ops are told why.
"""

from gateway.core.decide.facts import Facts
from gateway.core.model import (
    Automatic,
    Decision,
    Defer,
    Outcome,
    ProofLevel,
    Record,
    Refuse,
    Reject,
    RequestKind,
    SenderKind,
    ServiceMatch,
    TicketMatch,
    outcome_of,
)

GUARD = "guard"


def guarded(facts: Facts, decision: Decision) -> Decision:
    """The decision itself where the walls allow it, else a silent refusal that says why."""
    try:
        if isinstance(decision, Refuse):
            return decision if not decision.reply or _by_hand(facts) else _silenced(decision)
        if allowed(facts, outcome_of(decision)):
            return decision
    except Exception as error:
        return Refuse(GUARD, f"the guard failed: {type(error).__name__}", reply=False)
    because = f"`{outcome_of(decision)}` by rule `{decision.rule}` breaks a never-rule"
    return Refuse(GUARD, because, reply=False)


def accepted(decision: Decision) -> Decision:
    """What is left of a decision once 250 was settled: a late `defer` or `reject` only records.

    The proof may have fallen since, by the replay memory or by the registrar's data; the mail is
    ours by then, and is kept.
    """
    if isinstance(decision, Defer | Reject):
        return Record(decision.rule, f"too late to be said in the dialogue: {decision.because}")
    return decision


def allowed(facts: Facts, outcome: Outcome) -> bool:
    """Whether this outcome breaks no never-rule in this situation."""
    match outcome:
        case Outcome.DEFER | Outcome.REJECT | Outcome.RECORD:
            return True
        case _ if not _by_hand(facts):
            return False
        case Outcome.THREAD:
            return _about_own_account(facts) and _own_thread(facts)
        case Outcome.OPEN | Outcome.ASK | Outcome.PANEL:
            return _about_own_account(facts)
        case Outcome.ANSWER:
            return _proven(facts) and (facts.sender is SenderKind.UNKNOWN or _one_account(facts))
        case Outcome.ENQUIRY:
            return _for_anybody(facts) or (_proven(facts) and facts.sender is SenderKind.UNKNOWN)
        case Outcome.SORT:
            return _proven(facts) and facts.sender is SenderKind.AMBIGUOUS
        case Outcome.STAFF:
            return facts.sender is SenderKind.STAFF and _strong(facts) and facts.token is True
        case Outcome.CONFIRM:
            return _one_account(facts) and _strong(facts) and facts.request is RequestKind.CONFIRM
        case Outcome.REFUSE | Outcome.HOLD:
            return True
    return False


def _about_own_account(facts: Facts) -> bool:
    return (
        _proven(facts)
        and _one_account(facts)
        and facts.scope is True
        and facts.ticket in (TicketMatch.NONE, TicketMatch.OWN)
        and _about_own_service(facts)
    )


def _about_own_service(facts: Facts) -> bool:
    if facts.ticket is TicketMatch.OWN or facts.service in (ServiceMatch.NONE, ServiceMatch.OWN):
        return True
    return facts.request is RequestKind.GENERAL or _for_anybody(facts)


def _own_thread(facts: Facts) -> bool:
    return facts.ticket is TicketMatch.OWN or facts.repeat is True


def _one_account(facts: Facts) -> bool:
    return facts.sender in (SenderKind.PRIMARY, SenderKind.SECONDARY)


def _for_anybody(facts: Facts) -> bool:
    return facts.request in (RequestKind.ABUSE, RequestKind.DATA_RIGHTS)


def _proven(facts: Facts) -> bool:
    return facts.proof is ProofLevel.STRONG or facts.proof is ProofLevel.MEDIUM


def _strong(facts: Facts) -> bool:
    return facts.proof is ProofLevel.STRONG


def _by_hand(facts: Facts) -> bool:
    """A person wrote it, not a machine."""
    return facts.automatic is Automatic.NO


def _silenced(decision: Refuse) -> Refuse:
    because = f"{decision.because}; silently, as the mail is automatic"
    return Refuse(decision.rule, because, decision.department, reply=False)
