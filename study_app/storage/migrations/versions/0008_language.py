"""Participants choose a language at the entry."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("participants", sa.Column("language", sa.String(), nullable=False, server_default=""))
