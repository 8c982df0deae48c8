"""What people judge does not change afterwards: it is final when they see it, and is not reopened once judged."""

from __future__ import annotations

import csv

import pytest
from services.participant.test_forms_events import FormTrial, Tab
from services.researcher.test_reopened_forms import AFTER, reopen
from support.trials.interview_study import LONG, Interviewee

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.themes.reading import Coded


@pytest.fixture
def cut_off(tmp_path):
    """A trial whose participant the deadline cut off, with an edit in time that is still on its way."""
    trial = FormTrial(tmp_path)
    trial.who = trial.enter("about")
    trial.tab = tab = Tab(trial, trial.who, "page", "quiz")
    trial.clock.advance(minutes=5)
    text = tab.edit("say", "", 0, 0, "two")
    tab.edit("fix", "", 0, 0, "x = 1")
    trial.sent = tab.send()
    trial.clock.advance(minutes=14)
    tab.edit("say", text, 3, 3, ".")
    trial.clock.advance(minutes=2)
    trial.app.session.sweep()
    yield trial
    trial.app.close()


def points(trial) -> dict[str, float | None]:
    with trial.app.context.registry.begin(write=False) as unit:
        return {each.item: each.points for each in unit.answers(trial.who) if each.item in ("say", "fix")}


def test_answers_wait_for_raters_once_they_are_final_and_the_points_are_what_the_ratings_give(cut_off, tmp_path):
    queue = RatingQueue(cut_off.app.context)
    name = f"answer:{cut_off.who}:quiz:fix"
    assert queue.answers_for("eva", "preview") == []
    with pytest.raises(NotAllowed, match="may still change"):
        queue.rate("eva", name, {"right": 2.0})
    cut_off.tab.send(cut_off.sent + 1)
    cut_off.app.scoring.score_handed_in()
    cut_off.clock.advance(minutes=16)
    assert {each.response for each in queue.answers_for("eva", "preview")} == {"two.", "x = 1"}
    queue.rate("eva", name, {"right": 2.0})
    queue.rate("finn", name, {"right": 1.0})
    assert points(cut_off)["fix"] == 1.5
    with pytest.raises(NotAllowed, match="rated or coded"):
        reopen(cut_off.app, cut_off.who, "quiz")
    export(cut_off.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    file = next((tmp_path / "out").glob("data/*-ratings_data.csv"))
    with file.open(newline="") as read:
        rows = list(csv.reader(read))
    rows = [[cell.replace("1.0", "0.0") for cell in row] for row in rows]
    with file.open("w", newline="") as write:
        csv.writer(write).writerows(rows)
    assert "people gave 1.5 points, their ratings give 1" in str(verify(tmp_path / "out").findings)


@pytest.mark.slow
def test_an_answer_that_is_handed_in_again_as_it_was_keeps_its_points(cut_off):
    with cut_off.app.context.registry.begin() as unit:
        scored = next(each for each in unit.answers(cut_off.who) if each.item == "fix")
        unit.set_points(type(scored)(**{**vars(scored), "points": 2.0, "scored_by": "human"}))
    cut_off.tab.send(cut_off.sent + 1)
    assert points(cut_off) == {"say": None, "fix": 2.0}


@pytest.mark.slow
def test_the_answers_of_a_page_wait_until_the_participant_has_left_the_quiz_or_fallen_silent(tmp_path):
    trial = FormTrial(tmp_path)
    who = trial.enter("about")
    trial.app.answers.submit_page(who, "quiz", 0, {"pick": "a", "fix": "x = 1"})
    queue = RatingQueue(trial.app.context)
    assert queue.answers_for("eva", "preview") == []
    trial.app.answers.submit_page(who, "quiz", 1, {})
    assert [each.response for each in queue.answers_for("eva", "preview")] == ["x = 1"]
    trial.app.close()


@pytest.mark.slow
def test_an_interview_that_its_deadline_cut_off_waits_for_coders_until_nothing_can_arrive(tmp_path, database_url):
    person = Interviewee(tmp_path, database=database_url, stage=AFTER, minutes=4)
    person.say(LONG)
    person.clock.advance(minutes=6)
    person.app.session.sweep()

    def coded() -> list[str]:
        with person.app.context.registry.begin(write=False) as unit:
            return [each.participant_id for each in Coded(person.app.context, unit, "preview").all]

    assert coded() == []
    person.clock.advance(minutes=15)
    assert coded() == [person.id]
    person.app.close()
