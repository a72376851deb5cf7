"""The first version: every table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OVERDUE = (
    "state IN ('new', 'waiting for staff') AND escalated_at IS NULL AND reply_due IS NOT NULL"
)


def upgrade() -> None:
    """Create all tables and indexes."""
    _accounts()
    _announcements()
    _attachments()
    _blobs()
    _events()
    _jobs()
    _known_messages()
    _ledger()
    _mails()
    _meta()
    _outbox()
    _parked()
    _replays()
    _tickets()
    _waiting()
    _addresses()
    _entries()
    _services()
    _service_ips()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_accounts")),
    )


def _announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("services", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_announcements")),
    )


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("declared_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("mail", "position", name=op.f("pk_attachments")),
    )


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blobs")),
        sa.UniqueConstraint("digest", name=op.f("uq_blobs_digest")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_due",
        "events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )


def _known_messages() -> None:
    op.create_table(
        "known_messages",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "ticket", name=op.f("pk_known_messages")),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "key", "hour", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_hour", "ledger", ["hour"], unique=False)
    op.create_index("ix_ledger_key", "ledger", ["key", "hour"], unique=False)


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("author_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("same_as", sa.Text(), nullable=True),
        sa.Column("automatic", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("raw_digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("key", name=op.f("uq_mails_key")),
        sa.UniqueConstraint("mail", name=op.f("uq_mails_mail")),
    )
    op.create_index("ix_mails_content_digest", "mails", ["content_digest"], unique=False)
    op.create_index("ix_mails_message_id", "mails", ["message_id"], unique=False)
    op.create_index(
        "ix_mails_open",
        "mails",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('failed', 'parked', 'released')"),
        postgresql_where=sa.text("state IN ('failed', 'parked', 'released')"),
    )
    op.create_index("ix_mails_received_at", "mails", ["received_at"], unique=False)


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("envelope_from", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=True),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("notice", sa.Boolean(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("merge_key", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("undelivered_at", sa.BigInteger(), nullable=True),
        sa.Column("maybe_twice", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index("ix_outbox_mail", "outbox", ["mail"], unique=False)
    op.create_index(
        "ix_outbox_merge_key",
        "outbox",
        ["merge_key"],
        unique=False,
        sqlite_where=sa.text("state IN ('due', 'held')"),
        postgresql_where=sa.text("state IN ('due', 'held')"),
    )
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"], unique=False)
    op.create_index(
        "ix_outbox_order",
        "outbox",
        ["ticket", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index("ix_outbox_ticket", "outbox", ["ticket", "id"], unique=False)
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["account"],
        unique=False,
        sqlite_where=sa.text("state IN ('due', 'held')"),
        postgresql_where=sa.text("state IN ('due', 'held')"),
    )


def _parked() -> None:
    op.create_table(
        "parked",
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mail", name=op.f("pk_parked")),
    )
    op.create_index(
        "ix_parked_account",
        "parked",
        ["account"],
        unique=False,
        sqlite_where=sa.text("state = 'parked'"),
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_index(
        "ix_parked_expires",
        "parked",
        ["expires"],
        unique=False,
        sqlite_where=sa.text("state = 'parked'"),
        postgresql_where=sa.text("state = 'parked'"),
    )


def _replays() -> None:
    op.create_table(
        "replays",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "content_digest", name=op.f("pk_replays")),
    )
    op.create_index("ix_replays_first_seen", "replays", ["first_seen"], unique=False)


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("linked_to", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("identifiers", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=True),
        sa.Column("enquirer", sa.Text(), nullable=True),
        sa.Column("candidates", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("reply_due", sa.BigInteger(), nullable=True),
        sa.Column("escalated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
    )
    op.create_index(
        "ix_tickets_account_updated_at", "tickets", ["account", "updated_at"], unique=False
    )
    op.create_index("ix_tickets_opened_at", "tickets", ["opened_at"], unique=False)
    op.create_index(
        "ix_tickets_queue",
        "tickets",
        ["priority", "queued_at", "number"],
        unique=False,
        sqlite_where=sa.text("state IN ('new', 'waiting for staff')"),
        postgresql_where=sa.text("state IN ('new', 'waiting for staff')"),
    )
    op.create_index(
        "ix_tickets_reply_due",
        "tickets",
        ["reply_due"],
        unique=False,
        sqlite_where=sa.text(_OVERDUE),
        postgresql_where=sa.text(_OVERDUE),
    )


def _waiting() -> None:
    op.create_table(
        "waiting",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "priority", name=op.f("pk_waiting")),
    )


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("bounced_at", sa.BigInteger(), nullable=True),
        sa.Column("domain_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.number"], name=op.f("fk_addresses_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_addresses_account_key")),
    )
    op.create_index("ix_addresses_key", "addresses", ["key"], unique=False)
    op.create_index(
        "ix_addresses_primary",
        "addresses",
        ["account"],
        unique=True,
        sqlite_where=sa.text("role = 'primary'"),
        postgresql_where=sa.text("role = 'primary'"),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.number"], name=op.f("fk_entries_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
    )
    op.create_index("ix_entries_mail", "entries", ["mail"], unique=False)
    op.create_index("ix_entries_ticket", "entries", ["ticket", "at"], unique=False)


def _services() -> None:
    op.create_table(
        "services",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("ips", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.number"], name=op.f("fk_services_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("account", "name_key", name=op.f("uq_services_account_name_key")),
    )
    op.create_index("ix_services_name_key", "services", ["name_key"], unique=False)
    op.create_index("ix_services_order_number", "services", ["order_number"], unique=False)


def _service_ips() -> None:
    op.create_table(
        "service_ips",
        sa.Column("service", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service"], ["services.id"], name=op.f("fk_service_ips_service"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("service", "ip", name=op.f("pk_service_ips")),
    )
    op.create_index("ix_service_ips_ip", "service_ips", ["ip"], unique=False)
