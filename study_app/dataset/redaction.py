"""What the trial's state withholds of real participants, so that their arms stay hidden.

Withheld is what exists or can be more than nothing in one arm only, and text in which the arm could be read: programs
and their output, free answers, everything logged from the stage on that differs by arm. Preview and simulated
participants are never masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.schema import (
    ALLOCATIONS,
    REVEALING,
    REVEALING_TABLES,
    RUNS,
    TableName,
    TableSchema,
    question_column,
)
from study_app.dataset.schema.participant_columns import SECOND_DECISION_COLUMNS, VARIANT_RUN_COLUMNS
from study_app.dataset.schema.participants import columns_of, factor_columns
from study_app.domain.branching import arm_only
from study_app.domain.records import Kind, Participant
from study_app.domain.shown_times import ShownTimes, hidden_stages, limits
from study_app.domain.study.study import Study
from study_app.domain.trial_state import State, hides_arms

Row = dict[str, Any]

ALLOCATION_COLUMNS = ("arm", "stratum", "allocation_index")
SECOND_COLUMNS = tuple(column.name for column in SECOND_DECISION_COLUMNS)
"""Of a study with a second decision: who responded, and what they had then, tells what they had before."""
_OF_CHECKS = ("checks", "visible_only_pass", "error_type")
"""Of the runs of a task in whose place some arms meet a variant: its checks are not those of the task."""
_SHOWN_IN_PART = ("allocations", "visits", "events", "runs", "ratings")
"""Tables of which the export of a masked study has some rows."""
_ALSO = (
    "events from the first stage on that differs by arm",
    "programs and their output from that stage on",
    "free answers and reports of other AI from that stage on",
    "time that outages of the assistant gave back, beyond the limit of a stage",
    "ratings of anything but answers",
    "stages and questions that only some arms have",
)
RUN_COLUMNS = tuple(column.name for column in (*RUNS.columns, *VARIANT_RUN_COLUMNS) if column.reveals_arm)
LEDGER_COLUMNS = tuple(column.name for column in ALLOCATIONS.columns if column.reveals_arm)
"""In a closed study: with any of them the arm of a row could be computed."""


@dataclass(frozen=True)
class Mask:
    """The rules of one export."""

    state: State
    arms: dict[str, str]
    """True arm -> the name it goes by while closed."""

    def hides(self, kind: str) -> bool:
        """Return whether anything is withheld of participants of this kind."""
        return hides_arms(self.state, kind)

    def record(self, record: ParticipantRecord, now: datetime) -> ParticipantRecord:
        """Return what may be shown of a participant's times: without the time that outages of the assistant gave back.

        Args:
            record: of the participant.
            now: of the export; a visit that goes on only in such time is over.
        """
        if not self.hides(record.participant.kind):
            return record
        stages, questions = arm_only(record.study)
        times = ShownTimes.of(limits(record.study), record.events)
        met = {visit.stage: visit for visit in record.visits}
        visits = [times.visit(visit, now) for visit in record.visits if visit.stage not in stages]
        answers = [answer for answer in record.answers if answer.bank or answer.item not in questions]
        runs = [replace(run, started_at=times.moment(run.started_at, met.get(run.stage))) for run in record.runs]
        return replace(record, participant=_finished(record, times), visits=visits, runs=runs, answers=answers)

    def participant(self, record: ParticipantRecord, row: Row) -> Row:
        """Return a participant's row as it may be shown."""
        if not self.hides(record.participant.kind):
            return row
        hidden = {*REVEALING, *_free_columns(record.study), *arm_only_columns(record.study)}
        # Where only some arms meet a task that cannot be done, such a program tells which arm it is from.
        hidden |= {"visible_only_pass"} if record.study.varied_tasks else set()
        hidden |= {*factor_columns(record.study).values(), *SECOND_COLUMNS}
        if self.state == "launched":
            hidden |= set(ALLOCATION_COLUMNS)
        return self._renamed({name: value for name, value in row.items() if name not in hidden})

    def allocations(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Ledger rows as they may be shown."""
        for row in rows:
            if not self.hides(str(row["ledger"])):
                yield row
            elif self.state == "closed" and row.get("decision", 1) == 1:
                yield self._renamed({name: value for name, value in row.items() if name not in LEDGER_COLUMNS})

    def _renamed(self, row: Row) -> Row:
        return row | {"arm": self.arms.get(row["arm"])} if row.get("arm") else row

    def events(self, record: ParticipantRecord, rows: Iterable[Row]) -> Iterator[Row]:
        """Events up to the stage that differs by arm: what follows would tell by its kinds, its number or its gaps."""
        if not self.hides(record.participant.kind):
            yield from rows
            return
        hidden = hidden_stages(record.study)
        last: dict[str, int] = {}
        for row in rows:
            if row["stage"] in hidden or row["kind"] == "allocated":
                return
            if row["seq"] == last.get(row["page"], 0) + 1:
                last[row["page"]] = row["seq"]
                yield row

    def runs(self, record: ParticipantRecord, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield runs without programs and output from the stage on that differs by arm."""
        hides, hidden = self.hides(record.participant.kind), hidden_stages(record.study)
        for row in rows:
            masked = hides and row["stage"] in hidden
            telling = (*RUN_COLUMNS, *(_OF_CHECKS if row["task"] in record.study.varied_tasks else ()))
            yield {name: value for name, value in row.items() if not (masked and name in telling)}

    def whole(self, record: ParticipantRecord, rows: Iterable[Row]) -> Iterator[Row]:
        """Return turns or evidence on compliance, which are withheld whole."""
        return iter(()) if self.hides(record.participant.kind) else iter(rows)

    def answers(self, record: ParticipantRecord, rows: Iterable[Row]) -> Iterator[Row]:
        """Answers without free text and without the reports of other AI."""
        hides, free = self.hides(record.participant.kind), _free_questions(record.study)
        _, only = arm_only(record.study)
        for row in rows:
            if hides and not row["bank"] and row["item"] in only:
                continue
            masked = hides and not row["bank"] and row["item"] in free
            yield row | {"response": None} if masked else row

    def withheld(self, kinds: Iterable[Kind], tables: Mapping[TableName, TableSchema]) -> dict[str, Any]:
        """Return what is withheld of real participants, for the manifest and the README."""
        if not any(self.hides(kind) for kind in kinds):
            return {}
        launched = self.state == "launched"
        people, runs = tables["participants"], tables["runs"]
        telling = {*(ALLOCATION_COLUMNS if launched else ()), *REVEALING, *SECOND_COLUMNS}
        columns = {
            "participants": [each.name for each in people.columns if each.reveals_arm or each.name in telling],
            "runs": [name for name in RUN_COLUMNS if name in runs.names],
        }
        if not launched:
            columns["allocations"] = list(LEDGER_COLUMNS)
        whole = [name for name in tables if name in REVEALING_TABLES and name not in _SHOWN_IN_PART]
        also = list(_ALSO)
        if set(SECOND_COLUMNS) & set(people.names) and not launched:
            also.append("rows of the second decision in the ledger")
        if {column.name for column in VARIANT_RUN_COLUMNS} & set(runs.names):
            also.append("what checks say of tasks in whose place some arms meet a variant")
        return {
            "of": "real participants",
            "tables": [*whole, *(["allocations"] if launched else [])],
            "columns": columns,
            "also": also,
        }


def arm_only_columns(study: Study) -> frozenset[str]:
    """Columns of questions and scores that only some arms can have."""
    _, only = arm_only(study)
    asked = (question for stage in study.stages for question in stage.asked)
    scores = (score for stage in study.stages for score in stage.scores)
    named = {column.name for question in asked if question.id in only for column in columns_of(question)}
    return frozenset(named | {score.id for score in scores if only & set(score.of)})


def _finished(record: ParticipantRecord, times: ShownTimes) -> Participant:
    """Return the participant, who has finished as much earlier as the last visit is shown to end."""
    ended = [(visit.ended_at, visit) for visit in record.visits if visit.ended_at is not None]
    at, last = max(ended, key=lambda each: each[0], default=(None, None))
    if at is None or record.participant.finished_at is None:
        return record.participant
    return replace(record.participant, finished_at=record.participant.finished_at - (at - times.moment(at, last)))


def _free_questions(study: Study) -> frozenset[str]:
    hidden = hidden_stages(study)
    asked = (question for stage in study.stages if stage.id in hidden for question in stage.asked)
    return frozenset(question.id for question in asked if question.kind == "text" or question.other_ai)


def _free_columns(study: Study) -> frozenset[str]:
    free = _free_questions(study)
    asked = (question for stage in study.stages for question in stage.asked)
    return frozenset(question_column(question) for question in asked if question.id in free)
