"""What the trial's state withholds of real participants: rows, columns and times that could show an arm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.redaction import Mask, arm_only_columns
from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.events.server import Outage
from study_app.domain.records import END, Answer, Participant, RunRecord, Visit
from study_app.domain.shown_times import ShownTimes, hidden_stages, limits
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SCALE = {"kind": "scale", "prompt": "?", "low": 0, "high": 7}
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "masked", "title": "Masked", "allocation": {"method": "simple"},
        "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
        "stages": [
            {"id": "consent", "kind": "consent"},
            {"id": "before", "kind": "survey", "questions": [{"id": "hope", "kind": "text", "prompt": "?"}]},
            {"id": "instructions", "kind": "instructions"},
            {"id": "work", "kind": "tasks", "minutes": 30, "packs": ["tasks/one"]},
            {"id": "after", "kind": "survey", "questions": [
                SCALE | {"id": "felt"}, {"id": "why", "kind": "text", "prompt": "?"},
                SCALE | {"id": "used", "other_ai": True}, SCALE | {"id": "only", "arms": ["other"]}]},
            {"id": "debrief", "kind": "debrief"},
        ],
    }
)  # fmt: skip
PERSON = Participant("p1", "real", "hash", "completed", END, 0, START, START, arm="other", allocation_index=3)
LAUNCHED = Mask("launched", {})
CLOSED = Mask("closed", {"plain": "arm A", "other": "arm B"})
OPEN = Mask("unsealed", {})


def record(person: Participant = PERSON, **more: Any) -> ParticipantRecord:
    usual: dict[str, Any] = dict.fromkeys(("visits", "runs", "turns", "answers", "events"), ()) | {"study": STUDY}
    return ParticipantRecord(participant=person, status="completed", ratings={}, **usual | more)


PREVIEW = record(replace(PERSON, kind="preview"))


def event(stage: str, seq: int, page: str = "p", kind: str = "edit") -> dict[str, Any]:
    return {"stage": stage, "seq": seq, "page": page, "kind": kind}


def test_everything_from_the_stage_on_that_differs_by_arm_is_hidden():
    assert hidden_stages(STUDY) == {"instructions", "work", "after", "debrief", END}
    alike = STUDY.model_copy(update={"arms": STUDY.arms[:1]})
    assert hidden_stages(alike) == frozenset()
    assert arm_only_columns(STUDY) == {"only"}


def test_events_end_before_the_allocation_and_a_gap_in_a_pages_numbers_ends_that_page():
    rows = [
        event("consent", 1), event("consent", 1, "server"), event("before", 2), event("before", 4),
        event("before", 2, "server"), event("before", 5), event("instructions", 3, "server"), event("before", 3),
    ]  # fmt: skip
    shown = [rows[0], rows[1], rows[2], rows[4]]
    assert list(LAUNCHED.events(record(), rows)) == shown
    assert list(OPEN.events(record(), rows)) == rows
    assert list(LAUNCHED.events(PREVIEW, rows)) == rows
    allocated = [event("before", 1), event("before", 1, "server", "allocated"), event("before", 2)]
    assert list(CLOSED.events(record(), allocated)) == allocated[:1]


def test_free_answers_and_reports_of_other_ai_are_empty_and_questions_of_one_arm_are_left_out():
    names = ("hope", "felt", "why", "used", "only")
    rows = [{"item": name, "bank": "", "response": 1} for name in names] + [{"item": "why", "bank": "b", "response": 1}]
    found = [(row["item"], row["response"]) for row in LAUNCHED.answers(record(), rows)]
    assert found == [("hope", 1), ("felt", 1), ("why", None), ("used", None), ("why", 1)]
    assert list(OPEN.answers(record(), rows)) == rows


def test_programs_are_left_out_from_the_stage_on_that_differs():
    rows = [{"stage": stage, "task": "one", "code": "x = 1", "run_id": "r1"} for stage in ("before", "work")]
    assert list(LAUNCHED.runs(record(), rows)) == [rows[0], {"stage": "work", "task": "one", "run_id": "r1"}]
    assert list(OPEN.runs(record(), rows)) == rows


def test_turns_and_evidence_are_withheld_whole():
    assert list(LAUNCHED.whole(record(), [{"a": 1}])) == []
    assert list(LAUNCHED.whole(PREVIEW, [{"a": 1}])) == [{"a": 1}]
    assert list(OPEN.whole(record(), [{"a": 1}])) == [{"a": 1}]


@pytest.mark.parametrize(
    ("mask", "arm"), [(LAUNCHED, {}), (CLOSED, {"arm": "arm B", "allocation_index": 3}), (OPEN, None)]
)
def test_a_row_of_a_participant_has_no_arm_until_the_close_and_a_false_name_until_the_unsealing(mask, arm):
    shown = {"participant_id": "p1", "felt": 4}
    row = shown | {"arm": "other", "allocation_index": 3, "queries": 2, "why": "x", "only": 1}
    assert mask.participant(record(), row) == (row if arm is None else shown | arm)


def test_where_some_arms_meet_a_variant_passing_only_what_could_be_seen_is_withheld_for_it_tells_the_arm():
    arms = (STUDY.arms[0], STUDY.arms[1].model_copy(update={"variants": {"one": "impossible"}}))
    varied = STUDY.model_copy(update={"arms": arms})
    row = {"participant_id": "p1", "visible_only_pass": True}
    assert LAUNCHED.participant(record(), row) == row
    assert LAUNCHED.participant(record(study=varied), row) == {"participant_id": "p1"}
    assert OPEN.participant(record(study=varied), row) == row


def test_the_ledger_is_shown_from_the_close_on_without_what_an_arm_could_be_computed_from():
    first = {"ledger": "real", "arm": "plain", "allocation_index": 1, "row_hash": "0f", "salt": "1", "decision": 1}
    second = first | {"decision": 2}
    preview = first | {"ledger": "preview"}
    assert list(LAUNCHED.allocations([first, preview])) == [preview]
    (row, *rest) = CLOSED.allocations([first, second, preview])
    assert (row["arm"], row["allocation_index"], "salt" in row) == ("arm A", 1, False)
    assert rest == [preview]
    assert list(OPEN.allocations([first, second])) == [first, second]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def outage(minutes: float, turn_id: str | None = "t1") -> Event:
    said = {"seconds": 60 * minutes} | ({"cause": "paused"} if turn_id is None else {"turn_id": turn_id})
    return Event("p1", SERVER_PAGE, 1, Outage.kind, "work", at(10), payload=said)


def test_times_from_the_stage_on_that_differs_lack_what_outages_of_the_assistant_gave_back():
    visits = [
        Visit("p1", "before", START, ended_at=at(90)),
        Visit("p1", "work", START, deadline_at=at(40), ended_at=at(35), ended_by="participant"),
    ]
    runs = [RunRecord(str(at_), "p1", "one", "work", "run", "", at(at_)) for at_ in (29, 31)]
    answers = [Answer("p1", "after", "only", 1), Answer("p1", "after", "felt", 1), Answer("p1", "quiz", "only", 1, "b")]
    whole = record(visits=visits, runs=runs, answers=answers, events=[outage(10)])
    shown = CLOSED.record(whole, at(100))
    assert shown.visits == [visits[0], replace(visits[1], deadline_at=at(30), ended_at=at(30), ended_by="deadline")]
    assert [run.started_at for run in shown.runs] == [at(29), at(30)]
    # Who left in time given back has finished at the limit; who went on finished when they did.
    for own, until, finished in ((visits[1:], 35, 30), (visits, 95, 95)):
        left = record(replace(PERSON, finished_at=at(until)), visits=own, events=[outage(10)])
        assert CLOSED.record(left, at(100)).participant.finished_at == at(finished)
        assert OPEN.record(left, at(100)) == left
    assert shown.answers == answers[1:]
    assert OPEN.record(whole, at(100)) is whole


def test_time_that_every_arm_can_have_stays_as_on_the_console_and_the_clock_stood_for_it_alone():
    """Ten minutes by an outage of the assistant, five by a pause: the stage is shown with the five."""
    visit = Visit("p1", "work", START, deadline_at=at(45), ended_at=at(42), ended_by="participant")
    whole = record(visits=[visit], events=[outage(10), outage(5, None)])
    (shown,) = LAUNCHED.record(whole, at(100)).visits
    assert shown == ShownTimes.of(limits(STUDY), whole.events).visit(visit, at(100))
    assert (shown.deadline_at, shown.ended_at, shown.ended_by) == (at(35), at(32), "participant")
    assert LAUNCHED.record(whole, at(100)).paused(shown) == 300
    # An open visit goes on in the time that every arm can have, and in no other.
    going_on = record(visits=[replace(visit, ended_at=None, ended_by=None)], events=whole.events)
    assert [LAUNCHED.record(going_on, at(now)).visits[0].ended_at for now in (34, 36)] == [None, at(35)]
