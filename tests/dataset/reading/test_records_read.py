"""Each cell of a dataset is read into the part of a participant's record that it is of, and an empty one as nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.reading.records import record_of
from study_app.domain.study.sections import Question

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Row(dict):
    """A row as `verify` reads it: a cell that no column has is empty."""

    @property
    def values(self):
        return self

    def __missing__(self, name):
        return None


PERSON = Row(
    participant_id="p1", status="completed", study_hash="h", enrolled_at=AT, arm="full", allocated_at=AT, language="de",
    exclusion_reason="asked", data_withdrawn=True, responded=False, second_treatment="answers", second_index=7,
)  # fmt: skip
VISIT = Row(participant_id="p1", stage="work", started_at=AT, deadline_at=AT, ended_at=AT, ended_by="participant")
RUN = Row(
    run_id="r1", participant_id="p1", task="sort", stage="work", kind="submission", code="x = 1", started_at=AT,
    stderr="oh", error_type="ValueError", ended_by="exit", checks=[{"passed": True}], visible_only_pass=True,
    grading="failed",
)  # fmt: skip
TURN = Row(
    turn_id="t1", participant_id="p1", task="sort", assistant="claude", treatment="full", model="m", prompt_version="v",
    message="how", reply="so", asked_at=AT, total_seconds=2.0, composing_seconds=3.0, error="timeout",
)  # fmt: skip
ANSWER = Row(participant_id="p1", stage="quiz", item="i1", response="b", bank="trio", points=2.0, confidence=80)
EVENT = Row(
    page="p", seq=4, kind="edit", stage="work", server_time=AT, client_time=AT, mono_ms=5.0, payload={"task": "sort"},
    event_id="e1", arrived_late=True,
)  # fmt: skip
TEXTS = {"assistant", "treatment", "model", "prompt_version", "message", "reply", "code", "stderr", "bank", "language"}
"""Empty texts where the cell is empty."""


def record(person: Row = PERSON, questions: tuple[Question, ...] = (), **tables: Row) -> Any:
    study = SimpleNamespace(stages=[SimpleNamespace(asked=questions)])
    rows = {name: [tables[name]] if name in tables else [] for name in ("visits", "runs", "turns", "answers")}
    events = [tables["events"]] if "events" in tables else []
    return record_of(person, study, rows, events, {})  # type: ignore[arg-type]


def read(table: str, row: Row) -> Any:
    """What a row of a table is read into."""
    if table == "participants":
        return record(row).participant
    (found,) = getattr(record(**{table: row}), table)
    return found


@pytest.mark.parametrize(
    ("table", "row", "named"),
    [
        ("participants", PERSON, {"participant_id": "id"}),
        ("visits", VISIT, {}),
        ("runs", RUN, {"run_id": "id"}),
        ("turns", TURN, {"turn_id": "id"}),
        ("answers", ANSWER, {}),
        ("events", EVENT, {"client_time": "client_time_ms"}),
    ],
)
def test_each_cell_is_read_under_its_name_and_an_empty_one_as_nothing(table, row, named):
    names = set(row) - {"allocated_at", "client_time"}
    found = read(table, row)
    assert {name: getattr(found, named.get(name, name)) for name in names} == {name: row[name] for name in names}
    needed = {"participant_id", "run_id", "turn_id", "started_at", "asked_at", "server_time", "enrolled_at", "arm"}
    for name in names - needed - {"status", "study_hash", "stage", "task", "page", "kind", "item", "checks", "payload"}:
        empty = getattr(read(table, Row(row | {name: None})), named.get(name, name))
        due: Any = "" if name in TEXTS else None
        assert empty == ({"data_withdrawn": False, "arrived_late": False, "seq": 0}.get(name, due)), name


def test_what_a_page_took_has_the_moment_of_its_clock():
    assert read("events", EVENT).client_time_ms == AT.timestamp() * 1000
    assert read("events", Row(EVENT | {"client_time": None})).client_time_ms is None


def test_rows_without_the_moment_that_makes_them_are_left_out():
    for table, row, moment in (("visits", VISIT, "started_at"), ("runs", RUN, "started_at"),
                               ("turns", TURN, "asked_at"), ("events", EVENT, "server_time")):  # fmt: skip
        assert getattr(record(**{table: Row(row | {moment: None})}), table) == []


def test_an_arm_that_is_withheld_is_known_to_be_one():
    assert read("participants", Row(PERSON | {"arm": None})).arm == "withheld"
    assert read("participants", Row(PERSON | {"arm": None, "allocated_at": None})).arm is None


@pytest.mark.parametrize("checks", [None, 3, {"passed": True}, [3, {"passed": "yes"}, {}]])
def test_what_is_no_verdict_is_left_out(checks):
    assert read("runs", Row(RUN | {"checks": checks})).checks == []
    assert read("runs", Row(RUN | {"grading": "graded"})).grading is None
    assert read("runs", Row(RUN | {"grading": "inconclusive"})).grading == "inconclusive"
    assert read("events", Row(EVENT | {"payload": checks if isinstance(checks, list) else None})).payload == {}


@pytest.mark.parametrize(
    ("kind", "cell", "response"),
    [
        ("text", "12", "12"),
        ("text", None, None),
        ("number", "12", 12),
        ("number", "1.5", 1.5),
        ("number", "many", "many"),
        ("choice", "1", 1),
        ("choice", "b", "b"),
        ("choice", "other", "other"),
        ("multiple", '["b"]', ["b"]),
        ("yes_no", "true", True),
    ],
)
def test_an_answer_is_read_as_its_question_has_it_and_of_a_bank_as_it_is(kind, cell, response):
    options = [{"value": 1, "label": "One"}, {"value": "b", "label": "B"}] if kind in ("choice", "multiple") else []
    limits = {"low": 0, "high": 99} if kind == "number" else {}
    asked = Question.model_construct(
        id="i1", kind=kind, options=tuple(SimpleNamespace(**each) for each in options), **limits
    )
    own = Row(ANSWER | {"bank": None, "response": cell})
    assert record(questions=(asked,), answers=own).answers[0].response == response
    assert record(questions=(asked,), answers=Row(own | {"bank": "trio"})).answers[0].response == cell
    assert record(answers=own).answers[0].response == cell
