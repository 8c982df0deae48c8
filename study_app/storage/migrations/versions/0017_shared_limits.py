"""What servers tell each other about those who ask much of them."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import Json

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("replicas", sa.Column("taken", Json(), nullable=True))
