"""What each column of the imported tables means: the sidecars' text."""

from __future__ import annotations

from typing import NamedTuple

PARTICIPANT_COLUMNS = (
    "participant_id study_hash arm stratum allocation_index is_simulated is_preview status exclusion_reason "
    "enrolled_at allocated_at finished_at warmup_minutes warmup_passed task_minutes task_completed completion_minutes "
    "completion_event tasks_passed checks_passed checks_total visible_only_pass quiz_points quiz_max quiz_score "
    "runs errors first_error_type queries queries_explanation queries_generation queries_debugging queries_capability "
    "queries_appreciation interaction_minutes active_minutes away_minutes outage_minutes typed_chars "
    "pasted_chars_assistant pasted_chars_outside retyped_assistant_chars interaction_pattern used_other_ai received "
    "compliant task_1_minutes task_2_minutes task_1_active_minutes task_2_active_minutes task_1_completed "
    "task_2_completed errors_task_1 errors_task_2 pastes code_copies adoption"
).split()
"""The contract's columns in their order, then what only the transcripts hold."""


class Column(NamedTuple):
    """Type (text, integer, number, boolean, time, json), unit and caption of one column."""

    type: str
    caption: str
    unit: str = ""


_NOT_HELD = "not in the transcripts, always empty"

COLUMNS: dict[str, dict[str, Column]] = {
    "participants": {
        "participant_id": Column("text", "p and the published participant number"),
        "study_hash": Column("text", "SHA-256 over the imported files' names and bytes"),
        "arm": Column("text", "ai or no_ai, the published condition"),
        "is_simulated": Column("boolean", "0: a person"),
        "is_preview": Column("boolean", "0: a real session"),
        "status": Column("text", "completed: every published recording covers the whole session"),
        "warmup_minutes": Column("number", "warm-up task, as recorded", "min"),
        "task_minutes": Column("number", "main tasks, as recorded", "min"),
        "task_completed": Column("boolean", "1 where both tasks are noted as complete"),
        "completion_minutes": Column(
            "number", "the recorded main task minutes, also for those who did not finish", "min"
        ),
        "completion_event": Column("boolean", "1 completed, 0 not; time at the limit says neither"),
        "tasks_passed": Column("integer", "main tasks noted as complete, 0 to 2"),
        "errors": Column("integer", "error events"),
        "first_error_type": Column("text", "exception class named in the first error note that names one"),
        "queries": Column("integer", "queries to the assistant; 0 in no_ai"),
        "queries_explanation": Column("integer", "queries that carry this label (human codes)"),
        "queries_generation": Column("integer", "queries that carry this label (human codes)"),
        "queries_debugging": Column("integer", "queries that carry this label (human codes)"),
        "queries_capability": Column("integer", "queries that carry this label (human codes)"),
        "queries_appreciation": Column("integer", "queries that carry this label (human codes)"),
        "interaction_minutes": Column("number", "sum over queries from the start of typing to the query", "min"),
        "active_minutes": Column("number", "active coding on both tasks, as noted", "min"),
        "interaction_pattern": Column("text", "published name of the pattern by the shipped rule set, or none"),
        "received": Column("boolean", "1 with at least one query"),
        "task_1_minutes": Column("number", "task 1, as noted", "min"),
        "task_2_minutes": Column("number", "task 2, as noted", "min"),
        "task_1_active_minutes": Column("number", "active coding on task 1, as noted", "min"),
        "task_2_active_minutes": Column("number", "active coding on task 2, as noted", "min"),
        "task_1_completed": Column("boolean", "1 where task 1 is noted as complete"),
        "task_2_completed": Column("boolean", "1 where task 2 is noted as complete"),
        "errors_task_1": Column("integer", "error events that the annotators noted for task 1, before repairs"),
        "errors_task_2": Column("integer", "error events that the annotators noted for task 2, before repairs"),
        "pastes": Column("integer", "paste events"),
        "code_copies": Column("integer", "events of typing the assistant's code by hand"),
        "adoption": Column("text", "paste, copy, both or neither; ai arm only"),
    },
    "events": {
        "participant_id": Column("text", "as in participants"),
        "event_id": Column("text", "unique in this table"),
        "page": Column("text", "one recording per participant"),
        "seq": Column("integer", "1, 2, ... within the page, in the order of the file"),
        "kind": Column("text", "the published event type"),
        "stage": Column("text", "task_1 or task_2, after repairs"),
        "server_time": Column(
            "time", "time since the main tasks began, counted from 1970-01-01T00:00:00Z: no real date"
        ),
        "client_time": Column("time", _NOT_HELD),
        "payload": Column("json", "codes after repairs, description, error class, task and timestamp as recorded"),
    },
    "turns": {
        "turn_id": Column("text", "unique in this table"),
        "participant_id": Column("text", "as in participants"),
        "task": Column("text", "task_1 or task_2, after repairs"),
        "assistant": Column("text", "published: the assistant of the published study"),
        "model": Column("text", "as the paper states it"),
        "message": Column("text", "the query; a leading = + - @ TAB CR or ' has one ' before it"),
        "asked_at": Column("time", "time since the main tasks began, counted from 1970-01-01T00:00:00Z: no real date"),
        "composing_seconds": Column("number", "from the last ai_interaction to the query, by recorded times", "s"),
        "codes": Column("text", "labels separated by ; (the human codes)"),
        "human_codes": Column("text", "labels by the published study's annotators, separated by ;"),
    },
    "visits": {
        "participant_id": Column("text", "as in participants"),
        "stage": Column("text", "task_1 or task_2"),
        "started_at": Column("time", "the task's start, counted from 1970-01-01T00:00:00Z: no real date"),
        "ended_at": Column("time", "its last submission; empty where none was noted"),
        "ended_by": Column("text", "submission, or empty"),
        "active_seconds": Column("number", "active coding, as noted in whole minutes", "s"),
        "away_seconds": Column("number", _NOT_HELD, "s"),
    },
    "repairs": {
        "participant_id": Column("text", "as in participants"),
        "event": Column("integer", "index of the observation in its file, from 0; empty for the whole file"),
        "field": Column("text", "what was irregular"),
        "found": Column("text", "value in the file"),
        "now": Column("text", "value in the dataset; empty where nothing was put in its place"),
        "reason": Column("text", "why"),
        "action": Column("text", "repaired, or left as it was"),
    },
}


def column(table: str, name: str) -> Column:
    """Meaning of a column; those that the transcripts cannot fill say so."""
    return COLUMNS[table].get(name, Column("text", _NOT_HELD))
