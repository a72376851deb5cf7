"""The second version: what came after the first release of the schema."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring tables of the first version to the second."""
