"""Servers that serve one study at the same time, and what each of them is doing for a participant just now."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "replicas",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("process", sa.BigInteger(), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("beat_at", Moment(), nullable=False),
    )
    op.create_table(
        "in_progress",
        sa.Column("participant_id", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_in_progress_replica", "in_progress", ["replica"])
