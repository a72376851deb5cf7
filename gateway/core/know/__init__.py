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
    told,
    unconfirmed,
)
from gateway.core.know.identify import identify
from gateway.core.know.thread import refer
from gateway.core.know.token import Keys
from gateway.core.model import (
    Account,
    Address,
    Candidates,
    Claim,
    Clues,
    Envelope,
    Evidence,
    Headers,
    Incident,
    Mail,
    Proof,
    ProofLevel,
    Reference,
    Registration,
    Replay,
    Request,
    RequestKind,
    Sender,
    Situation,
    Ticket,
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


@dataclass(frozen=True, slots=True)
class _Understood:
    """Who writes, about which ticket, in which words, and what he asks for."""

    sender: Sender
    proof: Proof
    reference: Reference
    mail: Mail
    request: Request
    claim: Claim | None = None

    @property
    def account(self) -> Account | None:
        return self.sender.account

    @property
    def own_ticket(self) -> Ticket | None:
        return self.reference.ticket if self.reference.match is TicketMatch.OWN else None


def situation(arrival: Arrival, candidates: Candidates, knowing: Knowing) -> Situation:
    """Everything that the decision rests on, and everything that a reply may say."""
    routing = knowing.routing
    who = _understood(arrival, candidates, knowing)
    reported = _reported(arrival, candidates, who)
    department = circumstances.department(arrival.envelope, who.request, routing)
    language, guessed = circumstances.language(
        who.mail, who.account, who.reference.ticket, knowing.languages
    )
    freed = who.proof.confirmed or who.claim is not None
    # What was released, or confirmed, speaks with the account's own authority.
    speaker = None if freed else who.sender.registration
    repeat = _repeat(arrival, candidates, routing, who, reported, department, speaker)
    return Situation(
        envelope=arrival.envelope,
        author=arrival.author,
        mail=who.mail,
        evidence=arrival.evidence,
        proof=who.proof,
        sender=who.sender,
        reference=who.reference,
        request=who.request,
        incident=reported,
        knowledge=knowledge.judge(
            candidates.articles,
            withheld=_withheld(who, knowing),
        ),
        hours=hours.at(routing.office, arrival.envelope.received_at, routing.due_mail),
        candidates=candidates,
        repeat=repeat,
        spent=_spent(arrival, candidates, routing, who),
        scope=_scope(who, department, routing, speaker),
        department=department,
        language=language,
        bilingual=guessed,
        mail_id=arrival.id,
        raw=arrival.raw,
        unnamed=circumstances.unnamed(
            who.request, reported, _services(who, candidates), who.reference, repeat
        ),
        claim=who.claim,
    )


def _understood(arrival: Arrival, candidates: Candidates, knowing: Knowing) -> _Understood:
    sender, proven, reference = _who(arrival, candidates, knowing)
    mail = without_our_words(arrival.mail, _our_words(reference, candidates))
    asked = request.classify(mail, reference, knowing.requests)
    if proven.confirmed:
        asked = confirmed.request(asked)
    claim = unconfirmed.confirms(mail, arrival.envelope, asked, proven, candidates, knowing.keys)
    if claim is not None:
        sender = unconfirmed.sender(claim, arrival.envelope.received_at)
    return _Understood(sender, proven, reference, mail, asked, claim)


def _reported(arrival: Arrival, candidates: Candidates, who: _Understood) -> Incident:
    """What the mail says of an incident, held against the proven account alone."""
    own = who.account.number if who.account and who.proof.level in PROVEN else None
    critical = who.request.kind is RequestKind.INCIDENT
    return incident.read(who.mail, arrival.clues, candidates, own, critical, who.own_ticket)


def _withheld(who: _Understood, knowing: Knowing) -> bool:
    """Whether a person answers, however well an article fits."""
    answers = feedback.answers_us(who.mail, knowing.domain)
    return who.request.alarm or answers or told.tells(who.mail.new_text)


def _services(who: _Understood, candidates: Candidates) -> int:
    """How many the proven author's one account has."""
    own = who.account.number if who.account and who.proof.level in PROVEN else None
    return sum(service.account == own for service in candidates.services)


def _repeat(
    arrival: Arrival,
    candidates: Candidates,
    routing: Routing,
    who: _Understood,
    reported: Incident,
    department: str,
    speaker: Registration | None,
) -> Ticket | None:
    return circumstances.repeat(
        who.mail,
        reported,
        who.proof,
        who.account,
        candidates,
        routing,
        who.reference,
        department,
        speaker,
        arrival.envelope.received_at,
    )


def _scope(
    who: _Understood, department: str, routing: Routing, speaker: Registration | None
) -> bool:
    """Whether the address may speak about the department, and about that of its own ticket."""
    ticket = who.own_ticket
    about = (department,) if ticket is None else (department, ticket.department)
    return all(circumstances.scope(speaker, each, routing) for each in about)


def _spent(arrival: Arrival, candidates: Candidates, routing: Routing, who: _Understood) -> bool:
    domain = arrival.clues.author_domain
    return circumstances.spent(who.sender, who.proof, candidates.spending, routing, domain)


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
