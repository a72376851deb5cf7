"""What a mail means: evidence, author and what the store knows become one `Situation`.

Total and pure.
"""

from dataclasses import dataclass

from gateway.core.know import circumstances, hours, incident, knowledge, proof, request
from gateway.core.know.identify import identify
from gateway.core.know.thread import refer
from gateway.core.know.token import Keys
from gateway.core.model import (
    Address,
    Candidates,
    Clues,
    Envelope,
    Evidence,
    Headers,
    Mail,
    Proof,
    ProofLevel,
    Registration,
    Replay,
    RequestKind,
    Situation,
)
from gateway.core.model.routing import RequestRules, Routing
from gateway.core.read import without_our_words

PROVEN = (ProofLevel.STRONG, ProofLevel.MEDIUM)


@dataclass(frozen=True, slots=True)
class Knowing:
    """What the house knows of itself; the same for every mail until a reload."""

    support: frozenset[str]  # keys of our own addresses
    languages: tuple[str, ...]  # of replies, the default first
    keys: Keys
    routing: Routing
    requests: RequestRules


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as far as it is known before the store is asked."""

    id: str
    envelope: Envelope
    headers: Headers
    raw: bytes
    author: Address
    mail: Mail
    evidence: Evidence
    clues: Clues


def prove(
    arrival: Arrival,
    knowing: Knowing,
    replays: tuple[Replay, ...] | None = None,
    registration: Registration | None = None,
) -> Proof:
    """The level of proof; without `replays` the store has not been asked yet."""
    return proof.judge(
        arrival.envelope,
        arrival.author,
        arrival.mail,
        arrival.headers,
        arrival.evidence,
        knowing.support,
        replays,
        arrival.mail.content_digest,
        arrival.envelope.received_at,
        registration,
    )


def situation(arrival: Arrival, candidates: Candidates, knowing: Knowing) -> Situation:
    """Everything that the decision rests on, and everything that a reply may say."""
    now, routing = arrival.envelope.received_at, knowing.routing
    mail = without_our_words(arrival.mail, candidates.sent_texts)
    sender = identify(arrival.author, candidates, arrival.clues)
    proven = prove(arrival, knowing, candidates.replays, sender.registration)
    reference = refer(
        mail, arrival.clues, candidates, sender, proven, knowing.keys, now, arrival.envelope
    )
    asked = request.classify(mail, reference, knowing.requests)
    own = sender.account.number if sender.account and proven.level in PROVEN else None
    reported = incident.read(
        mail, arrival.clues, candidates, own, asked.kind is RequestKind.INCIDENT
    )
    department = circumstances.department(arrival.envelope, asked, routing)
    language, guessed = circumstances.language(
        mail, sender.account, reference.ticket, knowing.languages
    )
    return Situation(
        envelope=arrival.envelope,
        author=arrival.author,
        mail=mail,
        evidence=arrival.evidence,
        proof=proven,
        sender=sender,
        reference=reference,
        request=asked,
        incident=reported,
        knowledge=knowledge.judge(candidates.articles),
        hours=hours.at(routing.office, now, routing.due_mail),
        candidates=candidates,
        repeat=circumstances.repeat(
            mail, reported, proven, sender.account, candidates, routing, reference
        ),
        spent=circumstances.spent(
            sender, proven, candidates.spending, routing, arrival.clues.author_domain
        ),
        scope=circumstances.scope(sender.registration, department),
        department=department,
        language=language,
        bilingual=guessed,
        mail_id=arrival.id,
        raw=arrival.raw,
    )
