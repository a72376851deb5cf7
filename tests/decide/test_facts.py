"""The vocabulary is closed, typed and public."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from policy_tables import every, facts_of

from gateway.core.decide.facts import (
    EARLY,
    VOCABULARY,
    Asks,
    Early,
    Facts,
    as_dict,
    completed,
    from_dict,
)
from gateway.core.model import Automatic, Listener, ProofLevel, SenderKind

PUBLIC = {
    "sender": "unknown primary secondary ambiguous staff",
    "proof": "strong medium none fail temperror",
    "ticket": "none own other",
    "token": "false true",
    "service": "none own other",
    "request": "reply general account incident change data-rights abuse billing thanks confirm",
    "listener": "edge relay",
    "dmarc": "none quarantine reject",
    "own_domain": "false true",
    "automatic": "no auto-reply bulk bounce loop",
    "knowledge": "none weak sure",
    "incident": "none incomplete complete",
    "repeat": "false true",
    "spent": "false true",
    "office": "open closed",
    "standing": "active suspended",
    "scope": "false true",
    "unnamed": "false true",
}


def test_the_public_names_and_values_are_all_there() -> None:
    """None of the eighteen facts and none of their values is renamed or missing."""
    said = {
        name: " ".join(str(value).lower() for value in fact.values)
        for name, fact in VOCABULARY.items()
    }
    assert {name: set(words.split()) for name, words in PUBLIC.items()} == {
        name: set(words.split()) for name, words in said.items()
    }


def test_facts_have_one_field_for_each_word_of_the_vocabulary() -> None:
    """The dataclass and the vocabulary cannot drift apart."""
    fields = [field.name for field in dataclasses.fields(Facts)]
    assert fields == [*VOCABULARY, "signals"]
    early = {field.name for field in dataclasses.fields(Early)} - {"signals"}
    assert early == EARLY


def test_usual_and_worse_values_belong_to_their_fact() -> None:
    """What a fact counts as when it is unknown is one of its values."""
    for fact in VOCABULARY.values():
        assert fact.usual in fact.values
        assert fact.worse in fact.values
        assert fact.sentence.endswith(".")


def test_plain_words_and_back_give_the_same_facts() -> None:
    """Stored facts are read back as they were, signals included."""
    for situation in every(("sender", "proof", "token", "automatic")):
        facts = dataclasses.replace(facts_of(situation), signals=(("partner", True),))
        assert from_dict(as_dict(facts)) == facts


def test_what_cannot_be_read_counts_as_the_worse_value() -> None:
    """A missing, misspelt or mistyped fact never makes more possible."""
    facts = from_dict({"sender": "primry", "scope": "true", "proof": True, "automatic": "nope"})
    assert facts.sender is SenderKind.UNKNOWN
    assert facts.scope is False
    assert facts.proof is ProofLevel.NONE
    assert facts.automatic is Automatic.LOOP


def test_early_facts_are_completed_with_worse_values() -> None:
    """What no account table said yet is the worse value, and the rest is kept."""
    part = Early(ProofLevel.STRONG, Listener.EDGE, Asks.REJECT, False, Automatic.NO)
    facts = completed(part)
    assert (facts.proof, facts.listener, facts.dmarc) == ("strong", "edge", "reject")
    assert facts.sender is SenderKind.UNKNOWN
    assert facts.scope is False


@given(
    st.dictionaries(
        st.one_of(st.sampled_from(list(VOCABULARY)), st.text(max_size=5)),
        st.one_of(st.text(max_size=8), st.booleans()),
        max_size=8,
    )
)
def test_any_words_make_facts(plain: dict[str, str | bool]) -> None:
    """Reading stored facts is total, and gives members of the vocabulary alone."""
    facts = from_dict(plain)
    for name, fact in VOCABULARY.items():
        assert getattr(facts, name) in fact.values
