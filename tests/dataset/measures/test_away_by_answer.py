"""Time away while a form is filled in belongs to the answer that is changed next, else to the one changed last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from study_app.dataset.measures.answers import away_by_answer
from study_app.domain.events import Event
from study_app.domain.events.moments import Timeline
from study_app.domain.records import Visit
from study_app.domain.study.study import Study

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "timed", "title": "Timed", "arms": [{"id": "plain", "control": True}],
        "allocation": {"method": "simple"}, "activity": {"idle_after_seconds": 60, "away_after_seconds": 5},
        "stages": [
            {"id": "consent", "kind": "consent"},
            {"id": "form", "kind": "survey", "questions": [{"id": "one", "kind": "text", "prompt": "?"}]},
            {"id": "instructions", "kind": "instructions"},
            {"id": "debrief", "kind": "debrief"},
        ],
    }
)  # fmt: skip
Logged = tuple[float, str]
GONE = [(10.0, "hidden"), (20.0, "visible")]
AGAIN = [(22.0, "hidden"), (29.0, "visible")]


def away(*logged: Logged, stage: str = "form", stated: str = "form") -> dict[tuple[str, str], float]:
    """Seconds away by answer; any word but a kind of event is the name of a field that is changed."""
    events, moments = [], []
    for number, (second, word) in enumerate([(0.0, "focus"), *sorted(logged), (30.0, "heartbeat")]):
        known = word in ("focus", "hidden", "visible", "heartbeat")
        payload = {} if known else {"stage": stated, "field": word, "value": "x"}
        at = START + timedelta(seconds=second)
        events.append(Event("p1", "p", number, word if known else "answer_set", stage, at, payload=payload))
        moments.append(at.timestamp())
    visit = Visit("p1", stage, START, ended_at=START + timedelta(seconds=30))
    record = SimpleNamespace(
        study=STUDY, events=events, moments=moments, visits=[visit], timeline=Timeline.of(events, moments)
    )
    return dict(away_by_answer(record))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([], {}),
        ([(21.0, "one")], {"one": 10.0}),
        ([(5.0, "one")], {"one": 10.0}),
        ([(5.0, "one"), (21.0, "two")], {"two": 10.0}),
        ([(5.0, "one"), (7.0, "two")], {"two": 10.0}),
        ([(21.0, "one"), (25.0, "two")], {"one": 10.0}),
        # At the moment of coming back it is the next.
        ([(5.0, "one"), (20.0, "two")], {"two": 10.0}),
    ],
)
def test_a_spell_belongs_to_the_answer_changed_next_or_else_last(changes, found):
    assert away(*GONE, *changes) == {("form", name): seconds for name, seconds in found.items()}


def test_each_spell_belongs_to_one_answer():
    assert away(*GONE, (21.0, "one"), *AGAIN) == {("form", "one"): 17.0}
    assert away(*GONE, (21.0, "one"), *AGAIN, (29.5, "two")) == {("form", "one"): 10.0, ("form", "two"): 7.0}


def test_only_changes_on_forms_that_say_that_they_are_of_it_count():
    assert away(*GONE, (21.0, "one"), stage="instructions", stated="instructions") == {}
    assert away(*GONE, (21.0, "one"), stated="another") == {}
