"""Where an interview may stand: behind every outcome, for everybody, its codes never primary."""

from __future__ import annotations

import pytest
from support.trials.interview_study import write_interview_study

from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound

SURVEY = """
[[stages]]
id = "later"
kind = "survey"
[[stages.questions]]
id = "liking"
kind = "scale"
prompt = "How did you like it?"
low = 1
high = 7
"""
OUTCOME = '[analysis]\nprimary = ["{name}"]\n[[analysis.outcomes]]\nid = "{name}"\n'
BEFORE_DEBRIEF = '[[stages]]\nid = "debrief"'


def problems_of(folder, change=lambda text: text, **settings):
    path = write_interview_study(folder, **settings)
    path.write_text(change(path.read_text()))
    try:
        read_study(path)
    except ProblemsFound as found:
        return [str(each) for each in found.problems]
    return []


def test_an_interview_behind_the_outcomes_is_taken(tmp_path):
    assert problems_of(tmp_path) == []


@pytest.mark.parametrize("kind", ["tasks", "quiz", "survey"])
def test_an_interview_before_an_outcome_is_refused(tmp_path, kind):
    later = {
        "tasks": '[[stages]]\nid = "later"\nkind = "tasks"\nminutes = 5\npacks = ["tasks/x"]\n',
        "quiz": '[[stages]]\nid = "later"\nkind = "quiz"\nminutes = 5\nbank = "b"\n',
        "survey": SURVEY,
    }[kind]

    def change(text):
        text = text.replace(BEFORE_DEBRIEF, f"{later}{BEFORE_DEBRIEF}")
        return text + OUTCOME.format(name="liking") if kind == "survey" else text

    (problem,) = [each for each in problems_of(tmp_path, change) if "stages.talk" in each]
    assert "comes before 'later'" in problem
    assert "move the interview behind it" in problem


def test_a_survey_that_gives_no_outcome_may_follow(tmp_path):
    assert problems_of(tmp_path, lambda text: text.replace(BEFORE_DEBRIEF, f"{SURVEY}{BEFORE_DEBRIEF}")) == []


@pytest.mark.parametrize("name", ["theme_trust", "interview_words", "quality_start"])
def test_what_comes_from_an_interview_is_never_primary(tmp_path, name):
    found = problems_of(tmp_path, lambda text: text + OUTCOME.format(name=name))
    assert [each for each in found if "analysis.primary" in each and name in each and "make it secondary" in each]


@pytest.mark.parametrize("line", ['arms = ["other"]', "when = \"share_words == 'yes'\""])
def test_an_interview_is_for_everybody(tmp_path, line):
    (problem,) = problems_of(tmp_path, stage=line)
    assert "a stage of kind interview is for everybody" in problem


def test_a_consent_item_has_to_be_an_earlier_choice_with_yes(tmp_path):
    assert problems_of(tmp_path, stage='sharing = "share_words"') == []
    (problem,) = problems_of(tmp_path, stage='sharing = "elsewhere"')
    assert "stages.talk.sharing" in problem
    assert '"yes"' in problem


def test_keys_of_an_interview_on_another_stage_are_refused(tmp_path):
    found = problems_of(tmp_path, lambda text: text.replace('id = "about"', 'id = "about"\nplan = "x.toml"'))
    assert any("stages.about.plan: only an interview has it" in each for each in found)
