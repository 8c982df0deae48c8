"""The sessions of a study with several: one row for each that a participant was due for, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.measures.visits.sessions import sessions
from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.records import Participant, Visit
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = START + timedelta(days=7)
RAW = {
    "schema": "study/1", "id": "twice", "title": "Twice", "arms": [{"id": "plain", "control": True}],
    "allocation": {"method": "simple"}, "sessions": [{"id": "main"}, {"id": "week", "delay_days": 7}],
    "stages": [
        {"id": "consent", "kind": "consent"},
        {"id": "again", "kind": "instructions", "session": "week"},
        {"id": "debrief", "kind": "debrief", "session": "week"},
    ],
}  # fmt: skip
STUDY = Study.model_validate(RAW)
SCHEDULED = Event("p1", SERVER_PAGE, 1, "session_scheduled", "again", START, payload={"opens_at": LATER.isoformat()})
DONE = Event("p1", SERVER_PAGE, 2, "session_completed", "consent", START, payload={"session": "main", "number": 1})


def rows(*events: Event, visited: dict[str, datetime] | None = None, **given: Any) -> list[dict[str, Any]]:
    person = Participant("p1", "real", "hash", "in_progress", "consent", 0, START, START)
    visits = [Visit("p1", stage, moment) for stage, moment in (visited or {}).items()]
    usual = {"status": "in_progress", "study": STUDY, "runs": [], "turns": [], "answers": [], "ratings": {}}
    return list(sessions(ParticipantRecord(participant=person, visits=visits, events=list(events), **usual | given)))


def states(*events: Event, **given: Any) -> list[tuple[str, str]]:
    return [(row["session"], row["state"]) for row in rows(*events, **given)]


def test_everybody_has_a_row_of_the_first_session_and_of_a_later_one_only_who_is_due_for_it():
    assert states() == [("main", "due")]
    assert states(visited={"consent": START}) == [("main", "begun")]
    assert states(SCHEDULED, DONE, visited={"consent": START}) == [("main", "completed"), ("week", "due")]
    assert states(visited={"consent": START, "again": LATER}) == [("main", "begun"), ("week", "begun")]


def test_who_has_left_has_left_each_session_that_they_did_not_complete():
    left = {"visited": {"consent": START}, "status": "abandoned"}
    assert states(**left) == [("main", "left")]
    assert states(SCHEDULED, DONE, **left) == [("main", "completed"), ("week", "left")]


def test_a_row_has_the_moments_of_its_session():
    first, second = rows(SCHEDULED, DONE, visited={"consent": START, "again": LATER})
    assert (first["number"], first["opens_at"], first["started_at"], first["completed_at"]) == (1, None, START, START)
    assert (second["number"], second["opens_at"], second["started_at"]) == (2, LATER, LATER)
    assert second["completed_at"] is None


def test_a_study_with_one_session_has_no_rows_of_sessions():
    stages = [stage | {"session": "main"} for stage in RAW["stages"]]
    once = Study.model_validate(RAW | {"sessions": [{"id": "main"}], "stages": stages})
    assert rows(study=once, visited={"consent": START}) == []
