"""The way of one mail through the house: the stages in order, and the only place where they meet.

`Pipeline.course` reads, proves, decides and renders, and writes nothing: `explain` calls it alone.
`Pipeline.handle` is given the committing function, and answers the sender only after it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gateway import log, metrics
from gateway.authenticate import results
from gateway.authenticate.evidence import Authenticator
from gateway.core import know
from gateway.core.decide import facts, guard, policy
from gateway.core.decide.facts import Facts
from gateway.core.know import Arrival, Knowing
from gateway.core.know.proof import replay_digests
from gateway.core.model import (
    Address,
    Candidates,
    Clues,
    Committed,
    Decision,
    Defer,
    DkimResult,
    Effects,
    Envelope,
    Evidence,
    Mail,
    Moved,
    Proof,
    Reject,
    Situation,
    Wire,
    outcome_of,
)
from gateway.core.read import clues, read, wire
from gateway.core.say import effects
from gateway.errors import Temporary
from gateway.load import Loaded

THREADED_BYTES = 65_536  # above this, reading goes to a thread: the loop has others to serve
WIRE_THREADED_BYTES = 1_048_576  # above this, the gate goes to a thread too
TRIES = 5  # how often a mail is decided again because a ticket moved

Find = Callable[[Clues], Awaitable[Candidates]]
Commit = Callable[[Effects], Awaitable[Committed]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side is told. `reason` is the name of a reply, never text of a mail."""

    code: int
    enhanced: str
    reason: str


ACCEPTED = Answer(250, "2.0.0", "accepted")
TRY_LATER = Answer(451, "4.3.0", "try-later")
DNS_AWAY = Answer(451, "4.4.3", "dns-away")
KEYS_AWAY = Answer(451, "4.7.5", "keys-away")
FORGED = Answer(550, "5.7.1", "forged")


@dataclass(frozen=True, slots=True)
class Course:
    """All that was found out about one mail, as far as it went."""

    wire: Wire
    answer: Answer
    mail: Mail | None = None
    arrival: Arrival | None = None
    proof: Proof | None = None
    situation: Situation | None = None
    facts: Facts | None = None
    decision: Decision | None = None
    effects: Effects | None = None


@dataclass(frozen=True, slots=True)
class House:
    """What the pipeline needs of the world.

    `loaded` is asked for each mail, so a reload is one swap.
    """

    authenticator: Authenticator
    find: Find
    loaded: Callable[[], Loaded]
    knowing: Callable[[], Knowing]
    desk: effects.Desk
    authserv_id: str  # of our own Authentication-Results
    new_id: Callable[[], str]
    nonce: Callable[[], bytes]
    limits: wire.WireLimits = field(default_factory=wire.WireLimits)


class Pipeline:
    """The stages of a mail, over one house."""

    def __init__(self, house: House) -> None:
        """The pipeline keeps nothing of a mail between two calls."""
        self._house = house
        self._log = log.get("pipeline")

    async def course(self, envelope: Envelope, raw: bytes) -> Course:
        """Read, prove, know, decide and say; write nothing."""
        head = await self.head(envelope, raw)
        if head.defect or not head.author:
            return await self._refused(envelope, head, raw)
        arrival = await self._arrive(envelope, head, head.author, raw)
        early = know.prove(arrival, self._house.knowing())
        settled = self._settle(arrival, early)
        if settled is not None:
            spoken = _spoken(settled, arrival.evidence)
            return Course(head, spoken, arrival.mail, arrival, early, decision=settled)
        with _timed("find"):
            candidates = await self._house.find(arrival.clues)
        return self._decided(head, arrival, candidates)

    async def head(self, envelope: Envelope, raw: bytes) -> Wire:
        """The gate is linear, but 25 MB of it would hold up everybody else."""
        limits = self._house.limits
        if len(raw) <= WIRE_THREADED_BYTES:
            return wire.read(raw, limits, envelope.smtputf8)
        return await asyncio.to_thread(wire.read, raw, limits, envelope.smtputf8)

    async def _arrive(
        self, envelope: Envelope, head: Wire, author: Address, raw: bytes
    ) -> Arrival:
        with _timed("authenticate"):
            evidence = await self._house.authenticator.evidence(envelope, head, raw)
        mail = await self._read(envelope, head, raw)
        digests, domain = replay_digests(evidence), evidence.dmarc.org_domain
        asked = clues.clues(envelope, head, mail, digests, domain)
        new = self._house.new_id()
        return Arrival(new, envelope, head.headers, raw, author, mail, evidence, asked)

    def _settle(self, arrival: Arrival, proof: Proof) -> Defer | Reject | None:
        """The SMTP reply, before any account is read."""
        loaded = self._house.loaded()
        envelope, mail = arrival.envelope, arrival.mail
        signals = loaded.early_signals(arrival.author, envelope, mail, len(arrival.raw))
        known = facts.early(envelope, arrival.evidence, proof, mail, signals)
        return policy.settle(loaded.policy, known)

    def _decided(self, head: Wire, arrival: Arrival, candidates: Candidates) -> Course:
        loaded = self._house.loaded()
        with _timed("decide"):
            situation = know.situation(arrival, candidates, self._house.knowing())
            known = facts.facts(situation, loaded.signals(situation))
            decision = guard.accepted(guard.guarded(known, policy.decide(loaded.policy, known)))
        with _timed("say"):
            said = effects.effects(
                situation,
                decision,
                loaded.templates,
                self._house.desk,
                loaded.routing,
                self._house.nonce(),
                loaded.policy.digest,
                facts.as_dict(known),
            )
        stored = replace(said, mail=replace(said.mail, raw=self._stamped(arrival)))
        return Course(
            head,
            ACCEPTED,
            situation.mail,
            arrival,
            situation.proof,
            situation,
            known,
            decision,
            stored,
        )

    def _stamped(self, arrival: Arrival) -> bytes:
        """The mail as it is stored: our own Authentication-Results field on top."""
        our_id = self._house.authserv_id
        envelope, evidence, author = arrival.envelope, arrival.evidence, arrival.author
        renamed = results.rename(arrival.raw, arrival.headers, our_id)
        return results.field(our_id, envelope, evidence, author) + renamed

    async def _read(self, envelope: Envelope, head: Wire, raw: bytes) -> Mail:
        instance = self._house.desk.instance
        with _timed("read"):
            if len(raw) <= THREADED_BYTES:
                return read(raw, head.headers, envelope, instance)
            return await asyncio.to_thread(read, raw, head.headers, envelope, instance)

    async def _refused(self, envelope: Envelope, head: Wire, raw: bytes) -> Course:
        """A header that cannot be believed: refused, and read for the log all the same."""
        mail = await self._read(envelope, head, raw)
        enhanced = head.defect.enhanced if head.defect else "5.6.0"
        why = head.defect.detail if head.defect else "no author"
        reason = "bad-lines" if enhanced == "5.5.2" else "malformed"
        return Course(
            head,
            Answer(550, enhanced, reason),
            mail,
            decision=Reject(rule="wire-gate", because=why),
        )

    async def handle(self, envelope: Envelope, raw: bytes, commit: Commit) -> Answer:
        """Decide one mail, commit it, and only then say what the other side is told.

        A defect of our own keeps the raw mail for `portiere queue retry`; a store that cannot be
        written is `try later`.
        """
        started = time.perf_counter()
        mail_id = None
        try:
            course = await self._settled(envelope, raw, commit)
            mail_id = course.arrival.id if course.arrival else None
        except Temporary as error:
            self._log.warning("not stored", session=envelope.session, error=str(error))
            return TRY_LATER
        except Exception as error:
            metrics.defects.inc()
            self._log.exception("a defect of ours", session=envelope.session)
            return await self._kept(envelope, raw, commit, error)
        self._summary(envelope, course, mail_id, time.perf_counter() - started)
        return course.answer

    async def _settled(self, envelope: Envelope, raw: bytes, commit: Commit) -> Course:
        for attempt in range(TRIES):
            course = await self.course(envelope, raw)
            if course.effects is None:
                return course
            try:
                with _timed("commit"):
                    done = await commit(course.effects)
            except Moved:
                metrics.decided_again.inc()
                await asyncio.sleep(0.005 * attempt)
                continue
            if done.duplicate:
                metrics.duplicates.inc()
            return course
        raise Temporary("the tickets of this mail keep moving")

    async def _kept(
        self, envelope: Envelope, raw: bytes, commit: Commit, error: Exception
    ) -> Answer:
        """The raw mail with the error, for ops; nothing of it is said outside."""
        try:
            await commit(
                effects.undecided(
                    envelope, raw, self._house.new_id(), f"{type(error).__name__}: {error}"
                )
            )
        except Exception:
            self._log.exception("could not keep the mail", session=envelope.session)
            return TRY_LATER
        return ACCEPTED

    def _summary(
        self, envelope: Envelope, course: Course, mail_id: str | None, seconds: float
    ) -> None:
        """One line and a few counters a mail."""
        decision, proof = course.decision, course.proof
        outcome = outcome_of(decision).value if decision else "?"
        rule = decision.rule if decision else "?"
        level = proof.level.value if proof else "none"
        metrics.mails.labels(outcome, rule).inc()
        metrics.proofs.labels(level).inc()
        for outgoing in course.effects.outgoing if course.effects else ():
            metrics.replies.labels(outgoing.kind).inc()
        self._log.info(
            "mail",
            mail=mail_id,
            session=envelope.session,
            client=envelope.client_ip,
            mail_from=envelope.mail_from,
            author=str(course.wire.author) if course.wire.author else None,
            proof=level,
            outcome=outcome,
            rule=rule,
            ticket=course.effects.mail.ticket if course.effects else None,
            replies=len(course.effects.outgoing) if course.effects else 0,
            code=course.answer.code,
            ms=round(seconds * 1000, 1),
        )


def _spoken(settled: Defer | Reject, evidence: Evidence) -> Answer:
    """What is said in the dialogue for a decision that was settled before any account was read."""
    if isinstance(settled, Reject):
        return FORGED
    keys_away = any(one.result is DkimResult.TEMPERROR for one in evidence.dkim)
    return KEYS_AWAY if keys_away else DNS_AWAY


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        metrics.stage_seconds.labels(stage).observe(time.perf_counter() - started)
