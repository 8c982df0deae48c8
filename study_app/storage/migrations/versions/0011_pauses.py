"""Researchers pause a participant."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("participants", sa.Column("paused_at", Moment(), nullable=True))
