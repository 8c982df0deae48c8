"""Each chain says whose key signs it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("chains", sa.Column("signer", sa.String(), nullable=False, server_default=""))
