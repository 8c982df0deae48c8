"""The dataset that an export writes: its tables, columns and cells. The codebook, in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study_app.dataset.schema.cells import (
    GUARD_NOTE,
    cell,
    compact_json,
    guard,
    moment,
    parsed_json,
    timestamp,
    unguard,
    value,
    writable,
)
from study_app.dataset.schema.codebook import codebook
from study_app.dataset.schema.columns import TABLES, Column, ColumnType, TableName, TableSchema, code, unpublished
from study_app.dataset.schema.participant_columns import REVEALING, VARIANT_RUN_COLUMNS
from study_app.dataset.schema.participants import (
    participants_table,
    question_column,
    quiz_types,
    types_over_versions,
)
from study_app.dataset.schema.tables import (
    AGENT_ACTIONS,
    AGENT_TURN_COLUMNS,
    ALLOCATIONS,
    ANSWERS,
    EVENTS,
    INTERVIEW_TURNS,
    INTERVIEWS,
    MODEL_LOOKS,
    MODEL_REPLIES,
    MODEL_TABLES,
    PERIODS,
    PROBES,
    RATINGS,
    RUNS,
    SESSIONS,
    STATIC_TABLES,
    TURNS,
    VISITS,
    quality_columns,
)
from study_app.domain.interaction.codebook import LABELS
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.study import Study

SCHEMA = "study-dataset/1"
"""Version of this layout, in every manifest."""


def tables_of(
    studies: Sequence[Study],
    quiz_types: Mapping[str, Sequence[str]],
    *,
    identified: bool = False,
    acts: bool = False,
    topics: Sequence[str] = (),
    themes: Sequence[str] = (),
    watched: bool = False,
) -> dict[TableName, TableSchema]:
    """Return every table of a study's dataset by name, in the order of `TABLES`; arguments as `participants_table`.

    `topics` are those of the study's interviews; `watched` says whether models were looked at or asked.
    """
    people = participants_table(studies, quiz_types, identified=identified, acts=acts, themes=themes)
    talks = any(stage.kind == "interview" for study in studies for stage in study.stages)
    methods = {study.allocation.method for study in studies}
    sessions = [SESSIONS] if any(len(study.sessions) > 1 for study in studies) else []
    added: dict[TableName, tuple[Column, ...]] = {"turns": AGENT_TURN_COLUMNS} if acts else {}
    added |= {"runs": VARIANT_RUN_COLUMNS} if any(study.varied_tasks for study in studies) else {}
    static = [table.with_columns(*added[table.name]) if table.name in added else table for table in STATIC_TABLES]
    more = [*([PERIODS] if "sequence" in methods else []), *sessions, *([AGENT_ACTIONS] if acts else [])]
    more += [INTERVIEWS.with_columns(*quality_columns(topics)), INTERVIEW_TURNS] if talks else []
    more += [PROBES] if any(study.probes for study in studies) else []
    tables = (people, *static, *more)
    found = {table.name: table.with_columns(CLUSTER) if "cluster" in methods else table for table in tables}
    return found | {table.name: table for table in MODEL_TABLES if watched}


_BY_STUDY = (PERIODS, AGENT_ACTIONS, INTERVIEWS, INTERVIEW_TURNS, PROBES, *MODEL_TABLES)
REVEALING_TABLES = tuple(table.name for table in (*STATIC_TABLES, *_BY_STUDY) if table.reveals_arm)
"""Tables that can tell an arm from another by which rows they have."""
(CLUSTER,) = unpublished(code(COLUMN, "Pseudonym of the participant's cluster; empty where it is not known"))


__all__ = [
    "AGENT_ACTIONS",
    "ALLOCATIONS",
    "ANSWERS",
    "CLUSTER",
    "EVENTS",
    "GUARD_NOTE",
    "INTERVIEWS",
    "INTERVIEW_TURNS",
    "LABELS",
    "MODEL_LOOKS",
    "MODEL_REPLIES",
    "MODEL_TABLES",
    "PERIODS",
    "PROBES",
    "RATINGS",
    "REVEALING",
    "REVEALING_TABLES",
    "RUNS",
    "SCHEMA",
    "SESSIONS",
    "STATIC_TABLES",
    "TABLES",
    "TURNS",
    "VISITS",
    "Column",
    "ColumnType",
    "TableName",
    "TableSchema",
    "cell",
    "codebook",
    "compact_json",
    "guard",
    "moment",
    "parsed_json",
    "participants_table",
    "question_column",
    "quiz_types",
    "tables_of",
    "timestamp",
    "types_over_versions",
    "unguard",
    "value",
    "writable",
]
