"""The chain of records; what is stored already is chained in the order in which it lies."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    for name, kind in (("chain", sa.Integer()), ("position", sa.BigInteger()), ("opening", sa.LargeBinary())):
        op.add_column("events", sa.Column(name, kind))
    op.add_column("events", sa.Column("digest", sa.LargeBinary()))
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "chains",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary()),
    )
    op.create_table(
        "chain_entries",
        sa.Column("number", serial, primary_key=True, autoincrement=True),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("table", sa.String(), nullable=False),
        sa.Column("key", AnyText(), nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False, index=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_chain_entries_record", "chain_entries", ["table", "key"])
