"""What a plan says beside its questions changes what people meet."""

from __future__ import annotations

import pytest
from support.providers.loopback_interviewer import LoopbackInterviewer, step
from support.trials.interview_study import LONG, Interviewee, write_interview_study

from study_app.cli.checks.check import _study_problems as checked_problems
from study_app.domain.errors import ProblemsFound
from study_app.domain.events.server import InterviewClosed


def test_the_model_and_its_effort_are_those_of_the_plan(tmp_path):
    top = 'model = "claude-opus-5"\neffort = "low"'
    with LoopbackInterviewer(step("next")) as interviewer:
        environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": interviewer.url}
        person = Interviewee(tmp_path, environment=environment, top=top)
        assert person.say(LONG).asked
        (body,) = interviewer.bodies
    assert body["model"] == "claude-opus-5"
    assert body["output_config"]["effort"] == "low"


def test_a_plan_words_the_follow_up_and_its_own_words_of_distress(tmp_path):
    end = '[texts.en]\nprobe = "Which moment comes to mind?"\ndistress_words = ["pitch black"]'
    person = Interviewee(tmp_path, end=end)
    assert person.say("Slowly.").asked == "Which moment comes to mind?"
    assert person.say("It was pitch black in me.").asked is None
    assert person.events(InterviewClosed)[0].ended_by == "distress"


def test_without_a_summary_nothing_is_rated(tmp_path):
    person = Interviewee(tmp_path, top="summary = false", mode="fixed")
    for _ in range(3):
        person.say("No.")
    assert person.asked is None
    assert person.events(InterviewClosed)[0].summary is None


WRONG = {
    "know_arm = true": "know_arm: a model that knows the arm",
    "minutes = 0": "minutes",
    "colour = 1": "colour",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_a_plan_may_not_say_is_named_with_its_file_and_key(tmp_path, line):
    settings = {"minutes": 0} if line.startswith("minutes") else {"top": line}
    with pytest.raises(ProblemsFound, match=WRONG[line]):
        Interviewee(tmp_path, **settings)


def test_a_language_of_the_study_that_the_plan_lacks_and_too_few_turns_are_named(tmp_path):
    with pytest.raises(ProblemsFound, match="the study is offered in 'fr', the plan is not"):
        Interviewee(tmp_path, languages='["en", "fr"]')
    with pytest.raises(ProblemsFound, match="max_turns: 2 questions do not hold the plan's own 3"):
        Interviewee(tmp_path, max_turns=2)


def test_check_reads_the_plan_of_an_interview_and_names_a_missing_or_broken_one(tmp_path):
    study, plan = write_interview_study(tmp_path, languages='["en"]'), tmp_path / "talk.toml"
    checked: list[str] = []

    def of_the_plan():
        # Not those of the default analysis plan, whose outcomes this short study does not have.
        found = [problem for problem in checked_problems(study, checked) if not problem.key.startswith("analysis")]
        return [(problem.key, problem.what) for problem in found]

    assert of_the_plan() == []
    assert "talk.toml: the interview 'talk', version 1" in checked
    plan.write_text(plan.read_text().replace('mode = "probing"', 'mode = "chatty"'))
    assert [key for key, _ in of_the_plan()] == ["mode"]
    plan.unlink()
    assert of_the_plan() == [("stages.talk.plan", "talk.toml cannot be read (No such file or directory)")]
