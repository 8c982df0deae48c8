"""The whole row of one participant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study_app.dataset.measures.activity import activity, uses
from study_app.dataset.measures.assistant import compliance, queries
from study_app.dataset.measures.compliance import evidence_of
from study_app.dataset.measures.fidelity import solution_shares
from study_app.dataset.measures.interaction import Codes, Coding
from study_app.dataset.measures.interviews.rows import interview_columns
from study_app.dataset.measures.interviews.themes import theme_columns
from study_app.dataset.measures.provenance import Programs, origins, outside, reply_uses
from study_app.dataset.measures.provenance import programs as programs_of
from study_app.dataset.measures.quiz import quizzes
from study_app.dataset.measures.record import (
    Content,
    ParticipantRecord,
    factor_levels,
    identity_and_flow,
    questions,
    second_decision,
)
from study_app.dataset.measures.tasks import runs_and_errors, task_outcomes, warm_up
from study_app.dataset.measures.turns.acting import acting
from study_app.dataset.measures.variants.hacks import variant_columns
from study_app.domain.study.compliance import Evidence
from study_app.domain.themes.codebook import Codebook
from study_app.domain.timing import TimeUse


@dataclass(frozen=True)
class DerivedData:
    """What several tables need of one participant, computed once."""

    use: dict[str, TimeUse]
    """By stage (`activity.uses`)."""
    programs: Programs
    """Of the main tasks."""
    codes: Codes
    """Of the turns."""
    acts: bool
    """Whether an assistant of the study acts."""
    replies: Mapping[str, Mapping[str, Any]]
    """What became of the reply of each turn (`provenance.reply_uses`)."""
    evidence: Sequence[Evidence]
    """On compliance (`compliance.evidence_of`)."""
    book: Codebook | None = None
    """Of interviews, in force; None where none is frozen."""


def work_of(
    record: ParticipantRecord, content: Content, coding: Coding, *, acts: bool = False, book: Codebook | None = None
) -> DerivedData:
    """Replay, time use and codes of one participant."""
    programs = programs_of(record, content)
    evidence = evidence_of(record, content)
    replies = reply_uses(record, programs)
    for turn, share in solution_shares(record, content).items():
        replies[turn]["solution_share"] = share
    return DerivedData(uses(record), programs, coding.codes(record), acts, replies, evidence, book)


def participant_row(record: ParticipantRecord, content: Content, coding: Coding, work: DerivedData) -> dict[str, Any]:
    """Return every column of the participants table that is known; of who withdrew their data, the flow only.

    Args:
        record: what the database holds.
        content: packs and banks.
        coding: how queries and patterns are coded.
        work: of the same participant.
    """
    row = identity_and_flow(record) | factor_levels(record) | second_decision(record)
    if record.participant.data_withdrawn:
        return row
    for part in (
        questions(record),
        warm_up(record),
        task_outcomes(record, content),
        quizzes(record, content),
        runs_and_errors(record),
        queries(record, coding, work.codes),
        activity(record, work.use),
        origins(work.programs),
        outside(record, work.evidence),
        compliance(record, work.evidence),
        acting(record, work.programs) if work.acts else {},
        interview_columns(record),
        variant_columns(record, content, work.programs) if record.study.varied_tasks else {},
        theme_columns(record, work.book),
    ):
        row |= part
    return row | {"interaction_pattern": coding.pattern(record, row, work.codes, work.replies)}
