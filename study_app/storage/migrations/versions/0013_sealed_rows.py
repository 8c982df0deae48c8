"""Every row is sealed as it is stored: the tables stay, what they hold is appended to the chain after this."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward: nothing but the number, which lets the joining of what is stored run once."""
