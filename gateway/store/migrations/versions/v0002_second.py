"""The second version: what came after the first release of the schema."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = sa.text("state = 'due'")


def upgrade() -> None:
    """Bring tables of the first version to the second."""
    _gateways()
    _questions_to_addresses()
    _answers()
    _events()
    _webhooks()
    _doubts()
    _settled()
    _copies()


def _events() -> None:
    """Events tell how the ticket stood; that one was told is a row of `webhooks` from now on."""
    op.drop_index("ix_events_due", "events")
    op.execute("ALTER TABLE events DROP COLUMN state")
    op.add_column("events", sa.Column("event", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("entry", sa.BigInteger(), nullable=True))
    for name in ("account", "ticket_state", "department", "priority", "assignee"):
        op.add_column("events", sa.Column(name, sa.Text(), nullable=True))
    op.execute("UPDATE events SET event = 'e' || id")
    op.create_index("ix_events_event", "events", ["event"], unique=True)
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_ticket", "events", ["ticket", "id"])


def _webhooks() -> None:
    op.create_table(
        "followers",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "kind", name=op.f("pk_followers")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("endpoint", "event", name=op.f("uq_webhooks_endpoint_event")),
    )
    _partial("ix_webhooks_due", "webhooks", ["endpoint", "due"], _DUE)
    _partial("ix_webhooks_order", "webhooks", ["endpoint", "ticket", "id"], _DUE)
    _partial("ix_webhooks_failed", "webhooks", ["id"], sa.text("state = 'failed'"))
    op.create_index("ix_webhooks_event", "webhooks", ["event"])


def _doubts() -> None:
    """How often a mail may have gone twice is kept with it."""
    number = sa.Column("doubts", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("outbox", number)
    _partial("ix_outbox_doubts", "outbox", ["doubts"], sa.text("doubts > 0"))


def _settled() -> None:
    """Staff take a pending entry over, or decline it."""
    op.add_column("entries", sa.Column("settled", sa.Text(), nullable=True))
    where = sa.text("pending AND settled IS NULL")
    _partial("ix_entries_pending", "entries", ["ticket"], where)


def _copies() -> None:
    """Copies of an announcement are owed with it, and queued little by little."""
    op.create_table(
        "announcement_copies",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("slug", "account", name=op.f("pk_announcement_copies")),
    )


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def _gateways() -> None:
    """Who works on this database, what waits for people in the outbox, what changed last."""
    op.create_index("ix_tickets_updated_at", "tickets", ["updated_at"])
    for state in ("held", "failed"):
        _partial(f"ix_outbox_{state}", "outbox", ["id"], sa.text(f"state = '{state}'"))
    op.create_table(
        "gateways",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance", name=op.f("pk_gateways")),
    )


def _answers() -> None:
    """What articles answered, and whether that helped."""
    op.create_table(
        "answers",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author_key", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("unsolved_at", sa.BigInteger(), nullable=True),
        sa.Column("ticket_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index("ix_answers_author_key", "answers", ["author_key", "at"])
    op.create_index("ix_answers_message_id", "answers", ["message_id"])
    op.create_index("ix_answers_at", "answers", ["at"])


def _questions_to_addresses() -> None:
    """When an address was asked last whether it belongs to its account."""
    op.add_column("addresses", sa.Column("asked_at", sa.BigInteger(), nullable=True))
