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


class PublishedColumn(NamedTuple):
    """Type (text, integer, number, boolean, time, json), unit and caption of one column."""

    type: str
    caption: str
    unit: str = ""


_NOT_HELD = "not in the transcripts, always empty"

COLUMNS: dict[str, dict[str, PublishedColumn]] = {
    "participants": {
        "participant_id": PublishedColumn("text", "p and the published participant number"),
        "study_hash": PublishedColumn("text", "SHA-256 over the imported files' names and bytes"),
        "arm": PublishedColumn("text", "ai or no_ai, the published condition"),
        "is_simulated": PublishedColumn("boolean", "0: a person"),
        "is_preview": PublishedColumn("boolean", "0: a real session"),
        "status": PublishedColumn("text", "completed: every published recording covers the whole session"),
        "warmup_minutes": PublishedColumn("number", "warm-up task, as recorded", "min"),
        "task_minutes": PublishedColumn("number", "main tasks, as recorded", "min"),
        "task_completed": PublishedColumn("boolean", "1 where both tasks are noted as complete"),
        "completion_minutes": PublishedColumn(
            "number", "the recorded main task minutes, also for those who did not finish", "min"
        ),
        "completion_event": PublishedColumn("boolean", "1 completed, 0 not; time at the limit says neither"),
        "tasks_passed": PublishedColumn("integer", "main tasks noted as complete, 0 to 2"),
        "errors": PublishedColumn("integer", "error events"),
        "first_error_type": PublishedColumn("text", "exception class named in the first error note that names one"),
        "queries": PublishedColumn("integer", "queries to the assistant; 0 in no_ai"),
        "queries_explanation": PublishedColumn("integer", "queries that carry this label (human codes)"),
        "queries_generation": PublishedColumn("integer", "queries that carry this label (human codes)"),
        "queries_debugging": PublishedColumn("integer", "queries that carry this label (human codes)"),
        "queries_capability": PublishedColumn("integer", "queries that carry this label (human codes)"),
        "queries_appreciation": PublishedColumn("integer", "queries that carry this label (human codes)"),
        "interaction_minutes": PublishedColumn(
            "number", "sum over queries from the start of typing to the query", "min"
        ),
        "active_minutes": PublishedColumn("number", "active coding on both tasks, as noted", "min"),
        "interaction_pattern": PublishedColumn(
            "text", "published name of the pattern by the shipped rule set, or none"
        ),
        "received": PublishedColumn("boolean", "1 with at least one query"),
        "task_1_minutes": PublishedColumn("number", "task 1, as noted", "min"),
        "task_2_minutes": PublishedColumn("number", "task 2, as noted", "min"),
        "task_1_active_minutes": PublishedColumn("number", "active coding on task 1, as noted", "min"),
        "task_2_active_minutes": PublishedColumn("number", "active coding on task 2, as noted", "min"),
        "task_1_completed": PublishedColumn("boolean", "1 where task 1 is noted as complete"),
        "task_2_completed": PublishedColumn("boolean", "1 where task 2 is noted as complete"),
        "errors_task_1": PublishedColumn(
            "integer", "error events that the annotators noted for task 1, before repairs"
        ),
        "errors_task_2": PublishedColumn(
            "integer", "error events that the annotators noted for task 2, before repairs"
        ),
        "pastes": PublishedColumn("integer", "paste events"),
        "code_copies": PublishedColumn("integer", "events of typing the assistant's code by hand"),
        "adoption": PublishedColumn("text", "paste, copy, both or neither; ai arm only"),
    },
    "events": {
        "participant_id": PublishedColumn("text", "as in participants"),
        "event_id": PublishedColumn("text", "unique in this table"),
        "page": PublishedColumn("text", "one recording per participant"),
        "seq": PublishedColumn("integer", "1, 2, ... within the page, in the order of the file"),
        "kind": PublishedColumn("text", "the published event type"),
        "stage": PublishedColumn("text", "task_1 or task_2, after repairs"),
        "server_time": PublishedColumn(
            "time", "time since the main tasks began, counted from 1970-01-01T00:00:00Z: no real date"
        ),
        "client_time": PublishedColumn("time", _NOT_HELD),
        "payload": PublishedColumn(
            "json", "codes after repairs, description, error class, task and timestamp as recorded"
        ),
    },
    "turns": {
        "turn_id": PublishedColumn("text", "unique in this table"),
        "participant_id": PublishedColumn("text", "as in participants"),
        "task": PublishedColumn("text", "task_1 or task_2, after repairs"),
        "assistant": PublishedColumn("text", "published: the assistant of the published study"),
        "model": PublishedColumn("text", "as the paper states it"),
        "message": PublishedColumn("text", "the query; a leading = + - @ TAB CR or ' has one ' before it"),
        "asked_at": PublishedColumn(
            "time", "time since the main tasks began, counted from 1970-01-01T00:00:00Z: no real date"
        ),
        "composing_seconds": PublishedColumn(
            "number", "from the last ai_interaction to the query, by recorded times", "s"
        ),
        "codes": PublishedColumn("text", "labels separated by ; (the human codes)"),
        "human_codes": PublishedColumn("text", "labels by the published study's annotators, separated by ;"),
    },
    "visits": {
        "participant_id": PublishedColumn("text", "as in participants"),
        "stage": PublishedColumn("text", "task_1 or task_2"),
        "started_at": PublishedColumn("time", "the task's start, counted from 1970-01-01T00:00:00Z: no real date"),
        "ended_at": PublishedColumn("time", "its last submission; empty where none was noted"),
        "ended_by": PublishedColumn("text", "submission, or empty"),
        "active_seconds": PublishedColumn("number", "active coding, as noted in whole minutes", "s"),
        "away_seconds": PublishedColumn("number", _NOT_HELD, "s"),
    },
    "repairs": {
        "participant_id": PublishedColumn("text", "as in participants"),
        "event": PublishedColumn("integer", "index of the observation in its file, from 0; empty for the whole file"),
        "field": PublishedColumn("text", "what was irregular"),
        "found": PublishedColumn("text", "value in the file"),
        "now": PublishedColumn("text", "value in the dataset; empty where nothing was put in its place"),
        "reason": PublishedColumn("text", "why"),
        "action": PublishedColumn("text", "repaired, or left as it was"),
    },
}


def column(table: str, name: str) -> PublishedColumn:
    """Meaning of a column; those that the transcripts cannot fill say so."""
    return COLUMNS[table].get(name, PublishedColumn("text", _NOT_HELD))
