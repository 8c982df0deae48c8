"""A stage that a wrong clock ended can be reopened, with a reason, and the data still verify."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.monitoring import Monitor


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def ended(trial: Trial) -> str:
    """A participant whose tasks their deadline ended before the second task."""
    who = trial.enter()
    trial.to_tasks(who)
    trial.write(who, "trio_timer", "abc", "page")
    trial.app.submitting.submit(who, "print(1)\n", confirm=True)
    trial.clock.advance(minutes=200)
    trial.app.session.sweep()
    return who


def reopen(
    trial: Trial, who: str, minutes: float = 10, reason: str = "the clock was wrong", stage: str = "tasks"
) -> None:
    trial.app.reopening.reopen(who, stage, minutes, reason, "anna")


def test_a_participant_goes_on_where_they_were_for_the_minutes_that_are_given(trial, tmp_path):
    who = ended(trial)
    assert Monitor(trial.app.context).reopenable(who).id == "tasks"
    reopen(trial, who)
    place = trial.app.session.peek(who)
    assert (place.participant.stage, place.participant.step) == ("tasks", 1)
    assert (place.deadline_at - trial.clock.at).total_seconds() == pytest.approx(600, abs=1)
    trial.clock.advance(minutes=4)
    trial.app.submitting.submit(who, "print(2)\n", confirm=True)
    assert trial.at(who) != "tasks"
    trial.app.grading.grade_pending = lambda: 0
    trial.app.datasets.write(tmp_path / "dataset", DatasetRequest(), who="cli", via="test")
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()
    entry = Monitor(trial.app.context).audit()[1]
    assert (entry.who, entry.what, entry.why) == ("anna", "reopen stage", "the clock was wrong")


def test_a_reopened_stage_ends_at_its_new_deadline(trial):
    who = ended(trial)
    reopen(trial, who, minutes=5)
    trial.clock.advance(minutes=6)
    trial.app.session.sweep()
    assert trial.app.session.peek(who).participant.stage == "quiz"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " "}, "reason"),
        ({"minutes": 0}, "more than 0"),
        ({"minutes": 36}, "at most 35"),
        ({"stage": "warmup"}, "is not it"),
        ({"stage": "nosuch"}, "is not it"),
    ],
)
def test_what_cannot_be_reopened_is_refused_with_a_sentence(trial, change, says):
    who = ended(trial)
    with pytest.raises(NotAllowed, match=says):
        reopen(trial, who, **change)
    assert trial.app.session.peek(who).participant.stage == "quiz"


def test_who_has_begun_the_next_stage_stays_there(trial):
    who = ended(trial)
    trial.app.session.begin_stage(who, "quiz")
    with pytest.raises(NotAllowed, match="begun the next stage"):
        reopen(trial, who)


def test_a_stage_that_was_left_in_time_is_not_reopened(trial):
    who = trial.enter()
    trial.to_tasks(who)
    for _ in range(2):
        trial.app.submitting.submit(who, "print(1)\n", confirm=True)
        trial.clock.advance(minutes=1)
    assert Monitor(trial.app.context).reopenable(who) is None
    with pytest.raises(NotAllowed, match="not ended by its deadline"):
        reopen(trial, who)


def test_the_baseline_of_an_allocated_participant_is_not_reopened(trial):
    who = trial.enter()
    trial.to_warmup(who)
    trial.clock.advance(minutes=60)
    trial.app.session.sweep()
    with pytest.raises(NotAllowed, match="baseline"):
        reopen(trial, who, minutes=2, stage="warmup")
