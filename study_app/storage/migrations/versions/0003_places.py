"""Places of the study that participants hold from consent on."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("place_until", Moment(), nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.drop_column("place_until")
        batch_op.drop_column("place")
