"""How long the parts take: progress only falls, placeholders are filled, texts that state another limit are found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.content.study_file import validate_study
from study_app.domain.study.durations import (
    expected_minutes,
    filled,
    progress,
    rounded,
    session_minutes,
    stated_minutes,
    wrong_minutes,
)

ROOT = Path(__file__).parents[3]


def study(**minutes: float):
    """The shipped study with other limits and texts: `quiz=3` a limit, `quiz_intro="..."` a text."""
    raw = tomllib.loads((ROOT / "study.toml").read_text())
    for key, value in minutes.items():
        name, _, field = key.partition("_")
        next(stage for stage in raw["stages"] if stage["id"] == name)[field or "minutes"] = value
    return validate_study(raw, "study.toml")


@given(
    quiz=st.floats(0.1, 300),
    tasks=st.floats(0.1, 300),
    about=st.floats(0.1, 60),
    spent=st.lists(st.floats(0, 400), min_size=2, max_size=6),
)
def test_parts_count_up_and_minutes_only_fall(quiz, tasks, about, spent):
    trial = study(quiz=quiz, tasks=tasks, device_about_minutes=about)
    places = [progress(trial, stage) for stage in trial.stages[:-1]]
    assert [place.part for place in places] == list(range(1, len(places) + 1))
    assert {place.parts for place in places} == {len(places)}
    left = [place.minutes_left for place in places]
    assert left == sorted(left, reverse=True)
    assert left[0] == session_minutes(trial, "main")
    assert left[-1] >= 1
    within = [progress(trial, trial.stage("tasks"), minutes).minutes_left for minutes in sorted(spent)]
    assert within == sorted(within, reverse=True)


def test_the_last_page_is_no_part():
    trial = study()
    assert progress(trial, trial.stages[-1]) is None


def test_each_session_counts_its_own_parts():
    raw = tomllib.loads((ROOT / "study.toml").read_text())
    raw["sessions"] = [{"id": "main"}, {"id": "later", "delay_days": 7}]
    for stage in raw["stages"][-2:]:
        stage["session"] = "later"
    trial = validate_study(raw, "study.toml")
    assert (progress(trial, trial.stage("quiz")).part, progress(trial, trial.stage("exit")).part) == (8, 1)
    assert session_minutes(trial, "later") < 10


@given(st.floats(0.01, 1000))
def test_minutes_are_rounded_upwards_to_what_people_say(minutes):
    shown = rounded(minutes)
    assert minutes - 1e-5 <= shown < minutes + 5.00001
    assert shown % 5 == 0 or shown <= 10


@given(st.integers(1, 500))
def test_placeholders_follow_the_limit(minutes):
    trial = study(quiz=minutes, quiz_intro="You have up to {minutes} minutes of {total_minutes}.")
    words = filled(trial.stage("quiz").intro, trial, trial.stage("quiz"))
    assert words == f"You have up to {minutes} minutes of {session_minutes(trial, 'main')}."
    assert wrong_minutes(trial) == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("You have up to **25 minutes**.", 25),
        ("You have 25&nbsp;min", None),
        ("You have 25 min.", 25),
        ("You have twenty-five minutes", 25),
        ("a 10-minute task", 10),
        ("half an hour", 30),
        ("about an hour and a quarter", 75),
        ("an hour and 20 minutes", 80),
        ("1.5 hours", 90),
        ("1,5 hours", 90),
        ("Sie haben 25 Minuten Zeit", 25),
        ("the last 5 minutes", None),
        ("about two minutes per question", None),
        ("back in a minute", None),
        ("minutes matter", None),
    ],
)
def test_limits_are_found_however_they_are_written(text, minutes):
    assert [value for _, value in stated_minutes(text)] == ([] if minutes is None else [minutes])


@given(limit=st.integers(1, 200), stated=st.integers(1, 200))
def test_a_stated_limit_that_differs_is_found_and_one_that_agrees_is_not(limit, stated):
    trial = study(quiz=limit, quiz_intro=f"You have {stated} minutes.")
    assert [wrong.key for wrong in wrong_minutes(trial)] == (["stages.quiz.intro"] if limit != stated else [])


def test_instructions_of_an_arm_speak_of_the_tasks_that_follow():
    raw = tomllib.loads((ROOT / "study.toml").read_text())
    raw["arms"][1]["instructions"] += " You have 20 minutes."
    assert [wrong.key for wrong in wrong_minutes(validate_study(raw, "s"))] == ["arms.ai.instructions"]


def test_a_stage_without_limit_takes_as_long_as_its_questions():
    trial = study()
    assert 1 <= expected_minutes(trial.stage("exit")) <= 10
    assert expected_minutes(study(exit_about_minutes=12).stage("exit")) == 12


def test_check_names_the_text_the_limit_and_the_remedy():
    from study_app.cli.checks.study_checks import minutes_problems

    (problem,) = minutes_problems(study(quiz=2, quiz_intro="You have **25 minutes**."), "study.toml")
    assert str(problem).startswith(
        "study.toml: stages.quiz.intro: the text says '25 minutes', the limit is 2 minutes; "
    )
    assert "{minutes}" in str(problem)


def test_the_consent_may_state_the_whole_session_or_one_of_its_limits_and_nothing_else():
    raw = tomllib.loads((ROOT / "study.toml").read_text())
    (consent,) = (stage for stage in raw["stages"] if stage["kind"] == "consent")
    consent["body"] += " You have 7 minutes."
    assert [wrong.key for wrong in wrong_minutes(validate_study(raw, "s"))] == [f"stages.{consent['id']}.body"]
