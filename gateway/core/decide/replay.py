"""Decides again from stored facts alone: nothing is parsed, looked up, sent or written."""

from collections.abc import Mapping

from gateway.core.decide.facts import Value, from_dict
from gateway.core.decide.guard import guarded
from gateway.core.decide.policy import Policy, decide
from gateway.core.model import Decision


class Replay:
    """One policy over many stored mails. Equal facts are decided once."""

    def __init__(self, policy: Policy) -> None:
        """The policy whose decisions are asked for."""
        self._policy = policy
        self._known: dict[tuple[tuple[str, Value], ...], Decision] = {}

    def decide(self, plain: Mapping[str, Value]) -> Decision:
        """The decision for stored facts; a fact that was not stored counts as its worse value."""
        key = tuple(plain.items())
        decision = self._known.get(key)
        if decision is None:
            facts = from_dict(plain)
            decision = self._known[key] = guarded(facts, decide(self._policy, facts))
        return decision
