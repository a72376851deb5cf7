"""Why a mail joins a standing ticket that it does not name: for `explain` and `trace`.

It is never mailed. It only says what `circumstances.repeat` found; no rule reads it.
"""

from dataclasses import replace

from gateway.core.model import Decision, Situation, Thread


def explained(situation: Situation, decision: Decision) -> Decision:
    """The same decision; where it coalesces, its reason names the ticket and what is shared."""
    if not isinstance(decision, Thread):
        return decision
    shared = reason(situation)
    return replace(decision, because=f"{decision.because} {shared}") if shared else decision


def reason(situation: Situation) -> str | None:
    """The ticket, and the identifiers or words that both have; None where nothing is repeated."""
    ticket, named = situation.repeat, situation.incident.identifiers
    if ticket is None or situation.reference.ticket is not None:
        return None
    if named and set(named) == set(ticket.identifiers):
        return f"Ticket {ticket.number} is open and about the same: {', '.join(named)}."
    return f"Ticket {ticket.number} is open and has near-identical text."
