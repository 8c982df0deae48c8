"""Texts that a person has read for a dataset that everybody may have."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText, Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "text_reviews",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("table", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("record", AnyText(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("reviewer", AnyText(), nullable=False),
        sa.Column("reviewed_at", Moment(), nullable=False),
    )
    op.create_index("ix_text_reviews_participant_id", "text_reviews", ["participant_id"])
