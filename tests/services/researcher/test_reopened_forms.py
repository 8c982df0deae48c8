"""A form that a deadline ended wrongly is reopened at the page that was cut off, in quizzes, surveys and interviews."""

from __future__ import annotations

import pytest
from services.participant.test_forms_events import FormTrial, Tab
from support.trials.interview_study import LONG, Interviewee

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import InterviewClosed
from study_app.services.researcher.exporting.export import export

ONE_PAGE = [["pick", "say", "fix", "ticks", "explain"]]
AFTER = """
minutes = 5
[[stages]]
id = "after"
kind = "survey"
title = "After"
[[stages.questions]]
id = "liked"
kind = "text"
prompt = "How was it?"
required = false
"""


def reopen(app, who: str, stage: str, minutes: float = 5) -> None:
    app.reopening.reopen(who, stage, minutes, "the server was down", "mona")


def cut_off(trial: FormTrial, page: int) -> str:
    """A participant whose quiz its deadline ended on this page."""
    who = trial.enter("about")
    for number in range(page):
        trial.app.answers.submit_page(who, "quiz", number, {"pick": "a"})
    trial.clock.advance(minutes=21)
    trial.app.session.sweep()
    assert trial.app.session.where(who).participant.stage == "last"
    return who


def goes_on(trial: FormTrial, who: str, page: int, folder) -> None:
    """The page is shown, is handed in by the second deadline, and the participation can be ended and erased."""
    reopen(trial.app, who, "quiz")
    place = trial.app.session.where(who)
    assert place.participant.step == page
    field = "say" if page == 0 else "explain"
    tab = Tab(trial, who, "again", "quiz", page)
    tab.edit(field, "", 0, 0, "2")
    tab.send()
    trial.clock.advance(minutes=6)
    trial.app.session.sweep()
    assert trial.app.session.where(who).participant.stage == "last"
    assert trial.answers(who, "quiz")[field] == "2"
    export(trial.app.context, folder / "out", include_preview=True)
    assert verify(folder / "out").findings == []
    reopen(trial.app, who, "quiz")
    trial.app.acts.erase(who, "asked for it", "anna")
    assert trial.app.session.peek(who).participant.data_withdrawn


@pytest.mark.parametrize("page", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_a_quiz_goes_on_at_the_page_that_its_deadline_cut_off(tmp_path, page):
    trial = FormTrial(tmp_path)
    goes_on(trial, cut_off(trial, page), page, tmp_path)
    trial.app.close()


@pytest.mark.parametrize("late", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_who_was_reopened_beyond_the_last_page_by_an_older_version_comes_to_the_next_stage(tmp_path, late):
    trial = FormTrial(tmp_path)
    who = cut_off(trial, 1)
    reopen(trial.app, who, "quiz")
    with trial.app.context.registry.begin() as unit:
        assert unit.move(unit.known_participant(who), step=2)
    if late:
        trial.clock.advance(minutes=6)
        trial.app.session.sweep()
    assert trial.app.session.where(who).participant.stage == "last"
    export(trial.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    trial.app.acts.erase(who, "asked for it", "anna")
    assert trial.app.session.peek(who).participant.data_withdrawn
    trial.app.close()


@pytest.mark.slow
def test_a_quiz_of_one_page_goes_on_there_on_either_database(tmp_path, database_url):
    trial = FormTrial(tmp_path, database_url, pages=ONE_PAGE)
    goes_on(trial, cut_off(trial, 0), 0, tmp_path)
    trial.app.close()


@pytest.mark.slow
@pytest.mark.parametrize("before", ["two", " \n", ""])
def test_what_is_written_after_reopening_counts_whatever_stood_there_before(tmp_path, before):
    trial = FormTrial(tmp_path)
    who = trial.enter("about")
    tab = Tab(trial, who, "first", "quiz")
    text = tab.edit("say", "", 0, 0, before or "x")
    tab.edit("say", text, 0, len(text), before)
    trial.clock.advance(minutes=1)
    tab.send()
    trial.clock.advance(minutes=20)
    trial.app.session.sweep()
    reopen(trial.app, who, "quiz", 10)
    tab = Tab(trial, who, "second", "quiz")
    tab.add("answer_load", field="say", value=before)
    tab.edit("say", before, len(before), len(before), "2")
    # Beside an event of a page that is over: the batch takes the way of what came late.
    tab.add("answer_set", field="role", value="dev")
    tab.events[-1]["payload"]["stage"] = "about"
    tab.send()
    assert tab.submit({"say": before + "2"}).accepted
    assert trial.answers(who, "quiz") == {"say": before + "2"}
    export(trial.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    trial.app.close()


@pytest.mark.slow
def test_a_survey_with_a_limit_is_written_on(tmp_path):
    trial = FormTrial(tmp_path, about_minutes=5)
    who = trial.enter()
    tab = Tab(trial, who, "first")
    tab.edit("words", "", 0, 0, "half a sen")
    sent = tab.send()
    trial.clock.advance(minutes=6)
    trial.app.session.sweep()
    reopen(trial.app, who, "about")
    tab.edit("words", "half a sen", 10, 10, "tence")
    tab.send(sent + 1)
    assert tab.submit({"words": "half a sentence"}).accepted
    assert trial.answers(who, "about") == {"words": "half a sentence"}
    export(trial.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    trial.app.close()


@pytest.mark.slow
def test_an_interview_goes_on_with_the_question_that_its_deadline_cut_off(tmp_path):
    person = Interviewee(tmp_path, stage=AFTER, minutes=4)
    person.say(LONG)
    asked = person.asked
    person.clock.advance(minutes=6)
    person.app.session.sweep()
    assert person.app.session.where(person.id).participant.stage == "after"
    reopen(person.app, person.id, "talk")
    assert person.asked == asked
    person.say(LONG).say("No.")
    assert person.asked is None
    person.rate(4)
    assert person.app.session.where(person.id).participant.stage == "after"
    assert [each.ended_by for each in person.events(InterviewClosed)] == ["deadline", "completed"]
    assert verify(person.export()).findings == []
    person.app.close()


@pytest.mark.slow
def test_an_interview_that_ended_in_distress_does_not_go_on(tmp_path):
    person = Interviewee(tmp_path, stage=AFTER, minutes=4)
    place, _ = person.view
    tab = Tab(person, person.id, "page", "talk")
    tab.edit("turn_1", "", 0, 0, "I want to kill myself")
    tab.send()
    person.clock.advance(minutes=6)
    person.app.session.sweep()
    assert [each.ended_by for each in person.events(InterviewClosed)] == ["distress"]
    with pytest.raises(NotAllowed, match="ended in distress"):
        reopen(person.app, person.id, "talk")
    person.app.close()
