"""Events that arrive after the deadline they were sent before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("events", sa.Column("arrived_late", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Back."""
    op.drop_column("events", "arrived_late")
