"""The first tables."""

import sqlalchemy as sa
from alembic import op

from study_app.storage.columns import AnyText, Json, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "allocations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("ledger", sa.String(), nullable=False),
        sa.Column("allocation_index", sa.Integer(), nullable=False),
        sa.Column("row", Json(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("ledger", "allocation_index"),
        sa.UniqueConstraint("participant_id"),
    )
    op.create_table(
        "answers",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("response", AnyText(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("max_points", sa.Float(), nullable=True),
        sa.Column("scored_by", sa.String(), nullable=True),
        sa.Column("key_version", sa.String(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("saved_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("participant_id", "stage", "item"),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("who", AnyText(), nullable=False),
        sa.Column("what", AnyText(), nullable=False),
        sa.Column("why", AnyText(), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "documents",
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("text", AnyText(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("participant_id", "task"),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("server_time", Moment(), nullable=False),
        sa.Column("client_time_ms", sa.Float(), nullable=True),
        sa.Column("mono_ms", sa.Float(), nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("participant_id", "page", "seq"),
    )
    op.create_table(
        "links",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("label", AnyText(), nullable=True),
        sa.Column("participant_id", sa.String(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table("locks", sa.Column("name", sa.String(), nullable=False), sa.PrimaryKeyConstraint("name"))
    op.create_table(
        "meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", AnyText(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "pages",
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("ack", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("participant_id", "page"),
    )
    op.create_table(
        "participants",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("study_hash", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("arm", sa.String(), nullable=True),
        sa.Column("stratum", sa.String(), nullable=True),
        sa.Column("allocation_index", sa.Integer(), nullable=True),
        sa.Column("allocated_at", Moment(), nullable=True),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("opens_at", Moment(), nullable=True),
        sa.Column("page", sa.String(), nullable=True),
        sa.Column("label", AnyText(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("prolific_pid", AnyText(), nullable=True),
        sa.Column("prolific_study", AnyText(), nullable=True),
        sa.Column("prolific_session", AnyText(), nullable=True),
        sa.Column("exclusion_reason", AnyText(), nullable=True),
        sa.Column("data_withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("link"),
        sa.UniqueConstraint("prolific_pid"),
    )
    op.create_table(
        "ratings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("rating_id", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("rater", sa.String(), nullable=False),
        sa.Column("value", AnyText(), nullable=False),
        sa.Column("rubric", AnyText(), nullable=False),
        sa.Column("rated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("rating_id"),
    )
    op.create_table(
        "runs",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", AnyText(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("page", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("stdout", AnyText(), nullable=False),
        sa.Column("stderr", AnyText(), nullable=False),
        sa.Column("error_type", AnyText(), nullable=True),
        sa.Column("error_message", AnyText(), nullable=True),
        sa.Column("error_line", sa.Integer(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("wall_seconds", sa.Float(), nullable=True),
        sa.Column("isolation", sa.String(), nullable=True),
        sa.Column("scheduler_seed", sa.BigInteger(), nullable=True),
        sa.Column("checks", AnyText(), nullable=False),
        sa.Column("visible_only_pass", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "turns",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("assistant", sa.String(), nullable=False),
        sa.Column("treatment", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_version", sa.String(), nullable=False),
        sa.Column("message", AnyText(), nullable=False),
        sa.Column("reply", AnyText(), nullable=False),
        sa.Column("code", AnyText(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("first_token_seconds", sa.Float(), nullable=True),
        sa.Column("total_seconds", sa.Float(), nullable=True),
        sa.Column("composing_seconds", sa.Float(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("stop_reason", sa.String(), nullable=True),
        sa.Column("stopped_by_participant", sa.Boolean(), nullable=False),
        sa.Column("error", AnyText(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("parameters", AnyText(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turns_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "versions",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("study_hash", sa.String(), nullable=False),
        sa.Column("text", AnyText(), nullable=False),
        sa.Column("materials", Json(), nullable=False),
        sa.Column("from_index", sa.Integer(), nullable=False),
        sa.Column("locked_at", Moment(), nullable=False),
        sa.Column("reason", AnyText(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_versions_study_hash"), ["study_hash"], unique=False)

    op.create_table(
        "visits",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("participant_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("deadline_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("participant_id", "stage"),
    )
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.create_index("ix_visits_open", ["ended_at", "deadline_at"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.drop_index("ix_visits_open")

    op.drop_table("visits")
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_versions_study_hash"))

    op.drop_table("versions")
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turns_participant_id"))

    op.drop_table("turns")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tokens_participant_id"))

    op.drop_table("tokens")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_participant_id"))

    op.drop_table("runs")
    op.drop_table("ratings")
    op.drop_table("participants")
    op.drop_table("pages")
    op.drop_table("meta")
    op.drop_table("locks")
    op.drop_table("links")
    op.drop_table("events")
    op.drop_table("documents")
    op.drop_table("audit")
    op.drop_table("answers")
    op.drop_table("allocations")
