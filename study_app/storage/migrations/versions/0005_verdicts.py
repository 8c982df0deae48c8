"""Submissions say why they have no verdict, how often their grading was repeated, and which imports stand out."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("runs", sa.Column("grading", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("grading_reason", AnyText(), nullable=True))
    op.add_column("runs", sa.Column("repeats", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("review", AnyText(), nullable=False, server_default=""))
