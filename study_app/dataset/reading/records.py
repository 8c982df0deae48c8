"""A participant's record, read back from a dataset: what the export derived its columns from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.schema import TableName
from study_app.domain.events import Event
from study_app.domain.quiz.items import Bank
from study_app.domain.records import END, Answer, Participant, Rating, RunRecord, Turn, Visit
from study_app.domain.study.compliance import UNITS, Evidence
from study_app.domain.study.study import Question, Study
from study_app.domain.tasks.packs import TaskPack

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
WITHHELD_ARM = "withheld"


class Materials(Content):
    """The banks that a dataset brings of one version; packs and keys are not in it."""

    def __init__(self, opened: UntrustedDataset, study_hash: str) -> None:
        self._opened, self._study_hash = opened, study_hash

    def pack(self, folder: str) -> TaskPack | None:
        """None: checks and notes are not published."""
        return None

    def bank(self, folder: str) -> Bank | None:
        """Return the bank of a folder, without its keys."""
        return self._opened.banks.of(self._study_hash, folder)

    def lost(self, folder: str) -> bool:
        """Return whether the dataset, of an earlier release, holds a bank only as it was amended later."""
        return self._opened.banks.replaced(self._study_hash, folder)

    def keys(self, folder: str) -> Any:
        """None: keys are not published."""
        return None


def record_of(
    person: UntrustedRow,
    study: Study,
    tables: Mapping[TableName, Sequence[UntrustedRow]],
    events: Sequence[UntrustedRow],
    ratings: Mapping[tuple[str, str], Mapping[str, Rating]],
    *,
    hidden: bool = False,
) -> ParticipantRecord:
    """Return what the tables hold of one participant.

    Args:
        person: their row of `participants`.
        study: the version that they started with.
        tables: their rows of visits, runs, turns and answers.
        events: their rows of events.
        ratings: all judgements, as `export.participant_records.newest` sorts them.
        hidden: whether the log is withheld from the stage on that differs by arm.
    """
    name = str(person["participant_id"])
    return ParticipantRecord(
        participant=_participant(person),
        status=str(person["status"]),
        study=study,
        visits=[_visit(row) for row in tables["visits"] if row["started_at"] is not None],
        runs=[_run_record(row) for row in tables["runs"] if row["started_at"] is not None],
        turns=[_turn(row) for row in tables["turns"] if row["asked_at"] is not None],
        answers=[_answer(row, study) for row in tables["answers"]],
        events=[_event(name, row) for row in events if row["server_time"] is not None],
        ratings=ratings,
        stood=_stood(tables["visits"]) if hidden else None,
    )


def _stood(visits: Sequence[UntrustedRow]) -> dict[str, float | None]:
    return {str(row["stage"]): row.values.get("paused_seconds") for row in visits}


def _participant(row: UntrustedRow) -> Participant:
    allocated, responded = row["allocated_at"] is not None, row.values.get("responded")
    return Participant(
        id=str(row["participant_id"]),
        kind=kind_of(row),  # type: ignore[arg-type]
        study_hash=str(row["study_hash"]),
        status=row["status"],
        stage=END,
        step=0,
        enrolled_at=row["enrolled_at"] or _NEVER,
        last_seen_at=_NEVER,
        arm=row["arm"] or (WITHHELD_ARM if allocated else None),
        exclusion_reason=row["exclusion_reason"],
        data_withdrawn=bool(row["data_withdrawn"]),
        language=str(row.values.get("language") or ""),
        responded=None if responded is None else bool(responded),
        second_treatment=row.values.get("second_treatment"),
        second_index=row.values.get("second_index"),
    )


def _visit(row: UntrustedRow) -> Visit:
    return Visit(
        str(row["participant_id"]), str(row["stage"]), row["started_at"], row["deadline_at"], row["ended_at"],
        row["ended_by"],
    )  # fmt: skip


def _run_record(row: UntrustedRow) -> RunRecord:
    shown = row["visible_only_pass"]
    return RunRecord(
        id=str(row["run_id"]),
        participant_id=str(row["participant_id"]),
        task=str(row["task"]),
        stage=str(row["stage"]),
        kind=row["kind"],
        code=row["code"] or "",
        started_at=row["started_at"],
        stderr=row["stderr"] or "",
        error_type=row["error_type"],
        ended_by=row["ended_by"],
        checks=_checks(row["checks"]),
        visible_only_pass=None if shown is None else bool(shown),
        # Without a verdict whether tasks were passed is unknown, and not a failure.
        grading=row["grading"] if row["grading"] in ("failed", "inconclusive") else None,
    )


def _checks(verdicts: Any) -> list[Any]:
    """Return what can be verdicts; a forged cell may hold any JSON."""
    entries = verdicts if isinstance(verdicts, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("passed"), bool)]


def _turn(row: UntrustedRow) -> Turn:
    return Turn(
        id=str(row["turn_id"]),
        participant_id=str(row["participant_id"]),
        task=str(row["task"]),
        assistant=row["assistant"] or "",
        treatment=row["treatment"] or "",
        model=row["model"] or "",
        prompt_version=row["prompt_version"] or "",
        message=row["message"] or "",
        reply=row["reply"] or "",
        code="",
        asked_at=row["asked_at"],
        total_seconds=row["total_seconds"],
        composing_seconds=row["composing_seconds"],
        error=row["error"],
    )


def _answer(row: UntrustedRow, study: Study) -> Answer:
    asked = {question.id: question for stage in study.stages for question in stage.asked}
    question = None if row["bank"] else asked.get(str(row["item"]))
    return Answer(
        participant_id=str(row["participant_id"]),
        stage=str(row["stage"]),
        item=str(row["item"]),
        response=_response(question, row["response"]),
        bank=row["bank"] or "",
        points=row["points"],
        confidence=row.values.get("confidence"),
    )


def _response(question: Question | None, text: str | None) -> Any:
    """Return the answer as it was given: cells hold text as it is and everything else as JSON."""
    if text is None or question is None or question.kind == "text":
        return text
    if question.kind == "choice":
        return next((option.value for option in question.options if str(option.value) == text), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def evidence_in(rows: Sequence[UntrustedRow]) -> list[Evidence]:
    """Return the pieces of evidence that the table `compliance` holds of one participant.

    Those of no known kind left out.
    """
    return [
        Evidence(row["kind"], str(row["stage"]), row["at"], row["amount"] or 0.0, row["detail"] or "")
        for row in rows
        if row["kind"] in UNITS
    ]


def _event(name: str, row: UntrustedRow) -> Event:
    return Event(
        participant_id=name,
        page=str(row["page"]),
        seq=row["seq"] or 0,
        kind=str(row["kind"]),
        stage=str(row["stage"]),
        server_time=row["server_time"],
        client_time_ms=row["client_time"].timestamp() * 1000 if row["client_time"] is not None else None,
        mono_ms=row["mono_ms"],
        payload=row["payload"] if isinstance(row["payload"], dict) else {},
        event_id=row["event_id"],
        arrived_late=bool(row.values.get("arrived_late")),
    )
