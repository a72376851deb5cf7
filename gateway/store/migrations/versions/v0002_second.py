"""The second version: what came after the first release of the schema."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring tables of the first version to the second."""
    _answers()


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
