"""Quiz answers say why their checks decided nothing, and how often their runs were repeated."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("answers", sa.Column("scoring_reason", AnyText(), nullable=True))
    op.add_column("answers", sa.Column("repeats", sa.Integer(), nullable=True))
