"""Runs keep the order in which their two streams were written."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("runs", sa.Column("output_order", AnyText(), nullable=False, server_default=""))
