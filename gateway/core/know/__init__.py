"""What a mail means: evidence, author and what the store knows become one `Situation`.

Total and pure.
"""

from dataclasses import dataclass

from gateway.core.know import (
    circumstances,
    confirmed,
    feedback,
    hours,
    incident,
    knowledge,
    proof,
    request,
)
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
    Reference,
    Registration,
    Replay,
    RequestKind,
    Sender,
    Situation,
    TicketMatch,
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
    domain: str = ""  # of our Message-IDs


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
    confirmed: str | None = None  # the account that released this mail, for which it was parked


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
    sender, proven, reference = _who(arrival, candidates, knowing)
    mail = without_our_words(arrival.mail, _our_words(reference, candidates))
    asked = request.classify(mail, reference, knowing.requests)
    if proven.confirmed:
        asked = confirmed.request(asked)
    own = sender.account.number if sender.account and proven.level in PROVEN else None
    reported = incident.read(
        mail,
        arrival.clues,
        candidates,
        own,
        asked.kind is RequestKind.INCIDENT,
        reference.ticket if reference.match is TicketMatch.OWN else None,
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
        knowledge=knowledge.judge(
            candidates.articles,
            withheld=asked.alarm or feedback.answers_us(mail, knowing.domain),
        ),
        hours=hours.at(routing.office, now, routing.due_mail),
        candidates=candidates,
        repeat=circumstances.repeat(
            mail, reported, proven, sender.account, candidates, routing, reference, now
        ),
        spent=circumstances.spent(
            sender, proven, candidates.spending, routing, arrival.clues.author_domain
        ),
        scope=proven.confirmed or circumstances.scope(sender.registration, department, routing),
        department=department,
        language=language,
        bilingual=guessed,
        mail_id=arrival.id,
        raw=arrival.raw,
    )


def _who(
    arrival: Arrival, candidates: Candidates, knowing: Knowing
) -> tuple[Sender, Proof, Reference]:
    """Who writes, how well that is proven, and which ticket he may mean.

    A parked mail that its account released is that account's, and no other's.
    """
    sender = identify(arrival.author, candidates, arrival.clues)
    proven = prove(arrival, knowing, candidates.replays, sender.registration)
    reference = _referred(arrival, candidates, knowing, sender, proven)
    account = arrival.confirmed
    if account is None:
        return sender, proven, reference
    now = arrival.envelope.received_at
    sender = confirmed.sender(account, sender, reference, candidates, now)
    if sender.account is None or sender.account.number != account:
        return sender, proven, reference
    proven = proof.released(proven, account)
    return sender, proven, _referred(arrival, candidates, knowing, sender, proven)


def _referred(
    arrival: Arrival, candidates: Candidates, knowing: Knowing, sender: Sender, proven: Proof
) -> Reference:
    return refer(
        arrival.mail,
        arrival.clues,
        candidates,
        sender,
        proven,
        knowing.keys,
        arrival.envelope.received_at,
        arrival.envelope,
    )


def _our_words(reference: Reference, candidates: Candidates) -> tuple[str, ...]:
    """What we sent in the ticket, for its owner, for staff, and for who holds its token.

    Somebody who only names a number must not learn by what is left of his mail that it is one.
    """
    known = reference.match is TicketMatch.OWN or reference.linked_to is not None
    return candidates.sent_texts if known or reference.token else ()
