"""The way of one mail through the house: the stages in order, and the only place where they meet.

`Pipeline.course` reads, proves, decides and renders, and writes nothing: `explain` calls it alone.
`Pipeline.handle` is given the committing function, and answers the sender only after it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from gateway import log, metrics
from gateway.authenticate import results
from gateway.authenticate.evidence import Authenticator
from gateway.core import know
from gateway.core.decide import facts, guard, policy
from gateway.core.decide.facts import Facts
from gateway.core.know import Arrival, Knowing, coalescing
from gateway.core.know import token as tokens
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
    ProofLevel,
    Reject,
    Situation,
    Wire,
    outcome_of,
)
from gateway.core.read import clues, mime, read, wire
from gateway.core.say import effects
from gateway.errors import Defect, Permanent, Temporary
from gateway.load import Loaded

THREADED_BYTES = 65_536  # above this, reading goes to a thread: the loop has others to serve
WIRE_THREADED_BYTES = 1_048_576  # above this, the gate goes to a thread too
TRIES = 5  # how often a mail is decided again because a ticket moved

P = ParamSpec("P")
T = TypeVar("T")
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
    shadow: Decision | None = None  # of policies/next, where that is another one

    @property
    def author(self) -> Address | None:
        """Who is taken to have written it: of certified mail, the letter's author."""
        return self.arrival.author if self.arrival else self.wire.author


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail that the store holds, to be decided under its own id and at its own time."""

    id: str
    key: str
    envelope: Envelope
    raw: bytes  # as it came
    confirmed: str | None = None  # the account that released it from parked mail


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
    budget: mime.Budget = mime.USUAL
    renewed: Callable[[], Knowing] | None = None  # asked for a token of a key that is not known


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
        settled = self._settled_early(head, arrival, early)
        if settled is not None:
            return settled
        with _Timed("find"):
            candidates = await self._house.find(arrival.clues)
        return await _threaded(len(raw), self._decided, head, arrival, candidates)

    async def course_again(self, kept: Kept) -> Course:
        """The course of a stored mail. Nothing is said in a dialogue any more.

        `Temporary` where DNS cannot say now who wrote it, `Permanent` where it has no author.
        """
        head = await self.head(kept.envelope, kept.raw)
        if head.defect or not head.author:
            raise Permanent(f"its header is refused: {head.defect and head.defect.detail}")
        arrival = await self._arrive(kept.envelope, head, head.author, kept.raw)
        arrival = replace(arrival, id=kept.id, confirmed=kept.confirmed)
        proof = know.prove(arrival, self._house.knowing())
        if proof.level is ProofLevel.TEMPERROR and kept.confirmed is None:
            raise Temporary(f"it cannot be found out now who wrote it: {proof.because[0]}")
        course = self._decided(head, arrival, await self._house.find(arrival.clues))
        if course.effects is None:
            return course
        row = replace(course.effects.mail, key=kept.key)
        return replace(course, effects=replace(course.effects, mail=row))

    async def head(self, envelope: Envelope, raw: bytes) -> Wire:
        """The gate is linear, but 25 MB of it would hold up everybody else."""
        limits = self._house.limits
        if len(raw) <= WIRE_THREADED_BYTES:
            return wire.read(raw, limits, envelope.smtputf8)
        return await asyncio.to_thread(wire.read, raw, limits, envelope.smtputf8)

    async def _arrive(
        self, envelope: Envelope, head: Wire, author: Address, raw: bytes
    ) -> Arrival:
        with _Timed("authenticate"):
            evidence = await self._house.authenticator.evidence(envelope, head, raw)
        mail = await self._read(envelope, head, raw)
        digests, domain = replay_digests(evidence), evidence.dmarc.org_domain
        letter = evidence.certified and evidence.certified.sender
        if letter:  # certified mail: who wrote the letter, not the provider that wrapped it
            head, author, domain = replace(head, author=letter), letter, None
        with _Timed("clues"):
            asked = await _threaded(len(raw), clues.clues, envelope, head, mail, digests, domain)
        new = self._house.new_id()
        return Arrival(new, envelope, head.headers, raw, author, mail, evidence, asked)

    def _settled_early(self, head: Wire, arrival: Arrival, proof: Proof) -> Course | None:
        """The SMTP reply, before any account is read."""
        loaded = self._house.loaded()
        envelope, mail = arrival.envelope, arrival.mail
        signals = loaded.early_signals(arrival.author, envelope, mail, len(arrival.raw))
        known = facts.early(envelope, arrival.evidence, proof, mail, signals)
        settled = policy.settle(loaded.policy, known)
        if settled is None:
            return None
        # What was not asked for has its worse value, for the shadow as for the rules in force.
        shadow = loaded.shadow(facts.completed(known), settled)
        spoken = _spoken(settled, arrival.evidence)
        return Course(head, spoken, mail, arrival, proof, decision=settled, shadow=shadow)

    def _decided(self, head: Wire, arrival: Arrival, candidates: Candidates) -> Course:
        loaded, knowing = self._house.loaded(), self._knowing(arrival)
        with _Timed("decide"):
            situation = know.situation(arrival, candidates, knowing)
            known = facts.facts(situation, loaded.signals(situation))
            chosen = guard.guarded(known, policy.decide(loaded.policy, known))
            shadow, decision = loaded.shadow(known, chosen), guard.accepted(chosen)
            decision = coalescing.explained(situation, decision)
        with _Timed("say"):
            said = effects.effects(
                situation,
                decision,
                loaded.templates,
                replace(self._house.desk, keys=knowing.keys),
                loaded.routing,
                self._house.nonce(),
                loaded.policy.digest,
                facts.as_dict(known),
            )
        stored = replace(said, mail=replace(said.mail, raw=self._stamped(head, arrival)))
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
            shadow,
        )

    def _knowing(self, arrival: Arrival) -> Knowing:
        """One set of keys for reading this mail and for answering it."""
        knowing = self._house.knowing()
        texts = (*arrival.envelope.recipients[:20], *tokens.tokens_of(arrival.mail))
        if self._house.renewed is None or not tokens.strange(knowing.keys, texts):
            return knowing
        return self._house.renewed()

    def _stamped(self, head: Wire, arrival: Arrival) -> bytes:
        """The mail as it is stored: our own Authentication-Results field on top."""
        our_id = self._house.authserv_id
        envelope, evidence = arrival.envelope, arrival.evidence
        written = head.author or arrival.author
        renamed = results.rename(arrival.raw, arrival.headers, our_id)
        return results.field(our_id, envelope, evidence, written) + renamed

    async def _read(self, envelope: Envelope, head: Wire, raw: bytes) -> Mail:
        instance = self._house.desk.instance
        with _Timed("read"):
            budget = self._house.budget
            return await _threaded(len(raw), read, raw, head.headers, envelope, instance, budget)

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
            course = await self._settled(lambda: self.course(envelope, raw), commit)
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

    async def again(self, kept: Kept, commit: Commit) -> Course:
        """Decide a stored mail and commit it. It stays as it is after `Temporary`, `Permanent`.

        A defect of ours is written to its row, and raised.
        """
        started = time.perf_counter()
        try:
            course = await self._settled(lambda: self.course_again(kept), commit)
        except (Temporary, Permanent):
            raise
        except Exception as error:
            metrics.defects.inc()
            self._log.exception("a defect of ours", mail=kept.id)
            said = f"{type(error).__name__}: {error}"
            row = effects.undecided(kept.envelope, kept.raw, kept.id, said)
            await commit(replace(row, mail=replace(row.mail, key=kept.key)))
            raise Defect(said) from error
        self._summary(kept.envelope, course, kept.id, time.perf_counter() - started)
        return course

    async def _settled(self, find_out: Callable[[], Awaitable[Course]], commit: Commit) -> Course:
        for attempt in range(TRIES):
            course = await find_out()
            if course.effects is None:
                return course
            try:
                with _Timed("commit"):
                    done = await commit(course.effects)
            except Moved:
                metrics.decided_again.inc()
                await asyncio.sleep(0.005 * attempt)
                continue
            if done.duplicate:
                metrics.duplicates.inc()
            _count_answers(course.effects, done)
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
            author=None if course.author is None else str(course.author),
            proof=level,
            outcome=outcome,
            rule=rule,
            ticket=course.effects.mail.ticket if course.effects else None,
            replies=len(course.effects.outgoing) if course.effects else 0,
            code=course.answer.code,
            ms=round(seconds * 1000, 1),
        )
        if decision and course.shadow:
            self._differs(mail_id, decision, course.shadow)

    def _differs(self, mail_id: str | None, decision: Decision, shadow: Decision) -> None:
        """policies/next would have done something else: counted and logged, and nothing more."""
        metrics.shadow_differences.labels(decision.rule, shadow.rule).inc()
        self._log.info(
            "shadow differs",
            mail=mail_id,
            outcome=outcome_of(decision).value,
            rule=decision.rule,
            next_outcome=outcome_of(shadow).value,
            next_rule=shadow.rule,
        )


async def _threaded(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What is pure, in a thread where the mail is large."""
    if size <= THREADED_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def _count_answers(said: Effects, done: Committed) -> None:
    """What articles answered, and what people say of earlier answers."""
    if said.answered is not None and not done.duplicate:
        metrics.answers.labels("sent").inc()
    metrics.answers.labels("unsolved").inc(done.unsolved)
    metrics.answers.labels("ticket").inc(done.ticketed)


def _spoken(settled: Defer | Reject, evidence: Evidence) -> Answer:
    """What is said in the dialogue for a decision that was settled before any account was read."""
    if isinstance(settled, Reject):
        return FORGED
    keys_away = any(one.result is DkimResult.TEMPERROR for one in evidence.dkim)
    return KEYS_AWAY if keys_away else DNS_AWAY


class _Timed:
    """Counts the wall time of a stage."""

    __slots__ = ("_seconds", "_started")

    def __init__(self, stage: str) -> None:
        self._seconds = metrics.stage(stage)

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_error: object) -> None:
        self._seconds(time.perf_counter() - self._started)
