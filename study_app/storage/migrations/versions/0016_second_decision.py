"""Ledgers of decisions after the first, and what the second one gave each participant."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import Json

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "later_allocations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("ledger", sa.String(), nullable=False),
        sa.Column("allocation_index", sa.Integer(), nullable=False),
        sa.Column("row", Json(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("decision", "ledger", "allocation_index"),
        sa.UniqueConstraint("decision", "participant_id"),
    )
    op.add_column("participants", sa.Column("responded", sa.Boolean(), nullable=True))
    op.add_column("participants", sa.Column("second_treatment", sa.String(), nullable=True))
    op.add_column("participants", sa.Column("second_index", sa.Integer(), nullable=True))
