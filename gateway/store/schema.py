"""Every table, for SQLite and PostgreSQL alike. A change needs a version in `migrations/`.

Moments are microseconds since 1970, UTC (`columns.micros`); lists and objects are JSON in text
columns.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

HEAD = "0002"  # the newest version in migrations/versions

# Conditions of partial indexes; a query uses the index only where it says the same words.
WAITING = "state IN ('new', 'waiting for staff')"
OVERDUE = f"{WAITING} AND escalated_at IS NULL AND reply_due IS NOT NULL"
DUE = "state = 'due'"
FAILED = "state = 'failed'"
HELD = "state = 'held'"
UNSENT = "state IN ('due', 'held')"
DOUBTFUL = "doubts > 0"
UNSETTLED = "pending AND settled IS NULL"
PARKED = "state = 'parked'"
OPEN_MAILS = "state IN ('failed', 'parked', 'released')"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Serial = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's rowid must be INTEGER


def _serial() -> Column[int]:
    return Column("id", _Serial, primary_key=True, autoincrement=True)


def _text(name: str, *args: Any, null: bool = False, **options: Any) -> Column[str]:
    return Column(name, Text, *args, nullable=null, **options)


def _moment(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _list(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("'[]'"))


# Indexes over some rows only, and which. `postgres` says it to its dialect, which is not loaded
# for an SQLite file.
partial: dict[Index, str] = {}


def _partial(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    index = Index(name, *columns, unique=unique, sqlite_where=text(where))
    partial[index] = where
    return index


accounts = Table(
    "accounts",
    metadata,
    _text("number", primary_key=True),
    _text("name"),
    _text("language", null=True),
    _text("state"),  # active | suspended
    _moment("created_at"),
    _moment("updated_at"),
)

addresses = Table(
    "addresses",
    metadata,
    _serial(),
    _text("account", ForeignKey("accounts.number")),
    _text("address"),  # as it is shown and written to
    _text("key"),  # Address.key: what two addresses are compared by
    _text("role"),  # primary | secondary
    _list("kinds"),  # departments; none is all of them
    _moment("confirmed_at", null=True),
    _moment("asked_at", null=True),  # of the latest question whether it belongs to the account
    _moment("bounced_at", null=True),
    _moment("domain_changed_at", null=True),
    _moment("created_at"),
    UniqueConstraint("account", "key"),
)
Index("ix_addresses_key", addresses.c.key)
_partial("ix_addresses_primary", addresses.c.account, where="role = 'primary'", unique=True)

services = Table(
    "services",
    metadata,
    _serial(),
    _text("account", ForeignKey("accounts.number")),
    _text("name"),
    _text("name_key"),  # lower case
    _text("kind", null=True),
    _text("order_number", null=True),
    _list("ips"),
    UniqueConstraint("account", "name_key"),
)
Index("ix_services_name_key", services.c.name_key)
Index("ix_services_order_number", services.c.order_number)

service_ips = Table(
    "service_ips",
    metadata,
    Column("service", _Serial, ForeignKey("services.id", ondelete="CASCADE"), nullable=False),
    _text("account"),
    _text("ip"),
    PrimaryKeyConstraint("service", "ip"),
)
Index("ix_service_ips_ip", service_ips.c.ip)

tickets = Table(
    "tickets",
    metadata,
    _text("number", primary_key=True),
    _text("kind"),  # account | sort | enquiry
    _text("account", null=True),
    _text("subject"),
    _text("state"),
    _text("department"),
    _text("priority"),
    _text("proof"),
    _moment("opened_at"),
    _moment("queued_at"),
    _moment("updated_at"),
    _moment("closed_at", null=True),
    Column("version", Integer, nullable=False),
    _text("language", null=True),
    _flag("verified"),
    _text("merged_into", null=True),
    _text("linked_to", null=True),
    _text("assignee", null=True),
    _flag("asked"),
    _list("identifiers"),
    _text("body_digest", null=True),
    _text("enquirer", null=True),
    _list("candidates"),
    _moment("reply_due", null=True),
    _moment("escalated_at", null=True),
)
Index("ix_tickets_account_updated_at", tickets.c.account, tickets.c.updated_at)
Index("ix_tickets_opened_at", tickets.c.opened_at)
Index("ix_tickets_updated_at", tickets.c.updated_at)
_partial(
    "ix_tickets_queue",
    tickets.c.priority,
    tickets.c.queued_at,
    tickets.c.number,
    where=WAITING,
)
_partial(
    "ix_tickets_reply_due",
    tickets.c.reply_due,
    where=OVERDUE,
)

waiting = Table(  # how many tickets wait; a row for each process that writes, so that none waits
    "waiting",
    metadata,
    Column("shard", Integer, nullable=False),
    _text("priority"),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("shard", "priority"),
)

entries = Table(  # append-only
    "entries",
    metadata,
    _serial(),
    _text("ticket", ForeignKey("tickets.number")),
    _moment("at"),
    _text("by"),  # customer | staff | system
    _text("kind"),  # mail | note | event
    _text("author", null=True),
    _text("proof", null=True),
    _text("text"),
    _list("spans"),
    _flag("pending"),
    _flag("masked"),
    _text("mail", null=True),
    _text("settled", null=True),  # accepted | declined by staff, of a pending one
)
_partial("ix_entries_pending", entries.c.ticket, where=UNSETTLED)
Index("ix_entries_ticket", entries.c.ticket, entries.c.at)
Index("ix_entries_mail", entries.c.mail)

mails = Table(
    "mails",
    metadata,
    _serial(),
    _text("mail"),  # the id by which people ask for it
    _text("key"),  # envelope and content: the very same mail again
    _moment("received_at"),
    _text("facts"),
    _text("rule"),
    _text("outcome"),
    _text("policy_digest"),
    _text("state"),  # decided | record | failed | parked | released | expired | dropped
    _text("proof"),
    _text("author_key"),
    _text("message_id", null=True),
    _text("content_digest"),
    _text("body_digest"),
    _text("account", null=True),
    _text("ticket", null=True),
    _text("same_as", null=True),
    _text("automatic"),
    _text("subject"),
    _text("because"),
    _text("envelope"),
    _text("evidence"),
    _text("error", null=True),
    _text("raw_digest"),
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("mail"),
    UniqueConstraint("key"),
)
Index("ix_mails_received_at", mails.c.received_at)
Index("ix_mails_content_digest", mails.c.content_digest)
Index("ix_mails_message_id", mails.c.message_id)
_partial("ix_mails_open", mails.c.state, where=OPEN_MAILS)

attachments = Table(
    "attachments",
    metadata,
    _text("mail"),
    Column("position", Integer, nullable=False),
    _text("filename"),
    _text("content_type"),
    _text("declared_type"),
    Column("size", BigInteger, nullable=False),
    _text("digest"),
    _flag("inline"),
    PrimaryKeyConstraint("mail", "position"),
)

blobs = Table(  # bytes by digest; content is NULL where they lie in the blob store
    "blobs",
    metadata,
    _serial(),
    _text("digest"),
    Column("size", BigInteger, nullable=False),
    _moment("created_at"),
    Column("content", LargeBinary, nullable=True),
    UniqueConstraint("digest"),
)

outbox = Table(
    "outbox",
    metadata,
    _serial(),
    _text("ticket", null=True),
    _text("account", null=True),
    _text("recipient"),
    _text("envelope_from"),
    _text("kind"),
    _text("language"),
    _text("message_id"),
    _text("ledger", null=True),
    _flag("automatic"),
    _flag("notice"),
    _moment("due"),
    _text("merge_key", null=True),
    _text("held", null=True),
    _text("state"),  # due | held | sent | failed | replaced | dropped
    _text("owner", null=True),
    _moment("lease_until", null=True),
    Column("tries", Integer, nullable=False),
    _text("error", null=True),
    _moment("created_at"),
    _moment("sent_at", null=True),
    _moment("undelivered_at", null=True),
    _flag("maybe_twice"),  # an owner died with it, perhaps after sending
    _text("mail", null=True),
    _text("text"),
    Column("raw", LargeBinary, nullable=False),
    Column("doubts", Integer, nullable=False, server_default=text("0")),  # times it went perhaps
)
_partial("ix_outbox_doubts", outbox.c.doubts, where=DOUBTFUL)
_partial("ix_outbox_due", outbox.c.due, where=DUE)
_partial("ix_outbox_order", outbox.c.ticket, outbox.c.id, where=DUE)
_partial("ix_outbox_merge_key", outbox.c.merge_key, where=UNSENT)
_partial("ix_outbox_held", outbox.c.id, where=HELD)
_partial("ix_outbox_failed", outbox.c.id, where=FAILED)
_partial("ix_outbox_unsent", outbox.c.account, where=UNSENT)
Index("ix_outbox_ticket", outbox.c.ticket, outbox.c.id)
Index("ix_outbox_message_id", outbox.c.message_id)
Index("ix_outbox_mail", outbox.c.mail)

known_messages = Table(
    "known_messages",
    metadata,
    _text("message_id"),
    _text("ticket"),
    _flag("sent"),
    _flag("automatic"),
    _moment("created_at"),
    PrimaryKeyConstraint("message_id", "ticket"),
)

replays = Table(
    "replays",
    metadata,
    _text("digest"),
    _text("content_digest"),
    _moment("first_seen"),
    PrimaryKeyConstraint("digest", "content_digest"),
)
Index("ix_replays_first_seen", replays.c.first_seen)

ledger = Table(  # units of automatic mail, by hour; the empty key counts the whole ledger
    "ledger",
    metadata,
    _text("ledger"),
    _text("key"),
    Column("hour", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("ledger", "key", "hour"),
)
Index("ix_ledger_hour", ledger.c.hour)
Index("ix_ledger_key", ledger.c.key, ledger.c.hour)

parked = Table(
    "parked",
    metadata,
    _text("mail", primary_key=True),
    _text("account"),
    _text("ticket", null=True),
    _text("network", null=True),
    _moment("created_at"),
    _moment("expires"),
    _text("state"),  # parked | released | dropped | expired
)
_partial("ix_parked_account", parked.c.account, where=PARKED)
_partial("ix_parked_expires", parked.c.expires, where=PARKED)

jobs = Table(  # periodic work, done by one process at a time
    "jobs",
    metadata,
    _text("name", primary_key=True),
    _text("owner", null=True),
    _moment("lease_until", null=True),
    _moment("done_at", null=True),
)

gateways = Table(  # who works on this database; a row is renewed while its process lives
    "gateways",
    metadata,
    _text("instance", primary_key=True),
    _text("version"),  # of the program
    _text("policy_digest"),
    _moment("started_at"),
    _moment("seen_at"),
)

events = Table(
    "events",
    metadata,
    _serial(),
    _text("kind"),
    _text("ticket"),
    _moment("at"),
    _text("data"),
    _text("event", null=True),  # the id by which a follower knows that it has it already
    Column("entry", BigInteger, nullable=True),  # what was said, where something was
    _text("account", null=True),  # from here on: the ticket as it stood when this was committed
    _text("ticket_state", null=True),
    _text("department", null=True),
    _text("priority", null=True),
    _text("assignee", null=True),
)
Index("ix_events_event", events.c.event, unique=True)
Index("ix_events_at", events.c.at)
Index("ix_events_ticket", events.c.ticket, events.c.id)

followers = Table(  # who is told of which kinds; `*` is every kind
    "followers",
    metadata,
    _text("endpoint"),
    _text("kind"),
    PrimaryKeyConstraint("endpoint", "kind"),
)

webhooks = Table(  # an event for a follower: leases, like the outbox
    "webhooks",
    metadata,
    _serial(),
    _text("endpoint"),
    _text("event"),
    _text("kind"),
    _text("ticket"),
    _moment("due"),
    _text("state"),  # due | sent | failed | dropped
    _text("owner", null=True),
    _moment("lease_until", null=True),
    Column("tries", Integer, nullable=False),
    _text("error", null=True),
    _moment("created_at"),
    _moment("sent_at", null=True),
    UniqueConstraint("endpoint", "event"),
)
_partial("ix_webhooks_due", webhooks.c.endpoint, webhooks.c.due, where=DUE)
_partial("ix_webhooks_order", webhooks.c.endpoint, webhooks.c.ticket, webhooks.c.id, where=DUE)
_partial("ix_webhooks_failed", webhooks.c.id, where=FAILED)
Index("ix_webhooks_event", webhooks.c.event)

announcements = Table(
    "announcements",
    metadata,
    _text("slug", primary_key=True),
    _text("title"),
    _text("text"),
    _list("services"),
    _moment("starts_at"),
    _moment("ends_at", null=True),
)

copies = Table(  # of announcements, that are still to be queued
    "announcement_copies",
    metadata,
    _text("slug"),
    _text("account"),
    PrimaryKeyConstraint("slug", "account"),
)

answers = Table(  # what an article answered, and whether that helped; nothing of what was asked
    "answers",
    metadata,
    _serial(),
    _text("article"),
    _text("language"),
    _moment("at"),
    _text("author_key", null=True),  # forgotten when no ticket of his can count any more
    _text("message_id", null=True),  # of the answer, by which a reply to it is known
    _moment("unsolved_at", null=True),  # somebody replied that it did not help
    _moment("ticket_at", null=True),  # its author opened a ticket soon after
)
Index("ix_answers_author_key", answers.c.author_key, answers.c.at)
Index("ix_answers_message_id", answers.c.message_id)
Index("ix_answers_at", answers.c.at)

meta = Table("meta", metadata, _text("name", primary_key=True), _text("value"))
