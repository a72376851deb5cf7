"""Mails as ops see them: the trace of one, failures to be decided again, parked ones, and facts
for a replay.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, select, text, update

from gateway.core.model import Envelope, Listener
from gateway.store import schema
from gateway.store.blobs import BlobStore
from gateway.store.columns import micros, moment
from gateway.store.engine import Store
from gateway.store.outbox import shown
from gateway.store.prepared import Prepared, param

BATCH = 5_000
KINDS = 20_000  # different facts that are kept while mails are read
PER_NETWORK = 20  # parked mails that are shown of one source network

_m, _p = schema.mails.c, schema.parked.c


class StoredMail(NamedTuple):
    """What is needed to decide a mail again."""

    mail: str
    state: str  # failed: a defect of ours; released: confirmed by the customer
    envelope: Envelope
    raw: bytes  # as it is stored: with our own Authentication-Results where it was decided before
    key: str = ""
    content_digest: str = ""  # of the mail as it came
    account: str | None = None  # it was parked for this account, which has released it


class MailFacts(NamedTuple):
    """The stored facts of one mail, for re-deciding it under another policy."""

    mail: str
    received_at: datetime
    facts: dict[str, str | bool]
    rule: str
    outcome: str
    policy_digest: str


# ---- one mail


def raw(connection: Connection, blobs: BlobStore, mail: str) -> bytes | None:
    """The mail as it came, or None when it was erased."""
    digest = connection.execute(select(_m.raw_digest).where(_m.mail == mail)).scalar()
    return None if digest is None else content(connection, blobs, digest)


def content(connection: Connection, blobs: BlobStore, digest: str) -> bytes | None:
    """Bytes by their digest, wherever they lie."""
    c = schema.blobs.c
    row = connection.execute(select(c.content).where(c.digest == digest)).first()
    if row is None:
        return None
    if row[0] is not None:
        return bytes(row[0])
    try:
        return blobs.get(digest)
    except KeyError:
        return None


def trace(store: Store, asked: str) -> dict[str, Any] | None:
    """Everything about one mail, by its id, its Message-ID, or the Message-ID of a reply to it."""
    with store.reading() as connection:
        return _traced(connection, asked)


def _traced(connection: Connection, asked: str) -> dict[str, Any] | None:
    found = (
        connection.execute(select(schema.mails).where(_m.mail == _mail_of(connection, asked)))
        .mappings()
        .first()
    )
    if found is None:
        return None
    row = dict(found)
    mail = row.pop("mail")
    known: dict[str, Any] = {"mail": mail, **{k: v for k, v in row.items() if k != "id"}}
    known["received_at"] = moment(row["received_at"])
    for name in ("facts", "evidence", "envelope"):
        known[name] = json.loads(row[name])
    known["envelope"]["received_at"] = known["received_at"]
    known["attachments"] = _rows(connection, schema.attachments, schema.attachments.c.mail, mail)
    known["entries"] = _rows(connection, schema.entries, schema.entries.c.mail, mail)
    known["parked"] = _rows(connection, schema.parked, _p.mail, mail)
    known["copies"] = list(connection.execute(select(_m.mail).where(_m.same_as == mail)).scalars())
    sent = connection.execute(
        select(schema.outbox).where(schema.outbox.c.mail == mail).order_by(schema.outbox.c.id)
    )
    known["outgoing"] = [
        {k: v for k, v in shown(row).items() if k != "raw"} for row in sent.mappings()
    ]
    return known


def _mail_of(connection: Connection, asked: str) -> str | None:
    bare = asked if asked.startswith("<") else f"<{asked}>"
    o = schema.outbox.c
    for statement in (
        select(_m.mail).where(_m.mail == asked),
        select(_m.mail).where(_m.message_id.in_((asked, bare))).order_by(_m.id),
        select(o.mail).where(o.message_id.in_((asked, bare)), o.mail.is_not(None)),
    ):
        row = connection.execute(statement).first()
        if row is not None:
            return str(row[0])
    return None


def _rows(connection: Connection, table: Any, column: Any, mail: str) -> list[dict[str, Any]]:
    times = ("at", "created_at", "expires")
    found = connection.execute(select(table).where(column == mail))
    return [
        {k: moment(v) if k in times else v for k, v in row.items()} for row in found.mappings()
    ]


# ---- to be decided again


def released(connection: Connection) -> list[str]:
    """The ids of released mails, oldest first."""
    open_mails = schema.OPEN_MAILS
    statement = select(_m.mail).where(text(open_mails), _m.state == "released").order_by(_m.id)
    return [str(name) for name in connection.execute(statement).scalars()]


def to_decide(
    connection: Connection, blobs: BlobStore, mails: Iterable[str] | None = None, limit: int = 100
) -> list[StoredMail]:
    """Released mails, or the failed and released ones that are named; oldest first. One whose
    bytes are not there is left out.

    Committing a mail of the same id takes it out of this state.
    """
    freed = and_(_p.mail == _m.mail, _p.state == "released")
    columns = (_m.mail, _m.state, _m.envelope, _m.raw_digest, _m.key, _m.content_digest)
    statement = (
        select(*columns, _p.account)
        .select_from(schema.mails.outerjoin(schema.parked, freed))
        .order_by(_m.id)
        .limit(limit)
    )
    if mails is None:
        open_mails = schema.OPEN_MAILS.replace("state", "mails.state")
        statement = statement.where(text(open_mails), _m.state == "released")
    else:
        statement = statement.where(_m.mail.in_(list(mails)), _m.state.in_(("failed", "released")))
    stored = []
    for mail, state, said, digest, *rest in connection.execute(statement).all():
        found = content(connection, blobs, digest)
        if found is not None:
            stored.append(StoredMail(mail, state, envelope_of(said), found, *rest))
    return stored


def envelope_of(column: str) -> Envelope:
    """The envelope as it was received."""
    said = json.loads(column)
    said["recipients"] = tuple(said["recipients"])
    said["listener"] = Listener(said["listener"])
    said["received_at"] = moment(said["received_at"])
    return Envelope(**said)


def list_failed(connection: Connection, limit: int = 200) -> list[dict[str, Any]]:
    """Mails that a defect of ours kept from being decided, oldest first."""
    columns = (_m.mail, _m.received_at, _m.author_key, _m.subject, _m.error, _m.size)
    statement = (
        select(*columns)
        .where(text(schema.OPEN_MAILS), _m.state == "failed")
        .order_by(_m.id)
        .limit(limit)
    )
    return [_dated(row) for row in connection.execute(statement).mappings()]


def drop_failed(connection: Connection, mails: Iterable[str]) -> int:
    """Ops do not want them decided; they stay stored. How many."""
    statement = (
        update(schema.mails)
        .where(_m.mail.in_(list(mails)), _m.state == "failed")
        .values(state="dropped")
    )
    return int(connection.execute(statement).rowcount)


def counts(connection: Connection) -> dict[str, int]:
    """How many mails failed, are parked, or wait to be decided as released."""
    statement = select(_m.state, func.count()).where(text(schema.OPEN_MAILS)).group_by(_m.state)
    return {str(state): int(n) for state, n in connection.execute(statement)}


# ---- parked


def list_parked(
    connection: Connection,
    account: str | None = None,
    *,
    per_network: int | None = PER_NETWORK,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """Mail that waits for its account's confirmation, oldest first; of a network its share."""
    columns = (_p.account, _p.ticket, _p.network, _p.created_at, _p.expires)
    of_mail = (_m.mail, _m.received_at, _m.author_key, _m.subject, _m.proof, _m.size)
    statement = (
        select(*columns, *of_mail)
        .join(schema.mails, _m.mail == _p.mail)
        .where(text("parked.state = 'parked'"))
        .order_by(_p.created_at, _p.mail)
        .limit(limit)
    )
    if account is not None:
        statement = statement.where(_p.account == account)
    shares: dict[tuple[str, str | None], int] = {}
    listed = []
    for row in connection.execute(statement).mappings():
        source = (row["account"], row["network"])
        shares[source] = shares.get(source, 0) + 1
        if per_network is None or row["network"] is None or shares[source] <= per_network:
            listed.append(_dated(row))
    return listed


def release(connection: Connection, mails: Iterable[str]) -> int:
    """Confirmed: to be decided again, with their original time. How many were still parked."""
    return _unpark(connection, "released", _p.mail.in_(list(mails)))


def drop_parked(connection: Connection, mails: Iterable[str]) -> int:
    """Ops or the customer do not want them; they stay stored. How many were still parked."""
    return _unpark(connection, "dropped", _p.mail.in_(list(mails)))


def expire(connection: Connection, now: datetime) -> int:
    """What nobody released in time; how many."""
    return _unpark(connection, "expired", _p.expires <= micros(now))


def _unpark(connection: Connection, state: str, which: Any) -> int:
    result = connection.execute(
        update(schema.parked)
        .where(text(schema.PARKED), which)
        .values(state=state)
        .returning(_p.mail)
    )
    mails = list(result.scalars())
    statement = update(schema.mails).where(_m.mail.in_(mails), _m.state == "parked")
    connection.execute(statement.values(state=state))
    return len(mails)


def _dated(row: Any) -> dict[str, Any]:
    times = ("received_at", "created_at", "expires")
    return {k: moment(v) if k in times else v for k, v in row.items()}


# ---- facts


_FACTS = Prepared(
    select(_m.id, _m.mail, _m.received_at, _m.facts, _m.rule, _m.outcome, _m.policy_digest)
    .where(_m.id > param("after"), _m.received_at >= param("since"))
    .order_by(_m.id)
    .limit(param("most"))
)


def iter_facts(store: Store, since: datetime) -> Iterator[MailFacts]:
    """The facts of every mail since then that was decided, in the order of arrival.

    Read in batches, each a short transaction of its own, so that a long replay holds up nobody.
    A month's mails are of few kinds: equal facts are read once, and shared.
    """
    after, begin = 0, micros(since)
    decode = lru_cache(KINDS)(json.JSONDecoder().decode)
    while True:
        with store.read() as link:
            batch = link.rows(_FACTS, {"after": after, "since": begin, "most": BATCH})
        for row in batch:
            if row[3] != "{}":
                yield MailFacts(row[1], moment(row[2]), decode(row[3]), row[4], row[5], row[6])
        if len(batch) < BATCH:
            return
        after = batch[-1][0]


def count_since(connection: Connection, since: datetime) -> int:
    """How many mails came since then, for a progress bar."""
    statement = select(func.count()).select_from(schema.mails)
    return int(connection.execute(statement.where(_m.received_at >= micros(since))).scalar_one())
