"""Effects of one mail as rows, inside a savepoint that the writer holds: all of them, or none.

What the decision rested on is looked at again here: ticket versions, numbers, caps, signatures
seen meanwhile, answers that were committed before the mail that they answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import literal_column, null, select, update

from gateway import errors
from gateway.core.model import (
    Committed,
    Effects,
    Envelope,
    Moved,
    ProofLevel,
    Spend,
    TicketChange,
    TicketState,
    UnconfirmedAddress,
)
from gateway.store import changes, feedback, pending, reports, schema, telling
from gateway.store.blobs import INLINE
from gateway.store.columns import HOUR, dump, micros
from gateway.store.prepared import (
    Link,
    Prepared,
    Row,
    Step,
    Values,
    const,
    insert_into,
    listed,
    named_in,
    param,
)
from gateway.store.upsert import insert

REPLAY_DAYS = 14
_ENVELOPE = fields(Envelope)
CAP_HOURS = 24

_m = schema.mails.c
_MAIL = Prepared(insert_into(schema.mails, unless_there=True))
_EARLIER = Prepared(select(_m.mail, _m.state).where(_m.key == param("the_key")))
_AGAIN = Prepared(
    update(schema.mails)
    .where(_m.mail == param("the_mail"), _m.state.in_((const("failed"), const("released"))))
    .values({c.name: param(c.name) for c in _m if c.name not in ("id", "mail", "key")})
)
_BLOB = Prepared(insert_into(schema.blobs, unless_there=True))
CLAIMED, REMOVED = -1, -2  # sizes of rows that stand for no content: the sweep is at it, or was
_b = schema.blobs.c
_GONE = Prepared(named_in("digests", _b.digest, _b.digest, _b.size).where(_b.size < 0))
_AGAIN_THERE = Prepared(
    update(schema.blobs)
    .where(_b.digest == param("the_digest"), _b.size == literal_column(str(REMOVED)))
    .values(size=param("size"), created_at=param("created_at"))
)
_ATTACHMENT = Prepared(insert_into(schema.attachments, unless_there=True))
_REPLAY = Prepared(insert_into(schema.replays, unless_there=True))
_r = schema.replays.c
_REPLAYED = Prepared(
    named_in("digests", _r.digest, _r.digest).where(
        _r.content_digest != param("content"), _r.first_seen > param("since")
    )
)
_one = {"ledger": param("ledger"), "hour": param("hour"), "n": literal_column("1")}
_l = insert(schema.ledger).values([{**_one, "key": param("key")}, {**_one, "key": const("")}])
_SPEND = Prepared(
    _l.on_conflict_do_update(
        index_elements=["ledger", "key", "hour"], set_={"n": schema.ledger.c.n + _l.excluded.n}
    )
)
_c = schema.ledger.c
_SPENT = Prepared(
    select(_c.n).where(
        _c.ledger == param("the_ledger"),
        _c.key == param("the_key"),
        _c.hour >= param("since"),
    )
)
_p = insert_into(schema.parked)
_PARK = Prepared(
    _p.on_conflict_do_update(
        index_elements=["mail"],
        set_={name: _p.excluded[name] for name in ("state", "account", "ticket", "expires")},
    )
)
_RELEASE = Prepared(
    update(schema.parked)
    .where(schema.parked.c.mail == param("the_mail"), schema.parked.c.state == const("parked"))
    .values(state="released")
)
_RELEASED = Prepared(
    update(schema.mails)
    .where(_m.mail == param("the_mail"), _m.state == const("parked"))
    .values(state="released")
)
_a = schema.addresses.c
_CONFIRM = Prepared(
    update(schema.addresses)
    .where(
        _a.account == param("the_account"),
        _a.key == param("the_key"),
        _a.asked_at == param("asked"),
        _a.confirmed_at.is_(None),
    )
    .values(confirmed_at=param("at"), asked_at=null(), bounced_at=null())
)
_k = schema.known_messages.c
_t = schema.tickets.c
_LATE = Prepared(  # the tickets that already know a Message-ID from a customer, and whose they are
    named_in("ids", _k.message_id, _k.ticket, _t.account)
    .join(schema.tickets, _t.number == _k.ticket)
    .where(_k.sent.is_(False))
)


class LateParent(Moved):
    """Said once a mail: it may have good reasons not to join the ticket that its answer opened."""


class Swept(Moved):
    """Content of the mail was taken for an orphan after it was put; it must be put again."""

    def __init__(self, removed: frozenset[str]) -> None:
        """`removed` are the digests that are gone for good; others are just being removed."""
        super().__init__("content of this mail was swept meanwhile")
        self.removed = removed


def apply(
    link: Link,
    effects: Effects,
    raw_digest: str,
    shard: int,
    *,
    first_try: bool = True,
    put_again: frozenset[str] = frozenset(),
) -> Committed:
    """Write everything that one mail does.

    Moved when something that it rests on has changed; `first_try` is False after LateParent, and
    `put_again` are digests of Swept that have been put since.
    """
    mail = effects.mail
    at = micros(mail.received_at)
    known, standing, late = _looked(link, effects, raw_digest)
    if known is not None:
        return Committed(known, duplicate=True)
    if first_try and late:
        raise LateParent("an answer to this mail, or what it answers, came meanwhile")
    _changed(effects, standing)
    raised = reports.undelivered(link, effects, standing)
    steps = _content(effects, raw_digest)
    for new in effects.tickets:
        steps += changes.opened(new, shard)
    for one in standing.values():
        steps += one.steps(shard)
    steps += [pending.settle(number, accepted=taken) for number, taken in effects.settles]
    steps += [changes.entry(new, mail.id) for new in (*effects.entries, *raised.entries)]
    steps += [changes.known(one, at) for one in effects.known]
    for out in raised.outgoing:
        steps += changes.outgoing(link, out, mail.id, at)
    steps += raised.steps
    for happened in (*effects.events, *raised.events):
        steps += telling.steps(happened, (*effects.entries, *raised.entries))
    steps += _marks(effects, at)
    steps += feedback.answered(effects)
    checks = [
        *_caps(effects.spends),
        *_replays(effects),
        *_swept(effects, raw_digest, put_again, at),
    ]
    steps += [step for step, _ in checks]
    answers = changes.run(link, [*steps, *feedback.heard(effects)])
    *answers, unsolved, ticketed = answers
    for (_, check), answer in zip(checks, answers[len(steps) - len(checks) :], strict=True):
        check(answer.rows)
    return Committed(mail.id, unsolved=unsolved.touched, ticketed=ticketed.touched)


def _looked(
    link: Link, effects: Effects, raw_digest: str
) -> tuple[str | None, dict[str, changes.Standing], bool]:
    """Write the mail's row, and in the same breath lock its tickets and look for late parents.

    The id of an earlier arrival (nothing more is to be done then), the tickets, and whether an
    answer to this mail, or what it answers, belongs to another ticket of the account by now.
    """
    values = mail_row(effects, raw_digest)
    merged = {number for pair in effects.merges for number in pair}
    wanted = {change.number for change in effects.changes} | set(effects.expects) | merged
    ids = _late_ids(effects)
    asked: list[tuple[Prepared, Values]] = [(_MAIL, values)]
    if wanted:
        asked.append((changes.LOCK, {"numbers": listed(sorted(wanted))}))
    if ids:
        asked.append((_LATE, {"ids": listed(ids)}))
    inserted, *found = link.answers(asked)
    known = None if inserted.touched else _earlier(link, effects, values)
    standing = changes.locked(found[0].rows) if wanted else {}
    return known, standing, bool(ids) and _is_late(effects, found[-1].rows)


def _earlier(link: Link, effects: Effects, values: Values) -> str | None:
    """The id of an earlier arrival, or None for the same mail after a failure or a release."""
    found = link.rows(_EARLIER, {"the_key": effects.mail.key})
    if not found:
        raise errors.Defect(f"mail id `{effects.mail.id}` stands already under another key")
    mail, state = found[0]
    if mail == effects.mail.id and state in ("failed", "released"):
        again = {name: value for name, value in values.items() if name not in ("mail", "key")}
        if link.run(_AGAIN, {**again, "the_mail": mail}):
            return None
    return str(mail)


def mail_row(effects: Effects, raw_digest: str) -> dict[str, Any]:
    """The columns of the mail itself."""
    mail = effects.mail
    return {
        "mail": mail.id,
        "key": mail.key,
        "received_at": micros(mail.received_at),
        "facts": dump(mail.facts),
        "rule": mail.rule,
        "outcome": mail.outcome,
        "policy_digest": mail.policy_digest,
        "state": _state(effects),
        "proof": mail.proof,
        "author_key": mail.author_key,
        "message_id": mail.message_id,
        "content_digest": mail.content_digest,
        "body_digest": mail.body_digest,
        "account": mail.account,
        "ticket": mail.ticket,
        "same_as": mail.same_as,
        "automatic": mail.automatic,
        "subject": mail.subject,
        "because": mail.because,
        "envelope": envelope_column(mail.envelope),
        "evidence": dump(mail.evidence),
        "error": mail.error,
        "raw_digest": raw_digest,
        "size": len(mail.raw),
    }


def envelope_column(envelope: Envelope) -> str:
    """The session's words as JSON."""
    said = {one.name: getattr(envelope, one.name) for one in _ENVELOPE}
    return dump(said | {"received_at": micros(envelope.received_at)})


def _state(effects: Effects) -> str:
    if effects.mail.error is not None:
        return "failed"
    if effects.parked is not None:
        return "parked"
    return "record" if effects.mail.outcome == "record" else "decided"


def _changed(effects: Effects, standing: Mapping[str, changes.Standing]) -> None:
    """The standing tickets that are expected or changed: checked, and changed in memory."""
    versions = [*effects.expects.items(), *((c.number, c.version) for c in effects.changes)]
    for number, version in versions:
        if number not in standing or standing[number].version != version:
            raise Moved(f"ticket {number} changed while the mail was being decided")
    for change in effects.changes:
        standing[change.number].change(change)
    _merged(effects, standing)


def _merged(effects: Effects, standing: Mapping[str, changes.Standing]) -> None:
    """A merge stays within one account."""
    at = effects.mail.received_at
    for number, into in effects.merges:
        one, other = standing.get(number), standing.get(into)
        if one is None or other is None:
            raise Moved(f"ticket {number} or {into} is not there any more")
        merge(one, other, at)


def merge(one: changes.Standing, other: changes.Standing, at: datetime) -> None:
    """Close `one` into `other`. Permanent where they are not of one account, or merged already."""
    number, into = one.row["number"], other.row["number"]
    if one.row["account"] is None or one.row["account"] != other.row["account"]:
        raise errors.Permanent(f"tickets {number} and {into} are not of the same account")
    if number == into or one.row["merged_into"] or other.row["merged_into"]:
        raise errors.Permanent(f"ticket {number} or {into} is merged already")
    one.change(TicketChange(number, one.version, at, state=TicketState.CLOSED))
    one.set(at, merged_into=into)


def _content(effects: Effects, raw_digest: str) -> list[Step]:
    """Raw mail and attachments: small ones here, large ones lie in the blob store already."""
    mail = effects.mail
    at = micros(mail.received_at)
    steps = [blob(raw_digest, mail.raw, at)]
    for position, one in enumerate(effects.attachments):
        steps.append(blob(one.digest, one.content, at))
        values = {
            "mail": mail.id,
            "position": position,
            "filename": one.filename,
            "content_type": one.content_type,
            "declared_type": one.declared_type,
            "size": one.size,
            "digest": one.digest,
            "inline": one.inline,
        }
        steps.append(Step(_ATTACHMENT, values))
    return steps


def blob(digest: str, content: bytes, at: int) -> Step:
    """The row of some bytes."""
    inline = content if len(content) <= INLINE else None
    values = {"digest": digest, "size": len(content), "created_at": at, "content": inline}
    return Step(_BLOB, values)


def _late_ids(effects: Effects) -> list[str]:
    """The mail's own id and those of its parents, where it opens a ticket of an account."""
    if not effects.tickets or effects.tickets[0].account is None:
        return []
    own = [effects.mail.message_id] if effects.mail.message_id else []
    return own + [one.message_id for one in effects.known if not one.sent]


def _is_late(effects: Effects, rows: Iterable[Row]) -> bool:
    """A reply may be committed before the mail that it answers, which then joins its ticket."""
    fresh = {new.number for new in effects.tickets}
    account = effects.tickets[0].account
    others = (ticket for ticket, owner in rows if owner == account)
    return any(ticket not in fresh and ticket not in effects.expects for ticket in others)


def _marks(effects: Effects, at: int) -> list[Step]:
    """Parked and released mail, and signatures to remember."""
    mail = effects.mail
    steps = []
    if effects.parked is not None:
        one = effects.parked
        values = {
            "mail": mail.id,
            "account": one.account,
            "ticket": one.ticket,
            "network": one.network,
            "created_at": at,
            "expires": micros(one.expires),
            "state": "parked",
        }
        steps.append(Step(_PARK, values))
    for released in effects.release:
        steps.append(Step(_RELEASE, {"the_mail": released}))
        steps.append(Step(_RELEASED, {"the_mail": released}))
    for one_address in effects.confirms:
        steps.append(_confirmed(one_address, at))
    for digest in effects.replays:
        seen = {"digest": digest, "content_digest": mail.content_digest, "first_seen": at}
        steps.append(Step(_REPLAY, seen))
    return steps


def _confirmed(one: UnconfirmedAddress, at: int) -> Step:
    """Moved where it was removed, asked again, or voided meanwhile."""
    asked = {"the_account": one.account, "the_key": one.key, "asked": micros(one.asked_at)}
    return Step(_CONFIRM, {**asked, "at": at}, rows=1)


_Check = tuple[Step, Callable[[list[Row]], None]]


def large(effects: Effects, raw_digest: str) -> dict[str, bytes]:
    """What lies in the blob store, by digest."""
    found = {one.digest: one.content for one in effects.attachments}
    found[raw_digest] = effects.mail.raw
    return {digest: content for digest, content in found.items() if len(content) > INLINE}


def _swept(effects: Effects, raw_digest: str, put_again: frozenset[str], at: int) -> list[_Check]:
    """Large content was put before this transaction; a sweep may have come between."""
    contents = large(effects, raw_digest)
    checks: list[_Check] = []
    for digest in put_again & contents.keys():
        values = {"the_digest": digest, "size": len(contents[digest]), "created_at": at}
        checks.append((Step(_AGAIN_THERE, values), lambda _: None))
    if contents:
        checks.append((Step(_GONE, {"digests": listed(contents)}), _there))
    return checks


def _there(rows: list[Row]) -> None:
    if rows:
        raise Swept(frozenset(digest for digest, size in rows if size == REMOVED))


def spend(link: Link, spends: Iterable[Spend]) -> None:
    """Count what a command sends, inside its transaction. Moved where a share is used up."""
    checks = _caps(spends)
    for (_, check), answer in zip(checks, changes.run(link, [s for s, _ in checks]), strict=True):
        check(answer.rows)


def _caps(spends: Iterable[Spend]) -> list[_Check]:
    """Count units for the destination and for the whole ledger; Moved where a cap is used up."""
    checks: list[_Check] = []
    for spend in spends:
        hour = micros(spend.at) // HOUR
        unit = {"ledger": spend.ledger, "key": spend.key, "hour": hour}
        checks.append((Step(_SPEND, unit), lambda _: None))
        if spend.limit is not None:
            asked = {"the_ledger": spend.ledger, "the_key": spend.key, "since": hour - CAP_HOURS}
            checks.append((Step(_SPENT, asked), partial(_within, spend)))
    return checks


def _within(spend: Spend, rows: list[Row]) -> None:
    if spend.limit is not None and sum(row[0] for row in rows) > spend.limit:
        raise Moved(f"the cap `{spend.ledger}` was used up while the mail was being decided")


def _replays(effects: Effects) -> list[_Check]:
    """Of two mails under one signature that are decided at the same time, one is a replay."""
    if effects.mail.proof != ProofLevel.STRONG or not effects.replays:
        return []
    asked = {
        "digests": listed(effects.replays),
        "content": effects.mail.content_digest,
        "since": micros(effects.mail.received_at - timedelta(days=REPLAY_DAYS)),
    }
    return [(Step(_REPLAYED, asked), _alone)]


def _alone(rows: list[Row]) -> None:
    if rows:
        raise Moved("a mail with the same signature came meanwhile")
