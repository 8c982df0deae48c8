"""Every table but participants: its columns are the same for every study."""

from __future__ import annotations

from study_app.dataset.schema.columns import TableName, TableSchema
from study_app.dataset.schema.tables.derived import (
    AGENT_ACTIONS,
    AGENT_TURN_COLUMNS,
    COMPLIANCE,
    INTERVIEW_TURNS,
    INTERVIEWS,
    PERIODS,
    PROBES,
    SESSIONS,
    quality_columns,
)
from study_app.dataset.schema.tables.models import MODEL_LOOKS, MODEL_REPLIES, MODEL_TABLES
from study_app.dataset.schema.tables.records import ALLOCATIONS, ANSWERS, EVENTS, RATINGS, RUNS, TURNS, VISITS

STATIC_TABLES: tuple[TableSchema, ...] = (ALLOCATIONS, VISITS, EVENTS, RUNS, TURNS, ANSWERS, RATINGS, COMPLIANCE)


IDS: dict[TableName, tuple[str, ...]] = {
    "participants": ("participant_id",),
    "visits": ("participant_id", "stage"),
    "events": ("event_id",),
    "runs": ("run_id",),
    "turns": ("turn_id",),
    "answers": ("participant_id", "stage", "item"),
    "ratings": ("rating_id",),
    "compliance": ("participant_id", "evidence"),
    "periods": ("participant_id", "period"),
    "sessions": ("participant_id", "number"),
    "agent_actions": ("action_id",),
    "interviews": ("interview_id",),
    "interview_turns": ("turn_id",),
    "probes": ("participant_id", "stage", "minute"),
    "model_looks": ("looked_at", "treatment"),
    "model_replies": ("round", "treatment", "task", "question"),
}
"""What no two rows of a table share."""

ADDED_LATER: dict[TableName, tuple[str, ...]] = {
    "visits": ("paused_seconds",),
    "runs": ("grading", "grading_reason", "repeats", "review", "hack_class", "hack_author"),
    "turns": (
        "gate",
        "gate_by",
        "gate_reason",
        "withheld_chars",
        "persona",
        "recorded_match",
        "gate_model",
        "gate_input_tokens",
        "gate_output_tokens",
    ),
    "answers": ("about_task", "family", "scoring_reason", "repeats", "confidence"),
    "periods": ("completed", "completion_minutes"),
}
"""Columns that datasets of earlier versions do not have; without them a table is whole."""

__all__ = [
    "ADDED_LATER",
    "AGENT_ACTIONS",
    "AGENT_TURN_COLUMNS",
    "ALLOCATIONS",
    "ANSWERS",
    "COMPLIANCE",
    "EVENTS",
    "IDS",
    "INTERVIEWS",
    "INTERVIEW_TURNS",
    "MODEL_LOOKS",
    "MODEL_REPLIES",
    "MODEL_TABLES",
    "PERIODS",
    "PROBES",
    "RATINGS",
    "RUNS",
    "SESSIONS",
    "STATIC_TABLES",
    "TURNS",
    "VISITS",
    "quality_columns",
]
